import X86

extension Processor {
    /// CLI and STI need CPL <= IOPL; in virtual-8086 mode IOPL 3 (no VME).
    func setInterruptFlag(_ isSet: Bool) throws(Fault) {
        if pointee.isProtected, pointee.cpl > iopl { throw .generalProtection() }
        if isSet, !isInterruptEnabled { holdInterrupts(andDebugTraps: false) }
        setSystemFlag(Flags.if, isSet)
    }

    func halt() throws(Fault) {
        try requirePrivilege()
        pointee.statistics.halts &+= 1
        setAttention(.halted, true)
    }

    func rdtsc() throws(Fault) {
        if pointee.cr4 & CR4.tsd != 0, pointee.cpl != 0 { throw .generalProtection() }
        pointee.statistics.timestampReads &+= 1
        let value = timestamp
        pointee.eax = UInt32(truncatingIfNeeded: value)
        pointee.edx = UInt32(truncatingIfNeeded: value >> 32)
    }

    private var timestamp: UInt64 {
        counter &+ pointee.timestampOffset
    }

    /// Nanoseconds since power-on. Emitted code may have been a little ahead, and must not fall behind.
    private var counter: UInt64 {
        pointee.native.clock.isMissing = 1
        return Swift.max(pointee.platform.takeUnretainedValue().timestamp(), pointee.native.clock.last)
    }

    /// Model-specific registers of this processor (SDM 4 2.21, "Pentium M", and 2.22); any other raises #GP(0).
    private enum MSR {
        static let platformID: UInt32 = 0x17
        static let timestamp: UInt32 = 0x10
        static let microcodeRevision: UInt32 = 0x8B
        static let sysenterCS: UInt32 = 0x174
        static let sysenterESP: UInt32 = 0x175
        static let sysenterEIP: UInt32 = 0x176
        static let miscellaneousEnable: UInt32 = 0x1A0
        static let efer: UInt32 = 0xC000_0080
    }

    func rdmsr() throws(Fault) {
        try requirePrivilege()
        pointee.statistics.modelSpecificRegisterAccesses &+= 1
        let value: UInt64 =
            switch pointee.ecx {
            case MSR.timestamp: timestamp
            case MSR.platformID, MSR.microcodeRevision: 0
            case MSR.sysenterCS: UInt64(pointee.sysenterCS)
            case MSR.sysenterESP: UInt64(pointee.sysenterESP)
            case MSR.sysenterEIP: UInt64(pointee.sysenterEIP)
            case MSR.miscellaneousEnable: UInt64(pointee.miscellaneousEnable)
            case MSR.efer: UInt64(pointee.efer)
            default: throw .generalProtection()
            }
        pointee.eax = UInt32(truncatingIfNeeded: value)
        pointee.edx = UInt32(truncatingIfNeeded: value >> 32)
    }

    func wrmsr() throws(Fault) {
        try requirePrivilege()
        pointee.statistics.modelSpecificRegisterAccesses &+= 1
        switch pointee.ecx {
        case MSR.timestamp:
            let value = UInt64(pointee.edx) << 32 | UInt64(pointee.eax)
            pointee.timestampOffset = value &- counter
        case MSR.microcodeRevision: break  // Written (as zero) before CPUID, to be read back: SDM 3A 9.11.7.1.
        case MSR.sysenterCS: pointee.sysenterCS = pointee.eax
        case MSR.sysenterESP: pointee.sysenterESP = pointee.eax
        case MSR.sysenterEIP: pointee.sysenterEIP = pointee.eax
        case MSR.miscellaneousEnable:
            // Of what can be switched there, only fast strings exist on this processor.
            guard pointee.edx == 0, (pointee.eax ^ pointee.miscellaneousEnable) & ~MiscellaneousEnable.fastStrings == 0
            else { throw .generalProtection() }
            pointee.miscellaneousEnable = pointee.eax
        case MSR.efer:
            guard pointee.eax & ~EFER.nxe == 0, pointee.edx == 0 else { throw .generalProtection() }
            if pointee.efer != pointee.eax { flushTLB(keepingGlobal: false) }
            pointee.efer = pointee.eax
        default: throw .generalProtection()
        }
    }

    func sysenter() throws(Fault) {
        guard pointee.isProtected, pointee.systemCall.areMissing == 0 else { throw .generalProtection() }
        pointee.systemFlags &= ~(Flags.vm | Flags.if | Flags.rf)
        pointee.isVirtual8086 = false
        load(pointee.systemCall.entered, cpl: 0)
        pointee.esp = pointee.sysenterESP
        pointee.eip = pointee.sysenterEIP
        flagsChanged()
    }

    func sysexit() throws(Fault) {
        guard pointee.isProtected, pointee.systemCall.areMissing == 0 else { throw .generalProtection() }
        try requirePrivilege()
        load(pointee.systemCall.left, cpl: 3)
        pointee.esp = pointee.ecx
        pointee.eip = pointee.edx
    }

    private func load(_ segments: FlatSegments, cpl: UInt8) {
        setSegment(.cs, segments.cs)
        setSegment(.ss, segments.ss)
        setCPL(cpl)
    }

    func lahf() {
        setRegister(1, UInt8(truncatingIfNeeded: pointee.status.image | Flags.reserved1))
    }

    func sahf() {
        let keep = pointee.status.image & Flags.of
        pointee.status = StatusFlags(image: UInt32(register(1, as: UInt8.self)) & ~Flags.of | keep)
    }
}
