/// What has to be known about an opcode before Capstone is asked: how far it reaches, and which prefixes select it.
struct OpcodeForm {
    var isDefined = true
    var hasModRM = false
    /// The mandatory prefixes (SDM 2A 2.1.2) the opcode exists with, as a set of `MandatoryPrefix` bits; 0 if 66, F2 and
    /// F3 do not select between instructions here, but are an operand-size prefix and ignored.
    var mandatory: UInt8 = 0
    /// The operand-size attribute has no meaning: 66 is mandatory or ignored.
    var ignoresOperandSize = false
}

enum MandatoryPrefix {
    static let none: UInt8 = 1 << 0
    static let x66: UInt8 = 1 << 1
    static let xF3: UInt8 = 1 << 2
    static let xF2: UInt8 = 1 << 3
}

/// The one- and two-byte opcode maps of the i386 to the Pentium 4 without SSE3 (SDM 2D, appendix A), as drawings.
@usableFromInline
enum OpcodeMap {
    /// Index of opcode 0F `byte`; one-byte opcodes are their own index.
    @inlinable @inline(__always)
    static func twoByte(_ byte: UInt8) -> Int { 256 + Int(byte) }

    static let forms: [OpcodeForm] = {
        var forms = (oneByteMap + twoByteMap).joined().map(form)
        // MOV to and from control and debug registers is always 32 bits wide (SDM 2B, "MOV").
        for byte in 0x20...0x23 { forms[twoByte(UInt8(byte))].ignoresOperandSize = true }
        return forms
    }()

    private static func form(_ symbol: Character) -> OpcodeForm {
        switch symbol {
        case ".": OpcodeForm()
        case "-": OpcodeForm(isDefined: false)
        case "m": OpcodeForm(hasModRM: true)
        case "!": OpcodeForm(mandatory: MandatoryPrefix.none, ignoresOperandSize: true)
        default:
            OpcodeForm(
                hasModRM: true, mandatory: UInt8(symbol.hexDigitValue ?? 0), ignoresOperandSize: true)
        }
    }

    /// `m` has a ModR/M byte. Prefix bytes and the escape 0F never get here.
    private static let oneByteMap = [
        // 0123456789ABCDEF
        /* 0 */ "mmmm....mmmm....",
        /* 1 */ "mmmm....mmmm....",
        /* 2 */ "mmmm....mmmm....",
        /* 3 */ "mmmm....mmmm....",
        /* 4 */ "................",
        /* 5 */ "................",
        /* 6 */ "..mm.....m.m....",
        /* 7 */ "................",
        /* 8 */ "mmmmmmmmmmmmmmmm",
        /* 9 */ "................",
        /* A */ "................",
        /* B */ "................",
        /* C */ "mm..mmmm........",
        /* D */ "mmmm....mmmmmmmm",
        /* E */ "................",
        /* F */ "......mm......mm",
    ]

    /// `-` undefined; `.` no ModR/M; `m` ModR/M; `!` no ModR/M and no mandatory prefix (EMMS); a hexadecimal digit:
    /// ModR/M, and the set of mandatory prefixes the opcode exists with (1 none, 2 66, 4 F3, 8 F2).
    private static let twoByteMap = [
        // 0123456789ABCDEF
        /* 0 */ "mmmm--.-..-.----",
        /* 1 */ "ff333333mmmmmmmm",
        /* 2 */ "mmmm----33f3ff33",
        /* 3 */ "......----------",
        /* 4 */ "mmmmmmmmmmmmmmmm",
        /* 5 */ "3f553333fff7ffff",
        /* 6 */ "3333333333332237",
        /* 7 */ "f333333!------77",
        /* 8 */ "................",
        /* 9 */ "mmmmmmmmmmmmmmmm",
        /* A */ "...mmm--...mmm1m",
        /* B */ "mmmmmmmm-mmmmmmm",
        /* C */ "mmf1333m........",
        /* D */ "-33333e333333333",
        /* E */ "333333e333333333",
        /* F */ "-33333333333333m",
    ]
}

extension Decoder {
    /// Whether an opcode (one byte, or 0F and another) is followed by a ModR/M byte.
    package static func hasModRM(_ opcode: [UInt8]) -> Bool {
        OpcodeMap.forms[opcode[0] == 0x0F && opcode.count > 1 ? OpcodeMap.twoByte(opcode[1]) : Int(opcode[0])].hasModRM
    }
}
