import X86

/// What caused a transfer through the IDT.
enum InterruptSource {
    /// The interrupt controller.
    case external
    /// INT n.
    case software
    /// INT3 and INTO: gate privilege is checked, virtual-8086 IOPL is not.
    case softwareException
    /// A fault or trap of the processor, and INT1: privilege is not checked.
    case exception

    /// EXT bit of error codes raised meanwhile (SDM 3A 6.13).
    var ext: UInt32 {
        switch self {
        case .external, .exception: 1
        case .software, .softwareException: 0
        }
    }
    var isChecked: Bool { ext == 0 }
}

extension Processor {
    /// Delivers a fault to the guest: through the IDT, as a double fault if that fails, and as shutdown if that fails
    /// too (SDM 3A 6.15, "Interrupt 8").
    @inline(never)
    func deliver(_ fault: Fault) {
        var current = fault
        pointee.faultChain.removeAll()
        note(current)
        while true {
            count(exception: current.vector)
            do throws(Fault) {
                return try deliverException(current)
            } catch {
                note(error)
                if current.vector == Vector.doubleFault { return setAttention(.shutdown, true) }
                current = isDouble(current.vector, error.vector) ? Fault(Vector.doubleFault, 0) : error
            }
        }
    }

    private func note(_ fault: Fault) {
        pointee.faultChain.append(
            FaultRecord(
                vector: fault.vector, errorCode: fault.errorCode, cr2: pointee.cr2, eip: pointee.instructionStart))
    }

    private func count(exception vector: UInt8) {
        pointee.statistics.exceptions[Int(vector & 31)] &+= 1
    }

    /// Whether two faults in a row make a double fault (SDM 3A table 6-5).
    private func isDouble(_ first: UInt8, _ second: UInt8) -> Bool {
        func isContributory(_ vector: UInt8) -> Bool { vector == 0 || (10...13).contains(vector) }
        if first == Vector.pageFault { return second == Vector.pageFault || isContributory(second) }
        return isContributory(first) && isContributory(second)
    }

    private func deliverException(_ fault: Fault) throws(Fault) {
        // Faults return to the instruction, with RF set so that its breakpoint does not fire again (SDM 3B 17.3.1.1).
        pointee.eip = pointee.instructionStart
        let isTrap = fault.vector == Vector.debug
        try interrupt(fault.vector, .exception, errorCode: fault.errorCode, setsRF: !isTrap)
    }

    /// Delivers a debug trap: EIP already points to the next instruction.
    func deliverDebugTrap(_ cause: UInt32) {
        pointee.dr6 |= cause
        // DR7.GD is cleared on entry to the handler (SDM 3B 17.2.4).
        pointee.dr7 &= ~DebugRegister.dr7GD
        pointee.instructionStart = pointee.eip
        deliver(Fault(Vector.debug))
    }

    /// Takes an interrupt from the interrupt controller.
    func deliverExternalInterrupt() {
        setAttention(.halted, false)
        pointee.statistics.hardwareInterrupts &+= 1
        let vector = pointee.platform.takeUnretainedValue().acknowledgeInterrupt()
        pointee.instructionStart = pointee.eip
        do throws(Fault) { try interrupt(vector, .external) } catch { deliver(error) }
    }

    /// Transfers control through the IDT. Return address is `eip`. Throws without having changed registers.
    func interrupt(
        _ vector: UInt8, _ source: InterruptSource, errorCode: UInt32? = nil, setsRF: Bool = false
    ) throws(Fault) {
        if source.isChecked { pointee.statistics.softwareInterrupts &+= 1 }
        guard pointee.isProtected else { return try realModeInterrupt(vector) }
        let reference = UInt32(vector) << 3 | 2 | source.ext
        guard UInt32(vector) << 3 + 7 <= UInt32(pointee.idtr.limit) else { throw .generalProtection(reference) }
        let word = try readSystem(pointee.idtr.base &+ UInt32(vector) << 3, as: UInt64.self)
        let gate = Descriptor(
            low: UInt32(truncatingIfNeeded: word), high: UInt32(truncatingIfNeeded: word >> 32), address: 0)
        switch (gate.isCodeOrData, gate.type) {
        case (false, SystemType.taskGate), (false, SystemType.interruptGate16), (false, SystemType.trapGate16),
            (false, SystemType.interruptGate32), (false, SystemType.trapGate32):
            break
        default: throw .generalProtection(reference)
        }
        if source.isChecked, gate.dpl < pointee.cpl { throw .generalProtection(reference) }
        guard gate.isPresent else { throw .notPresent(reference) }
        var flags = eflags
        if setsRF { flags |= Flags.rf }
        if gate.type == SystemType.taskGate {
            return try taskInterrupt(gate, source, errorCode: errorCode, flags: flags)
        }
        if !enterKnownHandler(gate, errorCode: errorCode, flags: flags) {
            try enterHandler(gate, source, errorCode: errorCode, flags: flags)
        }
        let isInterruptGate = gate.type & 1 == 0
        writeFlags(0, changing: Flags.tf | Flags.nt | Flags.rf | (isInterruptGate ? Flags.if : 0))
        pointee.stepsCancelled &+= 1
    }

    /// SDM 3A 20.1.4: the interrupt vector table.
    private func realModeInterrupt(_ vector: UInt8) throws(Fault) {
        guard UInt32(vector) << 2 + 3 <= UInt32(pointee.idtr.limit) else {
            throw .generalProtection(UInt32(vector) << 3 | 2)
        }
        let entry = try readSystem(pointee.idtr.base &+ UInt32(vector) << 2, as: UInt32.self)
        var stack = currentStack
        try push(eflags & 0xFFFF, size: 2, on: &stack)
        try push(UInt32(pointee.cs.selector), size: 2, on: &stack)
        try push(pointee.eip & 0xFFFF, size: 2, on: &stack)
        commitPointer(stack)
        loadRealModeSegment(.cs, UInt16(truncatingIfNeeded: entry >> 16))
        pointee.eip = entry & 0xFFFF
        writeFlags(0, changing: Flags.if | Flags.tf | Flags.ac | Flags.rf)
        pointee.stepsCancelled &+= 1
    }

    /// A task gate in the IDT (SDM 3A 6.12.2): the handler runs in a task of its own.
    private func taskInterrupt(
        _ gate: Descriptor, _ source: InterruptSource, errorCode code: UInt32?, flags: UInt32
    ) throws(Fault) {
        let selector = gate.gateSelector
        let reference = errorCode(selector) | source.ext
        guard selector & 4 == 0, selector & 0xFFFC != 0, let tss = try descriptor(selector), !tss.isCodeOrData,
            tss.type == SystemType.availableTSS16 || tss.type == SystemType.availableTSS32
        else { throw .generalProtection(reference) }
        guard tss.isPresent else { throw .notPresent(reference) }
        do throws(Fault) {
            try switchTask(to: selector, tss, .call, savedFlags: flags)
        } catch {
            // EXT, in the error codes that have it (SDM 3A 6.13): #TS, #NP, #SS, #GP.
            guard let code = error.errorCode, (Vector.invalidTSS...Vector.generalProtection).contains(error.vector)
            else { throw error }
            throw Fault(error.vector, code | source.ext)
        }
        pointee.stepsCancelled &+= 1
        guard let code else { return }
        var stack = currentStack
        stack.errorCode = source.ext
        try push(code, size: tss.type == SystemType.availableTSS32 ? 4 : 2, on: &stack)
        commitPointer(stack)
    }

    /// Interrupt and trap gates (SDM 3A 6.12.1), but for the flags afterwards.
    private func enterHandler(
        _ gate: Descriptor, _ source: InterruptSource, errorCode: UInt32?, flags: UInt32
    ) throws(Fault) {
        let selector = gate.gateSelector
        guard selector & 0xFFFC != 0 else { throw .generalProtection(source.ext) }
        let reference = self.errorCode(selector) | source.ext
        guard let code = try descriptor(selector), code.isCode, code.dpl <= pointee.cpl else {
            throw .generalProtection(reference)
        }
        guard code.isPresent else { throw .notPresent(reference) }
        let size: UInt32 = gate.type & 8 != 0 ? 4 : 2
        let isInner = !code.isConforming && code.dpl < pointee.cpl
        if pointee.isVirtual8086, !isInner || code.dpl != 0 { throw .generalProtection(reference) }

        var stack = isInner ? try innerStack(code.dpl, ext: source.ext) : currentStack
        if !isInner { stack.errorCode = source.ext }
        if isInner {
            if pointee.isVirtual8086 {
                for register in SegmentRegister.dataRegisters.reversed() {
                    try push(UInt32(segment(register).pointee.selector), size: size, on: &stack)
                }
            }
            try push(UInt32(pointee.ss.selector), size: size, on: &stack)
            try push(pointee.esp, size: size, on: &stack)
        }
        try push(flags, size: size, on: &stack)
        try push(UInt32(pointee.cs.selector), size: size, on: &stack)
        try push(pointee.eip, size: size, on: &stack)
        if let errorCode { try push(errorCode, size: size, on: &stack) }
        let target = gate.gateOffset
        let handler = Segment(selector: selector, low: code.low, high: code.high)
        guard target <= handler.limit else { throw .generalProtection(source.ext) }

        let (cpl, isVirtual8086) = (pointee.cpl, pointee.isVirtual8086)
        // Setting the descriptor's accessed bit may fault: nothing has changed until it is set.
        try enterCode(selector, code, cpl: isInner ? code.dpl : pointee.cpl)
        if isVirtual8086 { leaveVirtual8086() }
        if isInner { commit(stack) } else { commitPointer(stack) }
        pointee.eip = target
        if !isVirtual8086 { noteHandler(code: selector, from: cpl) }
    }

    /// From virtual-8086 to protected mode: data segments become null, VM is cleared.
    private func leaveVirtual8086() {
        for register in SegmentRegister.dataRegisters { setSegment(register, Segment()) }
        pointee.systemFlags &= ~Flags.vm
        pointee.isVirtual8086 = false
    }

    /// The stack for privilege level `cpl` from the TSS (SDM 3A 5.8.5). Throws #TS, #SS.
    func innerStack(_ cpl: UInt8, ext: UInt32) throws(Fault) -> StackView {
        let is32 = pointee.tr.type & 8 != 0
        let offset: UInt32 = is32 ? UInt32(cpl) * 8 + 4 : UInt32(cpl) * 4 + 2
        guard offset + (is32 ? 5 : 3) <= pointee.tr.limit else {
            throw .invalidTSS(errorCode(pointee.tr.selector) | ext)
        }
        let base = pointee.tr.base &+ offset
        let esp = is32 ? try readSystem(base, as: UInt32.self) : UInt32(try readSystem(base, as: UInt16.self))
        let selector = try readSystem(base &+ (is32 ? 4 : 2), as: UInt16.self)
        let segment = try stackSegment(selector, cpl: cpl) { .invalidTSS($0 | ext) }
        return StackView(segment: segment, esp: esp, isUser: cpl == 3, errorCode: errorCode(selector) | ext)
    }
}
