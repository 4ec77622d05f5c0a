import X86

/// A shift or rotate by a count already masked to 5 bits and not zero.
protocol ShiftOperation {
    static func apply<T: Word>(_ cpu: Processor, _ a: T, _ count: UInt32) -> T
}

extension StatusFlags {
    /// Flags of a shift: SF, ZF, PF of `result`, the given CF and OF. AF (undefined) is clear.
    @inline(__always)
    static func ofShift<T: Word>(_ result: T, cf: Bool, of: Bool) -> StatusFlags {
        StatusFlags(
            result: result.signExtended, carries: (cf ? carry : 0) | (cf != of ? partialOverflow : 0))
    }

    /// Flags of SHLD and SHRD of `a`: OF is clear for counts above one (undefined; processors differ).
    @inline(__always)
    static func ofDoubleShift<T: Word>(_ a: T, _ result: T, _ count: UInt64, cf: Bool) -> StatusFlags {
        .ofShift(result, cf: cf, of: count == 1 && (a ^ result).isNegative)
    }

    /// Replaces CF and OF, keeping the others: rotates.
    @inline(__always)
    mutating func setCarry(_ cf: Bool, overflow: Bool) {
        carries &= ~(Self.carry | Self.partialOverflow)
        carries |= (cf ? Self.carry : 0) | (cf != overflow ? Self.partialOverflow : 0)
    }
}

// OF is defined for counts of 1 only; the formula that defines it there is used for all counts (SDM 2B).
enum Shl: ShiftOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ count: UInt32) -> T {
        let wide = UInt64(truncatingIfNeeded: a) << UInt64(count)
        let result = T(truncatingIfNeeded: wide)
        let cf = wide >> UInt64(T.bitWidth) & 1 != 0
        cpu.pointee.status = .ofShift(result, cf: cf, of: result.isNegative != cf)
        return result
    }
}

enum Shr: ShiftOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ count: UInt32) -> T {
        let wide = UInt64(truncatingIfNeeded: a)
        let result = T(truncatingIfNeeded: wide >> UInt64(count))
        cpu.pointee.status = .ofShift(
            result, cf: wide >> UInt64(count - 1) & 1 != 0,
            of: (result ^ result &<< 1).isNegative)
        return result
    }
}

enum Sar: ShiftOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ count: UInt32) -> T {
        let wide = Int64(truncatingIfNeeded: a.signed)
        let result = T(truncatingIfNeeded: wide >> Int64(count))
        cpu.pointee.status = .ofShift(result, cf: wide >> Int64(count - 1) & 1 != 0, of: false)
        return result
    }
}

enum Rol: ShiftOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ count: UInt32) -> T {
        let n = T(truncatingIfNeeded: count) & T(T.bitWidth - 1)
        let result = a &<< n | (n == 0 ? 0 : a &>> (T(T.bitWidth) &- n))
        cpu.pointee.status.setCarry(result & 1 != 0, overflow: result.isNegative != (result & 1 != 0))
        return result
    }
}

enum Ror: ShiftOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ count: UInt32) -> T {
        let n = T(truncatingIfNeeded: count) & T(T.bitWidth - 1)
        let result = a &>> n | (n == 0 ? 0 : a &<< (T(T.bitWidth) &- n))
        cpu.pointee.status.setCarry(result.isNegative, overflow: (result ^ result &<< 1).isNegative)
        return result
    }
}

enum Rcl: ShiftOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ count: UInt32) -> T {
        let bits = UInt64(T.bitWidth) + 1
        let n = UInt64(count) % bits
        guard n != 0 else { return keep(cpu, a) }
        let wide = UInt64(truncatingIfNeeded: a) | (cpu.pointee.status.cf ? 1 << (bits - 1) : 0)
        let rotated = wide << n | wide >> (bits - n)
        let result = T(truncatingIfNeeded: rotated)
        let cf = rotated >> (bits - 1) & 1 != 0
        cpu.pointee.status.setCarry(cf, overflow: result.isNegative != cf)
        return result
    }

    /// A rotate by the full width through carry moves nothing; OF is recomputed all the same.
    @inline(__always) static func keep<T: Word>(_ cpu: Processor, _ a: T) -> T {
        let cf = cpu.pointee.status.cf
        cpu.pointee.status.setCarry(cf, overflow: a.isNegative != cf)
        return a
    }
}

enum Rcr: ShiftOperation {
    @inline(__always) static func apply<T: Word>(_ cpu: Processor, _ a: T, _ count: UInt32) -> T {
        let bits = UInt64(T.bitWidth) + 1
        let n = UInt64(count) % bits
        let wide = UInt64(truncatingIfNeeded: a) | (cpu.pointee.status.cf ? 1 << (bits - 1) : 0)
        let rotated = n == 0 ? wide : wide >> n | wide << (bits - n)
        let result = T(truncatingIfNeeded: rotated)
        let cf = rotated >> (bits - 1) & 1 != 0
        cpu.pointee.status.setCarry(cf, overflow: (result ^ result &<< 1).isNegative)
        return result
    }
}

extension Processor {
    /// Operand 0 shifted or rotated by operand 1 modulo 32. A count of zero changes neither operand nor flags, but the
    /// destination is still accessed for writing.
    @inline(never)
    func shift<Op: ShiftOperation>(_ i: InstructionPointer, _ op: Op.Type) throws(Fault) {
        let count = UInt32(try load(i, i.pointee.operands.1, as: UInt8.self)) & 31
        switch i.pointee.operandSize {
        case 1: try modify(i, as: UInt8.self) { count == 0 ? $0 : Op.apply(self, $0, count) }
        case 2: try modify(i, as: UInt16.self) { count == 0 ? $0 : Op.apply(self, $0, count) }
        default: try modify(i, as: UInt32.self) { count == 0 ? $0 : Op.apply(self, $0, count) }
        }
    }

    /// SHLD and SHRD. For 16-bit operands and counts above 16 (undefined) the source wraps around, as on P6.
    @inline(never)
    func doubleShift(_ i: InstructionPointer, left: Bool) throws(Fault) {
        let amount =
            i.pointee.operands.2.kind == .register
            ? register(i.pointee.operands.2.register, as: UInt8.self) : UInt8(truncatingIfNeeded: i.pointee.immediate)
        let count = UInt64(amount & 31)
        let source = i.pointee.operands.1.register
        if i.pointee.operandSize == 2 {
            let b = UInt64(register(source, as: UInt16.self))
            try modify(i, as: UInt16.self) { count == 0 ? $0 : doubleShift16(UInt64($0), b, count, left) }
        } else {
            let b = UInt64(register(source, as: UInt32.self))
            try modify(i, as: UInt32.self) { count == 0 ? $0 : doubleShift32(UInt64($0), b, count, left) }
        }
    }

    private func doubleShift16(_ a: UInt64, _ b: UInt64, _ count: UInt64, _ left: Bool) -> UInt16 {
        // a:b:a for left, a:b:a read from the other end for right: 48 bits from which 16 are taken.
        let wide = a << 32 | b << 16 | a
        let result = UInt16(truncatingIfNeeded: left ? wide >> (32 - count) : wide >> count)
        let cf = left ? wide >> (48 - count) & 1 != 0 : wide >> (count - 1) & 1 != 0
        pointee.status = .ofDoubleShift(UInt16(truncatingIfNeeded: a), result, count, cf: cf)
        return result
    }

    func doubleShift32(_ a: UInt64, _ b: UInt64, _ count: UInt64, _ left: Bool) -> UInt32 {
        let wide = left ? a << 32 | b : b << 32 | a
        let result = UInt32(truncatingIfNeeded: left ? wide >> (32 - count) : wide >> count)
        let cf = left ? wide >> (64 - count) & 1 != 0 : wide >> (count - 1) & 1 != 0
        pointee.status = .ofDoubleShift(UInt32(truncatingIfNeeded: a), result, count, cf: cf)
        return result
    }
}
