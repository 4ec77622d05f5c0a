import X86

// What micro-ops are made of: registers, flat memory through the TLB, and the forms of operands. Memory forms return
// false, having done nothing, when the access has to take the slow path.
extension Processor {
    @inline(__always)
    func address(_ op: MicroOpPointer) -> UInt32 {
        register(op.pointee.b, as: UInt32.self) &+ register(op.pointee.c, as: UInt32.self) &* UInt32(op.pointee.d)
            &+ op.pointee.displacement
    }

    /// Of an operand without index.
    @inline(__always)
    func baseAddress(_ op: MicroOpPointer) -> UInt32 {
        register(op.pointee.b, as: UInt32.self) &+ op.pointee.displacement
    }

    /// Host address behind a linear one that may be read at once.
    @inline(__always)
    func readable<T: Word>(_ linear: UInt32, _ type: T.Type) -> UnsafeMutableRawPointer? {
        let entry = pointee.tlb + Int(linear >> 12 & TLB.mask)
        return TLB.serves(entry.pointee.readTag, linear, as: type) ? entry.place(of: linear) : nil
    }

    /// Host address behind a linear one that may be written at once.
    @inline(__always)
    func writable<T: Word>(_ linear: UInt32, _ type: T.Type) -> UnsafeMutableRawPointer? {
        let entry = pointee.tlb + Int(linear >> 12 & TLB.mask)
        return TLB.serves(entry.pointee.writeTag, linear, as: type) ? entry.place(of: linear) : nil
    }

    // MARK: Two operands: a = b op c, a = b op immediate, a = a op memory, memory = memory op a or immediate

    @inline(__always)
    func rr<Op: BinaryOperation, T: Word>(_ op: MicroOpPointer, _ operation: Op.Type, _ type: T.Type) {
        let value = Op.apply(self, register(op.pointee.b, as: T.self), register(op.pointee.c, as: T.self))
        setRegister(op.pointee.a, value)
    }

    @inline(__always)
    func ri<Op: BinaryOperation, T: Word>(_ op: MicroOpPointer, _ operation: Op.Type, _ type: T.Type) {
        let value = Op.apply(self, register(op.pointee.b, as: T.self), T(truncatingIfNeeded: op.pointee.immediate))
        setRegister(op.pointee.a, value)
    }

    @inline(__always)
    func rm<Op: BinaryOperation, T: Word>(
        _ op: MicroOpPointer, _ linear: UInt32, _ operation: Op.Type, _ type: T.Type
    ) -> Bool {
        guard let place = readable(linear, T.self) else { return false }
        setRegister(
            op.pointee.a, Op.apply(self, register(op.pointee.a, as: T.self), place.loadUnaligned(as: T.self)))
        return true
    }

    @inline(__always)
    func mr<Op: BinaryOperation, T: Word>(_ op: MicroOpPointer, _ operation: Op.Type, _ type: T.Type) -> Bool {
        guard let place = writable(address(op), T.self) else { return false }
        let value = Op.apply(self, place.loadUnaligned(as: T.self), register(op.pointee.a, as: T.self))
        place.storeBytes(of: value, as: T.self)
        return true
    }

    @inline(__always)
    func mi<Op: BinaryOperation, T: Word>(_ op: MicroOpPointer, _ operation: Op.Type, _ type: T.Type) -> Bool {
        guard let place = writable(address(op), T.self) else { return false }
        let value = Op.apply(
            self, place.loadUnaligned(as: T.self), T(truncatingIfNeeded: op.pointee.immediate))
        place.storeBytes(of: value, as: T.self)
        return true
    }

    // MARK: Comparisons: flags only

    @inline(__always)
    func compareRR<Op: BinaryOperation, T: Word>(_ op: MicroOpPointer, _ operation: Op.Type, _ type: T.Type) {
        _ = Op.apply(self, register(op.pointee.b, as: T.self), register(op.pointee.c, as: T.self))
    }

    @inline(__always)
    func compareRI<Op: BinaryOperation, T: Word>(_ op: MicroOpPointer, _ operation: Op.Type, _ type: T.Type) {
        _ = Op.apply(self, register(op.pointee.b, as: T.self), T(truncatingIfNeeded: op.pointee.immediate))
    }

    @inline(__always)
    func compareRM<Op: BinaryOperation, T: Word>(
        _ op: MicroOpPointer, _ linear: UInt32, _ operation: Op.Type, _ type: T.Type
    ) -> Bool {
        guard let place = readable(linear, T.self) else { return false }
        _ = Op.apply(self, register(op.pointee.a, as: T.self), place.loadUnaligned(as: T.self))
        return true
    }

    @inline(__always)
    func compareMR<Op: BinaryOperation, T: Word>(_ op: MicroOpPointer, _ operation: Op.Type, _ type: T.Type) -> Bool {
        guard let place = readable(address(op), T.self) else { return false }
        _ = Op.apply(self, place.loadUnaligned(as: T.self), register(op.pointee.a, as: T.self))
        return true
    }

    @inline(__always)
    func compareMI<Op: BinaryOperation, T: Word>(
        _ op: MicroOpPointer, _ linear: UInt32, _ operation: Op.Type, _ type: T.Type
    ) -> Bool {
        guard let place = readable(linear, T.self) else { return false }
        _ = Op.apply(self, place.loadUnaligned(as: T.self), T(truncatingIfNeeded: op.pointee.immediate))
        return true
    }

    // MARK: Moves

    @inline(__always)
    func load<T: Word>(_ op: MicroOpPointer, _ linear: UInt32, _ type: T.Type) -> Bool {
        guard let place = readable(linear, T.self) else { return false }
        setRegister(op.pointee.a, place.loadUnaligned(as: T.self))
        return true
    }

    @inline(__always)
    func storeR<T: Word>(_ op: MicroOpPointer, _ linear: UInt32, _ type: T.Type) -> Bool {
        guard let place = writable(linear, T.self) else { return false }
        place.storeBytes(of: register(op.pointee.a, as: T.self), as: T.self)
        return true
    }

    @inline(__always)
    func storeI<T: Word>(_ op: MicroOpPointer, _ linear: UInt32, _ type: T.Type) -> Bool {
        guard let place = writable(linear, T.self) else { return false }
        place.storeBytes(of: T(truncatingIfNeeded: op.pointee.immediate), as: T.self)
        return true
    }

    @inline(__always)
    func moveR<T: Word>(_ op: MicroOpPointer, _ type: T.Type) {
        setRegister(op.pointee.a, register(op.pointee.b, as: T.self))
    }

    @inline(__always)
    func moveI<T: Word>(_ op: MicroOpPointer, _ type: T.Type) {
        setRegister(op.pointee.a, T(truncatingIfNeeded: op.pointee.immediate))
    }

    @inline(__always)
    func exchange(_ op: MicroOpPointer) {
        let value = register(op.pointee.a, as: UInt32.self)
        setRegister(op.pointee.a, register(op.pointee.b, as: UInt32.self))
        setRegister(op.pointee.b, value)
    }

    @inline(__always)
    func setCondition(_ op: MicroOpPointer) {
        setRegister(op.pointee.a, UInt8(holds(Condition(low: op.pointee.d)) ? 1 : 0))
    }

    /// Reads memory whether or not the condition holds, as the processor does.
    @inline(__always)
    func moveConditionM(_ op: MicroOpPointer) -> Bool {
        guard let place = readable(address(op), UInt32.self) else { return false }
        if holds(Condition(low: UInt8(truncatingIfNeeded: op.pointee.immediate))) {
            setRegister(op.pointee.a, place.loadUnaligned(as: UInt32.self))
        }
        return true
    }

    @inline(__always)
    func loadExtended<T: Word>(_ op: MicroOpPointer, _ type: T.Type, isSigned: Bool) -> Bool {
        guard let place = readable(address(op), T.self) else { return false }
        let value = place.loadUnaligned(as: T.self)
        setRegister(op.pointee.a, isSigned ? value.signExtended : UInt32(truncatingIfNeeded: value))
        return true
    }

    @inline(__always)
    func extend<T: Word>(_ op: MicroOpPointer, _ type: T.Type, isSigned: Bool) {
        let value = register(op.pointee.b, as: T.self)
        setRegister(op.pointee.a, isSigned ? value.signExtended : UInt32(truncatingIfNeeded: value))
    }

    // MARK: One operand, shifts, multiplication

    @inline(__always)
    func unaryR<Op: UnaryOperation, T: Word>(_ op: MicroOpPointer, _ operation: Op.Type, _ type: T.Type) {
        setRegister(op.pointee.a, Op.apply(self, register(op.pointee.b, as: T.self)))
    }

    @inline(__always)
    func unaryM<Op: UnaryOperation>(_ op: MicroOpPointer, _ operation: Op.Type) -> Bool {
        guard let place = writable(address(op), UInt32.self) else { return false }
        place.storeBytes(of: Op.apply(self, place.loadUnaligned(as: UInt32.self)), as: UInt32.self)
        return true
    }

    @inline(__always)
    func shiftI<Op: ShiftOperation, T: Word>(_ op: MicroOpPointer, _ operation: Op.Type, _ type: T.Type) {
        setRegister(op.pointee.a, Op.apply(self, register(op.pointee.b, as: T.self), op.pointee.immediate))
    }

    /// By CL; a count of zero changes nothing.
    @inline(__always)
    func shiftC<Op: ShiftOperation>(_ op: MicroOpPointer, _ operation: Op.Type) {
        let count = pointee.ecx & 31
        if count != 0 {
            setRegister(op.pointee.a, Op.apply(self, register(op.pointee.b, as: UInt32.self), count))
        }
    }

    /// a = b * `factor`.
    @inline(__always)
    func multiply(_ op: MicroOpPointer, _ factor: UInt32) {
        multiply(op, register(op.pointee.b, as: UInt32.self), factor)
    }

    /// a = a * memory.
    @inline(__always)
    func multiplyM(_ op: MicroOpPointer) -> Bool {
        guard let place = readable(address(op), UInt32.self) else { return false }
        multiply(op, register(op.pointee.a, as: UInt32.self), place.loadUnaligned(as: UInt32.self))
        return true
    }

    @inline(__always)
    private func multiply(_ op: MicroOpPointer, _ a: UInt32, _ b: UInt32) {
        let product = Int64(a.signed) * Int64(b.signed)
        let low = UInt32(truncatingIfNeeded: product)
        setRegister(op.pointee.a, low)
        setProductFlags(low: low, isWide: product != Int64(low.signed))
    }

    /// EDX:EAX = EAX * register b.
    @inline(__always)
    func multiplyWide(_ op: MicroOpPointer) {
        let product = UInt64(pointee.eax) * UInt64(register(op.pointee.b, as: UInt32.self))
        pointee.eax = UInt32(truncatingIfNeeded: product)
        pointee.edx = UInt32(truncatingIfNeeded: product >> 32)
        setProductFlags(low: pointee.eax, isWide: pointee.edx != 0)
    }

    /// SHLD and SHRD: a, filled up from c.
    @inline(__always)
    func shiftDouble(_ op: MicroOpPointer, isLeft: Bool) {
        let (a, c) = (register(op.pointee.a, as: UInt32.self), register(op.pointee.c, as: UInt32.self))
        setRegister(op.pointee.a, doubleShift32(UInt64(a), UInt64(c), UInt64(op.pointee.immediate), isLeft))
    }

    @inline(__always)
    func plainShiftDouble(_ op: MicroOpPointer, isLeft: Bool) {
        let (a, c) = (register(op.pointee.a, as: UInt32.self), register(op.pointee.c, as: UInt32.self))
        let (count, rest) = (op.pointee.immediate, 0 &- op.pointee.immediate)
        setRegister(op.pointee.a, isLeft ? a &<< count | c &>> rest : a &>> count | c &<< rest)
    }

    // MARK: Stack (flat)

    @inline(__always)
    func push(flat value: UInt32) -> Bool {
        let top = pointee.esp &- 4
        guard let place = writable(top, UInt32.self) else { return false }
        place.storeBytes(of: value, as: UInt32.self)
        pointee.esp = top
        return true
    }

    @inline(__always)
    func pushM(_ op: MicroOpPointer) -> Bool {
        guard let place = readable(address(op), UInt32.self) else { return false }
        return push(flat: place.loadUnaligned(as: UInt32.self))
    }

    /// LEAVE.
    @inline(__always)
    func leaveFrame() -> Bool {
        guard let place = readable(pointee.ebp, UInt32.self) else { return false }
        pointee.esp = pointee.ebp &+ 4
        pointee.ebp = place.loadUnaligned(as: UInt32.self)
        return true
    }

    /// The register gets the value after ESP has moved: POP ESP keeps what was read.
    @inline(__always)
    func pop(flat register: UInt8) -> Bool {
        guard let place = readable(pointee.esp, UInt32.self) else { return false }
        pointee.esp = pointee.esp &+ 4
        setRegister(register, place.loadUnaligned(as: UInt32.self))
        return true
    }
}

// Operations whose flags nobody reads.

enum PlainAdd: BinaryOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ b: T) -> T { a &+ b }
}

enum PlainSub: BinaryOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ b: T) -> T { a &- b }
}

enum PlainAnd: BinaryOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ b: T) -> T { a & b }
}

enum PlainOr: BinaryOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ b: T) -> T { a | b }
}

enum PlainXor: BinaryOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ b: T) -> T { a ^ b }
}

enum PlainMultiply: BinaryOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ b: T) -> T { a &* b }
}

// Shifts by 1...31.

enum PlainShl: ShiftOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ count: UInt32) -> T {
        a &<< T(truncatingIfNeeded: count)
    }
}

enum PlainShr: ShiftOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ count: UInt32) -> T {
        a &>> T(truncatingIfNeeded: count)
    }
}

enum PlainSar: ShiftOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ count: UInt32) -> T {
        T(truncatingIfNeeded: a.signed &>> T.SignedWord(truncatingIfNeeded: count))
    }
}

enum PlainRol: ShiftOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ count: UInt32) -> T {
        a &<< T(truncatingIfNeeded: count) | a &>> (0 &- T(truncatingIfNeeded: count))
    }
}

enum PlainRor: ShiftOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ count: UInt32) -> T {
        a &>> T(truncatingIfNeeded: count) | a &<< (0 &- T(truncatingIfNeeded: count))
    }
}
