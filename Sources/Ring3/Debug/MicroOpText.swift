import X86

/// Writes micro-ops: the opcode by its name, and the operands that the guest's instruction tells it must have. Knows no
/// opcode but those that stand for other things than computation.
struct MicroOpText {
    let op: MicroOp
    /// The instruction it belongs to.
    let instruction: Instruction

    var description: String {
        let list = operands.joined(separator: ", ")
        return list.isEmpty ? name : "\(name) \(list)"
    }

    /// Profiling replaces callouts; what is shown is what stands there without.
    private var name: String {
        guard op.opcode == .profile else { return "\(op.opcode)" }
        return op.a == ProfiledStep.calloutEnd.rawValue ? "\(MicroOpcode.calloutEnd)" : "\(MicroOpcode.callout)"
    }

    private var operands: [String] {
        let i = instruction
        switch op.opcode {
        case .profile, .callout, .calloutEnd, .shared, .sharedEnd: return []
        case .x87, .x87ArithmeticRegisters: return (X87Step(rawValue: op.a).map { ["\($0)"] } ?? []) + general
        default: break
        }
        let (first, second) = (i.operands.0, i.operands.1)
        switch i.operation {
        case .jcc: return []
        case .call where first.kind == .relative: return ["return to +\(hex(op.immediate & 0xFFFF))"]
        case .ret: return op.immediate & 0xFFFF == 0 ? [] : ["release \(op.immediate & 0xFFFF)"]
        case .setcc: return [register(op.a, 1), Condition(low: op.d).suffix]
        case .cmp, .test:
            return first.kind == .register && second.kind != .memory
                ? [register(op.b, first.size)] + source(op.c, second) : general
        case .mov, .movzx, .movsx, .xchg, .cmovcc:
            let condition = i.operation == .cmovcc ? [i.condition.suffix] : []
            guard first.kind == .register, second.kind == .register else { return general + condition }
            return [register(op.a, first.size), register(op.b, second.size)] + condition
        case .mul: return first.kind == .register ? [register(op.b, first.size)] : general
        case .shl, .shr, .sar, .rol, .ror, .rcl, .rcr:
            guard first.kind == .register else { return general }
            let count = second.kind == .register ? "cl" : "\(op.immediate)"
            return [register(op.a, first.size), register(op.b, first.size), count]
        case .inc, .dec, .neg, .not:
            return first.kind == .register ? [register(op.a, first.size), register(op.b, first.size)] : general
        case .imul where i.operands.2.kind == .immediate && second.kind == .register:
            return [register(op.a, 4), register(op.b, 4), number(op.immediate)]
        case .add, .or, .adc, .sbb, .and, .sub, .xor, .imul:
            guard first.kind == .register, second.kind != .memory, second.kind != .none else { return general }
            return [register(op.a, first.size), register(op.b, first.size)] + source(op.c, second)
        default: return general
        }
    }

    /// The operands in the order of the guest's: its memory operand from the address fields, a register beside it from
    /// `a`, an immediate.
    private var general: [String] {
        let operands = [instruction.operands.0, instruction.operands.1, instruction.operands.2]
        return operands.enumerated().compactMap { index, operand in
            switch operand.kind {
            case .memory: return memory
            case .register: return register(index == 0 || hasMemory ? op.a : op.c, operand.size)
            case .immediate: return number(op.immediate)
            case .x87: return "st(\(operand.register))"
            case .mmx: return "mm\(operand.register)"
            case .xmm: return "xmm\(operand.register)"
            default: return nil
            }
        }
    }

    private var hasMemory: Bool {
        instruction.operands.0.kind == .memory || instruction.operands.1.kind == .memory
    }

    private func source(_ field: UInt8, _ operand: Operand) -> [String] {
        operand.kind == .register ? [register(field, operand.size)] : [number(op.immediate)]
    }

    private func register(_ offset: UInt8, _ size: UInt8) -> String {
        offset >= RegisterFile.zero ? "0" : GeneralRegister.name(offset: offset, size: size)
    }

    private var memory: String {
        var terms: [String] = []
        if op.b != RegisterFile.zero { terms.append(register(op.b, 4)) }
        if instruction.memory.index != RegisterFile.zero { terms.append("\(register(op.c, 4))*\(op.d)") }
        let displacement = Int32(bitPattern: op.displacement)
        var sum = terms.joined(separator: " + ")
        if terms.isEmpty {
            sum = number(op.displacement)
        } else if displacement != 0 {
            sum += (displacement < 0 ? " - " : " + ") + number(displacement.magnitude)
        }
        return "[\(sum)]"
    }

    private func number(_ value: UInt32) -> String { value < 10 ? "\(value)" : hex(value) }
}
