import Ring3

/// A guest's symbols: names by address, and addresses by name.
package struct SymbolTable: Sendable {
    package struct Symbol: Equatable, Sendable {
        package var name: String
        package var address: UInt32
        /// Bytes; 0 if the file does not say.
        package var size: UInt32
    }

    /// Why a file gives no symbols.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// By address, and of one address those first that are to be shown.
    package let symbols: [Symbol]
    private let addresses: [String: UInt32]

    /// A symbol without a size reaches to the next one, but not further than this.
    private static let reach: UInt32 = 1 << 20
    /// Of a name, no more bytes are looked at.
    static let longestName = 200

    package init(_ symbols: [Symbol] = []) {
        // Two symbols at one address: functions have sizes, labels do not.
        self.symbols = symbols.sorted { a, b in
            if a.address != b.address { return a.address < b.address }
            return a.size == b.size ? a.name < b.name : a.size > b.size
        }
        addresses = Dictionary(symbols.map { ($0.name, $0.address) }, uniquingKeysWith: { first, _ in first })
    }

    /// Reads an ELF32 symbol table or a System.map.
    package init(file bytes: [UInt8]) throws(Failure) {
        self.init(ELFSymbols.isELF(bytes) ? try ELFSymbols.read(bytes) : try SystemMap.read(bytes))
    }

    package var isEmpty: Bool { symbols.isEmpty }

    /// "name" or "name+0x1f"; nil where no symbol is known to reach.
    package func name(for address: UInt32) -> String? {
        var (low, high) = (0, symbols.count)
        while low < high {
            let middle = (low + high) / 2
            if symbols[middle].address <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        let start = symbols[low - 1].address
        // The first of those at that address is the one to show.
        var first = low - 1
        while first > 0, symbols[first - 1].address == start { first -= 1 }
        let symbol = symbols[first]
        let offset = address - start
        guard offset == 0 || offset < (symbol.size > 0 ? symbol.size : Self.reach) else { return nil }
        return offset == 0 ? symbol.name : symbol.name + "+0x" + String(offset, radix: 16)
    }

    package func address(of name: String) -> UInt32? { addresses[name] }

    /// What an address on the command line means: a symbol, a symbol and an offset, or a hexadecimal number.
    package func resolve(_ text: String) -> UInt32? {
        if let address = addresses[text] { return address }
        if let plus = text.lastIndex(of: "+"), let start = addresses[String(text[..<plus])],
            let offset = Self.number(text[text.index(after: plus)...])
        {
            return start &+ offset
        }
        return Self.number(text[...])
    }

    /// Hexadecimal, with or without 0x.
    private static func number(_ text: Substring) -> UInt32? {
        let digits = text.hasPrefix("0x") || text.hasPrefix("0X") ? text.dropFirst(2) : text
        guard !digits.isEmpty, digits.allSatisfy(\.isHexDigit) else { return nil }
        return UInt32(digits, radix: 16)
    }

    /// A name that can be shown anywhere: files may hold anything, and terminals obey control characters.
    static func clean(_ bytes: some Collection<UInt8>) -> String {
        let text = String(decoding: bytes.prefix(longestName), as: UTF8.self)
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    let category = scalar.properties.generalCategory
                    let isPlain = scalar.value > 0x20 && category != .control && category != .format
                    return isPlain ? scalar : "?"
                }))
    }
}

/// The list that the build of a Linux kernel leaves: "c1000000 T _text" on every line.
enum SystemMap {
    static func read(_ bytes: [UInt8]) throws(SymbolTable.Failure) -> [SymbolTable.Symbol] {
        var symbols: [SymbolTable.Symbol] = []
        var (lines, isWide) = (0, false)
        for line in bytes.split(whereSeparator: { $0 == 10 || $0 == 13 }) {
            lines += 1
            let fields = line.split(separator: 32, maxSplits: 2)
            guard fields.count == 3, fields[1].count == 1, let kind = fields[1].first,
                let address = UInt64(String(decoding: fields[0], as: UTF8.self), radix: 16)
            else { continue }
            guard let address = UInt32(exactly: address) else {
                isWide = true
                continue
            }
            // Absolute and undefined ones are no places.
            guard !"AaU".utf8.contains(kind) else { continue }
            symbols.append(.init(name: SymbolTable.clean(fields[2]), address: address, size: 0))
        }
        if symbols.isEmpty, isWide { throw .init(description: "lists addresses beyond 4 GiB: of a 64-bit kernel") }
        // A text may have a line that looks like one.
        guard symbols.count > lines / 2 else {
            throw .init(description: "is neither an ELF file with symbols nor a System.map")
        }
        return symbols
    }
}
