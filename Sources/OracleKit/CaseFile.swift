import Glibc
import Ring3

/// A case as text, to be kept, sent or changed by hand: `Scripts/oracle --case FILE` runs it.
///
/// ```
/// # comment
/// seed 7                        what memory holds; decimal, everything else is hexadecimal
/// at 00200560                   where the code stands, and starts
/// code d9 e8 df 33
/// eax 00000001                  any register; those not named have their defaults
/// eflags 00000202
/// fcw 037f                      fsw, ftw (bit n: Rn is not empty), mxcsr
/// st0 3fff:8000000000000000     sign and exponent, significand
/// xmm0 0000000000000000:3ff0000000000000
/// ignore 00210a94 2             address and size of memory that is not compared; at most twice
/// ```
package struct CaseFile {
    package var seed: UInt64
    package var record: CaseRecord

    /// Where a file is not as it should be.
    package struct Failure: Error, CustomStringConvertible {
        package let file: String
        /// Line and the position in it, in bytes, from 1; nil if the file cannot be read at all.
        package let place: (line: Int, column: Int)?
        package let reason: String

        package var description: String {
            place.map { "\(file):\($0.line):\($0.column): \(reason)" } ?? "\(file): \(reason)"
        }
    }

    package init(seed: UInt64, record: CaseRecord) {
        self.seed = seed
        self.record = record
    }

    static let registerNames = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"]
    private static let largest = 1 << 16

    /// Reads the file at `path`.
    package init(path: String) throws(Failure) {
        guard let bytes = readFile(path, limit: Self.largest) else {
            throw Failure(file: path, place: nil, reason: String(cString: strerror(errno)))
        }
        try self.init(bytes, name: path)
    }

    /// Reads `bytes`; `name` is for messages.
    package init(_ bytes: [UInt8], name: String) throws(Failure) {
        guard bytes.count < Self.largest else {
            throw Failure(file: name, place: nil, reason: "is too long for a case")
        }
        var parser = CaseParser(name: name)
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            try parser.read([UInt8](line))
        }
        self = try parser.result()
    }

    /// The file's contents.
    package var text: String {
        func digits(_ value: UInt64, _ count: Int) -> String {
            let text = hex(value)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let (context, image) = (record.context, record.extended)
        var lines = ["seed \(seed)", "at \(digits(UInt64(context.eip), 8))"]
        lines.append("code " + record.codeBytes.map { digits(UInt64($0), 2) }.joined(separator: " "))
        for (index, name) in Self.registerNames.enumerated() {
            lines.append("\(name) \(digits(UInt64(context.registers[index]), 8))")
        }
        lines.append("eflags \(digits(UInt64(context.eflags), 8))")
        lines.append("fcw \(digits(UInt64(image.control), 4))")
        lines.append("fsw \(digits(UInt64(image.status), 4))")
        lines.append("ftw \(digits(UInt64(image.occupied), 2))")
        lines.append("mxcsr \(digits(UInt64(image.mxcsr), 8))")
        for n in 0..<8 {
            lines.append("st\(n) \(digits(UInt64(image.signExponent(n)), 4)):\(digits(image.significand(n), 16))")
        }
        for n in 0..<8 { lines.append("xmm\(n) \(digits(image.xmm(n).1, 16)):\(digits(image.xmm(n).0, 16))") }
        for (address, size) in record.ignored {
            lines.append("ignore \(digits(UInt64(address), 8)) \(hex(UInt64(size)))")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// The bytes of a file, or nil and `errno`.
func readFile(_ path: String, limit: Int) -> [UInt8]? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count < limit {
        let count = fread(&buffer, 1, buffer.count, file)
        if count == 0 { return ferror(file) == 0 ? bytes : nil }
        bytes += buffer[..<count]
    }
    return bytes
}
