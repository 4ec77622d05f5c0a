/// The x87 unit: a pointer to its state, as `Processor` is one to the whole CPU's.
///
/// The methods here and in the other files of this folder know nothing of guest memory.
typealias X87 = UnsafeMutablePointer<FPUState>

// The register stack, its tags, and the exception flags.
extension X87 {
    @inline(__always) var top: UInt8 { UInt8(truncatingIfNeeded: pointee.status >> 11) & 7 }

    /// R`number`, 0...7.
    @inline(__always) func physical(_ number: UInt8) -> UnsafeMutablePointer<X87Register> {
        // The registers are the first field, so that this needs no bounds check and copies nothing.
        UnsafeMutableRawPointer(self).assumingMemoryBound(to: X87Register.self) + Int(number)
    }

    /// ST(`i`), 0...7.
    @inline(__always) func st(_ i: UInt8) -> UnsafeMutablePointer<X87Register> { physical((top &+ i) & 7) }

    @inline(__always) func isEmpty(_ i: UInt8) -> Bool { pointee.occupied &>> ((top &+ i) & 7) & 1 == 0 }

    @inline(__always) func setOccupied(_ i: UInt8) { pointee.occupied |= 1 &<< ((top &+ i) & 7) }

    @inline(__always) func setEmpty(_ i: UInt8) { pointee.occupied &= ~(1 &<< ((top &+ i) & 7)) }

    /// Moves TOP by `count` without touching tags.
    @inline(__always) func rotate(_ count: UInt8) {
        pointee.status = pointee.status & ~X87Status.top | UInt16((top &+ count) & 7) << 11
    }

    @inline(__always) func pop() {
        setEmpty(0)
        rotate(1)
    }

    /// Pushes `value` whatever was there; see `hasRoom`.
    @inline(__always) func push(_ value: X87Register) {
        rotate(7)
        st(0).pointee = value
        setOccupied(0)
    }

    /// Whether the register that a push would fill is empty.
    @inline(__always) var hasRoom: Bool { isEmpty(7) }

    /// Stores `value` in ST(`i`).
    @inline(__always) func set(_ i: UInt8, _ value: X87Register) {
        st(i).pointee = value
        setOccupied(i)
    }

    /// Whether any of the exceptions in `report` is among `which` and unmasked.
    @inline(__always) func isUnmasked(_ report: UInt16, _ which: UInt16 = X87Status.exceptions) -> Bool {
        report & ~pointee.control & which != 0
    }

    /// Takes over exception flags, and the `conditions` among the condition bits, from a host status word.
    @inline(__always) func record(_ report: UInt16, conditions: UInt16 = X87Status.c1) {
        pointee.status = pointee.status & ~conditions | report & (X87Status.exceptions | conditions)
        if isUnmasked(report) { pointee.status |= X87Status.summary | X87Status.busy }
    }

    /// Clears C1, as instructions do that cannot round.
    @inline(__always) func clearC1() { pointee.status &= ~X87Status.c1 }

    /// Brings B and ES in line with flags and masks after either has been loaded.
    func updateSummary() {
        let pending: UInt16 = X87Status.summary | X87Status.busy
        if isUnmasked(pointee.status) { pointee.status |= pending } else { pointee.status &= ~pending }
    }

    /// An empty register was needed and found full (`overflow`), or the other way round (SDM 1 8.5.1.1). True if the
    /// exception is masked, and the instruction is to go on with the indefinite value as its operand.
    @inline(never) func stackFault(overflow: Bool) -> Bool {
        pointee.status = pointee.status & ~X87Status.c1 | X87Status.stackFault | (overflow ? X87Status.c1 : 0)
        record(X87Status.invalid, conditions: 0)
        return !isUnmasked(X87Status.invalid)
    }
}
