import X86

// Packed shifts (SDM 1 9.4.7). Counts beyond the lane's width shift everything out, which is what Swift's `<<` and
// `>>` do too.
extension Processor {
    /// Shifts; everything else goes on to `executePackedShuffle`.
    func executePackedShift(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operation {
        case .psllw: try shiftLanes(i, SIMD8<UInt16>.self) { $0 << $1 }
        case .pslld: try shiftLanes(i, SIMD4<UInt32>.self) { $0 << $1 }
        case .psllq: try shiftLanes(i, SIMD2<UInt64>.self) { $0 << $1 }
        case .psrlw: try shiftLanes(i, SIMD8<UInt16>.self) { $0 >> $1 }
        case .psrld: try shiftLanes(i, SIMD4<UInt32>.self) { $0 >> $1 }
        case .psrlq: try shiftLanes(i, SIMD2<UInt64>.self) { $0 >> $1 }
        case .psraw: try shiftLanes(i, SIMD8<Int16>.self) { $0 >> $1 }
        case .psrad: try shiftLanes(i, SIMD4<Int32>.self) { $0 >> $1 }
        case .pslldq: try shiftBytes(i) { $0 << $1 }
        case .psrldq: try shiftBytes(i) { $0 >> $1 }
        default: try executePackedShuffle(i)
        }
    }

    /// The count is an immediate, or the low 64 bits of operand 1.
    @inline(__always)
    private func shiftLanes<V: SIMD>(
        _ i: InstructionPointer, _ type: V.Type, _ body: (V.Scalar, UInt64) -> V.Scalar
    ) throws(Fault) where V.Scalar: BitwiseCopyable {
        try shift(i) { value, count in mapLanes(value, value, type) { lane, _ in body(lane, count) } }
    }

    @inline(__always)
    private func shiftBytes(_ i: InstructionPointer, _ body: (UInt128, UInt64) -> UInt128) throws(Fault) {
        try shift(i) { value, count in
            unsafeBitCast(body(unsafeBitCast(value, to: UInt128.self), count * 8), to: XMMRegister.self)
        }
    }

    @inline(never)
    private func shift(_ i: InstructionPointer, _ body: (XMMRegister, UInt64) -> XMMRegister) throws(Fault) {
        try checkSIMD(i)
        let (destination, source) = (i.pointee.operands.0, i.pointee.operands.1)
        let count = source.kind == .immediate ? UInt64(i.pointee.immediate) : try loadSIMD(i, source).x
        try storeSIMD(i, destination, body(try loadSIMD(i, destination), count))
    }
}
