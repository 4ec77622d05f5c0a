import X86

/// The software translation look-aside buffer: direct-mapped banks of entries.
enum TLB {
    static let entries = 1024
    static let mask = UInt32(entries - 1)
    /// Supervisor, user, and one that is never filled (in use while alignment is checked, so that every access takes
    /// the slow path).
    static let banks = 3
    /// Entries of which is kept which they are, so that a load of CR3 need not look at all. Those who load it often fill few in
    /// between.
    static let listed = 256
    static let noTag: UInt32 = 1

    /// Whether an entry with that tag serves an access to `linear`.
    @inline(__always)
    static func serves<T: Word>(_ tag: UInt32, _ linear: UInt32, as type: T.Type) -> Bool {
        // Adding the size sends accesses that cross into the next page the slow way, in the same comparison.
        tag == (linear &+ (T.bytes - 1)) & 0xFFFF_F000
    }
}

extension UnsafeMutablePointer<TLBEntry> {
    /// The host's address for `linear`, which the entry serves.
    @inline(__always)
    func place(of linear: UInt32) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(bitPattern: pointee.addend &+ Int(linear)).unsafelyUnwrapped
    }
}

/// Somebody who remembers translations as the TLB does, and must forget them when it does, unless they are what the page
/// tables, as they are now, say just the same.
protocol TranslationObserver: AnyObject {
    /// All translations may be void, or all that are not global; another address space may be in use.
    func translationsFlushed(keepingGlobal: Bool)
    /// Those of the page at `linear`, and of the large page it was part of, may be void.
    func pageFlushed(_ linear: UInt32)
    /// Writes to the RAM page at `physical` must be seen from now on: it holds code.
    func codeProtected(_ physical: UInt32)
}

/// What an access does, for permission checks.
enum AccessKind {
    case read, write, execute
}

// Linear addresses: the fast path through the TLB, and the slow path behind it.
extension Processor {
    @inline(__always)
    func readLinear<T: Word>(_ linear: UInt32, as type: T.Type) throws(Fault) -> T {
        let entry = pointee.tlb + Int(linear >> 12 & TLB.mask)
        if TLB.serves(entry.pointee.readTag, linear, as: type) {
            return entry.place(of: linear).loadUnaligned(as: type)
        }
        return T(truncatingIfNeeded: try readLinearSlow(linear, count: T.bytes, isUser: pointee.cpl == 3))
    }

    @inline(__always)
    func writeLinear<T: Word>(_ linear: UInt32, _ value: T) throws(Fault) {
        let entry = pointee.tlb + Int(linear >> 12 & TLB.mask)
        if TLB.serves(entry.pointee.writeTag, linear, as: T.self) {
            return entry.place(of: linear).storeBytes(of: value, as: T.self)
        }
        try writeLinearSlow(linear, UInt64(truncatingIfNeeded: value), count: T.bytes, isUser: pointee.cpl == 3)
    }

    /// Reads as the processor itself does (descriptor tables, TSS): with supervisor rights, no alignment check.
    func readSystem<T: Word>(_ linear: UInt32, as type: T.Type) throws(Fault) -> T {
        if let value = readThroughTLB(linear, isUser: false, as: type) { return value }
        return T(truncatingIfNeeded: try readLinearSlow(linear, count: T.bytes, isUser: false, isImplicit: true))
    }

    /// Writes as the processor itself does.
    func writeSystem<T: Word>(_ linear: UInt32, _ value: T) throws(Fault) {
        if writeThroughTLB(linear, value, isUser: false) { return }
        try writeLinearSlow(
            linear, UInt64(truncatingIfNeeded: value), count: T.bytes, isUser: false, isImplicit: true)
    }

    /// Reads with the rights of a privilege level, whatever the current one, and without an alignment check; nil where
    /// that takes the slow path.
    @inline(__always)
    func readThroughTLB<T: Word>(_ linear: UInt32, isUser: Bool, as type: T.Type) -> T? {
        let entry = pointee.tlbBanks + (Int(linear >> 12 & TLB.mask) + (isUser ? TLB.entries : 0))
        guard TLB.serves(entry.pointee.readTag, linear, as: type) else { return nil }
        return entry.place(of: linear).loadUnaligned(as: type)
    }

    /// The host's address for `linear`, which serves to the end of the page, with the supervisor's rights; nil where
    /// accesses take the slow path.
    @inline(__always)
    func placeThroughTLB(_ linear: UInt32, isWrite: Bool) -> UnsafeMutableRawPointer? {
        let entry = pointee.tlbBanks + Int(linear >> 12 & TLB.mask)
        let tag = isWrite ? entry.pointee.writeTag : entry.pointee.readTag
        return TLB.serves(tag, linear, as: UInt8.self) ? entry.place(of: linear) : nil
    }

    /// The same for a write; false where that takes the slow path.
    @inline(__always)
    func writeThroughTLB<T: Word>(_ linear: UInt32, _ value: T, isUser: Bool) -> Bool {
        let entry = pointee.tlbBanks + (Int(linear >> 12 & TLB.mask) + (isUser ? TLB.entries : 0))
        guard TLB.serves(entry.pointee.writeTag, linear, as: T.self) else { return false }
        entry.place(of: linear).storeBytes(of: value, as: T.self)
        return true
    }

    @inline(never)
    func readLinearSlow(
        _ linear: UInt32, count: UInt32, isUser: Bool, isImplicit: Bool = false
    ) throws(Fault) -> UInt64 {
        if !isImplicit { try checkAlignment(linear, count: count) }
        let first = try translate(linear, .read, isUser: isUser)
        let left = 0x1000 - linear & 0xFFF
        var value: UInt64
        if count <= left {
            value = readPhysical(first, count: count)
        } else {
            let second = try translate(linear &+ left, .read, isUser: isUser)
            value = readPhysical(first, count: left) | readPhysical(second, count: count - left) << UInt64(left * 8)
        }
        if count < 8 { value &= 1 << UInt64(count * 8) - 1 }
        if pointee.hasDataBreakpoints, !isImplicit { noteDataAccess(linear, count: count, isWrite: false) }
        return value
    }

    @inline(never)
    func writeLinearSlow(
        _ linear: UInt32, _ value: UInt64, count: UInt32, isUser: Bool, isImplicit: Bool = false
    ) throws(Fault) {
        if !isImplicit { try checkAlignment(linear, count: count) }
        let first = try translate(linear, .write, isUser: isUser)
        let left = 0x1000 - linear & 0xFFF
        if count <= left {
            writePhysical(first, value, count: count)
        } else {
            let second = try translate(linear &+ left, .write, isUser: isUser)
            writePhysical(first, value, count: left)
            writePhysical(second, value >> UInt64(left * 8), count: count - left)
        }
        if pointee.hasDataBreakpoints, !isImplicit { noteDataAccess(linear, count: count, isWrite: true) }
    }

    /// Checks every page of a range; throws without having changed anything but A and D bits.
    @inline(never)
    func probeLinear(_ linear: UInt32, count: UInt32, isWrite: Bool) throws(Fault) {
        let kind: AccessKind = isWrite ? .write : .read
        _ = try translate(linear, kind, isUser: pointee.cpl == 3)
        if linear & 0xFFF + count > 0x1000 {
            _ = try translate((linear | 0xFFF) &+ 1, kind, isUser: pointee.cpl == 3)
        }
    }

    @inline(__always)
    var scratchPlace: UnsafeMutableRawPointer {
        // The state lies behind a stable pointer: the address of a field outlives the call.
        withUnsafeMutablePointer(to: &pointee.scratch) { UnsafeMutableRawPointer($0) }
    }

    /// Read-modify-write where the value cannot be changed in place: it crosses a page, is MMIO, or is watched.
    @inline(never)
    func beginModifySlow(_ linear: UInt32, count: UInt32) throws(Fault) -> UnsafeMutableRawPointer {
        try checkAlignment(linear, count: count)
        let isUser = pointee.cpl == 3
        let first = try translate(linear, .write, isUser: isUser)
        let left = 0x1000 - linear & 0xFFF
        pointee.scratch.first = first
        pointee.scratch.count = count
        if count <= left {
            pointee.scratch.value = readPhysical(first, count: count)
        } else {
            let second = try translate(linear &+ left, .write, isUser: isUser)
            pointee.scratch.second = second
            pointee.scratch.value =
                readPhysical(first, count: left) | readPhysical(second, count: count - left) << UInt64(left * 8)
        }
        if pointee.hasDataBreakpoints { noteDataAccess(linear, count: count, isWrite: true) }
        return scratchPlace
    }

    @inline(never)
    func endModifySlow() {
        let s = pointee.scratch
        let left = 0x1000 - UInt32(truncatingIfNeeded: s.first) & 0xFFF
        writePhysical(s.first, s.value, count: Swift.min(s.count, left))
        if s.count > left { writePhysical(s.second, s.value >> UInt64(left * 8), count: s.count - left) }
    }

    /// #AC (SDM 3A 6.15, "Interrupt 17"): user code with CR0.AM and EFLAGS.AC set.
    @inline(__always)
    func checkAlignment(_ linear: UInt32, count: UInt32) throws(Fault) {
        guard pointee.cpl == 3, linear & (count - 1) != 0, isAlignmentChecked else { return }
        throw Fault(Vector.alignmentCheck, 0)
    }

    var isAlignmentChecked: Bool {
        pointee.cr0 & CR0.am != 0 && pointee.systemFlags & Flags.ac != 0 && pointee.cpl == 3
    }
}
