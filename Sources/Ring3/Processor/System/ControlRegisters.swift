import X86

extension Processor {
    /// Throws #GP(0) unless CPL is 0 (which virtual-8086 mode never is).
    @inline(__always)
    func requirePrivilege() throws(Fault) {
        guard pointee.cpl == 0 else { throw .generalProtection() }
    }

    func movControl(_ i: InstructionPointer) throws(Fault) {
        try requirePrivilege()
        let (destination, source) = (i.pointee.operands.0, i.pointee.operands.1)
        if destination.kind == .control {
            pointee.statistics.controlRegisterWrites &+= 1
            let value = register(source.register, as: UInt32.self)
            switch destination.register {
            case 0: try writeCR0(value)
            case 2: pointee.cr2 = value
            case 3: try writeCR3(value)
            case 4: try writeCR4(value)
            default: throw .invalidOpcode
            }
        } else {
            switch source.register {
            case 0: setRegister(destination.register, pointee.cr0)
            case 2: setRegister(destination.register, pointee.cr2)
            case 3: setRegister(destination.register, pointee.cr3)
            case 4: setRegister(destination.register, pointee.cr4)
            default: throw .invalidOpcode
            }
        }
    }

    /// SDM 2B, "MOV—Move to/from Control Registers". Throws #GP(0), nothing changed.
    func writeCR0(_ value: UInt32) throws(Fault) {
        let new = value & CR0.defined | CR0.et
        let old = pointee.cr0
        if new & CR0.pg != 0, new & CR0.pe == 0 { throw .generalProtection() }
        if new & CR0.nw != 0, new & CR0.cd == 0 { throw .generalProtection() }
        let isPagingChanged = (old ^ new) & CR0.pg != 0
        // PDPTEs are read anew by whatever changes one of these (SDM 3A 4.4.1).
        if (old ^ new) & (CR0.pg | CR0.cd | CR0.nw) != 0, new & CR0.pg != 0, pointee.cr4 & CR4.pae != 0 {
            try loadPDPTEs(pointee.cr3)
        }
        pointee.cr0 = new
        if isPagingChanged || (old ^ new) & (CR0.wp | CR0.pe) != 0 { flushTLB(keepingGlobal: false) }
        if (old ^ new) & CR0.pe != 0 {
            pointee.isProtected = new & CR0.pe != 0
            forgetDescriptors()
            if !pointee.isProtected { setCPL(0) }
        }
        if (old ^ new) & CR0.ne != 0 { updateFloatingPointError() }
        selectTLB()
    }

    func writeCR3(_ value: UInt32) throws(Fault) {
        if pointee.cr0 & CR0.pg != 0, pointee.cr4 & CR4.pae != 0 { try loadPDPTEs(value) }
        pointee.cr3 = value
        flushTLB(keepingGlobal: pointee.cr4 & CR4.pge != 0)
    }

    func writeCR4(_ value: UInt32) throws(Fault) {
        guard value & ~CR4.defined == 0 else { throw .generalProtection() }
        let changed = pointee.cr4 ^ value
        if changed & (CR4.pae | CR4.pge | CR4.pse) != 0, value & CR4.pae != 0, pointee.cr0 & CR0.pg != 0 {
            try loadPDPTEs(pointee.cr3)
        }
        pointee.cr4 = value
        if changed & (CR4.pae | CR4.pse | CR4.pge) != 0 { flushTLB(keepingGlobal: false) }
    }

    /// LMSW sets PE, MP, EM and TS; it cannot clear PE.
    func lmsw(_ i: InstructionPointer) throws(Fault) {
        try requirePrivilege()
        let value = UInt32(try load(i, i.pointee.operands.0, as: UInt16.self)) & 0xF
        try writeCR0(pointee.cr0 & ~0xE | value)
    }

    /// SMSW is not privileged. With a 32-bit register all of CR0 is stored (undefined by the manual, done by P6).
    func smsw(_ i: InstructionPointer) throws(Fault) {
        let operand = i.pointee.operands.0
        if operand.kind == .register, operand.size == 4 {
            setRegister(operand.register, pointee.cr0)
        } else {
            try store(i, operand, UInt16(truncatingIfNeeded: pointee.cr0))
        }
    }

    func loadDescriptorTable(_ i: InstructionPointer) throws(Fault) -> DescriptorTable {
        try requirePrivilege()
        let address = effectiveAddress(i)
        let segment = i.pointee.memory.segment
        let limit = try read(segment, address, as: UInt16.self)
        let base = try read(segment, address &+ 2, as: UInt32.self)
        return DescriptorTable(base: i.pointee.operandSize == 2 ? base & 0xFF_FFFF : base, limit: limit)
    }

    /// SGDT and SIDT are not privileged. All 32 bits of the base are stored whatever the operand size (as P6 does).
    func storeDescriptorTable(_ i: InstructionPointer, _ table: DescriptorTable) throws(Fault) {
        let address = effectiveAddress(i)
        let segment = i.pointee.memory.segment
        try probeWrite(segment, address, count: 6)
        try write(segment, address, table.limit)
        try write(segment, address &+ 2, table.base)
    }

    /// SLDT, STR, LLDT, LTR, VERR, VERW, LAR, LSL and ARPL exist in protected mode only.
    func requireProtectedMode() throws(Fault) {
        guard pointee.isProtected, !pointee.isVirtual8086 else { throw .invalidOpcode }
    }

    /// The descriptor that LAR, LSL, VERR and VERW look at, if it is visible at CPL and RPL.
    private func visibleDescriptor(_ selector: UInt16) throws(Fault) -> Descriptor? {
        guard selector & 0xFFFC != 0, let descriptor = try descriptor(selector) else { return nil }
        if descriptor.isConforming { return descriptor }
        return descriptor.dpl >= Swift.max(pointee.cpl, UInt8(selector & 3)) ? descriptor : nil
    }

    func verify(_ i: InstructionPointer, forWriting: Bool) throws(Fault) {
        try requireProtectedMode()
        let selector = try load(i, i.pointee.operands.0, as: UInt16.self)
        let descriptor = try visibleDescriptor(selector)
        let isAllowed =
            descriptor.map { $0.isCodeOrData && (forWriting ? $0.isWritableData : $0.isReadable) } ?? false
        pointee.status.setZero(isAllowed)
        if forWriting, isAllowed { noteVerified(selector) }
    }

    /// System descriptor types that LAR and LSL accept, one bit each (SDM 2A tables 3-52 and 3-57).
    private static var larTypes: UInt32 { 0b0001_1010_0011_1110 }
    private static var lslTypes: UInt32 { 0b0000_1010_0000_1110 }

    func lar(_ i: InstructionPointer) throws(Fault) {
        try requireProtectedMode()
        let selector = try load(i, i.pointee.operands.1, as: UInt16.self)
        let descriptor = try visibleDescriptor(selector)
        guard let descriptor, descriptor.isCodeOrData || Self.larTypes >> descriptor.type & 1 != 0 else {
            return pointee.status.setZero(false)
        }
        setRegisterOperand(i, descriptor.high & 0x00FF_FF00)
        pointee.status.setZero(true)
    }

    func lsl(_ i: InstructionPointer) throws(Fault) {
        try requireProtectedMode()
        let selector = try load(i, i.pointee.operands.1, as: UInt16.self)
        let descriptor = try visibleDescriptor(selector)
        guard let descriptor, descriptor.isCodeOrData || Self.lslTypes >> descriptor.type & 1 != 0 else {
            return pointee.status.setZero(false)
        }
        setRegisterOperand(i, Segment(selector: 0, low: descriptor.low, high: descriptor.high).limit)
        pointee.status.setZero(true)
    }

    /// ARPL: raises the RPL of operand 0 to that of operand 1; ZF tells whether it did.
    func arpl(_ i: InstructionPointer) throws(Fault) {
        try requireProtectedMode()
        let rpl = register(i.pointee.operands.1.register, as: UInt16.self) & 3
        let selector = try load(i, i.pointee.operands.0, as: UInt16.self)
        let isRaised = selector & 3 < rpl
        // What stays as it is need not be writable.
        if isRaised { try store(i, i.pointee.operands.0, selector & ~3 | rpl) }
        pointee.status.setZero(isRaised)
    }

    func lldt(_ i: InstructionPointer) throws(Fault) {
        try requireProtectedMode()
        try requirePrivilege()
        try loadLDT(try load(i, i.pointee.operands.0, as: UInt16.self))
    }

    func ltr(_ i: InstructionPointer) throws(Fault) {
        try requireProtectedMode()
        try requirePrivilege()
        try loadTaskRegister(try load(i, i.pointee.operands.0, as: UInt16.self))
    }

    /// SLDT and STR are not privileged.
    func storeSystemSelector(_ i: InstructionPointer, _ selector: UInt16) throws(Fault) {
        try requireProtectedMode()
        try storeSelector(i, selector)
    }
}
