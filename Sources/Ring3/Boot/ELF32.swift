/// Reads 32-bit ELF executables for the 80386 (System V ABI, chapters 4 and 5; i386 supplement).
enum ELF32 {
    /// Header fields, by offset.
    private enum Header {
        static let elfClass = 4, data = 5, machine = 18, entry = 24, segments = 28, sections = 32
        static let segmentSize = 42, segmentCount = 44, sectionSize = 46, sectionCount = 48, nameIndex = 50
    }

    private static let magic: UInt32 = 0x464C_457F
    private static let class32: UInt8 = 1
    private static let class64: UInt8 = 2
    private static let littleEndian: UInt8 = 1
    private static let machine386: UInt16 = 3

    static func isELF(_ file: ImageBytes) -> Bool { file.long(0) == magic }

    static func is64Bit(_ file: ImageBytes) -> Bool { isELF(file) && file.byte(Header.elfClass) == class64 }

    static func kernel(in file: ImageBytes) throws(BootError) -> KernelImage {
        guard !is64Bit(file) else { throw .kernelIs64Bit }
        guard file.byte(Header.elfClass) == class32, file.byte(Header.data) == littleEndian,
            let machine = file.word(Header.machine), let entry = file.long(Header.entry)
        else { throw BootError("corrupt ELF header") }
        guard machine == machine386 else { throw BootError("an ELF image for another CPU (machine \(machine))") }
        let segments = try loadableSegments(of: file)
        return KernelImage(
            segments: segments.map(\.segment), entry: physical(entry, in: segments), sections: try sections(of: file))
    }

    private struct ProgramHeader {
        static let size: UInt64 = 32
        static let load: UInt32 = 1

        let virtualAddress: UInt32
        let segment: KernelImage.Segment
    }

    /// Those of type PT_LOAD that occupy memory.
    private static func loadableSegments(of file: ImageBytes) throws(BootError) -> [ProgramHeader] {
        guard let table = file.long(Header.segments), let size = file.word(Header.segmentSize),
            let count = file.word(Header.segmentCount),
            count == 0 || size >= ProgramHeader.size,
            file.range(UInt64(table), UInt64(size) * UInt64(count)) != nil
        else { throw BootError("truncated: its program header table leaves the file") }
        var segments: [ProgramHeader] = []
        for index in 0..<Int(count) {
            let header = Int(table) + index * Int(size)
            // p_type, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz: all inside the table, whose bounds are known.
            let fields = (0..<6).compactMap { file.long(header + 4 * $0) }
            guard fields[0] == ProgramHeader.load, fields[5] > 0 else { continue }
            let name = "segment \(index)"
            guard fields[4] <= fields[5] else {
                throw BootError("\(name) has more bytes in the file than in memory")
            }
            guard let range = file.range(UInt64(fields[1]), UInt64(fields[4])) else {
                throw BootError("truncated: \(name) leaves the file")
            }
            segments.append(
                ProgramHeader(
                    virtualAddress: fields[2],
                    segment: .init(
                        name: name, address: UInt64(fields[3]), file: range, memorySize: UInt64(fields[5]))))
        }
        return segments
    }

    /// Where `entry`, a virtual address by the ABI, lies once loaded. Kernels linked to run elsewhere than they are
    /// loaded often give the physical address instead: an address in no segment is taken for one.
    private static func physical(_ entry: UInt32, in segments: [ProgramHeader]) -> UInt64 {
        for header in segments where entry >= header.virtualAddress {
            let offset = UInt64(entry - header.virtualAddress)
            if offset < header.segment.memorySize { return header.segment.address + offset }
        }
        return UInt64(entry)
    }

    private static func sections(of file: ImageBytes) throws(BootError) -> ELFSections? {
        guard let table = file.long(Header.sections), let size = file.word(Header.sectionSize),
            let count = file.word(Header.sectionCount), let nameIndex = file.word(Header.nameIndex),
            count > 0
        else { return nil }
        guard size >= ELFSections.headerSize, let range = file.range(UInt64(table), UInt64(size) * UInt64(count)) else {
            throw BootError("truncated: its section header table leaves the file")
        }
        return ELFSections(
            count: Int(count), entrySize: Int(size), nameIndex: UInt32(nameIndex), headers: Array(file.bytes[range]))
    }
}

/// An ELF image's section headers, which Multiboot passes on so that a kernel can find its own symbols.
struct ELFSections {
    static let headerSize = 40

    let count: Int
    let entrySize: Int
    let nameIndex: UInt32
    /// `count` headers of `entrySize` bytes.
    private(set) var headers: [UInt8]

    init(count: Int, entrySize: Int, nameIndex: UInt32, headers: [UInt8]) {
        self.count = count
        self.entrySize = entrySize
        self.nameIndex = nameIndex
        self.headers = headers
    }

    /// Loads the sections that no segment loads (symbols, strings), and makes every address say where its section is:
    /// "all sections are loaded, and the physical address fields refer to where the sections are" (Multiboot 3.3).
    mutating func load(
        from file: ImageBytes, into memory: inout BootMemory, displacement: UInt32
    ) throws(BootError) {
        /// SHT_NULL and SHT_NOBITS.
        let withoutBytes: [UInt32] = [0, 8]
        for index in 0..<count {
            let header = index * entrySize
            // sh_name, sh_type, sh_flags, sh_addr, sh_offset, sh_size, sh_link, sh_info, sh_addralign, sh_entsize
            let fields = (0..<10).map { headers.long(header + 4 * $0) }
            let name = "section \(index)"
            if fields[3] != 0 {
                headers.store(fields[3] &+ displacement, at: header + 12)
            } else if !withoutBytes.contains(fields[1]), fields[5] > 0 {
                guard let range = file.range(UInt64(fields[4]), UInt64(fields[5])) else {
                    throw BootError("truncated: \(name) leaves the file")
                }
                guard fields[8] & (fields[8] &- 1) == 0 else {
                    throw BootError("\(name) has alignment \(fields[8]), not a power of two")
                }
                let address = try memory.placeStructure(
                    Array(file.bytes[range]), alignment: UInt64(max(fields[8], 1)), for: name)
                headers.store(address, at: header + 12)
            }
        }
    }
}

extension [UInt8] {
    /// The 32-bit value at `offset`, which must exist.
    fileprivate func long(_ offset: Int) -> UInt32 {
        withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
    }
}

extension BootError {
    static var kernelIs64Bit: BootError { BootError("a 64-bit kernel; Ring3 runs 32-bit guests") }
}
