/// Assembles the little ACPI Machine Language the DSDT needs (ACPI 5.0 20.2; 6.4 for resource descriptors).
///
/// Each function answers the bytes of one term.
enum AML {
    private enum Opcode {
        static let name: UInt8 = 0x08, byte: UInt8 = 0x0A, long: UInt8 = 0x0C
        static let scope: UInt8 = 0x10, buffer: UInt8 = 0x11, package: UInt8 = 0x12
        static let device: [UInt8] = [0x5B, 0x82]
    }

    /// `\_SB`, under which the devices are.
    static let systemBus = Array("\\_SB_".utf8)

    /// Name (`name`, `value`); `name` has four characters.
    static func name(_ name: String, _ value: [UInt8]) -> [UInt8] { [Opcode.name] + Array(name.utf8) + value }

    static func byte(_ value: UInt8) -> [UInt8] { [Opcode.byte, value] }

    static func package(_ elements: [[UInt8]]) -> [UInt8] {
        [Opcode.package] + withLength([UInt8(elements.count)] + elements.joined())
    }

    static func scope(_ path: [UInt8], _ terms: [[UInt8]]) -> [UInt8] {
        [Opcode.scope] + withLength(path + terms.joined())
    }

    static func device(_ name: String, _ terms: [[UInt8]]) -> [UInt8] {
        Opcode.device + withLength(Array(name.utf8) + terms.joined())
    }

    /// EISAID ("PNP0501"): three letters of five bits and four hexadecimal digits, most significant byte first.
    static func eisaID(_ id: String) -> [UInt8] {
        let letters = id.utf8.prefix(3).reduce(UInt32(0)) { $0 << 5 | UInt32($1 - 0x40) }
        let digits = UInt32(id.dropFirst(3), radix: 16) ?? 0
        var term = [Opcode.long]
        term.append(little: (letters << 16 | digits).byteSwapped)
        return term
    }

    /// A resource template: the given descriptors and an end tag, whose zero checksum means "not checked".
    static func resources(_ descriptors: [[UInt8]]) -> [UInt8] {
        let template = Array(descriptors.joined()) + [0x79, 0]
        return [Opcode.buffer] + withLength(byte(UInt8(template.count)) + template)
    }

    /// I/O port descriptor (6.4.2.5): `count` ports from `port`, all 16 address bits decoded.
    static func ports(_ port: UInt16, count: UInt8) -> [UInt8] {
        var descriptor: [UInt8] = [0x47, 1]
        descriptor.append(little: port)
        descriptor.append(little: port)
        return descriptor + [1, count]
    }

    /// IRQ descriptor (6.4.2.1) without flags: edge-triggered, active high, not shared.
    static func interrupt(_ line: UInt16) -> [UInt8] {
        var descriptor: [UInt8] = [0x22]
        descriptor.append(little: UInt16(1) << line)
        return descriptor
    }

    /// `contents` behind a PkgLength (20.2.4), which counts its own bytes: 6 bits in one, or 4 + 8 in two.
    private static func withLength(_ contents: [UInt8]) -> [UInt8] {
        let short = contents.count + 1
        if short < 0x40 { return [UInt8(short)] + contents }
        let long = contents.count + 2
        precondition(long < 0x1000, "more AML than two length bytes can count")
        return [0x40 | UInt8(long & 0xF), UInt8(long >> 4)] + contents
    }
}
