/// Two-operand arithmetic, numbered as in the reg field of opcode D8 and its kin (SDM 2D B.17).
enum X87Arithmetic: Int32 {
    case add = 0
    case multiply = 1
    case compare = 2
    case subtract = 4
    case subtractReversed = 5
    case divide = 6
    case divideReversed = 7
    /// FUCOM: not of that table, but the same shape.
    case compareUnordered = 8
}

/// The instructions D9 F0 to D9 FF that compute, numbered by their low four bits.
enum X87Function: Int32 {
    case f2xm1 = 0x0
    case fyl2x = 0x1
    case fptan = 0x2
    case fpatan = 0x3
    case fxtract = 0x4
    case fprem1 = 0x5
    case fprem = 0x8
    case fyl2xp1 = 0x9
    case fsqrt = 0xA
    case fsincos = 0xB
    case frndint = 0xC
    case fscale = 0xD
    case fsin = 0xE
    case fcos = 0xF
}

/// FLD1 to FLDZ, numbered by the low three bits of D9 E8 to D9 EE.
enum X87Constant: Int32 {
    case one, log2of10, log2ofE, pi, log10of2, lnOf2, zero
}

/// What x87 instructions find in memory (SDM 1 4.2, 4.7, 8.2).
enum X87Format {
    case single, double, extended
    case int16, int32, int64
    /// 18 packed decimal digits and a sign.
    case decimal

    @inline(__always) init(realOfSize size: UInt8) {
        self = size == 4 ? .single : size == 8 ? .double : .extended
    }
    @inline(__always) init(integerOfSize size: UInt8) {
        self = size == 2 ? .int16 : size == 4 ? .int32 : .int64
    }
}
