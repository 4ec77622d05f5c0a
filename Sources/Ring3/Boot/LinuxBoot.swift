import Hardware

/// Boots a bzImage by the 32-bit boot protocol (Linux documentation, "The Linux/x86 Boot Protocol", "32-bit Boot
/// Protocol"): no real-mode code of the kernel's runs; what it would have found out stands in the zero page.
enum LinuxBoot {
    /// Where the protected-mode kernel is loaded and entered; it moves itself from there (pref_address).
    private static let loadAddress = MemoryMap.highBase

    static func load(
        _ request: BootRequest, into memory: inout BootMemory, firmware: FirmwareArea
    ) throws(BootError) -> StartState {
        guard request.modules.isEmpty else {
            throw BootError("Linux takes an initial RAM disk, not modules", isUsage: true)
        }
        let file = ImageBytes(bytes: request.image)
        let header = try LinuxHeader(in: file)
        let commandLine = cString(request.commandLine)
        guard commandLine.count - 1 <= header.commandLineSize else {
            throw BootError(
                "the command line has \(commandLine.count - 1) bytes; this kernel takes \(header.commandLineSize)",
                isUsage: true)
        }
        let kernel = try loadKernel(header, from: file, into: &memory)
        var page = ZeroPage(header: header, file: file)
        page.store(UInt32(loadAddress), at: LinuxHeader.Field.codeStart)
        page.store(try memory.placeStructure(commandLine, for: "the command line"), at: LinuxHeader.Field.commandLine)
        if let initrd = request.initrd {
            let address = try place(initrd, named: request.initrdName, above: kernel, header, in: &memory)
            page.store(address, at: LinuxHeader.Field.ramdiskImage)
            page.store(UInt32(initrd.count), at: LinuxHeader.Field.ramdiskSize)
        }
        page.setMemoryMap(MemoryMap.regions(of: memory.memory))
        if header.version >= 0x020E { page.store(UInt64(firmware.acpi.rsdp.address), at: ZeroPage.Field.rsdpAddress) }

        var state = StartState(eip: UInt32(loadAddress), cpuMode: firmware.cpuMode)
        state.esi = try memory.placeStructure(page.bytes, alignment: 4096, for: "the zero page")
        return state
    }

    /// Loads the kernel, keeps everything else out of where it will decompress to, and answers the end of both.
    private static func loadKernel(
        _ header: LinuxHeader, from file: ImageBytes, into memory: inout BootMemory
    ) throws(BootError) -> UInt64 {
        let end = loadAddress + UInt64(header.kernel.count)
        try memory.load(file.bytes[header.kernel], into: loadAddress..<end, for: "the kernel")
        // Decompression is in place: the runtime area may begin inside what was loaded, or before it.
        let runtime = max(end, header.runtime.lowerBound)..<max(end, header.runtime.upperBound)
        try memory.claim(runtime, for: "its run-time memory")
        return runtime.upperBound
    }

    /// Puts the initial RAM disk as high as the kernel allows, out of the way of what it allocates first.
    private static func place(
        _ initrd: [UInt8], named name: String, above kernel: UInt64, _ header: LinuxHeader, in memory: inout BootMemory
    ) throws(BootError) -> UInt32 {
        let limit = max(kernel, UInt64(header.ramdiskLimit) + 1)
        let address = try memory.place(
            initrd, alignment: 4096, in: kernel..<limit, preferring: .highest, for: "the initial RAM disk")
        guard let address else {
            throw BootError(
                "no room for its \(initrd.count) bytes above the kernel, which needs the first "
                    + "\(kernel.roundedUp(to: 1 << 20) >> 20) of \(memory.memory.size >> 20) MiB of RAM",
                subject: name, isUsage: true)
        }
        return address
    }
}

/// The zero page, `struct boot_params`: the setup header and what the real-mode code would have found out.
struct ZeroPage {
    enum Field {
        static let rsdpAddress = 0x070, memoryMapCount = 0x1E8, memoryMap = 0x2D0
    }

    private(set) var bytes = [UInt8](repeating: 0, count: 4096)

    init(header: LinuxHeader, file: ImageBytes) {
        bytes.replaceSubrange(header.bytes, with: file.bytes[header.bytes])
        let undefinedLoader: UInt8 = 0xFF
        store(undefinedLoader, at: LinuxHeader.Field.loaderType)
        // screen_info: what INT 10h says of a VGA in mode 3.
        store(UInt8(3), at: 0x06)  // orig_video_mode
        store(UInt8(80), at: 0x07)  // orig_video_cols
        store(UInt16(3), at: 0x0A)  // orig_video_ega_bx: colour, 256 KiB
        store(UInt8(25), at: 0x0E)  // orig_video_lines
        store(UInt8(1), at: 0x0F)  // orig_video_isVGA
        store(UInt16(16), at: 0x10)  // orig_video_points
    }

    mutating func store<T: FixedWidthInteger>(_ value: T, at offset: Int) { bytes.store(value, at: offset) }

    /// Entries of base, length and type, 20 bytes each.
    mutating func setMemoryMap(_ regions: [MemoryMap.Region]) {
        store(UInt8(regions.count), at: Field.memoryMapCount)
        for (index, region) in regions.enumerated() {
            let entry = Field.memoryMap + index * 20
            store(region.base, at: entry)
            store(region.length, at: entry + 8)
            store(region.kind.rawValue, at: entry + 16)
        }
    }
}
