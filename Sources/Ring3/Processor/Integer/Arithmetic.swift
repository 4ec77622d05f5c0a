import X86

/// A two-operand operation: result (and flags) from destination and source.
protocol BinaryOperation {
    static func apply<T: Word>(_ cpu: Processor, _ a: T, _ b: T) -> T
}

/// A one-operand operation.
protocol UnaryOperation {
    static func apply<T: Word>(_ cpu: Processor, _ a: T) -> T
}

extension StatusFlags {
    /// Carries out of each bit of `T`, moved to where `StatusFlags` keeps them.
    @inline(__always)
    static func place<T: Word>(_ carries: T) -> UInt32 {
        let wide = UInt32(truncatingIfNeeded: carries)
        return (wide &<< UInt32(32 - T.bitWidth)) & (carry | partialOverflow) | wide & adjust
    }

    /// Flags of `result = a + b (+ carry)`.
    @inline(__always)
    static func ofAddition<T: Word>(_ a: T, _ b: T, _ result: T) -> StatusFlags {
        StatusFlags(result: result.signExtended, carries: place((a & b) | ((a | b) & ~result)))
    }

    /// Flags of `result = a - b (- borrow)`.
    @inline(__always)
    static func ofSubtraction<T: Word>(_ a: T, _ b: T, _ result: T) -> StatusFlags {
        StatusFlags(result: result.signExtended, carries: place((~a & b) | (~(a ^ b) & result)))
    }

    /// Flags of a logic operation: CF, OF and AF clear.
    @inline(__always)
    static func ofLogic<T: Word>(_ result: T) -> StatusFlags {
        StatusFlags(result: result.signExtended, carries: 0)
    }
}

enum Add: BinaryOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ b: T) -> T {
        let result = a &+ b
        cpu.pointee.status = .ofAddition(a, b, result)
        return result
    }
}

enum Adc: BinaryOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ b: T) -> T {
        let result = a &+ b &+ (cpu.pointee.status.cf ? 1 : 0)
        cpu.pointee.status = .ofAddition(a, b, result)
        return result
    }
}

enum Sub: BinaryOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ b: T) -> T {
        let result = a &- b
        cpu.pointee.status = .ofSubtraction(a, b, result)
        return result
    }
}

enum Sbb: BinaryOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ b: T) -> T {
        let result = a &- b &- (cpu.pointee.status.cf ? 1 : 0)
        cpu.pointee.status = .ofSubtraction(a, b, result)
        return result
    }
}

enum And: BinaryOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ b: T) -> T {
        let result = a & b
        cpu.pointee.status = .ofLogic(result)
        return result
    }
}

enum Or: BinaryOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ b: T) -> T {
        let result = a | b
        cpu.pointee.status = .ofLogic(result)
        return result
    }
}

enum Xor: BinaryOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ b: T) -> T {
        let result = a ^ b
        cpu.pointee.status = .ofLogic(result)
        return result
    }
}

enum Inc: UnaryOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T) -> T {
        let carry = cpu.pointee.status.cf
        let result = a &+ 1
        cpu.pointee.status = .ofAddition(a, 1, result)
        cpu.pointee.status.setCarry(carry)
        return result
    }
}

enum Dec: UnaryOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T) -> T {
        let carry = cpu.pointee.status.cf
        let result = a &- 1
        cpu.pointee.status = .ofSubtraction(a, 1, result)
        cpu.pointee.status.setCarry(carry)
        return result
    }
}

enum Neg: UnaryOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T) -> T { Sub.apply(cpu, 0, a) }
}

enum Not: UnaryOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T) -> T { ~a }
}

extension Processor {
    /// Operand 0 becomes `Op` of operands 0 and 1.
    @inline(never)
    func binary<Op: BinaryOperation>(_ i: InstructionPointer, _ op: Op.Type) throws(Fault) {
        switch i.pointee.operandSize {
        case 1: try binary(i, op, UInt8.self)
        case 2: try binary(i, op, UInt16.self)
        default: try binary(i, op, UInt32.self)
        }
    }

    @inline(__always)
    private func binary<Op: BinaryOperation, T: Word>(
        _ i: InstructionPointer, _ op: Op.Type, _ type: T.Type
    ) throws(Fault) {
        let b = try load(i, i.pointee.operands.1, as: T.self)
        try modify(i, as: T.self) { Op.apply(self, $0, b) }
    }

    /// CMP and TEST: only the flags of `Op` are kept.
    @inline(never)
    func compare<Op: BinaryOperation>(_ i: InstructionPointer, _ op: Op.Type) throws(Fault) {
        switch i.pointee.operandSize {
        case 1: try compare(i, op, UInt8.self)
        case 2: try compare(i, op, UInt16.self)
        default: try compare(i, op, UInt32.self)
        }
    }

    @inline(__always)
    private func compare<Op: BinaryOperation, T: Word>(
        _ i: InstructionPointer, _ op: Op.Type, _ type: T.Type
    ) throws(Fault) {
        let a = try load(i, i.pointee.operands.0, as: T.self)
        let b = try load(i, i.pointee.operands.1, as: T.self)
        _ = Op.apply(self, a, b)
    }

    @inline(never)
    func unary<Op: UnaryOperation>(_ i: InstructionPointer, _ op: Op.Type) throws(Fault) {
        switch i.pointee.operandSize {
        case 1: try modify(i, as: UInt8.self) { Op.apply(self, $0) }
        case 2: try modify(i, as: UInt16.self) { Op.apply(self, $0) }
        default: try modify(i, as: UInt32.self) { Op.apply(self, $0) }
        }
    }

    /// XADD: destination becomes the sum, source the old destination.
    @inline(__always)
    private func xadd<T: Word>(_ i: InstructionPointer, _ type: T.Type) throws(Fault) {
        let source = i.pointee.operands.1.register
        let b = register(source, as: T.self)
        var old: T = 0
        let operand = i.pointee.operands.0
        if operand.kind == .register {
            old = register(operand.register, as: T.self)
            setRegister(source, old)
            setRegister(operand.register, Add.apply(self, old, b))
        } else {
            try modify(i, as: T.self) {
                old = $0
                return Add.apply(self, $0, b)
            }
            setRegister(source, old)
        }
    }

    /// CMPXCHG: always a write cycle, even when the comparison fails (SDM 2A).
    @inline(__always)
    private func cmpxchg<T: Word>(_ i: InstructionPointer, _ type: T.Type) throws(Fault) {
        let accumulator = register(0, as: T.self)
        let b = register(i.pointee.operands.1.register, as: T.self)
        var old: T = 0
        try modify(i, as: T.self) {
            old = $0
            _ = Sub.apply(self, accumulator, $0)
            return $0 == accumulator ? b : $0
        }
        if old != accumulator { setRegister(0, old) }
    }

    func cmpxchg8b(_ i: InstructionPointer) throws(Fault) {
        let expected = UInt64(pointee.edx) << 32 | UInt64(pointee.eax)
        let replacement = UInt64(pointee.ecx) << 32 | UInt64(pointee.ebx)
        let place = try beginModify(i.pointee.memory.segment, effectiveAddress(i), as: UInt64.self)
        let old = place.loadUnaligned(as: UInt64.self)
        endModify(place, old == expected ? replacement : old)
        pointee.status.setZero(old == expected)
        if old != expected {
            pointee.eax = UInt32(truncatingIfNeeded: old)
            pointee.edx = UInt32(truncatingIfNeeded: old >> 32)
        }
    }

    @inline(__always)
    private func xchg<T: Word>(_ i: InstructionPointer, _ type: T.Type) throws(Fault) {
        // The decoder may name the register first; exchange is symmetric, so take the memory operand as destination.
        let (a, b) = (i.pointee.operands.0, i.pointee.operands.1)
        let (place, other) = a.kind == .memory ? (a, b) : (b, a)
        let value = register(other.register, as: T.self)
        if place.kind == .register {
            setRegister(other.register, register(place.register, as: T.self))
            setRegister(place.register, value)
        } else {
            let pointer = try beginModify(i.pointee.memory.segment, effectiveAddress(i), as: T.self)
            let old = pointer.loadUnaligned(as: T.self)
            endModify(pointer, value)
            setRegister(other.register, old)
        }
    }

    func xadd(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operandSize {
        case 1: try xadd(i, UInt8.self)
        case 2: try xadd(i, UInt16.self)
        default: try xadd(i, UInt32.self)
        }
    }

    func cmpxchg(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operandSize {
        case 1: try cmpxchg(i, UInt8.self)
        case 2: try cmpxchg(i, UInt16.self)
        default: try cmpxchg(i, UInt32.self)
        }
    }

    func xchg(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operandSize {
        case 1: try xchg(i, UInt8.self)
        case 2: try xchg(i, UInt16.self)
        default: try xchg(i, UInt32.self)
        }
    }
}
