import X86

/// The x87 instructions that compilers use most, resolved at translation: what the micro-op `x87` does.
enum X87Step: UInt8 {
    case loadSingle, loadDouble, loadRegister
    case storeSingle, storeDouble, storeRegister, popSingle, popDouble, popRegister
    case arithmeticSingle, arithmeticDouble, arithmeticRegisters, arithmeticPop
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
        if let (operation, pops) = i.operation.x87Arithmetic {
            guard isReal || operand.kind == .x87 && i.operands.1.kind == .x87 else { return nil }
            let onMemory: X87Step = isDouble ? .arithmeticDouble : .arithmeticSingle
            return (isReal ? onMemory : pops ? .arithmeticPop : .arithmeticRegisters, operation)
        }
        switch i.operation {
        case .fld: return memory(.loadSingle, .loadDouble, register: .loadRegister)
        case .fst: return memory(.storeSingle, .storeDouble, register: .storeRegister)
        case .fstp: return memory(.popSingle, .popDouble, register: .popRegister)
        case .fxch: return (.exchange, .add)
        default: return nil
        }
    }

    /// The micro-op that does the step: the commonest ones have their own, which ask less at run time.
    var opcode: MicroOpcode {
        switch self {
        case .loadDouble: .x87LoadDouble
        case .arithmeticDouble: .x87ArithmeticDouble
        case .arithmeticRegisters, .arithmeticPop: .x87ArithmeticRegisters
        default: .x87
        }
    }
}

// The x87 micro-ops. Like all that access memory they do nothing and return false if the instruction might fault.
extension Processor {
    /// No instruction of the unit can raise #NM or #MF now.
    @inline(__always)
    var isX87Ready: Bool { pointee.cr0 & (CR0.em | CR0.ts) == 0 && fpu.pointee.status & X87Status.summary == 0 }

    /// Does what micro-op `x87` says for the instruction at `eip`: a step that has no micro-op of its own.
    @inline(__always)
    func executeX87(_ op: MicroOpPointer, _ i: InstructionPointer, _ eip: UInt32) -> Bool {
        guard isX87Ready else { return false }
        // Lowering stores raw values of both; `X87StepTests` holds the layouts.
        let step = unsafeBitCast(op.pointee.a, to: X87Step.self)
        switch step {
        case .loadSingle: return loadX87(op, i, eip, .single, UInt32.self)
        case .storeSingle: return storeX87(op, i, eip, .single, UInt32.self, pops: false)
        case .storeDouble: return storeX87(op, i, eip, .double, UInt64.self, pops: false)
        case .popSingle: return storeX87(op, i, eip, .single, UInt32.self, pops: true)
        case .popDouble: return storeX87(op, i, eip, .double, UInt64.self, pops: true)
        case .arithmeticSingle: return calculateX87(op, i, eip, .single, UInt32.self)
        default: break
        }
        pointee.instructionStart = eip
        noteX87(i)
        switch step {
        case .loadRegister: fpu.load(i.pointee.stackOperand)
        case .storeRegister: fpu.store(i.pointee.stackOperand, pops: false)
        case .popRegister: fpu.store(i.pointee.stackOperand, pops: true)
        default: fpu.exchange(i.pointee.stackOperand)
        }
        updateFloatingPointError()
        return true
    }

    // The commonest steps: as `executeX87`, but each by itself.

    @inline(__always)
    func loadX87Double(_ op: MicroOpPointer, _ i: InstructionPointer, _ eip: UInt32) -> Bool {
        isX87Ready && loadX87(op, i, eip, .double, UInt64.self)
    }

    @inline(__always)
    func calculateX87Double(_ op: MicroOpPointer, _ i: InstructionPointer, _ eip: UInt32) -> Bool {
        isX87Ready && calculateX87(op, i, eip, .double, UInt64.self)
    }

    @inline(__always)
    func calculateX87Registers(_ op: MicroOpPointer, _ i: InstructionPointer, _ eip: UInt32) -> Bool {
        guard isX87Ready else { return false }
        pointee.instructionStart = eip
        noteX87(i)
        fpu.arithmetic(
            X87Arithmetic(step: op.pointee.immediate), destination: i.pointee.operands.0.register,
            source: i.pointee.operands.1.register, pops: op.pointee.a == X87Step.arithmeticPop.rawValue)
        updateFloatingPointError()
        return true
    }

    @inline(__always)
    private func noteX87(_ i: InstructionPointer, _ eip: UInt32, operand: UInt32) {
        pointee.instructionStart = eip
        noteX87(i, operand: operand)
    }

    @inline(__always)
    private func loadX87<T: Word>(
        _ op: MicroOpPointer, _ i: InstructionPointer, _ eip: UInt32, _ format: X87Format, _ type: T.Type
    ) -> Bool {
        let linear = address(op)
        guard let place = readable(linear, T.self) else { return false }
        noteX87(i, eip, operand: linear)
        fpu.load(format, X87Register(significand: UInt64(truncatingIfNeeded: place.loadUnaligned(as: T.self))))
        updateFloatingPointError()
        return true
    }

    @inline(__always)
    private func calculateX87<T: Word>(
        _ op: MicroOpPointer, _ i: InstructionPointer, _ eip: UInt32, _ format: X87Format, _ type: T.Type
    ) -> Bool {
        let linear = address(op)
        guard let place = readable(linear, T.self) else { return false }
        noteX87(i, eip, operand: linear)
        fpu.arithmetic(
            X87Arithmetic(step: op.pointee.immediate), format,
            UInt64(truncatingIfNeeded: place.loadUnaligned(as: T.self)))
        updateFloatingPointError()
        return true
    }

    @inline(__always)
    private func storeX87<T: Word>(
        _ op: MicroOpPointer, _ i: InstructionPointer, _ eip: UInt32, _ format: X87Format, _ type: T.Type, pops: Bool
    ) -> Bool {
        let linear = address(op)
        // What an empty register or an unmasked exception does to a store is for the shared semantics.
        guard let place = writable(linear, T.self), !fpu.isEmpty(0) else { return false }
        let (image, report) = X87Unit.store(format, fpu.st(0).pointee, fpu)
        guard !fpu.isUnmasked(report) else { return false }
        place.storeBytes(of: T(truncatingIfNeeded: image.significand), as: T.self)
        noteX87(i, eip, operand: linear)
        fpu.record(report)
        if pops { fpu.pop() }
        return true
    }
}

extension X87Arithmetic {
    /// From the immediate of a micro-op.
    @inline(__always)
    init(step raw: UInt32) { self = X87Arithmetic(rawValue: Int32(truncatingIfNeeded: raw)) ?? .add }
}

extension ThreadedEngine {
    // The x87 micro-ops, out of line: each does nothing and returns false if it might fault.

    @inline(never)
    func executeX87(_ pc: MicroOpPointer, in block: BlockPointer, _ entry: UInt32) -> Bool {
        with(pc, in: block, entry) { cpu.executeX87(pc, $0, $1) }
    }

    @inline(never)
    func loadX87Double(_ pc: MicroOpPointer, in block: BlockPointer, _ entry: UInt32) -> Bool {
        with(pc, in: block, entry) { cpu.loadX87Double(pc, $0, $1) }
    }

    @inline(never)
    func calculateX87Double(_ pc: MicroOpPointer, in block: BlockPointer, _ entry: UInt32) -> Bool {
        with(pc, in: block, entry) { cpu.calculateX87Double(pc, $0, $1) }
    }

    @inline(never)
    func calculateX87Registers(_ pc: MicroOpPointer, in block: BlockPointer, _ entry: UInt32) -> Bool {
        with(pc, in: block, entry) { cpu.calculateX87Registers(pc, $0, $1) }
    }

    /// Calls `body` with a micro-op's instruction and the address of that.
    @inline(__always)
    private func with(
        _ pc: MicroOpPointer, in block: BlockPointer, _ entry: UInt32, _ body: (InstructionPointer, UInt32) -> Bool
    ) -> Bool {
        let record = block.pointee.instructions + Int(pc.pointee.index)
        let eip = entry &+ UInt32(record.pointee.offset)
        return withUnsafePointer(to: &record.pointee.instruction) { body($0, eip) }
    }
}
