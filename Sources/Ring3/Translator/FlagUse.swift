import X86

/// What an instruction does with the status flags, as far as the translator wants to know.
enum FlagUse {
    /// Neither reads nor writes them.
    case none
    /// Writes all six (undefined ones included: the shared semantics give them a value) and reads none.
    case writes
    /// Changes some and leaves others as they were.
    case changes
    /// Needs them as they are: reads them, or shows them to somebody (an exception handler, the monitor, another block).
    case reads
}

/// How flags that were not stored can be computed later, from what the instruction left in registers.
enum FlagRecovery {
    /// `register` holds the sum (difference, result) of an operation with a source that is unchanged.
    case addition, subtraction, logic, comparison, test
}

extension BlockInstruction {
    /// The way back to this instruction's flags while its registers are unchanged; nil if there is none.
    var flagRecovery: FlagRecovery? {
        let (a, b) = (instruction.operands.0, instruction.operands.1)
        guard instruction.operandSize == 4, a.kind == .register, b.kind == .register || b.kind == .immediate else {
            return nil
        }
        let isSame = b.kind == .register && a.register == b.register
        switch instruction.operation {
        case .add: return isSame ? nil : .addition
        case .sub: return isSame ? nil : .subtraction
        case .and, .or, .xor: return .logic
        case .cmp: return .comparison
        case .test: return .test
        default: return nil
        }
    }

    /// Whether executing this may change the register at `offset` of the register file (of any size).
    func mayChange(_ offset: UInt8) -> Bool {
        let register = offset & 0x1C
        switch instruction.operation {
        case .cmp, .test, .jcc, .nop, .jmp: return false
        case .push, .ret, .call: return register == 16
        case .pop, .leave:
            return register == 16 || register == 20 && instruction.operation == .leave || writesOperand(register)
        case .xchg: return true
        case .cdq: return register == 8
        case .cwde: return register == 0
        default: return writesOperand(register)
        }
    }

    private func writesOperand(_ register: UInt8) -> Bool {
        instruction.operands.0.kind == .register && instruction.operands.0.register & 0x1C == register
    }
}

extension Processor {
    /// Recomputes the flags that `source` would have stored; its registers still hold what it left there.
    func recoverFlags(of source: UnsafePointer<BlockInstruction>) {
        guard let recovery = source.pointee.flagRecovery else { return }
        let i = source.pointee.instruction
        let result = register(i.operands.0.register, as: UInt32.self)
        let b = i.operands.1.kind == .register ? register(i.operands.1.register, as: UInt32.self) : i.immediate
        switch recovery {
        case .addition: pointee.status = .ofAddition(result &- b, b, result)
        case .subtraction: pointee.status = .ofSubtraction(result &+ b, b, result)
        case .logic: pointee.status = .ofLogic(result)
        case .comparison: pointee.status = .ofSubtraction(result, b, result &- b)
        case .test: pointee.status = .ofLogic(result & b)
        }
    }
}
