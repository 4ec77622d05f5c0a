import X86

extension Processor {
    /// CF and OF say whether the upper half is significant. SF, ZF, PF and AF are undefined (SDM 2A/2B); as on P6, SF and
    /// PF follow the low half and ZF and AF are clear.
    func setProductFlags(low: UInt32, isWide: Bool) {
        // ZF is clear even if the product is zero: then a result of 1 stands for it, whose parity must be put right.
        let isZero = low == 0
        pointee.status = StatusFlags(
            result: isZero ? 1 : low, carries: (isWide ? StatusFlags.carry : 0) | (isZero ? 1 << 8 : 0))
    }

    func mul(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operandSize {
        case 1:
            let product =
                UInt16(register(0, as: UInt8.self)) * UInt16(try load(i, i.pointee.operands.0, as: UInt8.self))
            setRegister(0, product)
            setProductFlags(low: UInt8(truncatingIfNeeded: product).signExtended, isWide: product >> 8 != 0)
        case 2:
            let product =
                UInt32(register(0, as: UInt16.self)) * UInt32(try load(i, i.pointee.operands.0, as: UInt16.self))
            setRegister(0, UInt16(truncatingIfNeeded: product))
            setRegister(8, UInt16(truncatingIfNeeded: product >> 16))
            setProductFlags(low: UInt16(truncatingIfNeeded: product).signExtended, isWide: product >> 16 != 0)
        default:
            let product = UInt64(pointee.eax) * UInt64(try load(i, i.pointee.operands.0, as: UInt32.self))
            pointee.eax = UInt32(truncatingIfNeeded: product)
            pointee.edx = UInt32(truncatingIfNeeded: product >> 32)
            setProductFlags(low: pointee.eax, isWide: pointee.edx != 0)
        }
    }

    func imul(_ i: InstructionPointer) throws(Fault) {
        if i.pointee.operands.1.kind == .none { return try imulWide(i) }
        // Two operands: destination times source. Three: first source times immediate.
        let isThree = i.pointee.operands.2.kind != .none
        if i.pointee.operandSize == 2 {
            let a = try load(i, isThree ? i.pointee.operands.1 : i.pointee.operands.0, as: UInt16.self)
            let b = try load(i, isThree ? i.pointee.operands.2 : i.pointee.operands.1, as: UInt16.self)
            let product = Int32(a.signed) * Int32(b.signed)
            let low = UInt16(truncatingIfNeeded: product)
            setRegister(i.pointee.operands.0.register, low)
            setProductFlags(low: low.signExtended, isWide: product != Int32(low.signed))
        } else {
            let a = try load(i, isThree ? i.pointee.operands.1 : i.pointee.operands.0, as: UInt32.self)
            let b = try load(i, isThree ? i.pointee.operands.2 : i.pointee.operands.1, as: UInt32.self)
            let product = Int64(a.signed) * Int64(b.signed)
            let low = UInt32(truncatingIfNeeded: product)
            setRegister(i.pointee.operands.0.register, low)
            setProductFlags(low: low, isWide: product != Int64(low.signed))
        }
    }

    private func imulWide(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operandSize {
        case 1:
            let b = try load(i, i.pointee.operands.0, as: UInt8.self)
            let product = Int16(register(0, as: UInt8.self).signed) * Int16(b.signed)
            setRegister(0, UInt16(bitPattern: product))
            let low = UInt8(truncatingIfNeeded: product)
            setProductFlags(low: low.signExtended, isWide: product != Int16(low.signed))
        case 2:
            let b = try load(i, i.pointee.operands.0, as: UInt16.self)
            let product = Int32(register(0, as: UInt16.self).signed) * Int32(b.signed)
            let low = UInt16(truncatingIfNeeded: product)
            setRegister(0, low)
            setRegister(8, UInt16(truncatingIfNeeded: product >> 16))
            setProductFlags(low: low.signExtended, isWide: product != Int32(low.signed))
        default:
            let product = Int64(pointee.eax.signed) * Int64(try load(i, i.pointee.operands.0, as: UInt32.self).signed)
            pointee.eax = UInt32(truncatingIfNeeded: product)
            pointee.edx = UInt32(truncatingIfNeeded: product >> 32)
            setProductFlags(low: pointee.eax, isWide: product != Int64(pointee.eax.signed))
        }
    }

    /// DIV: #DE for a zero divisor or a quotient that does not fit; flags are left alone (undefined).
    func div(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operandSize {
        case 1:
            let divisor = UInt16(try load(i, i.pointee.operands.0, as: UInt8.self))
            let dividend = register(0, as: UInt16.self)
            guard divisor != 0, dividend / divisor <= 0xFF else { throw .divideError }
            setRegister(0, UInt8(dividend / divisor))
            setRegister(1, UInt8(dividend % divisor))
        case 2:
            let divisor = UInt32(try load(i, i.pointee.operands.0, as: UInt16.self))
            let dividend = UInt32(register(8, as: UInt16.self)) << 16 | UInt32(register(0, as: UInt16.self))
            guard divisor != 0, dividend / divisor <= 0xFFFF else { throw .divideError }
            setRegister(0, UInt16(dividend / divisor))
            setRegister(8, UInt16(dividend % divisor))
        default:
            let divisor = UInt64(try load(i, i.pointee.operands.0, as: UInt32.self))
            let dividend = UInt64(pointee.edx) << 32 | UInt64(pointee.eax)
            guard divisor != 0, UInt64(pointee.edx) < divisor else { throw .divideError }
            pointee.eax = UInt32(truncatingIfNeeded: dividend / divisor)
            pointee.edx = UInt32(truncatingIfNeeded: dividend % divisor)
        }
    }

    func idiv(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operandSize {
        case 1:
            let divisor = Int16(try load(i, i.pointee.operands.0, as: UInt8.self).signed)
            let (quotient, remainder) = try divide(register(0, as: UInt16.self).signed, divisor)
            guard let narrow = Int8(exactly: quotient) else { throw .divideError }
            setRegister(0, UInt8(bitPattern: narrow))
            setRegister(1, UInt8(truncatingIfNeeded: remainder))
        case 2:
            let divisor = Int32(try load(i, i.pointee.operands.0, as: UInt16.self).signed)
            let dividend = UInt32(register(8, as: UInt16.self)) << 16 | UInt32(register(0, as: UInt16.self))
            let (quotient, remainder) = try divide(dividend.signed, divisor)
            guard let narrow = Int16(exactly: quotient) else { throw .divideError }
            setRegister(0, UInt16(bitPattern: narrow))
            setRegister(8, UInt16(truncatingIfNeeded: remainder))
        default:
            let divisor = Int64(try load(i, i.pointee.operands.0, as: UInt32.self).signed)
            let dividend = UInt64(pointee.edx) << 32 | UInt64(pointee.eax)
            let (quotient, remainder) = try divide(dividend.signed, divisor)
            guard let narrow = Int32(exactly: quotient) else { throw .divideError }
            pointee.eax = UInt32(bitPattern: narrow)
            pointee.edx = UInt32(truncatingIfNeeded: remainder)
        }
    }

    @inline(__always)
    private func divide<T: FixedWidthInteger & SignedInteger>(_ a: T, _ b: T) throws(Fault) -> (T, T) {
        guard b != 0 else { throw .divideError }
        let (quotient, overflows) = a.dividedReportingOverflow(by: b)
        guard !overflows else { throw .divideError }
        return (quotient, a &- quotient &* b)
    }
}
