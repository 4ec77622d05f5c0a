import X86

/// What BT, BTS, BTR and BTC do with the selected bit.
enum BitAction {
    case test, set, reset, complement
}

extension Processor {
    @inline(never)
    func bitOperation(_ i: InstructionPointer, _ action: BitAction) throws(Fault) {
        if i.pointee.operandSize == 2 {
            try bitOperation(i, action, UInt16.self)
        } else {
            try bitOperation(i, action, UInt32.self)
        }
    }

    @inline(__always)
    private func bitOperation<T: Word>(_ i: InstructionPointer, _ action: BitAction, _ type: T.Type) throws(Fault) {
        let selector = try load(i, i.pointee.operands.1, as: T.self)
        let bit = selector & T(T.bitWidth - 1)
        let operand = i.pointee.operands.0
        guard operand.kind == .memory else {
            let value = register(operand.register, as: T.self)
            let new = apply(action, value, bit)
            if action != .test { setRegister(operand.register, new) }
            return
        }
        // A register selects a bit anywhere in memory, relative to the operand (SDM 2A 3.1.1.9).
        var offset = effectiveAddress(i)
        if i.pointee.operands.1.kind == .register {
            let words = Int32(truncatingIfNeeded: selector.signed) >> Int32(T.bitWidth.trailingZeroBitCount)
            offset = offset &+ UInt32(bitPattern: words) &* T.bytes
            if i.pointee.addressSize == 2 { offset &= 0xFFFF }
        }
        let segment = i.pointee.memory.segment
        if action == .test {
            _ = apply(action, try read(segment, offset, as: T.self), bit)
        } else {
            let place = try beginModify(segment, offset, as: T.self)
            endModify(place, apply(action, place.loadUnaligned(as: T.self), bit))
        }
    }

    /// CF becomes the bit; returns the word with the bit changed.
    @inline(__always)
    private func apply<T: Word>(_ action: BitAction, _ value: T, _ bit: T) -> T {
        pointee.status.setCarry(value &>> bit & 1 != 0)
        let mask: T = 1 &<< bit
        return switch action {
        case .test: value
        case .set: value | mask
        case .reset: value & ~mask
        case .complement: value ^ mask
        }
    }

    /// BSF and BSR: ZF tells of a zero source, and then the destination is left as it was. Of the other flags, which are
    /// undefined and differ from one processor to the next, PF is as ZF and the rest are clear.
    @inline(never)
    func bitScan(_ i: InstructionPointer, forward: Bool) throws(Fault) {
        let destination = i.pointee.operands.0.register
        let value =
            i.pointee.operandSize == 2
            ? UInt32(try load(i, i.pointee.operands.1, as: UInt16.self))
            : try load(i, i.pointee.operands.1, as: UInt32.self)
        pointee.status = .ofLogic(value == 0 ? 0 as UInt32 : 1)
        guard value != 0 else { return }
        let bit = UInt32(forward ? value.trailingZeroBitCount : 31 - value.leadingZeroBitCount)
        if i.pointee.operandSize == 2 {
            setRegister(destination, UInt16(bit))
        } else {
            setRegister(destination, bit)
        }
    }
}
