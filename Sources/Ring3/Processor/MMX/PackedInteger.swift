import X86

// Packed integer instructions of MMX, and of SSE and SSE2 on both kinds of register (SDM 1 9.4, 10.4.4, 11.4.2).
extension Processor {
    private typealias Bytes = SIMD16<UInt8>
    private typealias SignedBytes = SIMD16<Int8>
    private typealias Words = SIMD8<UInt16>
    private typealias SignedWords = SIMD8<Int16>
    private typealias Doublewords = SIMD4<UInt32>
    private typealias SignedDoublewords = SIMD4<Int32>
    private typealias Quadwords = SIMD2<UInt64>

    /// Operand 0 becomes `body` of both operands. Out of line, so that there is one of it and not one per instruction.
    @inline(never)
    func packed(_ i: InstructionPointer, _ body: (XMMRegister, XMMRegister) -> XMMRegister) throws(Fault) {
        try checkSIMD(i)
        let destination = i.pointee.operands.0
        let source = try loadSIMD(i, i.pointee.operands.1)
        try storeSIMD(i, destination, body(try loadSIMD(i, destination), source))
    }

    @inline(__always)
    private func lanes<V: SIMD>(
        _ i: InstructionPointer, _ type: V.Type, _ body: (V.Scalar, V.Scalar) -> V.Scalar
    ) throws(Fault) where V.Scalar: BitwiseCopyable {
        try packed(i) { mapLanes($0, $1, type, body) }
    }

    /// Addition and subtraction; everything else goes on to `executePackedMultiply`.
    func executePacked(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operation {
        case .paddb: try lanes(i, Bytes.self) { $0 &+ $1 }
        case .paddw: try lanes(i, Words.self) { $0 &+ $1 }
        case .paddd: try lanes(i, Doublewords.self) { $0 &+ $1 }
        case .paddq: try lanes(i, Quadwords.self) { $0 &+ $1 }
        case .paddsb: try lanes(i, SignedBytes.self) { Int8(clamping: Int16($0) + Int16($1)) }
        case .paddsw: try lanes(i, SignedWords.self) { Int16(clamping: Int32($0) + Int32($1)) }
        case .paddusb: try lanes(i, Bytes.self) { UInt8(clamping: Int16($0) + Int16($1)) }
        case .paddusw: try lanes(i, Words.self) { UInt16(clamping: Int32($0) + Int32($1)) }
        case .psubb: try lanes(i, Bytes.self) { $0 &- $1 }
        case .psubw: try lanes(i, Words.self) { $0 &- $1 }
        case .psubd: try lanes(i, Doublewords.self) { $0 &- $1 }
        case .psubq: try lanes(i, Quadwords.self) { $0 &- $1 }
        case .psubsb: try lanes(i, SignedBytes.self) { Int8(clamping: Int16($0) - Int16($1)) }
        case .psubsw: try lanes(i, SignedWords.self) { Int16(clamping: Int32($0) - Int32($1)) }
        case .psubusb: try lanes(i, Bytes.self) { UInt8(clamping: Int16($0) - Int16($1)) }
        case .psubusw: try lanes(i, Words.self) { UInt16(clamping: Int32($0) - Int32($1)) }
        default: try executePackedMultiply(i)
        }
    }

    /// Multiplication, average and extremes; everything else goes on to `executePackedLogic`.
    private func executePackedMultiply(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operation {
        case .pmullw: try lanes(i, Words.self) { $0 &* $1 }
        case .pmulhw: try lanes(i, SignedWords.self) { Int16(truncatingIfNeeded: (Int32($0) * Int32($1)) >> 16) }
        case .pmulhuw: try lanes(i, Words.self) { UInt16(truncatingIfNeeded: (UInt32($0) * UInt32($1)) >> 16) }
        case .pmuludq: try lanes(i, Quadwords.self) { ($0 & 0xFFFF_FFFF) * ($1 & 0xFFFF_FFFF) }
        case .pmaddwd: try packed(i, multiplyAddPairs)
        case .psadbw: try packed(i, sumOfDifferences)
        case .pavgb: try lanes(i, Bytes.self) { UInt8(truncatingIfNeeded: (UInt16($0) + UInt16($1) + 1) >> 1) }
        case .pavgw: try lanes(i, Words.self) { UInt16(truncatingIfNeeded: (UInt32($0) + UInt32($1) + 1) >> 1) }
        case .pmaxub: try lanes(i, Bytes.self) { $0 > $1 ? $0 : $1 }
        case .pminub: try lanes(i, Bytes.self) { $0 < $1 ? $0 : $1 }
        case .pmaxsw: try lanes(i, SignedWords.self) { $0 > $1 ? $0 : $1 }
        case .pminsw: try lanes(i, SignedWords.self) { $0 < $1 ? $0 : $1 }
        default: try executePackedLogic(i)
        }
    }

    /// Logic and comparison; everything else goes on to `executePackedShift`.
    ///
    /// The floating-point names of the logic instructions mean the same: they raise no floating-point exceptions.
    private func executePackedLogic(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operation {
        case .pand, .andps, .andpd: try packed(i) { $0 & $1 }
        case .pandn, .andnps, .andnpd: try packed(i) { ~$0 & $1 }
        case .por, .orps, .orpd: try packed(i) { $0 | $1 }
        case .pxor, .xorps, .xorpd: try packed(i) { $0 ^ $1 }
        case .pcmpeqb: try lanes(i, Bytes.self) { $0 == $1 ? .max : 0 }
        case .pcmpeqw: try lanes(i, Words.self) { $0 == $1 ? .max : 0 }
        case .pcmpeqd: try lanes(i, Doublewords.self) { $0 == $1 ? .max : 0 }
        case .pcmpgtb: try lanes(i, SignedBytes.self) { $0 > $1 ? -1 : 0 }
        case .pcmpgtw: try lanes(i, SignedWords.self) { $0 > $1 ? -1 : 0 }
        case .pcmpgtd: try lanes(i, SignedDoublewords.self) { $0 > $1 ? -1 : 0 }
        default: try executePackedShift(i)
        }
    }
}
