import X86

// The accesses that semantics make to guest memory: through a segment, checked against its limit and rights, then
// through paging. A fault is thrown before anything has been changed.
extension Processor {
    /// The segment register's state.
    @inline(__always)
    func segment(_ register: SegmentRegister) -> UnsafeMutablePointer<Segment> {
        // The six lie in a row behind a stable pointer. (A lazy static offset costs a `swift_once` a time.)
        withUnsafeMutablePointer(to: &pointee.es) { $0 } + Int(register.rawValue)
    }

    /// Offset of the instruction's memory operand inside its segment.
    @inline(__always)
    func effectiveAddress(_ i: UnsafePointer<Instruction>) -> UInt32 {
        let m = i.pointee.memory
        let sum =
            register(m.base, as: UInt32.self) &+ register(m.index, as: UInt32.self) &<< UInt32(m.shift)
            &+ m.displacement
        return i.pointee.addressSize == 2 ? sum & 0xFFFF : sum
    }

    /// Reads a little-endian value at `segment:offset`. Throws #GP/#SS, #PF or #AC.
    @inline(__always)
    func read<T: Word>(_ segment: SegmentRegister, _ offset: UInt32, as type: T.Type) throws(Fault) -> T {
        let s = self.segment(segment)
        if UInt64(offset) &+ UInt64(T.bytes) > s.pointee.readEnd { try checkRead(segment, offset, count: T.bytes) }
        return try readLinear(s.pointee.base &+ offset, as: type)
    }

    /// Writes a little-endian value at `segment:offset`. Throws #GP/#SS, #PF or #AC.
    @inline(__always)
    func write<T: Word>(_ segment: SegmentRegister, _ offset: UInt32, _ value: T) throws(Fault) {
        let s = self.segment(segment)
        if UInt64(offset) &+ UInt64(T.bytes) > s.pointee.writeEnd { try checkWrite(segment, offset, count: T.bytes) }
        try writeLinear(s.pointee.base &+ offset, value)
    }

    /// Begins a read-modify-write: a pointer to the value, which is known to be writable. Store the new value with
    /// `endModify`.
    @inline(__always)
    func beginModify<T: Word>(
        _ segment: SegmentRegister, _ offset: UInt32, as type: T.Type
    ) throws(Fault) -> UnsafeMutableRawPointer {
        let s = self.segment(segment)
        if UInt64(offset) &+ UInt64(T.bytes) > s.pointee.writeEnd { try checkWrite(segment, offset, count: T.bytes) }
        let linear = s.pointee.base &+ offset
        let entry = pointee.tlb + Int(linear >> 12 & TLB.mask)
        if TLB.serves(entry.pointee.writeTag, linear, as: type) { return entry.place(of: linear) }
        return try beginModifySlow(linear, count: T.bytes)
    }

    /// Ends a read-modify-write begun with `beginModify`. Cannot fault.
    @inline(__always)
    func endModify<T: Word>(_ place: UnsafeMutableRawPointer, _ value: T) {
        place.storeBytes(of: value, as: T.self)
        if place == scratchPlace { endModifySlow() }
    }

    /// Throws what a write of `count` (1...512) bytes at `segment:offset` would, without writing: for instructions that
    /// store more than one value and must not do so in part.
    func probeWrite(_ segment: SegmentRegister, _ offset: UInt32, count: UInt32) throws(Fault) {
        try checkWrite(segment, offset, count: count)
        try probeLinear(self.segment(segment).pointee.base &+ offset, count: count, isWrite: true)
    }

    /// Throws what a read of `count` (1...512) bytes at `segment:offset` would.
    func probeRead(_ segment: SegmentRegister, _ offset: UInt32, count: UInt32) throws(Fault) {
        try checkRead(segment, offset, count: count)
        try probeLinear(self.segment(segment).pointee.base &+ offset, count: count, isWrite: false)
    }

    /// The full segment check for a read (SDM 3A 5.3–5.5).
    @inline(never)
    func checkRead(_ register: SegmentRegister, _ offset: UInt32, count: UInt32) throws(Fault) {
        let s = segment(register).pointee
        let isAllowed = pointee.isProtected && !pointee.isVirtual8086 ? s.isPresent && s.isReadable : true
        guard isAllowed, s.covers(offset, count: count) else { throw limitFault(register) }
    }

    /// The full segment check for a write.
    @inline(never)
    func checkWrite(_ register: SegmentRegister, _ offset: UInt32, count: UInt32) throws(Fault) {
        let s = segment(register).pointee
        let isAllowed = pointee.isProtected && !pointee.isVirtual8086 ? s.isPresent && s.isWritable : true
        guard isAllowed, s.covers(offset, count: count) else { throw limitFault(register) }
    }

    private func limitFault(_ register: SegmentRegister) -> Fault {
        register == .ss ? .stack() : .generalProtection()
    }
}
