import X86

/// A segment that a change of privilege, or a handler, led to the last time.
///
/// What a register gets, and whether it may, follows from selector and descriptor alone: as long as these are the same, it
/// need not be found out again.
struct KnownSegment {
    /// As the gate, the TSS or the frame on the stack has it.
    fileprivate var selector: UInt16 = 0
    /// The descriptor, accessed and present; none is 0.
    fileprivate var word: UInt64 = 0
    fileprivate var segment = Segment()
}

/// Those of the ways between CPL 3 and CPL 0, and to handlers at CPL 0 and back: kernels have one of each.
struct KnownSegments {
    fileprivate var inward = Pair()
    fileprivate var outward = Pair()
    /// CS, from CPL 0 to CPL 0.
    fileprivate var within = KnownSegment()

    fileprivate struct Pair {
        var code = KnownSegment()
        var stack = KnownSegment()
    }
}

// Each does what `interrupt` or `interruptReturn` would do, or nothing: where a check is not known to pass, or an access
// takes the slow path, these do it themselves.
extension Processor {
    /// Enters a 32-bit handler at CPL 0 by known segments; false if that cannot be done. Flags stay.
    func enterKnownHandler(_ gate: Descriptor, errorCode: UInt32?, flags: UInt32) -> Bool {
        guard gate.type & 8 != 0, !pointee.isVirtual8086, !isAlignmentChecked else { return false }
        let (oldESP, oldSS) = (pointee.esp, UInt32(pointee.ss.selector))
        if pointee.cpl == 3 {
            let tss = pointee.tr
            // SS0:ESP0 of a 32-bit TSS (SDM 3A 8.2.1).
            guard tss.type & 8 != 0, tss.limit >= 9,
                let esp = readThroughTLB(tss.base &+ 4, isUser: false, as: UInt32.self),
                let stack = readThroughTLB(tss.base &+ 8, isUser: false, as: UInt16.self),
                isKnown(pointee.known.inward.code, gate.gateSelector), isKnown(pointee.known.inward.stack, stack),
                let frame = handlerFrame(below: esp, count: 5, errorCode: errorCode)
            else { return false }
            frame.fill(pointee.eip, pointee.cs.selector, flags)
            frame.place.storeBytes(of: oldESP, toByteOffset: 12, as: UInt32.self)
            frame.place.storeBytes(of: oldSS, toByteOffset: 16, as: UInt32.self)
            setSegment(.cs, pointee.known.inward.code.segment)
            setCPL(0)
            setSegment(.ss, pointee.known.inward.stack.segment)
            pointee.esp = frame.esp
        } else {
            guard pointee.cpl == 0, hasFlatStack, isKnown(pointee.known.within, gate.gateSelector),
                let frame = handlerFrame(below: oldESP, count: 3, errorCode: errorCode)
            else { return false }
            frame.fill(pointee.eip, pointee.cs.selector, flags)
            setSegment(.cs, pointee.known.within.segment)
            pointee.esp = frame.esp
        }
        pointee.eip = gate.gateOffset
        return true
    }

    /// IRETD from CPL 0 to known segments, but for the flags, which are returned; nil if that cannot be done.
    func returnToKnownSegments() -> UInt32? {
        let esp = pointee.esp
        guard pointee.cpl == 0, hasFlatStack, esp & 0xFFF <= 0x1000 - 20,
            let frame = placeThroughTLB(esp, isWrite: false)
        else { return nil }
        func word(_ offset: Int) -> UInt32 { frame.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
        let (eip, code, flags) = (word(0), UInt16(truncatingIfNeeded: word(4)), word(8))
        guard flags & Flags.vm == 0 else { return nil }
        if code & 3 == 0 {
            guard isKnown(pointee.known.within, code) else { return nil }
            setSegment(.cs, pointee.known.within.segment)
            pointee.esp = esp &+ 12
        } else {
            guard isKnown(pointee.known.outward.code, code),
                isKnown(pointee.known.outward.stack, UInt16(truncatingIfNeeded: word(16)))
            else { return nil }
            setSegment(.cs, pointee.known.outward.code.segment)
            setCPL(3)
            setSegment(.ss, pointee.known.outward.stack.segment)
            pointee.esp = word(12)
            dropInnerSegments()
        }
        pointee.eip = eip
        return flags
    }

    /// The processor has just come from privilege level `cpl`, by a gate with this selector and all checks.
    func noteHandler(code: UInt16, from cpl: UInt8) {
        guard pointee.cpl == 0 else { return }
        switch cpl {
        case 0: pointee.known.within = known(pointee.cs, code)
        case 3: pointee.known.inward = pair(code)
        default: break
        }
    }

    /// The processor has just come from privilege level `cpl`, by IRET with this selector and all checks.
    func noteReturn(code: UInt16, from cpl: UInt8) {
        switch (cpl, pointee.cpl) {
        case (0, 0): pointee.known.within = known(pointee.cs, code)
        case (0, 3): pointee.known.outward = pair(code)
        default: break
        }
    }

    private func pair(_ code: UInt16) -> KnownSegments.Pair {
        guard hasFlatStack else { return KnownSegments.Pair() }
        return KnownSegments.Pair(code: known(pointee.cs, code), stack: known(pointee.ss, pointee.ss.selector))
    }

    /// A segment that was loaded by `selector`, if the descriptor is still what it was loaded from.
    private func known(_ segment: Segment, _ selector: UInt16) -> KnownSegment {
        // No EIP lies beyond the limit.
        guard segment.limit == .max, let word = descriptorWord(selector),
            Segment(selector: segment.selector, word: word) == segment
        else { return KnownSegment() }
        return KnownSegment(selector: selector, word: word, segment: segment)
    }

    @inline(__always)
    private func isKnown(_ known: KnownSegment, _ selector: UInt16) -> Bool {
        known.selector == selector && known.word != 0 && descriptorWord(selector) == known.word
    }

    /// A descriptor of the GDT; nil where `descriptor(_:)` has to be asked.
    @inline(__always)
    private func descriptorWord(_ selector: UInt16) -> UInt64? {
        let offset = UInt32(selector & 0xFFF8)
        guard selector & 4 == 0, offset + 7 <= UInt32(pointee.gdtr.limit) else { return nil }
        return readThroughTLB(pointee.gdtr.base &+ offset, isUser: false, as: UInt64.self)
    }

    /// No access needs a check, and ESP counts in 32 bits.
    private var hasFlatStack: Bool { pointee.ss.isFlat && pointee.stackMask == .max }

    /// Room for `count` words below `esp`, and below these for the error code, which is stored; nil if it is not within a
    /// page that can be written to.
    @inline(__always)
    private func handlerFrame(below esp: UInt32, count: UInt32, errorCode: UInt32?) -> HandlerFrame? {
        let size = count * 4 + (errorCode == nil ? 0 : 4)
        let top = esp &- size
        guard top & 0xFFF <= 0x1000 - size, let place = placeThroughTLB(top, isWrite: true) else {
            return nil
        }
        guard let errorCode else { return HandlerFrame(esp: top, place: place) }
        place.storeBytes(of: errorCode, as: UInt32.self)
        return HandlerFrame(esp: top, place: place + 4)
    }
}

/// What a handler finds on its stack (SDM 3A figure 6-4).
private struct HandlerFrame {
    let esp: UInt32
    /// Of EIP, above the error code.
    let place: UnsafeMutableRawPointer

    @inline(__always)
    func fill(_ eip: UInt32, _ code: UInt16, _ flags: UInt32) {
        place.storeBytes(of: eip, as: UInt32.self)
        place.storeBytes(of: UInt32(code), toByteOffset: 4, as: UInt32.self)
        place.storeBytes(of: flags, toByteOffset: 8, as: UInt32.self)
    }
}
