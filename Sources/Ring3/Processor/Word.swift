/// The sizes guest memory and registers are accessed in: UInt8, UInt16, UInt32, UInt64.
protocol Word: FixedWidthInteger, UnsignedInteger, BitwiseCopyable {
    /// The same bits, signed.
    associatedtype SignedWord: FixedWidthInteger, SignedInteger
    @inline(__always) var signed: SignedWord { get }
}

extension UInt8: Word {
    @inline(__always) var signed: Int8 { Int8(bitPattern: self) }
}
extension UInt16: Word {
    @inline(__always) var signed: Int16 { Int16(bitPattern: self) }
}
extension UInt32: Word {
    @inline(__always) var signed: Int32 { Int32(bitPattern: self) }
}
extension UInt64: Word {
    @inline(__always) var signed: Int64 { Int64(bitPattern: self) }
}

extension Word {
    /// Size in bytes.
    @inline(__always) static var bytes: UInt32 { UInt32(truncatingIfNeeded: bitWidth >> 3) }
    /// Sign-extended to 32 bits.
    @inline(__always) var signExtended: UInt32 { UInt32(truncatingIfNeeded: signed) }
    @inline(__always) var isNegative: Bool { signed < 0 }
}
