import X86

// What the micro-ops that branch and transfer control are made of.

extension MicroOpPointer {
    /// The same 16 bytes, seen as an exit; both layouts are asserted in `MicroOpTests`.
    @inline(__always)
    var exit: UnsafeMutablePointer<ExitOp> {
        UnsafeMutableRawPointer(self).assumingMemoryBound(to: ExitOp.self)
    }

    // The immediate of indirect transfers:
    //
    //  31                     16 15                                0
    //  instructions to count     CALL: offset of what follows it
    //                            RET: bytes to release

    /// Of a call in a block whose first byte is at `entry`.
    @inline(__always)
    func returnAddress(_ entry: UInt32) -> UInt32 { entry &+ pointee.immediate & 0xFFFF }
}

extension Condition {
    /// The condition with that encoding; only the low four bits count.
    @inline(__always)
    init(low bits: UInt8) { self = unsafeBitCast(bits & 15, to: Condition.self) }
}

extension Processor {
    // MARK: Computation and condition in one

    /// CMP of two registers: sets the flags and tells whether the condition holds.
    @inline(__always)
    func fusedRR(_ op: MicroOpPointer, _ condition: (UInt32, UInt32) -> Bool) -> Bool {
        fused(register(op.pointee.b, as: UInt32.self), register(op.pointee.c, as: UInt32.self), condition)
    }

    /// CMP of a register and an immediate.
    @inline(__always)
    func fusedRI(_ op: MicroOpPointer, _ condition: (UInt32, UInt32) -> Bool) -> Bool {
        fused(register(op.pointee.b, as: UInt32.self), op.pointee.immediate, condition)
    }

    @inline(__always)
    private func fused(_ a: UInt32, _ b: UInt32, _ condition: (UInt32, UInt32) -> Bool) -> Bool {
        pointee.status = .ofSubtraction(a, b, a &- b)
        return condition(a, b)
    }

    /// TEST of two registers.
    @inline(__always)
    func fusedTest(_ op: MicroOpPointer, _ condition: (UInt32) -> Bool) -> Bool {
        let result = register(op.pointee.b, as: UInt32.self) & register(op.pointee.c, as: UInt32.self)
        pointee.status = .ofLogic(result)
        return condition(result)
    }

    /// Whether an operation leaves ZF set.
    @inline(__always)
    func isZero(_ operation: () -> Void) -> Bool {
        operation()
        return pointee.status.zf
    }

    // MARK: Leaving a block

    /// Counts what an exit says; the address it leads to.
    @inline(__always)
    func leave(_ op: MicroOpPointer, _ entry: UInt32) -> UInt32 {
        pointee.instructions &+= UInt64(op.exit.pointee.advance)
        return entry &+ op.exit.pointee.offset
    }

    // Indirect transfers: each stores the target and counts, or returns false, having done nothing.

    @inline(__always)
    func jumpR(_ op: MicroOpPointer, _ target: inout UInt32) -> Bool {
        target = register(op.pointee.a, as: UInt32.self)
        countTransfer(op)
        return true
    }

    @inline(__always)
    func jumpM(_ op: MicroOpPointer, _ target: inout UInt32) -> Bool {
        guard let place = readable(address(op), UInt32.self) else { return false }
        target = place.loadUnaligned(as: UInt32.self)
        countTransfer(op)
        return true
    }

    @inline(__always)
    func callR(_ op: MicroOpPointer, _ entry: UInt32, _ target: inout UInt32) -> Bool {
        // Before ESP moves: CALL ESP goes where it pointed.
        target = register(op.pointee.a, as: UInt32.self)
        guard push(flat: op.returnAddress(entry)) else { return false }
        countTransfer(op)
        return true
    }

    @inline(__always)
    func callM(_ op: MicroOpPointer, _ entry: UInt32, _ target: inout UInt32) -> Bool {
        guard let place = readable(address(op), UInt32.self) else { return false }
        target = place.loadUnaligned(as: UInt32.self)
        guard push(flat: op.returnAddress(entry)) else { return false }
        countTransfer(op)
        return true
    }

    @inline(__always)
    func `return`(_ op: MicroOpPointer, _ target: inout UInt32) -> Bool {
        guard let place = readable(pointee.esp, UInt32.self) else { return false }
        target = place.loadUnaligned(as: UInt32.self)
        pointee.esp = pointee.esp &+ 4 &+ op.pointee.immediate & 0xFFFF
        countTransfer(op)
        return true
    }

    @inline(__always)
    private func countTransfer(_ op: MicroOpPointer) {
        pointee.instructions &+= UInt64(op.pointee.immediate >> 16)
    }
}
