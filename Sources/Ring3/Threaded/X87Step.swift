import X86

/// The x87 instructions that compilers use most, resolved at translation: what the micro-op `x87` does.
enum X87Step: UInt8 {
    case loadSingle, loadDouble, loadRegister
    case storeSingle, storeDouble, storeRegister, popSingle, popDouble, popRegister
    case arithmeticMemory, arithmeticRegisters, arithmeticPop
    case exchange

    /// The step of an instruction, and for arithmetic which; nil for all others.
    static func resolve(_ i: Instruction) -> (step: X87Step, arithmetic: X87Arithmetic)? {
        let operand = i.operands.0
        let isReal = operand.kind == .memory && (operand.size == 4 || operand.size == 8)
        let isDouble = operand.size == 8
        func memory(_ single: X87Step, _ double: X87Step, register: X87Step) -> (X87Step, X87Arithmetic)? {
            guard isReal || operand.kind == .x87 else { return nil }
            return (isReal ? isDouble ? double : single : register, .add)
        }
        func arithmetic(_ operation: X87Arithmetic, pops: Bool = false) -> (X87Step, X87Arithmetic)? {
            guard isReal || operand.kind == .x87 && i.operands.1.kind == .x87 else { return nil }
            return (isReal ? .arithmeticMemory : pops ? .arithmeticPop : .arithmeticRegisters, operation)
        }
        switch i.operation {
        case .fld: return memory(.loadSingle, .loadDouble, register: .loadRegister)
        case .fst: return memory(.storeSingle, .storeDouble, register: .storeRegister)
        case .fstp: return memory(.popSingle, .popDouble, register: .popRegister)
        case .fxch: return (.exchange, .add)
        case .fadd: return arithmetic(.add)
        case .fmul: return arithmetic(.multiply)
        case .fsub: return arithmetic(.subtract)
        case .fsubr: return arithmetic(.subtractReversed)
        case .fdiv: return arithmetic(.divide)
        case .fdivr: return arithmetic(.divideReversed)
        case .faddp: return arithmetic(.add, pops: true)
        case .fmulp: return arithmetic(.multiply, pops: true)
        case .fsubp: return arithmetic(.subtract, pops: true)
        case .fsubrp: return arithmetic(.subtractReversed, pops: true)
        case .fdivp: return arithmetic(.divide, pops: true)
        case .fdivrp: return arithmetic(.divideReversed, pops: true)
        default: return nil
        }
    }
}

extension Processor {
    /// Does `step` for the instruction, as `executeX87` would after finding out what it is.
    @inline(__always)
    func executeX87(_ step: X87Step, _ arithmetic: X87Arithmetic, _ i: InstructionPointer) throws(Fault) {
        try checkX87()
        switch step {
        case .loadSingle: try loadX87(i, .single)
        case .loadDouble: try loadX87(i, .double)
        case .loadRegister: onStack(i) { $0.load($1) }
        case .storeSingle: try storeX87(i, .single, pops: false)
        case .storeDouble: try storeX87(i, .double, pops: false)
        case .storeRegister: onStack(i) { $0.store($1, pops: false) }
        case .popSingle: try storeX87(i, .single, pops: true)
        case .popDouble: try storeX87(i, .double, pops: true)
        case .popRegister: onStack(i) { $0.store($1, pops: true) }
        case .arithmeticMemory: try arithmeticX87(i, arithmetic)
        case .arithmeticRegisters: try arithmeticX87(i, arithmetic)
        case .arithmeticPop: try arithmeticX87(i, arithmetic, pops: true)
        case .exchange: onStack(i) { $0.exchange($1) }
        }
        updateFloatingPointError()
    }
}
