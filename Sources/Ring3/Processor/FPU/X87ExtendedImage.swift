import X86

// FXSAVE and FXRSTOR (SDM 2A, "FXSAVE", table 3-43): one format for all modes.
//
//  0 FCW.16  2 FSW.16  4 FTW.8 (one bit a register)  6 FOP.16   8 FIP.32  12 FCS.16
// 16 FDP.32  20 FDS.16  24 MXCSR.32  28 MXCSR_MASK.32
// 32 ST(0) to ST(7), 10 bytes in 16 each  160 XMM0 to XMM7  288 reserved, not touched
//
// Without CR4.OSFXSR what belongs to SSE is neither stored nor loaded.
extension Processor {
    func executeExtendedImage(_ i: InstructionPointer) throws(Fault) {
        // Pending exceptions do not matter to either.
        try checkX87Available()
        let segment = i.pointee.memory.segment
        let offset = effectiveAddress(i)
        // The image must be aligned to 16 bytes, in linear addresses. The width of the alignment check is left to the
        // implementation (SDM 2A, "FXSAVE").
        let linear = self.segment(segment).pointee.base &+ offset
        try checkAlignment(linear, count: 4)
        guard linear & 15 == 0 else { throw .generalProtection() }
        if i.pointee.operation == .fxsave {
            try writeExtendedImage(segment, offset)
        } else {
            try readExtendedImage(segment, offset)
        }
    }

    private func writeExtendedImage(_ segment: SegmentRegister, _ offset: UInt32) throws(Fault) {
        try probeWrite(segment, offset, count: 512)
        let p = fpu.pointers
        let words = UInt64(fpu.pointee.control) | UInt64(fpu.pointee.status) << 16
        let high = UInt64(fpu.pointee.occupied) << 32 | UInt64(p.opcode) << 48
        try write(segment, offset, words | high)
        try write(segment, offset &+ 8, UInt64(p.instructionOffset) | UInt64(p.instructionSelector) << 32)
        try write(segment, offset &+ 16, UInt64(p.dataOffset) | UInt64(p.dataSelector) << 32)
        for n in UInt8(0)..<8 {
            let value = fpu.st(n).pointee
            let place = offset &+ 32 &+ UInt32(n) * 16
            try write(segment, place, value.significand)
            try write(segment, place &+ 8, UInt64(value.signExponent))
        }
        guard pointee.cr4 & CR4.osfxsr != 0 else { return }
        try write(segment, offset &+ 24, UInt64(pointee.sse.mxcsr) | UInt64(MXCSR.defined) << 32)
        for n in UInt8(0)..<8 {
            let place = offset &+ 160 &+ UInt32(n) * 16
            try write(segment, place, xmm(n).pointee.x)
            try write(segment, place &+ 8, xmm(n).pointee.y)
        }
    }

    private func readExtendedImage(_ segment: SegmentRegister, _ offset: UInt32) throws(Fault) {
        let words = try read(segment, offset, as: UInt64.self)
        let instruction = try read(segment, offset &+ 8, as: UInt64.self)
        let data = try read(segment, offset &+ 16, as: UInt64.self)
        var contents = InlineArray<8, X87Register>(repeating: X87Register())
        for n in 0..<8 {
            contents[n] = try readX87(segment, offset &+ 32 &+ UInt32(n) * 16, .extended)
        }
        if let sse = try readSSEState(segment, offset) {
            pointee.sse = sse
            SSEUnit.settle(sse.mxcsr)
        }
        let fpu = fpu
        fpu.setControl(UInt16(truncatingIfNeeded: words))
        fpu.setStatus(UInt16(truncatingIfNeeded: words >> 16))
        fpu.pointee.occupied = UInt8(truncatingIfNeeded: words >> 32)
        fpu.setPointers(
            X87Pointers(
                instructionOffset: UInt32(truncatingIfNeeded: instruction),
                instructionSelector: UInt16(truncatingIfNeeded: instruction >> 32),
                dataOffset: UInt32(truncatingIfNeeded: data), dataSelector: UInt16(truncatingIfNeeded: data >> 32),
                opcode: UInt16(truncatingIfNeeded: words >> 48)))
        for n in 0..<8 { fpu.st(UInt8(n)).pointee = contents[n] }
    }
    private func readSSEState(_ segment: SegmentRegister, _ offset: UInt32) throws(Fault) -> SSEState? {
        guard pointee.cr4 & CR4.osfxsr != 0 else { return nil }
        var state = SSEState()
        state.mxcsr = try read(segment, offset &+ 24, as: UInt32.self)
        guard state.mxcsr & ~MXCSR.defined == 0 else { throw .generalProtection() }
        for n in 0..<8 {
            let place = offset &+ 160 &+ UInt32(n) * 16
            let low = try read(segment, place, as: UInt64.self)
            state.registers[n] = XMMRegister(low, try read(segment, place &+ 8, as: UInt64.self))
        }
        return state
    }
}
