/// Reads the symbol table of 32-bit little-endian ELF files (System V ABI, chapter 4, "Symbol Table"). Every offset comes
/// from the file and is checked.
enum ELFSymbols {
    private enum Header {
        static let elfClass = 4, data = 5, sections = 32, sectionSize = 46, sectionCount = 48
    }

    private enum SectionType {
        static let symbols: UInt32 = 2, dynamicSymbols: UInt32 = 11
    }

    private struct Section {
        var type: UInt32
        var offset: UInt64
        var size: UInt64
        var link: UInt32
        var entrySize: UInt64
    }

    /// Symbols read at most: what no kernel has.
    private static let mostSymbols: UInt64 = 4 << 20

    static func isELF(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) }

    static func read(_ bytes: [UInt8]) throws(SymbolTable.Failure) -> [SymbolTable.Symbol] {
        guard bytes.count > 52, bytes[Header.data] == 1 else { throw failure("is a damaged ELF file") }
        guard bytes[Header.elfClass] == 1 else { throw failure("is a 64-bit ELF file; Ring3 runs 32-bit guests") }
        let sections = try sections(of: bytes)
        guard
            let table = sections.first(where: { $0.type == SectionType.symbols })
                ?? sections.first(where: { $0.type == SectionType.dynamicSymbols })
        else { throw failure("has no symbol table") }
        guard table.entrySize >= 16, Int(table.link) < sections.count else {
            throw failure("has a damaged symbol table")
        }
        let names = sections[Int(table.link)]
        guard contains(bytes, table), contains(bytes, names) else {
            throw failure("is truncated: its symbol table leaves the file")
        }
        return symbols(bytes, table, names)
    }

    private static func sections(of bytes: [UInt8]) throws(SymbolTable.Failure) -> [Section] {
        let (table, size) = (UInt64(bytes.long(Header.sections)), UInt64(bytes.word(Header.sectionSize)))
        let count = UInt64(bytes.word(Header.sectionCount))
        guard count > 0 else { throw failure("has no symbol table") }
        guard size >= 40, table + size * count <= UInt64(bytes.count) else {
            throw failure("is truncated: its section header table leaves the file")
        }
        return (0..<count).map { index in
            let at = Int(table + index * size)
            return Section(
                type: bytes.long(at + 4), offset: UInt64(bytes.long(at + 16)), size: UInt64(bytes.long(at + 20)),
                link: bytes.long(at + 24), entrySize: UInt64(bytes.long(at + 36)))
        }
    }

    private static func contains(_ bytes: [UInt8], _ section: Section) -> Bool {
        section.offset + section.size <= UInt64(bytes.count)
    }

    private static func symbols(_ bytes: [UInt8], _ table: Section, _ names: Section) -> [SymbolTable.Symbol] {
        let strings = bytes[Int(names.offset)..<Int(names.offset + names.size)]
        let count = min(table.size / table.entrySize, mostSymbols)
        return (0..<count).compactMap { index in
            let at = Int(table.offset + index * table.entrySize)
            let (name, kind, section) = (UInt64(bytes.long(at)), bytes[at + 12] & 15, bytes.word(at + 14))
            // No type, data, functions; neither undefined nor absolute.
            guard kind <= 2, section != 0, section != 0xFFF1, name > 0, name < names.size else { return nil }
            let text = strings[(strings.startIndex + Int(name))...].prefix(SymbolTable.longestName).prefix { $0 != 0 }
            guard !text.isEmpty else { return nil }
            return .init(name: SymbolTable.clean(text), address: bytes.long(at + 4), size: bytes.long(at + 8))
        }
    }

    private static func failure(_ reason: String) -> SymbolTable.Failure { .init(description: reason) }
}

extension [UInt8] {
    /// Little-endian values at offsets that must exist.
    fileprivate func long(_ offset: Int) -> UInt32 {
        withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
    }

    fileprivate func word(_ offset: Int) -> UInt16 {
        withUnsafeBytes { UInt16(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt16.self)) }
    }
}
