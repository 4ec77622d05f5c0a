import X86

// Control instructions (SDM 1 8.3.11). They do not count as "last instruction".
extension Processor {
    func executeX87Control(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operation {
        case .wait:
            // WAIT asks for TS only together with MP, and never for EM (SDM 3A table 2-2).
            let taskSwitched = CR0.ts | CR0.mp
            if pointee.cr0 & taskSwitched == taskSwitched { throw .deviceNotAvailable }
            try checkX87Pending()
        case .fninit:
            try checkX87Available()
            fpu.reset()
        case .fnclex:
            try checkX87Available()
            fpu.clearExceptions()
        case .fnstcw:
            try checkX87Available()
            try write(i.pointee.memory.segment, effectiveAddress(i), fpu.pointee.control)
        case .fnstsw:
            try checkX87Available()
            try store(i, i.pointee.operands.0, fpu.pointee.status)
        case .fldcw:
            try checkX87()
            fpu.setControl(try read(i.pointee.memory.segment, effectiveAddress(i), as: UInt16.self))
        case .fldenv, .fnstenv, .frstor, .fnsave:
            try executeX87Image(i)
        default:
            try executeExtendedImage(i)
        }
    }
}

extension X87 {
    /// FNINIT: everything but the registers' contents (SDM 2A, "FINIT").
    func reset() {
        pointee.control = 0x37F
        pointee.status = 0
        X87Unit.settle()
        pointee.occupied = 0
        setPointers(X87Pointers())
    }

    /// FNCLEX: exception flags, stack fault, ES and B.
    func clearExceptions() {
        pointee.status &= X87Status.conditions | X87Status.top
        X87Unit.settle()
    }

    /// Loads the control word. Of the bits that mean nothing, 6 always reads as 1, and 7 and 13 to 15 as 0.
    func setControl(_ value: UInt16) {
        pointee.control = value & 0x1F3F | 0x40
        updateSummary()
    }

    /// Loads the status word; B and ES follow from the flags and the control word, which has been loaded before.
    func setStatus(_ value: UInt16) {
        pointee.status = value
        updateSummary()
        X87Unit.settle()
    }
}
