import X86

// Operands of MMX and SSE instructions. Whatever their size, values travel in an `XMMRegister`, low bytes first and
// zeros above: an MMX instruction is then the low half of the SSE2 instruction of the same name.
extension Processor {
    /// The checks before an instruction on MMX or SSE registers, or both; or, as some conversions, on neither.
    @inline(__always)
    func checkSIMD(_ i: InstructionPointer) throws(Fault) {
        let (first, second) = (i.pointee.operands.0.kind, i.pointee.operands.1.kind)
        let isMMX = first == .mmx || second == .mmx
        if isMMX, first != .xmm, second != .xmm { return try checkMMX() }
        try checkSSE()
        if isMMX { try checkX87Pending() }
    }

    /// Value of an XMM, MMX or general register, or of a memory operand, which if of 16 bytes must be aligned.
    @inline(__always)
    func loadSIMD(
        _ i: InstructionPointer, _ operand: Operand, isAligned: Bool = true
    ) throws(Fault) -> XMMRegister {
        switch operand.kind {
        case .xmm: return xmm(operand.register).pointee
        case .mmx: return XMMRegister(mmx(operand.register), 0)
        case .register: return XMMRegister(UInt64(register(operand.register, as: UInt32.self)), 0)
        default: return try readSIMD(i, size: operand.size, isAligned: isAligned)
        }
    }

    /// Stores as much of `value` as the operand holds. An MMX register as either operand changes the x87 unit's state.
    @inline(__always)
    func storeSIMD(
        _ i: InstructionPointer, _ operand: Operand, _ value: XMMRegister, isAligned: Bool = true
    ) throws(Fault) {
        switch operand.kind {
        case .xmm: xmm(operand.register).pointee = value
        case .mmx: setMMX(operand.register, value.x)
        case .register: setRegister(operand.register, UInt32(truncatingIfNeeded: value.x))
        default: try writeSIMD(i, value, size: operand.size, isAligned: isAligned)
        }
        if i.pointee.operands.0.kind == .mmx || i.pointee.operands.1.kind == .mmx { enterMMX() }
    }

    @inline(never)
    private func readSIMD(_ i: InstructionPointer, size: UInt8, isAligned: Bool) throws(Fault) -> XMMRegister {
        let segment = i.pointee.memory.segment
        let offset = effectiveAddress(i)
        switch size {
        case 4: return XMMRegister(UInt64(try read(segment, offset, as: UInt32.self)), 0)
        case 8: return XMMRegister(try read(segment, offset, as: UInt64.self), 0)
        default:
            let s = self.segment(segment)
            if UInt64(offset) &+ 16 > s.pointee.readEnd { try checkRead(segment, offset, count: 16) }
            let linear = s.pointee.base &+ offset
            if linear & 15 != 0 {
                if isAligned { throw .generalProtection() }
                // Alignment checks do not concern what need not be aligned.
                if isAlignmentChecked {
                    return XMMRegister(
                        try readLinearSlow(linear, count: 8, isUser: true, isImplicit: true),
                        try readLinearSlow(linear &+ 8, count: 8, isUser: true, isImplicit: true))
                }
            }
            return XMMRegister(try readLinear(linear, as: UInt64.self), try readLinear(linear &+ 8, as: UInt64.self))
        }
    }

    @inline(never)
    private func writeSIMD(
        _ i: InstructionPointer, _ value: XMMRegister, size: UInt8, isAligned: Bool
    ) throws(Fault) {
        let segment = i.pointee.memory.segment
        let offset = effectiveAddress(i)
        switch size {
        case 4: try write(segment, offset, UInt32(truncatingIfNeeded: value.x))
        case 8: try write(segment, offset, value.x)
        default:
            let s = self.segment(segment)
            if UInt64(offset) &+ 16 > s.pointee.writeEnd { try checkWrite(segment, offset, count: 16) }
            let linear = s.pointee.base &+ offset
            if linear & 15 != 0 {
                if isAligned { throw .generalProtection() }
                // The second half may fault: not with the first one written.
                try probeLinear(linear, count: 16, isWrite: true)
                if isAlignmentChecked {
                    try writeLinearSlow(linear, value.x, count: 8, isUser: true, isImplicit: true)
                    return try writeLinearSlow(linear &+ 8, value.y, count: 8, isUser: true, isImplicit: true)
                }
            }
            try writeLinear(linear, value.x)
            try writeLinear(linear &+ 8, value.y)
        }
    }
}
