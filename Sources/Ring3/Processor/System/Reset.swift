import X86

extension Processor {
    /// State after RESET (SDM 3A table 9-1); statistics and the instruction count go on.
    func reset() {
        for offset in stride(from: UInt8(0), to: 32, by: 4) { setRegister(offset, UInt32(0)) }
        pointee.edx = Self.signature
        pointee.status = StatusFlags(image: 0)
        pointee.systemFlags = Flags.reserved1
        pointee.isProtected = false
        pointee.isVirtual8086 = false
        for register in SegmentRegister.allCases { setSegment(register, Segment(realMode: 0)) }
        var cs = Segment(realMode: 0xF000)
        cs.base = 0xFFFF_0000
        setSegment(.cs, cs)
        pointee.eip = 0xFFF0
        pointee.ldtr = Segment()
        pointee.tr = Segment()
        pointee.gdtr = DescriptorTable()
        pointee.idtr = DescriptorTable(base: 0, limit: 0x3FF)
        (pointee.cr0, pointee.cr2, pointee.cr3, pointee.cr4, pointee.efer) = (CR0.et | CR0.nw | CR0.cd, 0, 0, 0, 0)
        pointee.dr = InlineArray(repeating: 0)
        pointee.dr6 = DebugRegister.dr6Reserved
        pointee.dr7 = DebugRegister.dr7Reserved
        pointee.hasDataBreakpoints = false
        pointee.pendingDebug = 0
        pointee.fpu = FPUState()
        pointee.sse = SSEState()
        pointee.attention = []
        setCPL(0)
        flushTLB(keepingGlobal: false)
        flagsChanged()
    }
}
