import CCapstone

/// Operands: Capstone's, in the order and with the sizes `Instruction` promises.
extension Decoder {
    func setOperands(
        of instruction: inout Instruction, from decoded: UnsafePointer<cs_insn>, _ encoding: Encoding
    ) {
        guard let details = ring3_cs_x86(decoded) else { return }
        switch instruction.operation {
        case let operation where operation.isString:
            instruction.operandSize = encoding.opcode & 1 == 0 ? 1 : encoding.operandSize
            instruction.memory.segment = encoding.prefixes.segment ?? .ds
        case .xlat:
            instruction.operandSize = 1
            setImplicitMemory(of: &instruction, base: .ebx, encoding)
        case .aam, .aad:
            // Capstone hides the base if it is ten.
            instruction.operands.0 = Operand(.immediate, size: 1)
            instruction.immediate = UInt32(input[Int(decoded.pointee.size) - 1])
        case .enter:
            instruction.operands.0 = Operand(.immediate, size: 2)
            instruction.operands.1 = Operand(.secondImmediate, size: 1)
            instruction.immediate = immediate(details, 0) & 0xFFFF
            instruction.selector = UInt16(immediate(details, 1) & 0xFF)
        case .callFar where !encoding.form.hasModRM, .jmpFar where !encoding.form.hasModRM:
            instruction.operands.0 = Operand(.farPointer, size: encoding.operandSize + 2)
            instruction.selector = UInt16(immediate(details, 0) & 0xFFFF)
            instruction.immediate = immediate(details, 1) & mask(encoding.operandSize)
        case _ where (0xD8...0xDF).contains(encoding.opcode) && encoding.isRegisterForm:
            setStackOperands(of: &instruction, encoding)
        default:
            setOperandsAsWritten(of: &instruction, details, decoded.pointee.size, encoding)
            if instruction.operation == .maskmovq || instruction.operation == .maskmovdqu {
                setImplicitMemory(of: &instruction, base: .edi, encoding)
            }
        }
    }

    /// The addresses of XLAT and MASKMOVQ, which are not operands.
    private func setImplicitMemory(of instruction: inout Instruction, base: GeneralRegister, _ encoding: Encoding) {
        let offset = RegisterFile.offset(ofRegister: base.rawValue, size: 4)
        instruction.memory = MemoryOperand(segment: encoding.prefixes.segment ?? .ds, base: offset)
    }

    /// x87 register forms (SDM 1 8.1.2): Capstone leaves ST(0) out or puts it in, as the assembler's fancy takes it.
    private func setStackOperands(of instruction: inout Instruction, _ encoding: Encoding) {
        let top = Operand(.x87, size: 10, register: 0)
        let other = Operand(.x87, size: 10, register: encoding.rm)
        switch instruction.operation {
        case .fadd, .fmul, .fsub, .fsubr, .fdiv, .fdivr:
            // The D bit of the opcode: D8 to ST(0), DC to ST(i).
            (instruction.operands.0, instruction.operands.1) = encoding.opcode == 0xD8 ? (top, other) : (other, top)
        case .faddp, .fmulp, .fsubp, .fsubrp, .fdivp, .fdivrp:
            (instruction.operands.0, instruction.operands.1) = (other, top)
        case .fcmovcc:
            (instruction.operands.0, instruction.operands.1) = (top, other)
        case .fld, .fst, .fstp, .fxch, .ffree, .ffreep, .fcom, .fcomp, .fcomi, .fcomip, .fucom, .fucomp, .fucomi,
            .fucomip:
            instruction.operands.0 = other
        case .fnstsw:
            instruction.operands.0 = Operand(.register, size: 2)
        default:
            break
        }
    }

    private func setOperandsAsWritten(
        of instruction: inout Instruction, _ details: UnsafePointer<cs_x86>, _ size: UInt16, _ encoding: Encoding
    ) {
        for index in 0..<min(Int(details.pointee.op_count), 3) {
            guard let operand = ring3_cs_operand(details, Int32(index)) else { continue }
            switch operand.pointee.type {
            case X86_OP_REG:
                instruction[operand: index] = registers[Int(ring3_cs_operand_register(operand))]
            case X86_OP_MEM:
                let size = DecoderRepairs.memorySize(of: instruction.operation, encoding)
                instruction[operand: index] = Operand(.memory, size: size ?? operand.pointee.size)
                instruction.memory = memory(ring3_cs_operand_memory(operand), encoding)
            case X86_OP_IMM where instruction.operation.isRelative:
                instruction[operand: index] = Operand(.relative, size: encoding.operandSize)
                instruction.immediate = displacement(in: Int(size), encoding)
            case X86_OP_IMM:
                let size = instruction.immediateSize
                instruction[operand: index] = Operand(.immediate, size: size)
                instruction.immediate = immediate(details, index) & mask(size)
            default:
                break
            }
        }
        if instruction.operation.isComparisonPredicate {
            // Capstone folds the predicate into the mnemonic, as assemblers do. It is the last byte.
            instruction.operands.2 = Operand(.immediate, size: 1)
            instruction.immediate = UInt32(input[Int(size) - 1])
        }
        settleSizes(of: &instruction, encoding)
    }

    /// Register sizes that depend on the operation, and the operand size of byte forms.
    private func settleSizes(of instruction: inout Instruction, _ encoding: Encoding) {
        switch instruction.operation {
        case .lldt, .ltr, .lmsw, .verr, .verw:
            instruction.operands.0.size = 2
        case .lar, .lsl:
            instruction.operands.1.size = 2
        case .movSegment where instruction.operands.0.kind == .segment:
            instruction.operands.1.size = 2
        default:
            break
        }
        let first = instruction.operands.0
        let second = instruction.operands.1
        if first.size == 1, first.kind == .register || first.kind == .memory {
            instruction.operandSize = 1
        } else if instruction.operation == .out {
            instruction.operandSize = second.size
        }
    }

    private static let stackPointer = RegisterFile.offset(ofRegister: GeneralRegister.esp.rawValue, size: 4)
    private static let basePointer = RegisterFile.offset(ofRegister: GeneralRegister.ebp.rawValue, size: 4)

    private func memory(_ memory: x86_op_mem, _ encoding: Encoding) -> MemoryOperand {
        let base = registers[Int(memory.base.rawValue)]
        let index = registers[Int(memory.index.rawValue)]
        let displacement = UInt32(truncatingIfNeeded: memory.disp)
        // Based on EBP or ESP: in the stack segment (SDM 1 3.7.4, table 3-5).
        let isStack =
            base.kind == .register && (base.register == Decoder.stackPointer || base.register == Decoder.basePointer)
        return MemoryOperand(
            segment: encoding.prefixes.segment ?? (isStack ? .ss : .ds),
            base: base.kind == .register ? base.register : RegisterFile.zero,
            index: index.kind == .register ? index.register : RegisterFile.zero,
            shift: index.kind == .register ? UInt8(truncatingIfNeeded: memory.scale.trailingZeroBitCount) : 0,
            displacement: encoding.addressSize == 2 ? signExtended(displacement) : displacement)
    }

    /// The displacement of a relative branch: all that follows the opcode.
    ///
    /// Capstone gives the target instead, cut to 16 bits if there is an address-size prefix.
    private func displacement(in size: Int, _ encoding: Encoding) -> UInt32 {
        let count = encoding.displacementSize
        let value = (1...count).reduce(UInt32(0)) { $0 << 8 | UInt32(input[size - $1]) }
        return switch count {
        case 1: UInt32(bitPattern: Int32(Int8(truncatingIfNeeded: value)))
        case 2: signExtended(value)
        default: value
        }
    }

    private func immediate(_ details: UnsafePointer<cs_x86>, _ index: Int) -> UInt32 {
        guard let operand = ring3_cs_operand(details, Int32(index)) else { return 0 }
        return UInt32(truncatingIfNeeded: ring3_cs_operand_immediate(operand))
    }

    private func mask(_ size: UInt8) -> UInt32 { UInt32.max >> (32 - 8 * UInt32(min(size, 4))) }

    private func signExtended(_ value: UInt32) -> UInt32 {
        UInt32(bitPattern: Int32(Int16(truncatingIfNeeded: value)))
    }
}

extension Instruction {
    /// One of the operands is in memory, and its address in `memory`.
    public var hasMemoryOperand: Bool {
        operands.0.kind == .memory || operands.1.kind == .memory || operands.2.kind == .memory
    }

    /// A string instruction with a prefix that repeats it.
    public var isRepeated: Bool { operation.isString && !prefixes.isDisjoint(with: [.rep, .repne]) }
}

extension Operation {
    /// String and port instructions: those REP and REPNE apply to.
    public var isString: Bool {
        switch self {
        case .movs, .cmps, .scas, .lods, .stos, .ins, .outs: true
        default: false
        }
    }

    /// SSE comparisons, whose immediate is the predicate.
    var isComparisonPredicate: Bool {
        switch self {
        case .cmpps, .cmpss, .cmppd, .cmpsd: true
        default: false
        }
    }

    /// Whether an immediate is a branch displacement.
    var isRelative: Bool {
        switch self {
        case .jcc, .jcxz, .jmp, .call, .loop, .loope, .loopne: true
        default: false
        }
    }
}

extension Instruction {
    subscript(operand index: Int) -> Operand {
        get { index == 0 ? operands.0 : index == 1 ? operands.1 : operands.2 }
        set {
            switch index {
            case 0: operands.0 = newValue
            case 1: operands.1 = newValue
            default: operands.2 = newValue
            }
        }
    }

    /// What an immediate operand is extended to: the destination's size where it is one of its source operands.
    fileprivate var immediateSize: UInt8 {
        switch operation {
        case .add, .adc, .sub, .sbb, .and, .or, .xor, .cmp, .test, .mov, .imul: operands.0.size
        case .push: operandSize
        case .ret, .retFar: 2
        default: 1
        }
    }

    /// Whether LOCK is legal here: a read-modify-write operation on memory (SDM 2A, "LOCK").
    var maybeLocked: Bool {
        guard operands.0.kind == .memory else { return false }
        switch operation {
        case .add, .adc, .and, .btc, .btr, .bts, .cmpxchg, .cmpxchg8b, .dec, .inc, .neg, .not, .or, .sbb, .sub, .xor,
            .xadd, .xchg:
            return true
        default:
            return false
        }
    }
}
