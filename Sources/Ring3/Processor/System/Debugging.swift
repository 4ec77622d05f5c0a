import X86

// Debug registers (SDM 3B 17.2).
extension Processor {
    func movDebug(_ i: InstructionPointer) throws(Fault) {
        let (destination, source) = (i.pointee.operands.0, i.pointee.operands.1)
        var number = destination.kind == .debug ? destination.register : source.register
        if number == 4 || number == 5 {
            // Aliases of DR6 and DR7 unless CR4.DE says they are undefined.
            guard pointee.cr4 & CR4.de == 0 else { throw .invalidOpcode }
            number += 2
        }
        try requirePrivilege()
        if pointee.dr7 & DebugRegister.dr7GD != 0 {
            pointee.dr6 |= DebugRegister.dr6BD
            pointee.dr7 &= ~DebugRegister.dr7GD
            throw Fault(Vector.debug)
        }
        if destination.kind == .debug {
            writeDebug(number, register(source.register, as: UInt32.self))
        } else {
            let value =
                switch number {
                case 6: pointee.dr6
                case 7: pointee.dr7
                default: pointee.dr[Int(number & 3)]
                }
            setRegister(destination.register, value)
        }
    }

    private func writeDebug(_ number: UInt8, _ value: UInt32) {
        switch number {
        case 6: pointee.dr6 = value & 0xE00F | DebugRegister.dr6Reserved
        case 7: pointee.dr7 = value & 0xFFFF_2FFF | DebugRegister.dr7Reserved
        default: pointee.dr[Int(number & 3)] = value
        }
        breakpointsChanged()
    }

    /// A task switch clears the local enable bits L0–L3 and LE (SDM 3B 17.2.4).
    func clearLocalBreakpoints() {
        guard pointee.dr7 & 0x155 != 0 else { return }
        pointee.dr7 &= ~0x155
        breakpointsChanged()
    }

    private func breakpointsChanged() {
        let wasWatching = pointee.hasDataBreakpoints
        var instructions = false
        pointee.hasDataBreakpoints = false
        for index in 0..<4 where isEnabled(index) {
            if condition(index) == 0 { instructions = true } else { pointee.hasDataBreakpoints = true }
        }
        setAttention(.instructionBreakpoints, instructions)
        // Pages with breakpoints are kept out of the TLB; what is in it was put there under the old settings.
        if wasWatching || pointee.hasDataBreakpoints { flushTLB(keepingGlobal: false) }
    }

    private func isEnabled(_ index: Int) -> Bool { pointee.dr7 >> UInt32(index * 2) & 3 != 0 }
    /// 0 execution, 1 write, 2 I/O, 3 read or write.
    private func condition(_ index: Int) -> UInt32 { pointee.dr7 >> UInt32(16 + index * 4) & 3 }
    private func length(_ index: Int) -> UInt32 {
        switch pointee.dr7 >> UInt32(18 + index * 4) & 3 {
        case 0: 1
        case 1: 2
        case 3: 4
        default: 1
        }
    }

    /// Whether a data breakpoint lies in the page.
    func isDataBreakpointPage(_ page: UInt32) -> Bool {
        (0..<4).contains { isEnabled($0) && condition($0) != 0 && pointee.dr[$0] & 0xFFFF_F000 == page }
    }

    /// Notes the data breakpoints that an access touches; the trap comes after the instruction.
    func noteDataAccess(_ linear: UInt32, count: UInt32, isWrite: Bool) {
        for index in 0..<4 where isEnabled(index) {
            let kind = condition(index)
            guard kind == 3 || kind == 1 && isWrite else { continue }
            let size = length(index)
            let start = pointee.dr[index] & ~(size - 1)
            // Distance either way, modulo 4 GiB.
            guard linear &- start < size || start &- linear < count else { continue }
            pointee.pendingDebug |= 1 << UInt32(index)
        }
        if pointee.pendingDebug != 0 { setAttention(.debugTrap, true) }
    }

    /// Notes the I/O breakpoints that an access to ports touches; they exist with CR4.DE only.
    func notePortAccess(_ port: UInt16, width: UInt32) {
        guard pointee.cr4 & CR4.de != 0 else { return }
        for index in 0..<4 where isEnabled(index) && condition(index) == 2 {
            let size = length(index)
            let start = pointee.dr[index] & ~(size - 1)
            guard UInt32(port) &- start < size || start &- UInt32(port) < width else { continue }
            pointee.pendingDebug |= 1 << UInt32(index)
        }
        if pointee.pendingDebug != 0 { setAttention(.debugTrap, true) }
    }

    /// DR6 bits of the instruction breakpoints at `linear`.
    func instructionBreakpoints(at linear: UInt32) -> UInt32 {
        var hits: UInt32 = 0
        for index in 0..<4 where isEnabled(index) && condition(index) == 0 && pointee.dr[index] == linear {
            hits |= 1 << UInt32(index)
        }
        return hits
    }
}
