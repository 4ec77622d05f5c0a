import X86

/// An instruction's micro-op, and what dead-flag elimination needs to know of it.
struct LoweredInstruction {
    var op: MicroOp
    /// The opcode that does the same without the flags, where there is one.
    var withoutFlags: MicroOpcode?
    var flags = FlagUse.none
    /// Does nothing: there is no micro-op.
    var isEmpty = false
    /// Accesses memory: may leave for the slow path before it has done anything.
    var mayBeSlow = false
}

/// Turns innocuous straight-line instructions into specialised micro-ops; whatever it does not know goes to the shared
/// semantics.
struct Lowering {
    let mode: BlockMode

    /// Nil if there is no micro-op for that instruction.
    func lower(_ i: Instruction, index: UInt16) -> LoweredInstruction? {
        guard i.prefixes.isDisjoint(with: [.lock, .rep, .repne]) else { return nil }
        var op = MicroOp(opcode: .leave, index: index)
        op.immediate = i.immediate
        switch i.operation {
        // A memory operand of these is not accessed, whatever its segment.
        case .nop, .pause, .prefetch: return LoweredInstruction(op: op, isEmpty: true)
        default: break
        }
        if i.hasMemoryOperand { guard address(i, &op) else { return nil } }
        switch i.operation {
        case .mov, .movzx, .movsx, .lea, .xchg, .cwde, .cdq, .setcc, .cmovcc:
            return lowerTransfer(i, op)
        case .add, .or, .adc, .sbb, .and, .sub, .xor, .cmp, .test: return lowerBinary(i, op)
        case .inc, .dec, .neg, .not: return lowerUnary(i, op)
        case .shl, .shr, .sar, .rol, .ror: return lowerShift(i, op)
        case .imul, .mul: return lowerMultiply(i, op)
        case .shld, .shrd: return lowerDoubleShift(i, op)
        case .push, .pop, .leave: return lowerStack(i, op)
        default: return lowerX87(i, op) ?? lowerSSE(i, op)
        }
    }

    /// Whether an offset in that segment is a linear address, no questions asked.
    func isFlat(_ segment: SegmentRegister) -> Bool {
        switch segment {
        case .ds: mode.contains(.flatData)
        case .es: mode.contains(.flatExtra)
        case .ss: mode.contains(.flatStack)
        case .cs, .fs, .gs: false
        }
    }

    /// Puts the memory operand's address into `op`; false if it is not simply linear.
    func address(_ i: Instruction, _ op: inout MicroOp) -> Bool {
        // LEA computes an offset, whatever the segment.
        guard i.addressSize == 4, i.operation == .lea || isFlat(i.memory.segment) else { return false }
        op.b = i.memory.base
        op.c = i.memory.index
        op.d = 1 << i.memory.shift
        op.displacement = i.memory.displacement
        return true
    }

    private func hasIndex(_ i: Instruction) -> Bool { i.memory.index != RegisterFile.zero }

    /// Operand form, with the register of the form put in place.
    private func form(_ i: Instruction, _ op: inout MicroOp) -> OperandForm? {
        switch (i.operands.0.kind, i.operands.1.kind) {
        case (.register, .register):
            op.a = i.operands.0.register
            op.b = i.operands.0.register
            op.c = i.operands.1.register
            return .rr
        case (.register, .immediate):
            op.a = i.operands.0.register
            op.b = i.operands.0.register
            return .ri
        case (.register, .memory):
            op.a = i.operands.0.register
            return .rm
        case (.memory, .register):
            op.a = i.operands.1.register
            return .mr
        case (.memory, .immediate): return .mi
        default: return nil
        }
    }

    // MARK: Transfer

    private func lowerTransfer(_ i: Instruction, _ op: MicroOp) -> LoweredInstruction? {
        var op = op
        switch i.operation {
        case .mov: return lowerMove(i, op)
        case .movzx, .movsx: return lowerExtension(i, op)
        case .lea:
            guard i.operandSize == 4 else { return nil }
            op.opcode = hasIndex(i) ? .lea : .leaBase
            op.a = i.operands.0.register
            return LoweredInstruction(op: op)
        case .xchg:
            guard i.operandSize == 4, form(i, &op) == .rr else { return nil }
            op.b = op.c
            op.opcode = .exchange32
        case .cwde: op.opcode = .convertWordToDouble
        case .cdq: op.opcode = .convertDoubleToQuad
        case .setcc:
            guard i.operands.0.kind == .register else { return nil }
            op.opcode = .setCondition
            op.a = i.operands.0.register
            op.d = i.condition.rawValue
            return LoweredInstruction(op: op, flags: .reads)
        case .cmovcc:
            guard i.operandSize == 4, let form = form(i, &op) else { return nil }
            if form == .rm {
                op.opcode = .moveCondition32M
                op.immediate = UInt32(i.condition.rawValue)
                return LoweredInstruction(op: op, flags: .reads, mayBeSlow: true)
            }
            op.b = op.c
            op.opcode = .moveCondition32
            op.d = i.condition.rawValue
            return LoweredInstruction(op: op, flags: .reads)
        default: return nil
        }
        return LoweredInstruction(op: op)
    }

    private func lowerMove(_ i: Instruction, _ op: MicroOp) -> LoweredInstruction? {
        var op = op
        guard let form = form(i, &op) else { return nil }
        if form == .rr { op.b = op.c }
        switch i.operandSize {
        case 4: op.opcode = .mov32RR
        case 2: op.opcode = .mov16RR
        default: op.opcode = .mov8RR
        }
        op.opcode = op.opcode.advanced(by: form.rawValue)
        if !hasIndex(i) {
            switch op.opcode {
            case .mov32RM: op.opcode = .load32
            case .mov32MR: op.opcode = .store32
            case .mov8RM: op.opcode = .load8
            case .mov8MR: op.opcode = .store8
            default: break
            }
        }
        return LoweredInstruction(op: op, mayBeSlow: form.touchesMemory)
    }

    private func lowerExtension(_ i: Instruction, _ op: MicroOp) -> LoweredInstruction? {
        var op = op
        guard i.operandSize == 4, let form = form(i, &op) else { return nil }
        if form == .rr { op.b = op.c }
        op.opcode = i.operation == .movzx ? .zeroExtend8R : .signExtend8R
        op.opcode = op.opcode.advanced(by: (i.operands.1.size == 2 ? 2 : 0) + (form == .rm ? 1 : 0))
        return LoweredInstruction(op: op, mayBeSlow: form.touchesMemory)
    }

    // MARK: Arithmetic

    private static let binaryOrder: [Operation] = [.add, .or, .adc, .sbb, .and, .sub, .xor, .cmp, .test]

    private func lowerBinary(_ i: Instruction, _ op: MicroOp) -> LoweredInstruction? {
        var op = op
        var operands = i.operands
        // TEST is symmetric: one form for its operands in either order.
        if i.operation == .test, operands.0.kind == .register, operands.1.kind == .memory {
            swap(&operands.0, &operands.1)
        }
        var ordered = i
        ordered.operands = operands
        guard let form = form(ordered, &op), let row = Self.binaryOrder.firstIndex(of: i.operation) else { return nil }
        let first: MicroOpcode =
            switch i.operandSize {
            case 4: .add32RR
            case 2: .add16RR
            default: .add8RR
            }
        op.opcode = first.advanced(by: UInt16(row) * 5 + form.rawValue)
        var lowered = LoweredInstruction(op: op, flags: .writes, mayBeSlow: form.touchesMemory)
        if i.operation == .adc || i.operation == .sbb { lowered.flags = .reads }
        if i.operandSize == 4, let plain = Self.plainFirst(i.operation) {
            lowered.withoutFlags = plain.advanced(by: form.rawValue)
        }
        if !hasIndex(i) { chooseBaseForm(&lowered) }
        return lowered
    }

    private static func plainFirst(_ operation: Operation) -> MicroOpcode? {
        switch operation {
        case .add: .plainAdd32RR
        case .or: .plainOr32RR
        case .and: .plainAnd32RR
        case .sub: .plainSub32RR
        case .xor: .plainXor32RR
        default: nil
        }
    }

    private func chooseBaseForm(_ lowered: inout LoweredInstruction) {
        switch lowered.op.opcode {
        case .add32RM:
            lowered.op.opcode = .add32RMBase
            lowered.withoutFlags = .plainAdd32RMBase
        case .cmp32RM: lowered.op.opcode = .cmp32RMBase
        case .cmp32MI: lowered.op.opcode = .cmp32MIBase
        case .cmp8MI: lowered.op.opcode = .cmp8MIBase
        default: break
        }
    }

    private func lowerUnary(_ i: Instruction, _ op: MicroOp) -> LoweredInstruction? {
        guard i.operandSize == 4 else { return lowerNarrowUnary(i, op) }
        var op = op
        let isMemory = i.operands.0.kind == .memory
        if !isMemory {
            op.a = i.operands.0.register
            op.b = op.a
        }
        var lowered = LoweredInstruction(op: op, mayBeSlow: isMemory)
        switch i.operation {
        case .inc:
            lowered.op.opcode = .inc32R
            lowered.op.immediate = 1
            lowered.flags = .changes
            lowered.withoutFlags = isMemory ? .plainAdd32MI : .plainAdd32RI
        case .dec:
            lowered.op.opcode = .dec32R
            lowered.op.immediate = 1
            lowered.flags = .changes
            lowered.withoutFlags = isMemory ? .plainSub32MI : .plainSub32RI
        case .neg:
            lowered.op.opcode = .neg32R
            lowered.flags = .writes
            lowered.withoutFlags = isMemory ? nil : .plainNeg32R
        default: lowered.op.opcode = .not32R
        }
        if isMemory { lowered.op.opcode = lowered.op.opcode.advanced(by: 1) }
        return lowered
    }

    /// Of 8- and 16-bit registers.
    private func lowerNarrowUnary(_ i: Instruction, _ op: MicroOp) -> LoweredInstruction? {
        guard i.operands.0.kind == .register else { return nil }
        var op = op
        op.a = i.operands.0.register
        op.b = op.a
        let first: MicroOpcode = i.operandSize == 2 ? .inc16R : .inc8R
        switch i.operation {
        case .inc: op.opcode = first
        case .dec: op.opcode = first.advanced(by: 1)
        case .neg: op.opcode = first.advanced(by: 2)
        default: op.opcode = first.advanced(by: 3)
        }
        let flags: FlagUse = i.operation == .neg ? .writes : i.operation == .not ? .none : .changes
        return LoweredInstruction(op: op, flags: flags)
    }

    private static let shiftOrder: [Operation] = [.shl, .shr, .sar, .rol, .ror]

    private func lowerShift(_ i: Instruction, _ op: MicroOp) -> LoweredInstruction? {
        var op = op
        guard i.operands.0.kind == .register,
            let row = Self.shiftOrder.firstIndex(of: i.operation).map({ UInt16($0) })
        else { return nil }
        op.a = i.operands.0.register
        op.b = op.a
        if i.operands.1.kind == .register {
            // By CL. Rotates by CL are rare, and so are bytes and words.
            guard i.operandSize == 4, row < 3 else { return nil }
            op.opcode = MicroOpcode.shl32C.advanced(by: row)
            return LoweredInstruction(op: op, withoutFlags: .plainShl32C.advanced(by: row), flags: .changes)
        }
        op.immediate = i.immediate & 31
        guard op.immediate != 0 else { return LoweredInstruction(op: op, isEmpty: true) }
        let isWide = i.operandSize == 4
        let first: MicroOpcode = isWide ? .shl32I : i.operandSize == 2 ? .shl16I : .shl8I
        op.opcode = first.advanced(by: row)
        return LoweredInstruction(
            op: op, withoutFlags: isWide ? .plainShl32I.advanced(by: row) : nil, flags: row < 3 ? .writes : .changes)
    }

    private func lowerMultiply(_ i: Instruction, _ op: MicroOp) -> LoweredInstruction? {
        var op = op
        guard i.operandSize == 4 else { return nil }
        if i.operation == .mul {
            guard i.operands.0.kind == .register else { return nil }
            op.b = i.operands.0.register
            op.opcode = .multiplyWide32R
            return LoweredInstruction(op: op, flags: .writes)
        }
        op.a = i.operands.0.register
        var lowered = LoweredInstruction(op: op, flags: .writes)
        switch (i.operands.1.kind, i.operands.2.kind) {
        case (.register, .none):
            lowered.op.b = op.a
            lowered.op.c = i.operands.1.register
            lowered.op.opcode = .imul32RR
            lowered.withoutFlags = .plainImul32RR
        case (.memory, .none):
            lowered.op.opcode = .imul32RM
            lowered.withoutFlags = .plainImul32RM
            lowered.mayBeSlow = true
        case (.register, _):
            lowered.op.b = i.operands.1.register
            lowered.op.opcode = .imul32RRI
            lowered.withoutFlags = .plainImul32RRI
        default: return nil
        }
        return lowered
    }

    private func lowerDoubleShift(_ i: Instruction, _ op: MicroOp) -> LoweredInstruction? {
        var op = op
        guard i.operandSize == 4, i.operands.0.kind == .register, i.operands.2.kind == .immediate,
            i.immediate & 31 != 0
        else { return nil }
        op.a = i.operands.0.register
        op.c = i.operands.1.register
        op.immediate = i.immediate & 31
        op.opcode = i.operation == .shld ? .shld32I : .shrd32I
        return LoweredInstruction(op: op, withoutFlags: op.opcode.advanced(by: 2), flags: .writes)
    }

    // MARK: Stack

    private func lowerStack(_ i: Instruction, _ op: MicroOp) -> LoweredInstruction? {
        guard i.operandSize == 4, mode.contains(.flatStack) else { return nil }
        var op = op
        op.a = i.operands.0.register
        switch (i.operation, i.operands.0.kind) {
        case (.push, .register): op.opcode = .push32R
        case (.push, .immediate): op.opcode = .push32I
        case (.push, .memory): op.opcode = .push32M
        case (.pop, .register): op.opcode = .pop32R
        case (.leave, _): op.opcode = .leave32
        default: return nil
        }
        return LoweredInstruction(op: op, mayBeSlow: true)
    }
}

extension MicroOpcode {
    /// Computes a = b op (c or immediate), so that b need not be a.
    var takesThreeOperands: Bool {
        if MicroOpcode.add32RR.rawValue..<MicroOpcode.cmp32RR.rawValue ~= rawValue { return form32.isRegisterForm }
        if MicroOpcode.plainAdd32RR.rawValue..<MicroOpcode.mov32RR.rawValue ~= rawValue {
            return (rawValue - MicroOpcode.plainAdd32RR.rawValue) % 5 < 2
        }
        switch self {
        case .inc32R, .dec32R, .neg32R, .plainNeg32R, .shl32I, .shr32I, .sar32I, .rol32I, .ror32I, .plainShl32I,
            .plainShr32I, .plainSar32I, .plainRol32I, .plainRor32I, .imul32RR, .plainImul32RR:
            return true
        default: return false
        }
    }

    /// c is a register and not an index.
    var hasSecondRegister: Bool {
        switch self {
        case .imul32RR, .plainImul32RR: true
        case let op where op.rawValue < MicroOpcode.cmp32RR.rawValue: op.form32 == .rr
        case let op
        where MicroOpcode.plainAdd32RR.rawValue..<MicroOpcode.mov32RR.rawValue ~= op.rawValue:
            (op.rawValue - MicroOpcode.plainAdd32RR.rawValue) % 5 == 0
        default: false
        }
    }

    /// Operand form of an opcode in the first group.
    private var form32: OperandForm { OperandForm(rawValue: rawValue % 5) ?? .mi }
}

extension OperandForm {
    var isRegisterForm: Bool { self == .rr || self == .ri }

    var touchesMemory: Bool { self == .rm || self == .mr || self == .mi }
}
