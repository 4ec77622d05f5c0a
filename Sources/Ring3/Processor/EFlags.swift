import X86

// EFLAGS as a whole, and what hangs on its bits: interrupts, single-step, alignment checks.
extension Processor {
    /// EFLAGS as PUSHFD sees it (VM and RF included).
    var eflags: UInt32 { pointee.status.image | pointee.systemFlags }

    var isInterruptEnabled: Bool { pointee.systemFlags & Flags.if != 0 }
    /// I/O privilege level, 0...3.
    var iopl: UInt8 { UInt8(truncatingIfNeeded: pointee.systemFlags >> 12) & 3 }

    /// Bits of EFLAGS that exist on this processor, without VIF and VIP (no VME).
    static var definedFlags: UInt32 {
        Flags.status | Flags.tf | Flags.if | Flags.df | Flags.iopl | Flags.nt | Flags.rf | Flags.vm | Flags.ac
            | Flags.id
    }

    /// Replaces the bits of EFLAGS in `mask` with those of `value`. VM does not change here: see `enterVirtual8086`.
    func writeFlags(_ value: UInt32, changing mask: UInt32) {
        let mask = mask & Self.definedFlags & ~Flags.vm
        let new = eflags & ~mask | value & mask
        pointee.status = StatusFlags(image: new)
        pointee.systemFlags = new & ~Flags.status | Flags.reserved1
        flagsChanged()
    }

    /// Sets or clears bits of the system flags.
    func setSystemFlag(_ flag: UInt32, _ isSet: Bool) {
        pointee.systemFlags = isSet ? pointee.systemFlags | flag : pointee.systemFlags & ~flag
        flagsChanged()
    }

    func flagsChanged() {
        let flags = pointee.systemFlags
        setAttention(.interrupt, pointee.interruptLine && flags & Flags.if != 0)
        setAttention(.singleStep, flags & Flags.tf != 0)
        setAttention(.resumeFlag, flags & Flags.rf != 0)
        selectTLB()
    }

    /// Sets or clears one reason for the run loop to look up.
    func setAttention(_ bit: Attention, _ isSet: Bool) {
        if isSet { pointee.attention.insert(bit) } else { pointee.attention.remove(bit) }
        pointee.stopAt = pointee.attention.isEmpty ? pointee.sliceEnd : 0
    }

    /// The INTR pin: level from the interrupt controller.
    func setInterruptLine(_ isAsserted: Bool) {
        pointee.interruptLine = isAsserted
        setAttention(.interrupt, isAsserted && isInterruptEnabled)
    }

    /// Holds off interrupts (and debug traps) until after the next instruction.
    func holdInterrupts(andDebugTraps: Bool) {
        // At this boundary the count will be what it is now: the current instruction has been counted.
        pointee.shadowAt = pointee.instructions
        if andDebugTraps { pointee.debugShadowAt = pointee.instructions }
    }
}
