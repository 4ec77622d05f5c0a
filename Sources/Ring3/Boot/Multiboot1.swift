import Hardware

/// Boots by the Multiboot Specification 0.6.96.
enum Multiboot1 {
    /// What EAX holds at the kernel's entry (3.2).
    static let loaderMagic: UInt32 = 0x2BAD_B002
    static let loaderName = "Ring3"

    static func load(
        _ request: BootRequest, header: Multiboot1Header, into memory: inout BootMemory, firmware: FirmwareArea
    ) throws(BootError) -> StartState {
        let file = ImageBytes(bytes: request.image)
        let image = try header.kernel(in: file)
        let kernel = try image.load(from: file, into: &memory)
        let modules = try MultibootModule.load(request.allModules, into: &memory, after: kernel)
        var sections = image.sections
        try sections?.load(from: file, into: &memory, displacement: kernel.displacement)

        var information = Multiboot1Information()
        information.setMemory(of: memory.memory)
        // As QEMU and GRUB Legacy do, the image's name comes first, like a program's argv[0].
        information.commandLine = try memory.placeStructure(
            cString(request.commandLine.isEmpty ? request.imageName : "\(request.imageName) \(request.commandLine)"),
            for: "the command line")
        try information.setModules(modules, in: &memory)
        if let sections {
            information.sections = sections
            information.sectionHeaders = try memory.placeStructure(sections.headers, for: "the section headers")
        }
        let map = Multiboot1Information.memoryMap(of: memory.memory)
        information.memoryMapLength = UInt32(map.count)
        information.memoryMap = try memory.placeStructure(map, for: "the memory map")
        information.loaderName = try memory.placeStructure(cString(loaderName), for: "the boot loader's name")

        var state = StartState(eip: kernel.entry, cpuMode: firmware.cpuMode)
        state.eax = loaderMagic
        state.ebx = try memory.placeStructure(information.bytes, for: "the Multiboot information")
        return state
    }
}

/// A module in guest memory.
struct MultibootModule {
    let start: UInt32
    let end: UInt32
    let arguments: String

    /// Puts `modules` above `kernel`, on page boundaries whether it asks for that or not.
    static func load(
        _ modules: [BootRequest.Module], into memory: inout BootMemory, after kernel: LoadedKernel
    ) throws(BootError) -> [MultibootModule] {
        let start = max(kernel.range.upperBound, MemoryMap.highBase)
        var loaded: [MultibootModule] = []
        for module in modules {
            let address = try memory.place(
                module.bytes, alignment: 4096, in: start..<max(start, memory.end), for: "module \(module.arguments)")
            guard let address else {
                throw BootError(
                    "no room above the kernel for its \(module.bytes.count) bytes in "
                        + "\(memory.memory.size >> 20) MiB of RAM",
                    subject: "module \(module.arguments)", isUsage: true)
            }
            loaded.append(
                MultibootModule(
                    start: address, end: address + UInt32(module.bytes.count), arguments: module.arguments))
        }
        return loaded
    }
}

/// The structure EBX points to at the kernel's entry (Multiboot 0.6.96, 3.3).
struct Multiboot1Information {
    private enum Flag {
        static let memory: UInt32 = 1 << 0
        static let commandLine: UInt32 = 1 << 2
        static let modules: UInt32 = 1 << 3
        static let elfSections: UInt32 = 1 << 5
        static let memoryMap: UInt32 = 1 << 6
        static let loaderName: UInt32 = 1 << 9
        static let framebuffer: UInt32 = 1 << 12
    }

    private static let size = 116

    var commandLine: UInt32 = 0
    var sections: ELFSections?
    var sectionHeaders: UInt32 = 0
    var memoryMap: UInt32 = 0
    var memoryMapLength: UInt32 = 0
    var loaderName: UInt32 = 0
    private var lowKiB: UInt32 = 0
    private var highKiB: UInt32 = 0
    private var modules: UInt32 = 0
    private var moduleCount: UInt32 = 0

    mutating func setMemory(of memory: PhysicalMemory) {
        lowKiB = MemoryMap.lowKiB
        highKiB = MemoryMap.highKiB(of: memory)
    }

    /// Puts the module list into `memory`: start, end, string and zero for each.
    mutating func setModules(_ list: [MultibootModule], in memory: inout BootMemory) throws(BootError) {
        var table: [UInt8] = []
        for module in list {
            table.append(little: module.start)
            table.append(little: module.end)
            table.append(little: try memory.placeStructure(cString(module.arguments), for: "a module's string"))
            table.append(little: UInt32(0))
        }
        moduleCount = UInt32(list.count)
        modules = try memory.placeStructure(table, for: "the module list")
    }

    /// Entries of size (not counting itself), base, length and type.
    static func memoryMap(of memory: PhysicalMemory) -> [UInt8] {
        var map: [UInt8] = []
        for region in MemoryMap.regions(of: memory) {
            map.append(little: UInt32(20))
            map.append(little: region.base)
            map.append(little: region.length)
            map.append(little: region.kind.rawValue)
        }
        return map
    }

    var bytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.size)
        bytes.store(
            Flag.memory | Flag.commandLine | Flag.modules | Flag.memoryMap | Flag.loaderName | Flag.framebuffer
                | (sections == nil ? 0 : Flag.elfSections), at: 0)
        bytes.store(lowKiB, at: 4)
        bytes.store(highKiB, at: 8)
        bytes.store(commandLine, at: 16)
        bytes.store(moduleCount, at: 20)
        bytes.store(modules, at: 24)
        if let sections {
            bytes.store(UInt32(sections.count), at: 28)
            bytes.store(UInt32(sections.entrySize), at: 32)
            bytes.store(sectionHeaders, at: 36)
            bytes.store(sections.nameIndex, at: 40)
        }
        bytes.store(memoryMapLength, at: 44)
        bytes.store(memoryMap, at: 48)
        bytes.store(loaderName, at: 64)
        bytes.replaceSubrange(88..<110, with: TextFramebuffer.fields)
        return bytes
    }
}

/// The VGA text screen as both Multiboot versions describe it: address, pitch, width and height in characters, bits of
/// a character, and type.
enum TextFramebuffer {
    static let fields: [UInt8] = {
        let egaText: UInt8 = 2
        var fields: [UInt8] = []
        fields.append(little: UInt64(0xB8000))
        for value in [160, 80, 25] as [UInt32] { fields.append(little: value) }
        return fields + [16, egaText]
    }()
}
