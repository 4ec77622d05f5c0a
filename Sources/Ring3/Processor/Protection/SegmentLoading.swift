import X86

/// A descriptor as it stands in a table.
struct Descriptor {
    var low: UInt32
    var high: UInt32
    /// Linear address of its first byte.
    var address: UInt32

    var type: UInt32 { high >> 8 & 0xF }
    var isCodeOrData: Bool { high & 1 << 12 != 0 }
    var dpl: UInt8 { UInt8(truncatingIfNeeded: high >> 13) & 3 }
    var isPresent: Bool { high & 1 << 15 != 0 }
    var isCode: Bool { high & 0x1800 == 0x1800 }
    var isConforming: Bool { high & 0x1C00 == 0x1C00 }
    var isWritableData: Bool { high & 0x1A00 == 0x1200 }
    /// Data, or readable code.
    var isReadable: Bool { high & 0x1800 == 0x1000 || high & 0x1A00 == 0x1A00 }

    // Gates (SDM 3A 5.8.3, 6.11).
    var gateSelector: UInt16 { UInt16(truncatingIfNeeded: low >> 16) }
    var gateOffset: UInt32 { type & 8 != 0 ? high & 0xFFFF_0000 | low & 0xFFFF : low & 0xFFFF }
    var gateParameterCount: UInt32 { high & 0x1F }
}

/// System descriptor types (SDM 3A table 3-2).
enum SystemType {
    static let availableTSS16: UInt32 = 1
    static let ldt: UInt32 = 2
    static let busyTSS16: UInt32 = 3
    static let callGate16: UInt32 = 4
    static let taskGate: UInt32 = 5
    static let interruptGate16: UInt32 = 6
    static let trapGate16: UInt32 = 7
    static let availableTSS32: UInt32 = 9
    static let busyTSS32: UInt32 = 11
    static let callGate32: UInt32 = 12
    static let interruptGate32: UInt32 = 14
    static let trapGate32: UInt32 = 15
}

extension Processor {
    /// Error code that names a selector: its index and table, without RPL.
    func errorCode(_ selector: UInt16) -> UInt32 { UInt32(selector & 0xFFFC) }

    /// The descriptor that `selector` names, or nil when it lies outside its table.
    func descriptor(_ selector: UInt16) throws(Fault) -> Descriptor? {
        let isLocal = selector & 4 != 0
        let offset = UInt32(selector & 0xFFF8)
        let base = isLocal ? pointee.ldtr.base : pointee.gdtr.base
        let limit = isLocal ? pointee.ldtr.limit : UInt32(pointee.gdtr.limit)
        if isLocal, pointee.ldtr.isNull || !pointee.ldtr.isPresent { return nil }
        guard offset + 7 <= limit else { return nil }
        let address = base &+ offset
        let word = try readSystem(address, as: UInt64.self)
        return Descriptor(
            low: UInt32(truncatingIfNeeded: word), high: UInt32(truncatingIfNeeded: word >> 32), address: address)
    }

    /// Sets the accessed bit of a code or data descriptor in memory, and in the copy.
    func setAccessed(_ descriptor: inout Descriptor) throws(Fault) {
        guard descriptor.high & 1 << 8 == 0 else { return }
        descriptor.high |= 1 << 8
        try writeSystem(descriptor.address &+ 5, UInt8(truncatingIfNeeded: descriptor.high >> 8))
    }

    /// Puts a checked segment into its register and updates what follows from it.
    func setSegment(_ register: SegmentRegister, _ value: Segment) {
        segment(register).pointee = value
        switch register {
        case .cs:
            pointee.is32BitCode = value.isBig
            pointee.fetch.count = 0
        case .ss: pointee.stackMask = value.isBig ? .max : 0xFFFF
        default: forgetDescriptor(of: register)
        }
    }

    func setCPL(_ cpl: UInt8) {
        pointee.cpl = cpl
        pointee.fetch.count = 0
        selectTLB()
    }

    /// MOV/POP to a segment register other than CS, LDS and friends (SDM 2B, "MOV").
    func loadSegment(_ register: SegmentRegister, _ selector: UInt16) throws(Fault) {
        guard pointee.isProtected, !pointee.isVirtual8086 else {
            return loadRealModeSegment(register, selector)
        }
        if register == .ss {
            let segment = try stackSegment(selector, cpl: pointee.cpl, Fault.generalProtection)
            return setSegment(.ss, segment)
        }
        guard selector & 0xFFFC != 0 else {
            var null = Segment()
            null.selector = selector
            return setSegment(register, null)
        }
        guard var descriptor = try descriptor(selector) else { throw .generalProtection(errorCode(selector)) }
        guard descriptor.isCodeOrData, descriptor.isReadable else { throw .generalProtection(errorCode(selector)) }
        if !descriptor.isConforming, descriptor.dpl < Swift.max(pointee.cpl, UInt8(selector & 3)) {
            throw .generalProtection(errorCode(selector))
        }
        guard descriptor.isPresent else { throw .notPresent(errorCode(selector)) }
        try setAccessed(&descriptor)
        setSegment(register, Segment(selector: selector, low: descriptor.low, high: descriptor.high))
    }

    /// Real mode changes selector and base and leaves limit and attributes (hence "unreal mode"); virtual-8086 mode
    /// sets them all.
    func loadRealModeSegment(_ register: SegmentRegister, _ selector: UInt16) {
        if pointee.isVirtual8086 {
            return setSegment(register, Segment(realMode: selector, dpl: 3))
        }
        var segment = segment(register).pointee
        segment.selector = selector
        segment.base = UInt32(selector) << 4
        segment.attributes = segment.attributes & 0xC000 | 0x93
        segment.updateEnds()
        setSegment(register, segment)
    }

    /// Checks a stack segment for privilege level `cpl`; `wrong` makes the fault for a bad one (#GP, or #TS for stacks
    /// taken from a TSS). A segment that is not present is always #SS.
    func stackSegment(_ selector: UInt16, cpl: UInt8, _ wrong: (UInt32) -> Fault) throws(Fault) -> Segment {
        guard selector & 0xFFFC != 0 else { throw wrong(0) }
        let code = errorCode(selector)
        guard var descriptor = try descriptor(selector) else { throw wrong(code) }
        guard UInt8(selector & 3) == cpl, descriptor.isCodeOrData, descriptor.isWritableData, descriptor.dpl == cpl
        else { throw wrong(code) }
        guard descriptor.isPresent else { throw .stack(code) }
        try setAccessed(&descriptor)
        return Segment(selector: selector, low: descriptor.low, high: descriptor.high)
    }

    /// Loads CS with a checked code segment; its RPL becomes `cpl`, which becomes the current privilege level.
    func enterCode(_ selector: UInt16, _ descriptor: Descriptor, cpl: UInt8) throws(Fault) {
        var descriptor = descriptor
        try setAccessed(&descriptor)
        let selector = selector & 0xFFFC | UInt16(cpl)
        setSegment(.cs, Segment(selector: selector, low: descriptor.low, high: descriptor.high))
        if cpl != pointee.cpl { setCPL(cpl) }
    }

    /// LLDT (SDM 2A). Throws #GP or #NP.
    func loadLDT(_ selector: UInt16, _ wrong: (UInt32) -> Fault = Fault.generalProtection) throws(Fault) {
        guard selector & 0xFFFC != 0 else {
            pointee.ldtr = Segment()
            pointee.ldtr.selector = selector
            return
        }
        let code = errorCode(selector)
        guard selector & 4 == 0, let descriptor = try descriptor(selector), !descriptor.isCodeOrData,
            descriptor.type == SystemType.ldt
        else { throw wrong(code) }
        guard descriptor.isPresent else {
            throw wrong(code).vector == Vector.invalidTSS ? wrong(code) : .notPresent(code)
        }
        pointee.ldtr = Segment(selector: selector, low: descriptor.low, high: descriptor.high)
    }

    /// LTR (SDM 2B): loads the task register and marks the TSS busy.
    func loadTaskRegister(_ selector: UInt16) throws(Fault) {
        let code = errorCode(selector)
        guard selector & 0xFFFC != 0 else { throw .generalProtection() }
        guard selector & 4 == 0, var descriptor = try descriptor(selector), !descriptor.isCodeOrData,
            descriptor.type == SystemType.availableTSS16 || descriptor.type == SystemType.availableTSS32
        else { throw .generalProtection(code) }
        guard descriptor.isPresent else { throw .notPresent(code) }
        try setBusy(&descriptor, true)
        pointee.tr = Segment(selector: selector, low: descriptor.low, high: descriptor.high)
    }

    /// Sets or clears the busy bit of a TSS descriptor in memory, and in the copy.
    func setBusy(_ descriptor: inout Descriptor, _ isBusy: Bool) throws(Fault) {
        descriptor.high = isBusy ? descriptor.high | 1 << 9 : descriptor.high & ~(1 << 9)
        try writeSystem(descriptor.address &+ 4, descriptor.high)
    }
}
