import X86

/// CF, PF, AF, ZF, SF and OF in two words, so that arithmetic records them in a few instructions and nobody computes
/// those that are never read.
///
/// `result` is the last result, sign-extended from its size: ZF, SF and PF follow from it. `carries` holds the carry
/// out of every bit position of that operation, moved up so that the operand's top bit is bit 31, plus corrections for
/// flag images that no single result could produce:
/// ```
///  31        30          15 ........ 8    3    0
///  CF   carry into top   PF correction    AF   SF correction
/// ```
/// OF is bit 31 xor bit 30. PF is the parity of the low result byte xor the PF correction byte; SF the sign of
/// `result` xor bit 0.
public struct StatusFlags: Equatable, Sendable {
    public var result: UInt32 = 1
    public var carries: UInt32 = 0

    static let carry: UInt32 = 1 << 31
    static let partialOverflow: UInt32 = 1 << 30
    static let adjust: UInt32 = 1 << 3
    static let signCorrection: UInt32 = 1

    @inline(__always) var cf: Bool { Int32(bitPattern: carries) < 0 }
    @inline(__always) var zf: Bool { result == 0 }
    @inline(__always) var sf: Bool { (result >> 31) ^ (carries & Self.signCorrection) != 0 }
    @inline(__always) var of: Bool { Int32(bitPattern: carries ^ (carries << 1)) < 0 }
    @inline(__always) var af: Bool { carries & Self.adjust != 0 }
    @inline(__always) var pf: Bool { ((result ^ (carries >> 8)) & 0xFF).nonzeroBitCount & 1 == 0 }

    /// Flags of an EFLAGS image; bits other than the six are ignored.
    @inline(__always) init(image: UInt32) {
        // Without a branch: whenever emitted code is left there are other flags. ZF, bit 6, decides the result; PF, bit 2, and
        // SF, bit 7, are then put right by correction.
        result = image >> 6 & 1 ^ 1
        // Parity of result 0 is even (PF 1), of 1 odd (PF 0).
        carries = ((image >> 2 ^ image >> 6) & 1) << 8 | image >> 7 & Self.signCorrection
        // AF is bit 4, CF bit 0 and OF bit 11.
        carries |= image >> 1 & Self.adjust | image << 31 | ((image >> 11 ^ image) & 1) << 30
    }

    @inline(__always) init(result: UInt32, carries: UInt32) {
        self.result = result
        self.carries = carries
    }

    @inline(__always) init() {}

    /// The six flags in their places in EFLAGS.
    @inline(__always) var image: UInt32 {
        var f: UInt32 = carries >> 31
        if pf { f |= Flags.pf }
        f |= (carries & Self.adjust) << 1
        if zf { f |= Flags.zf }
        if sf { f |= Flags.sf }
        if of { f |= Flags.of }
        return f
    }

    /// Replaces CF, keeping the other five.
    @inline(__always) mutating func setCarry(_ cf: Bool) {
        let of = of
        carries &= ~(Self.carry | Self.partialOverflow)
        if cf { carries |= Self.carry }
        if cf != of { carries |= Self.partialOverflow }
    }

    /// Replaces ZF, keeping the other five.
    mutating func setZero(_ zf: Bool) {
        self = StatusFlags(image: image & ~Flags.zf | (zf ? Flags.zf : 0))
    }
}
