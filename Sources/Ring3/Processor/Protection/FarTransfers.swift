import X86

// Far JMP, CALL, RET and IRET, in all modes.
extension Processor {
    private func isBadTarget(_ offset: UInt32, _ descriptor: Descriptor) -> Bool {
        offset > Segment(selector: 0, low: descriptor.low, high: descriptor.high).limit
    }

    func jumpFar(_ selector: UInt16, _ offset: UInt32, size: UInt32) throws(Fault) {
        guard pointee.isProtected, !pointee.isVirtual8086 else {
            guard offset <= pointee.cs.limit else { throw .generalProtection() }
            loadRealModeSegment(.cs, selector)
            pointee.eip = offset
            return
        }
        guard selector & 0xFFFC != 0 else { throw .generalProtection() }
        let code = errorCode(selector)
        guard let target = try descriptor(selector) else { throw .generalProtection(code) }
        if target.isCodeOrData {
            try checkDirectTarget(selector, target, offset)
            try enterCode(selector, target, cpl: pointee.cpl)
            pointee.eip = offset
            return
        }
        switch target.type {
        case SystemType.callGate16, SystemType.callGate32:
            let (gateTarget, descriptor) = try checkCallGate(selector, target)
            guard descriptor.isConforming ? descriptor.dpl <= pointee.cpl : descriptor.dpl == pointee.cpl else {
                throw .generalProtection(errorCode(gateTarget))
            }
            guard descriptor.isPresent else { throw .notPresent(errorCode(gateTarget)) }
            guard !isBadTarget(target.gateOffset, descriptor) else { throw .generalProtection() }
            try enterCode(gateTarget, descriptor, cpl: pointee.cpl)
            pointee.eip = target.gateOffset
        case SystemType.availableTSS16, SystemType.availableTSS32, SystemType.taskGate:
            try farTaskTransfer(selector, target, .jump)
        default: throw .generalProtection(code)
        }
    }

    /// A code segment named directly by JMP or CALL (SDM 3A 5.8.1).
    private func checkDirectTarget(_ selector: UInt16, _ target: Descriptor, _ offset: UInt32) throws(Fault) {
        let code = errorCode(selector)
        guard target.isCode else { throw .generalProtection(code) }
        if target.isConforming {
            guard target.dpl <= pointee.cpl else { throw .generalProtection(code) }
        } else {
            guard UInt8(selector & 3) <= pointee.cpl, target.dpl == pointee.cpl else {
                throw .generalProtection(code)
            }
        }
        guard target.isPresent else { throw .notPresent(code) }
        guard !isBadTarget(offset, target) else { throw .generalProtection() }
    }

    /// Checks a call gate and returns the code segment behind it (SDM 3A 5.8.4).
    private func checkCallGate(_ selector: UInt16, _ gate: Descriptor) throws(Fault) -> (UInt16, Descriptor) {
        let code = errorCode(selector)
        guard gate.dpl >= pointee.cpl, gate.dpl >= UInt8(selector & 3) else { throw .generalProtection(code) }
        guard gate.isPresent else { throw .notPresent(code) }
        let target = gate.gateSelector
        guard target & 0xFFFC != 0 else { throw .generalProtection() }
        guard let descriptor = try descriptor(target), descriptor.isCode else {
            throw .generalProtection(errorCode(target))
        }
        return (target, descriptor)
    }

    func callFar(_ selector: UInt16, _ offset: UInt32, size: UInt32) throws(Fault) {
        guard pointee.isProtected, !pointee.isVirtual8086 else {
            guard offset <= pointee.cs.limit else { throw .generalProtection() }
            var stack = currentStack
            try pushReturn(size: size, on: &stack)
            commitPointer(stack)
            loadRealModeSegment(.cs, selector)
            pointee.eip = offset
            return
        }
        guard selector & 0xFFFC != 0 else { throw .generalProtection() }
        let code = errorCode(selector)
        guard let target = try descriptor(selector) else { throw .generalProtection(code) }
        if target.isCodeOrData {
            try checkDirectTarget(selector, target, offset)
            var stack = currentStack
            try pushReturn(size: size, on: &stack)
            try enterCode(selector, target, cpl: pointee.cpl)
            commitPointer(stack)
            pointee.eip = offset
            return
        }
        switch target.type {
        case SystemType.callGate16, SystemType.callGate32: try callGate(selector, target)
        case SystemType.availableTSS16, SystemType.availableTSS32, SystemType.taskGate:
            try farTaskTransfer(selector, target, .call)
        default: throw .generalProtection(code)
        }
    }

    private func pushReturn(size: UInt32, on stack: inout StackView) throws(Fault) {
        try push(UInt32(pointee.cs.selector), size: size, on: &stack)
        try push(pointee.eip, size: size, on: &stack)
    }

    /// CALL through a call gate, with stack switch and parameter copy where it goes inward (SDM 3A 5.8.5).
    private func callGate(_ selector: UInt16, _ gate: Descriptor) throws(Fault) {
        let (target, descriptor) = try checkCallGate(selector, gate)
        guard descriptor.dpl <= pointee.cpl else { throw .generalProtection(errorCode(target)) }
        guard descriptor.isPresent else { throw .notPresent(errorCode(target)) }
        let size: UInt32 = gate.type == SystemType.callGate32 ? 4 : 2
        let isInner = !descriptor.isConforming && descriptor.dpl < pointee.cpl
        var stack = currentStack
        if isInner {
            let outer = stack
            stack = try innerStack(descriptor.dpl, ext: 0)
            try push(UInt32(pointee.ss.selector), size: size, on: &stack)
            try push(pointee.esp, size: size, on: &stack)
            let count = gate.gateParameterCount
            for index in 0..<count {
                let parameter = try peek(outer, at: (count - 1 - index) * size, size: size)
                try push(parameter, size: size, on: &stack)
            }
        }
        try pushReturn(size: size, on: &stack)
        guard !isBadTarget(gate.gateOffset, descriptor) else { throw .generalProtection() }
        try enterCode(target, descriptor, cpl: isInner ? descriptor.dpl : pointee.cpl)
        if isInner { commit(stack) } else { commitPointer(stack) }
        pointee.eip = gate.gateOffset
    }

    /// RET far; `extra` bytes of parameters are discarded, from both stacks when going outward.
    func returnFar(size: UInt32, extra: UInt32) throws(Fault) {
        var stack = currentStack
        let eip = try pop(size: size, from: &stack)
        let selector = UInt16(truncatingIfNeeded: try pop(size: size, from: &stack))
        drop(extra, from: &stack)
        guard pointee.isProtected, !pointee.isVirtual8086 else {
            guard eip <= pointee.cs.limit else { throw .generalProtection() }
            commitPointer(stack)
            loadRealModeSegment(.cs, selector)
            pointee.eip = eip
            return
        }
        let target = try checkReturnTarget(selector, eip)
        let rpl = UInt8(selector & 3)
        if rpl == pointee.cpl {
            try enterCode(selector, target, cpl: rpl)
            commitPointer(stack)
        } else {
            try returnOutward(selector, target, &stack, size: size, extra: extra)
        }
        pointee.eip = eip
    }

    /// The code segment a far RET or IRET goes to (SDM 2B, "RET").
    private func checkReturnTarget(_ selector: UInt16, _ eip: UInt32) throws(Fault) -> Descriptor {
        guard selector & 0xFFFC != 0 else { throw .generalProtection() }
        let code = errorCode(selector)
        let rpl = UInt8(selector & 3)
        guard let target = try descriptor(selector), target.isCode, rpl >= pointee.cpl,
            target.isConforming ? target.dpl <= rpl : target.dpl == rpl
        else { throw .generalProtection(code) }
        guard target.isPresent else { throw .notPresent(code) }
        guard !isBadTarget(eip, target) else { throw .generalProtection() }
        return target
    }

    private func returnOutward(
        _ selector: UInt16, _ target: Descriptor, _ stack: inout StackView, size: UInt32, extra: UInt32
    ) throws(Fault) {
        let cpl = UInt8(selector & 3)
        let esp = try pop(size: size, from: &stack)
        let outerSelector = UInt16(truncatingIfNeeded: try pop(size: size, from: &stack))
        let segment = try stackSegment(outerSelector, cpl: cpl, Fault.generalProtection)
        var outer = StackView(segment: segment, esp: esp, isUser: cpl == 3)
        // Only SP is loaded when the outer stack is a 16-bit one; the upper half keeps the inner level's.
        if !segment.isBig { outer.esp = pointee.esp & 0xFFFF_0000 | esp & 0xFFFF }
        drop(extra, from: &outer)
        try enterCode(selector, target, cpl: cpl)
        commit(outer)
        dropInnerSegments()
    }

    /// Data segments that the outer level may not use become null (SDM 3A 5.8.6).
    func dropInnerSegments() {
        for register in SegmentRegister.dataRegisters {
            let segment = segment(register).pointee
            guard !segment.isNull, !segment.isConforming, segment.dpl < pointee.cpl else { continue }
            setSegment(register, Segment())
        }
    }

    /// IRET/IRETD (SDM 2A).
    func interruptReturn(size: UInt32) throws(Fault) {
        guard pointee.isProtected else { return try simpleReturn(size: size, changing: realModeFlags(size)) }
        if pointee.isVirtual8086 {
            guard iopl == 3 else { throw .generalProtection() }
            return try simpleReturn(size: size, changing: realModeFlags(size) & ~Flags.iopl)
        }
        if pointee.systemFlags & Flags.nt != 0 { return try taskReturn() }
        let mask = poppedFlags(size: size) | (size == 4 ? Flags.rf : 0)
        if size == 4, let flags = returnToKnownSegments() { return writeFlags(flags, changing: mask) }
        var stack = currentStack
        let eip = try pop(size: size, from: &stack)
        let selector = UInt16(truncatingIfNeeded: try pop(size: size, from: &stack))
        let flags = try pop(size: size, from: &stack)
        if size == 4, flags & Flags.vm != 0, pointee.cpl == 0 {
            return try returnToVirtual8086(selector, eip, flags, &stack)
        }
        let target = try checkReturnTarget(selector, eip)
        let cpl = pointee.cpl
        if UInt8(selector & 3) == cpl {
            try enterCode(selector, target, cpl: cpl)
            commitPointer(stack)
        } else {
            try returnOutward(selector, target, &stack, size: size, extra: 0)
        }
        noteReturn(code: selector, from: cpl)
        pointee.eip = eip
        writeFlags(flags, changing: mask)
    }

    private func realModeFlags(_ size: UInt32) -> UInt32 {
        size == 4 ? .max : 0xFFFF
    }

    /// Bits of EFLAGS that POPF and IRET change at the current privilege (SDM 2B, "POPF").
    func poppedFlags(size: UInt32) -> UInt32 {
        var mask = Flags.status | Flags.tf | Flags.df | Flags.nt
        if size == 4 { mask |= Flags.ac | Flags.id }
        if pointee.cpl == 0 { mask |= Flags.iopl }
        if pointee.cpl <= iopl { mask |= Flags.if }
        return mask
    }

    private func simpleReturn(size: UInt32, changing mask: UInt32) throws(Fault) {
        var stack = currentStack
        let eip = try pop(size: size, from: &stack)
        let selector = UInt16(truncatingIfNeeded: try pop(size: size, from: &stack))
        let flags = try pop(size: size, from: &stack)
        guard eip <= pointee.cs.limit else { throw .generalProtection() }
        commitPointer(stack)
        loadRealModeSegment(.cs, selector)
        pointee.eip = eip
        writeFlags(flags, changing: mask)
    }

    private func returnToVirtual8086(
        _ selector: UInt16, _ eip: UInt32, _ flags: UInt32, _ stack: inout StackView
    ) throws(Fault) {
        let esp = try pop(size: 4, from: &stack)
        var selectors: InlineArray<5, UInt16> = InlineArray(repeating: 0)
        for index in 0..<5 { selectors[index] = UInt16(truncatingIfNeeded: try pop(size: 4, from: &stack)) }
        guard eip <= 0xFFFF else { throw .generalProtection() }
        writeFlags(flags, changing: .max)
        pointee.systemFlags |= Flags.vm
        pointee.isVirtual8086 = true
        setSegment(.ss, Segment(realMode: selectors[0], dpl: 3))
        setSegment(.es, Segment(realMode: selectors[1], dpl: 3))
        setSegment(.ds, Segment(realMode: selectors[2], dpl: 3))
        setSegment(.fs, Segment(realMode: selectors[3], dpl: 3))
        setSegment(.gs, Segment(realMode: selectors[4], dpl: 3))
        setSegment(.cs, Segment(realMode: selector, dpl: 3))
        setCPL(3)
        pointee.esp = esp
        pointee.eip = eip
    }
}
