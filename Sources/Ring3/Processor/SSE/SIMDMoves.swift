import X86

// Data transfer between MMX, SSE and general registers and memory (SDM 1 9.4.1, 10.4.1, 11.4.1).
extension Processor {
    /// Moves; everything else goes on to `executePacked`. Nontemporal stores are ordinary ones: there is no cache.
    func executeSIMDMove(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operation {
        case .movaps, .movapd, .movdqa, .movd, .movq, .movntps, .movntpd, .movntdq, .movntq, .movdq2q, .movq2dq:
            try moveSIMD(i)
        case .movups, .movupd, .movdqu: try moveSIMD(i, isAligned: false)
        case .movss: try moveScalar(i, mask: 0xFFFF_FFFF)
        case .movsd: try moveScalar(i, mask: .max)
        case .movlps, .movlpd, .movhlps: try moveLow(i)
        case .movhps, .movhpd, .movlhps: try moveHigh(i)
        case .maskmovq, .maskmovdqu: try moveMasked(i)
        default: try executePacked(i)
        }
    }

    /// Copies what the smaller of the operands holds; the rest of a register becomes zero.
    private func moveSIMD(_ i: InstructionPointer, isAligned: Bool = true) throws(Fault) {
        try checkSIMD(i)
        var value = try loadSIMD(i, i.pointee.operands.1, isAligned: isAligned)
        if i.pointee.operation == .movq { value.y = 0 }
        // TOP is 0 before a store can fault, as on real processors: an engine that has one execute the store finds it so.
        if i.pointee.operands.1.kind == .mmx { fpu.pointee.status &= ~X87Status.top }
        try storeSIMD(i, i.pointee.operands.0, value, isAligned: isAligned)
    }

    /// MOVSS and MOVSD: from register to register the bits outside `mask`, and the upper half, stay.
    private func moveScalar(_ i: InstructionPointer, mask: UInt64) throws(Fault) {
        try checkSSE()
        let (destination, source) = (i.pointee.operands.0, i.pointee.operands.1)
        if destination.kind == .xmm, source.kind == .xmm {
            let register = xmm(destination.register)
            register.pointee.x = register.pointee.x & ~mask | xmm(source.register).pointee.x & mask
        } else {
            try storeSIMD(i, destination, try loadSIMD(i, source))
        }
    }

    /// MOVLPS and MOVLPD between memory and a low half, MOVHLPS from a high half to a low one.
    private func moveLow(_ i: InstructionPointer) throws(Fault) {
        try checkSSE()
        let source = try loadSIMD(i, i.pointee.operands.1)
        if i.pointee.operands.0.kind == .memory {
            try storeSIMD(i, i.pointee.operands.0, source)
        } else {
            xmm(i.pointee.operands.0.register).pointee.x = i.pointee.operation == .movhlps ? source.y : source.x
        }
    }

    /// MOVHPS and MOVHPD between memory and a high half, MOVLHPS from a low half to a high one.
    private func moveHigh(_ i: InstructionPointer) throws(Fault) {
        try checkSSE()
        let source = try loadSIMD(i, i.pointee.operands.1)
        if i.pointee.operands.0.kind == .memory {
            try storeSIMD(i, i.pointee.operands.0, XMMRegister(source.y, 0))
        } else {
            xmm(i.pointee.operands.0.register).pointee.y = source.x
        }
    }

    /// MASKMOVQ and MASKMOVDQU: those bytes of operand 0 whose counterparts in operand 1 are negative.
    ///
    /// Whether bytes not selected can fault is left to the implementation (SDM 2B, "MASKMOVDQU"). Here those between
    /// selected ones can: the whole stretch is probed before any of it is written.
    private func moveMasked(_ i: InstructionPointer) throws(Fault) {
        try checkSIMD(i)
        let value = unsafeBitCast(try loadSIMD(i, i.pointee.operands.0), to: SIMD16<UInt8>.self)
        let selected = signMask(try loadSIMD(i, i.pointee.operands.1), SIMD16<Int8>.self)
        if i.pointee.operation == .maskmovq { enterMMX() }
        if selected != 0 {
            let segment = i.pointee.memory.segment
            let offset = effectiveAddress(i)
            let first = UInt32(selected.trailingZeroBitCount)
            let last = UInt32(31 - selected.leadingZeroBitCount)
            try checkWrite(segment, offset &+ first, count: last - first + 1)
            try checkAlignment(self.segment(segment).pointee.base &+ offset, count: 8)
            try probeWrite(segment, offset &+ first, count: last - first + 1)
            for n in first...last where selected >> n & 1 != 0 { try write(segment, offset &+ n, value[Int(n)]) }
        }
    }
}
