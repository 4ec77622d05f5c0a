import Ring3
import X86

/// Reads a case file line by line; see `CaseFile`.
struct CaseParser {
    private let name: String
    private var line = 0
    private var seen: Set<String> = []
    private var seed: UInt64 = 1
    private var start = UserLayout.code + 0x400
    private var code: [UInt8] = []
    private var context = UserContext()
    private var image = ExtendedImage()
    private var ignored: [(address: UInt32, size: UInt32)] = []

    init(name: String) {
        self.name = name
        context.registers[4] = UserLayout.stack + 0x800
    }

    /// A word of a line, and where it starts, from 0.
    private struct Word {
        let text: String
        let column: Int
    }

    private func failure(_ column: Int, _ reason: String) -> CaseFile.Failure {
        CaseFile.Failure(file: name, place: (line, column + 1), reason: reason)
    }

    mutating func read(_ bytes: [UInt8]) throws(CaseFile.Failure) {
        line += 1
        var words = try split(bytes)
        guard !words.isEmpty else { return }
        let key = words.removeFirst()
        guard key.text == "ignore" || seen.insert(key.text).inserted else {
            throw failure(key.column, "'\(key.text)' is there twice")
        }
        try set(key, words, end: bytes.count)
    }

    private func split(_ bytes: [UInt8]) throws(CaseFile.Failure) -> [Word] {
        var words: [Word] = []
        var start: Int?
        for (column, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "#") {
                if let begin = start { words.append(word(bytes[begin..<column])) }
                return words
            }
            let isSpace = byte == 0x20 || byte == 0x09 || byte == 0x0D
            guard isSpace || (0x21...0x7E).contains(byte) else { throw failure(column, "is not text") }
            if isSpace {
                if let begin = start { words.append(word(bytes[begin..<column])) }
                start = nil
            } else if start == nil {
                start = column
            }
        }
        if let begin = start { words.append(word(bytes[begin...])) }
        return words
    }

    private func word(_ bytes: ArraySlice<UInt8>) -> Word {
        Word(text: String(decoding: bytes, as: UTF8.self), column: bytes.startIndex)
    }

    private mutating func set(_ key: Word, _ words: [Word], end: Int) throws(CaseFile.Failure) {
        func number(_ bits: Int) throws(CaseFile.Failure) -> UInt64 {
            try count(words, 1, end: end)
            return try value(words[0], bits: bits)
        }
        switch key.text {
        case "seed":
            try count(words, 1, end: end)
            guard let value = UInt64(words[0].text) else { throw failure(words[0].column, "no decimal number") }
            seed = value
        case "at":
            start = UInt32(try number(32))
            guard start &- UserLayout.code < UserLayout.codeSize else {
                throw failure(words[0].column, "not in the code pages, 200000 to 201fff")
            }
        case "code": try setCode(words, end: end)
        case "eflags": try setFlags(number(32), at: words[0].column)
        case "fcw": image.control = UInt16(try number(16))
        case "fsw": image.status = UInt16(try number(16))
        case "ftw": image.occupied = UInt8(try number(8))
        case "mxcsr":
            image.mxcsr = UInt32(try number(32))
            guard image.mxcsr <= 0xFFFF else { throw failure(words[0].column, "reserved bits are set") }
        case "ignore": try setIgnored(words, end: end)
        default:
            if let index = CaseFile.registerNames.firstIndex(of: key.text) {
                context.registers[index] = UInt32(try number(32))
            } else {
                try setVector(key, words, end: end)
            }
        }
    }

    private mutating func setCode(_ words: [Word], end: Int) throws(CaseFile.Failure) {
        guard !words.isEmpty else { throw failure(end, "no code") }
        for word in words {
            guard code.count < CaseRecord.maximumCode else {
                throw failure(word.column, "more than \(CaseRecord.maximumCode) bytes of code")
            }
            code.append(UInt8(try value(word, bits: 8)))
        }
    }

    private mutating func setFlags(_ value: UInt64, at column: Int) throws(CaseFile.Failure) {
        context.eflags = UInt32(value)
        guard context.eflags & Flags.tf == 0 else { throw failure(column, "TF is set: the start would be traced") }
        guard context.eflags & ~(Flags.status | Flags.df | Flags.if | Flags.ac | Flags.id | Flags.reserved1) == 0
        else { throw failure(column, "flags that no program starts with") }
        context.eflags |= Flags.if | Flags.reserved1
    }

    private mutating func setIgnored(_ words: [Word], end: Int) throws(CaseFile.Failure) {
        try count(words, 2, end: end)
        guard ignored.count < 2 else { throw failure(words[0].column, "a third range to be ignored") }
        let size = try value(words[1], bits: 16)
        guard size <= 512 else { throw failure(words[1].column, "more than 512 bytes to be ignored") }
        ignored.append((UInt32(try value(words[0], bits: 32)), UInt32(size)))
    }

    /// st0 to st7 and xmm0 to xmm7: two halves with a colon between them.
    private mutating func setVector(_ key: Word, _ words: [Word], end: Int) throws(CaseFile.Failure) {
        let isSIMD = key.text.hasPrefix("xmm")
        guard isSIMD || key.text.hasPrefix("st"), let n = Int(key.text.dropFirst(isSIMD ? 3 : 2)), (0..<8).contains(n)
        else { throw failure(key.column, "nothing is called '\(key.text)'") }
        try count(words, 1, end: end)
        let text = words[0].text
        guard let colon = text.firstIndex(of: ":") else { throw failure(words[0].column, "no colon in '\(text)'") }
        let high = Word(text: String(text[..<colon]), column: words[0].column)
        let position = text.distance(from: text.startIndex, to: colon) + 1
        let low = Word(text: String(text[colon...].dropFirst()), column: words[0].column + position)
        let halves = (try value(high, bits: isSIMD ? 64 : 16), try value(low, bits: 64))
        if isSIMD {
            image.setXMM(n, halves.1, halves.0)
        } else {
            image.setRegister(n, significand: halves.1, signExponent: UInt16(halves.0))
        }
    }

    private func count(_ words: [Word], _ wanted: Int, end: Int) throws(CaseFile.Failure) {
        guard words.count >= wanted else { throw failure(end, "a value is missing") }
        guard words.count == wanted else { throw failure(words[wanted].column, "'\(words[wanted].text)' is too much") }
    }

    private func value(_ word: Word, bits: Int) throws(CaseFile.Failure) -> UInt64 {
        guard word.text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") }), let value = UInt64(word.text, radix: 16) else {
            throw failure(word.column, "'\(word.text)' is no hexadecimal number")
        }
        guard bits == 64 || value >> UInt64(bits) == 0 else {
            throw failure(word.column, "'\(word.text)' has more than \(bits) bits")
        }
        return value
    }

    func result() throws(CaseFile.Failure) -> CaseFile {
        guard !code.isEmpty else { throw failure(0, "ends without a line 'code'") }
        let offset = start - UserLayout.code
        guard Int(offset) + code.count <= Int(UserLayout.codeSize) else {
            throw failure(0, "the code goes beyond the code pages, 200000 to 201fff")
        }
        var record = CaseRecord(code: code, at: offset)
        let eip = record.context.eip
        record.context = context
        record.context.eip = eip
        record.extended = image
        record.ignored = ignored
        return CaseFile(seed: seed, record: record)
    }
}
