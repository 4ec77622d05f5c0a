import Hardware

/// Boots by the Multiboot2 Specification 2.0.
enum Multiboot2 {
    /// What EAX holds at the kernel's entry (3.3).
    static let loaderMagic: UInt32 = 0x36D7_6289

    static func load(
        _ request: BootRequest, headerOffset: Int, into memory: inout BootMemory, firmware: FirmwareArea
    ) throws(BootError) -> StartState {
        let file = ImageBytes(bytes: request.image)
        let header = try Multiboot2Header(in: file, at: headerOffset)
        let image = try header.kernel(in: file)
        let kernel = try image.load(from: file, into: &memory, relocation: header.relocation)
        let modules = try MultibootModule.load(request.allModules, into: &memory, after: kernel)
        var sections = image.sections
        try sections?.load(from: file, into: &memory, displacement: kernel.displacement)

        var information = Multiboot2Information()
        // As GRUB 2 does, without the image's name.
        information.add(.commandLine, cString(request.commandLine))
        information.add(.loaderName, cString(Multiboot1.loaderName))
        for module in modules { information.add(module) }
        information.addMemory(of: memory.memory)
        information.add(.framebuffer, TextFramebuffer.fields + [0, 0])
        if let sections { information.add(sections) }
        information.add(.oldRSDP, Array(firmware.acpi.rsdp.bytes.prefix(20)))
        information.add(.newRSDP, firmware.acpi.rsdp.bytes)
        if header.relocation != nil {
            information.add(.loadBase, longs: [UInt32(kernel.range.lowerBound)])
        }

        var state = StartState(eip: kernel.entry, cpuMode: firmware.cpuMode)
        state.eax = loaderMagic
        state.ebx = try memory.placeStructure(information.bytes, for: "the Multiboot 2 information")
        return state
    }
}

/// The structure EBX points to at the kernel's entry: its size, zero, and tags on 8-byte boundaries (Multiboot2 3.4).
struct Multiboot2Information {
    enum TagType: UInt32 {
        case end = 0
        case commandLine = 1
        case loaderName = 2
        case module = 3
        case basicMemory = 4
        case memoryMap = 6
        case framebuffer = 8
        case elfSections = 9
        case oldRSDP = 14
        case newRSDP = 15
        case loadBase = 21
    }

    private var tags: [UInt8] = []

    mutating func add(_ type: TagType, longs: [UInt32] = [], _ contents: [UInt8] = []) {
        tags.append(little: type.rawValue)
        tags.append(little: UInt32(8 + 4 * longs.count + contents.count))
        for value in longs { tags.append(little: value) }
        tags += contents
        tags.pad(to: 8)
    }

    mutating func add(_ module: MultibootModule) {
        add(.module, longs: [module.start, module.end], cString(module.arguments))
    }

    mutating func add(_ sections: ELFSections) {
        add(
            .elfSections, longs: [UInt32(sections.count), UInt32(sections.entrySize), sections.nameIndex],
            sections.headers)
    }

    /// The amounts below and above 1 MiB, and the map: entries of base, length, type and zero.
    mutating func addMemory(of memory: PhysicalMemory) {
        add(.basicMemory, longs: [MemoryMap.lowKiB, MemoryMap.highKiB(of: memory)])
        let entrySize: UInt32 = 24
        let version: UInt32 = 0
        var entries: [UInt8] = []
        for region in MemoryMap.regions(of: memory) {
            entries.append(little: region.base)
            entries.append(little: region.length)
            entries.append(little: region.kind.rawValue)
            entries.append(little: UInt32(0))
        }
        add(.memoryMap, longs: [entrySize, version], entries)
    }

    var bytes: [UInt8] {
        var complete = self
        complete.add(.end)
        var bytes: [UInt8] = []
        bytes.append(little: UInt32(8 + complete.tags.count))
        bytes.append(little: UInt32(0))
        return bytes + complete.tags
    }
}
