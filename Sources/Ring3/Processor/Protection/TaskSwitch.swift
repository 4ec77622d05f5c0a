import X86

/// Why a task switch happens; decides about busy bits, NT and the back link (SDM 3A table 7-2).
enum TaskSwitchCause {
    case jump, call, iret
}

/// The dynamic part of a TSS.
private struct TaskImage {
    var cr3: UInt32 = 0
    var eip: UInt32 = 0
    var eflags: UInt32 = 0
    /// EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI.
    var general: InlineArray<8, UInt32> = InlineArray(repeating: 0)
    /// ES, CS, SS, DS, FS, GS.
    var segments: InlineArray<6, UInt16> = InlineArray(repeating: 0)
    var ldt: UInt16 = 0
    var isTrapping = false
}

// Hardware task switching (SDM 3A chapter 7).
extension Processor {
    /// Switches to the task whose TSS `descriptor` has been checked by the caller.
    ///
    /// Up to the commit point faults are raised in the old task; after it, in the new one.
    func switchTask(
        to selector: UInt16, _ descriptor: Descriptor, _ cause: TaskSwitchCause, savedFlags: UInt32? = nil
    ) throws(Fault) {
        pointee.statistics.taskSwitches &+= 1
        var descriptor = descriptor
        let is32 = descriptor.type & 8 != 0
        let new = Segment(selector: selector, low: descriptor.low, high: descriptor.high)
        guard new.limit >= (is32 ? 0x67 : 0x2B) else { throw .invalidTSS(errorCode(selector)) }
        let old = pointee.tr
        let oldIs32 = old.type & 8 != 0
        // Both must be reachable before anything changes.
        try probeSystem(old.base, count: oldIs32 ? 0x68 : 0x2C, isWrite: true)
        try probeSystem(new.base, count: is32 ? 0x68 : 0x2C, isWrite: cause == .call)
        let image = try readTask(new.base, is32: is32)

        var flags = savedFlags ?? eflags
        if cause == .iret { flags &= ~Flags.nt }
        if cause != .call, var outgoing = try self.descriptor(old.selector) { try setBusy(&outgoing, false) }
        try saveTask(old.base, is32: oldIs32, flags: flags)
        if cause == .call { try writeSystem(new.base, UInt16(old.selector)) }
        if cause != .iret { try setBusy(&descriptor, true) }

        // Commit point.
        pointee.tr = Segment(selector: selector, low: descriptor.low, high: descriptor.high | 1 << 9)
        pointee.cr0 |= CR0.ts
        clearLocalBreakpoints()
        try loadTask(image, is32: is32, nests: cause == .call)
        if image.isTrapping {
            pointee.pendingDebug |= DebugRegister.dr6BT
            setAttention(.debugTrap, true)
        }
    }

    private func probeSystem(_ linear: UInt32, count: UInt32, isWrite: Bool) throws(Fault) {
        let kind: AccessKind = isWrite ? .write : .read
        _ = try translate(linear, kind, isUser: false)
        if linear & 0xFFF + count > 0x1000 { _ = try translate((linear | 0xFFF) &+ 1, kind, isUser: false) }
    }

    private func saveTask(_ base: UInt32, is32: Bool, flags: UInt32) throws(Fault) {
        for index in UInt8(0)..<8 {
            let value = register(index << 2, as: UInt32.self)
            try writeTSS(base, is32 ? 0x28 + UInt32(index) * 4 : 0x12 + UInt32(index) * 2, value, is32)
        }
        try writeTSS(base, is32 ? 0x20 : 0x0E, pointee.eip, is32)
        try writeTSS(base, is32 ? 0x24 : 0x10, flags, is32)
        for register in SegmentRegister.allCases where is32 || register.rawValue < 4 {
            let offset = is32 ? 0x48 + UInt32(register.rawValue) * 4 : 0x22 + UInt32(register.rawValue) * 2
            try writeSystem(base &+ offset, segment(register).pointee.selector)
        }
    }

    private func writeTSS(_ base: UInt32, _ offset: UInt32, _ value: UInt32, _ is32: Bool) throws(Fault) {
        if is32 {
            try writeSystem(base &+ offset, value)
        } else {
            try writeSystem(base &+ offset, UInt16(truncatingIfNeeded: value))
        }
    }

    private func readTask(_ base: UInt32, is32: Bool) throws(Fault) -> TaskImage {
        var image = TaskImage()
        func field(_ offset32: UInt32, _ offset16: UInt32) throws(Fault) -> UInt32 {
            is32
                ? try readSystem(base &+ offset32, as: UInt32.self)
                : UInt32(try readSystem(base &+ offset16, as: UInt16.self)) | 0xFFFF_0000
        }
        if is32 { image.cr3 = try readSystem(base &+ 0x1C, as: UInt32.self) }
        image.eip = try field(0x20, 0x0E) & (is32 ? .max : 0xFFFF)
        image.eflags = try field(0x24, 0x10) & (is32 ? .max : 0xFFFF)
        for index in 0..<8 { image.general[index] = try field(0x28 + UInt32(index) * 4, 0x12 + UInt32(index) * 2) }
        for index in 0..<(is32 ? 6 : 4) {
            let offset = is32 ? 0x48 + UInt32(index) * 4 : 0x22 + UInt32(index) * 2
            image.segments[index] = try readSystem(base &+ offset, as: UInt16.self)
        }
        image.ldt = try readSystem(base &+ (is32 ? 0x60 : 0x2A), as: UInt16.self)
        if is32 { image.isTrapping = try readSystem(base &+ 0x64, as: UInt16.self) & 1 != 0 }
        return image
    }

    /// Loads the state of the new task; faults from here on belong to it.
    private func loadTask(_ image: TaskImage, is32: Bool, nests: Bool) throws(Fault) {
        if is32, pointee.cr0 & CR0.pg != 0, pointee.cr3 != image.cr3 {
            if pointee.cr4 & CR4.pae != 0 {
                do throws(Fault) { try loadPDPTEs(image.cr3) } catch { throw .invalidTSS(0) }
            }
            pointee.cr3 = image.cr3
            flushTLB(keepingGlobal: pointee.cr4 & CR4.pge != 0)
        }
        pointee.eip = image.eip
        pointee.instructionStart = image.eip
        for index in UInt8(0)..<8 { setRegister(index << 2, image.general[Int(index)]) }
        let flags = image.eflags | (nests ? Flags.nt : 0)
        writeFlags(flags, changing: .max)
        // The new task's mode and privilege hold for whatever faults from here on.
        let isVirtual = is32 && image.eflags & Flags.vm != 0
        if isVirtual {
            enterVirtual8086(image.segments)
        } else {
            leaveOldMode(image.segments)
        }
        do throws(Fault) {
            pointee.ldtr = Segment()
            try loadLDT(image.ldt, Fault.invalidTSS)
        } catch {
            pointee.ldtr.selector = image.ldt
            throw error
        }
        if !isVirtual { try loadTaskSegments(image.segments) }
    }

    /// All selectors are in place before the first is checked, as a handler would find them.
    private func leaveOldMode(_ selectors: InlineArray<6, UInt16>) {
        pointee.systemFlags &= ~Flags.vm
        pointee.isVirtual8086 = false
        for register in SegmentRegister.allCases {
            var blank = Segment()
            blank.selector = selectors[Int(register.rawValue)]
            setSegment(register, blank)
        }
        setCPL(UInt8(selectors[Int(SegmentRegister.cs.rawValue)] & 3))
    }

    private func enterVirtual8086(_ selectors: InlineArray<6, UInt16>) {
        pointee.systemFlags |= Flags.vm
        pointee.isVirtual8086 = true
        for register in SegmentRegister.allCases {
            setSegment(register, Segment(realMode: selectors[Int(register.rawValue)], dpl: 3))
        }
        setCPL(3)
    }

    private func loadTaskSegments(_ selectors: InlineArray<6, UInt16>) throws(Fault) {
        let code = selectors[Int(SegmentRegister.cs.rawValue)]
        let cpl = pointee.cpl
        let stack = try stackSegment(selectors[Int(SegmentRegister.ss.rawValue)], cpl: cpl, Fault.invalidTSS)
        setSegment(.ss, stack)
        for register in SegmentRegister.dataRegisters {
            do throws(Fault) {
                try loadSegment(register, selectors[Int(register.rawValue)])
            } catch {
                // Bad selectors are #TS here; absent segments stay #NP (SDM 3A table 7-1).
                throw error.vector == Vector.generalProtection ? .invalidTSS(error.errorCode ?? 0) : error
            }
        }
        guard code & 0xFFFC != 0, let descriptor = try descriptor(code), descriptor.isCode,
            descriptor.isConforming ? descriptor.dpl <= cpl : descriptor.dpl == cpl
        else { throw .invalidTSS(errorCode(code)) }
        guard descriptor.isPresent else { throw .notPresent(errorCode(code)) }
        try enterCode(code, descriptor, cpl: cpl)
        guard pointee.eip <= pointee.cs.limit else { throw .generalProtection() }
    }

    /// Switch through a TSS or task-gate selector by CALL or JMP; `rpl` and CPL must not exceed the descriptor's DPL.
    func farTaskTransfer(_ selector: UInt16, _ descriptor: Descriptor, _ cause: TaskSwitchCause) throws(Fault) {
        let code = errorCode(selector)
        guard descriptor.dpl >= pointee.cpl, descriptor.dpl >= UInt8(selector & 3) else {
            throw .generalProtection(code)
        }
        guard descriptor.isPresent else { throw .notPresent(code) }
        guard descriptor.type == SystemType.taskGate else {
            // A TSS is a global object: its descriptor counts only in the GDT.
            guard selector & 4 == 0 else { throw .generalProtection(code) }
            return try switchTask(to: selector, descriptor, cause)
        }
        let target = descriptor.gateSelector
        guard target & 4 == 0, target & 0xFFFC != 0, let tss = try self.descriptor(target), !tss.isCodeOrData,
            tss.type == SystemType.availableTSS16 || tss.type == SystemType.availableTSS32
        else { throw .generalProtection(errorCode(target)) }
        guard tss.isPresent else { throw .notPresent(errorCode(target)) }
        try switchTask(to: target, tss, cause)
    }

    /// IRET with NT set: back to the task in the back link (SDM 3A 7.4).
    func taskReturn() throws(Fault) {
        let link = try readSystem(pointee.tr.base, as: UInt16.self)
        let code = errorCode(link)
        guard link & 4 == 0, link & 0xFFFC != 0, let tss = try descriptor(link), !tss.isCodeOrData,
            tss.type == SystemType.busyTSS16 || tss.type == SystemType.busyTSS32
        else { throw .invalidTSS(code) }
        guard tss.isPresent else { throw .notPresent(code) }
        try switchTask(to: link, tss, .iret)
    }
}
