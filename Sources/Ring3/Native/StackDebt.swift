#if arch(x86_64) && os(Linux)
    import X86

    /// What an emitted instruction does about ESP where instructions before it have not moved that yet.
    enum StackUse: UInt8 {
        /// It wants ESP as it should be.
        case settled
        /// It has nothing to do with ESP, or takes what is lacking into account and settles it: CALL, RET.
        case any
        /// PUSH and POP of a register or constant, which leave moving ESP to what follows.
        case push, pop

        /// - Parameter role: of the instruction in a block.
        init(_ i: Instruction, _ role: BlockRole) {
            self = .settled
            guard !i.namesESP, i.memory.base != Self.esp else { return }
            switch (role, i.operation) {
            case (.call, _), (.return, _), (.indirectCall, _): self = .any
            case (.straight, .push) where i.operandSize == 4 && i.operands.0.kind != .memory: self = .push
            case (.straight, .pop) where i.operandSize == 4 && i.operands.0.kind == .register: self = .pop
            case (.straight, .push), (.straight, .pop), (.straight, .leave): break
            case (.straight, _): if !i.isRepeated, !i.usesUnits { self = .any }
            default: break
            }
        }

        private static let esp = RegisterFile.offset(ofRegister: 4, size: 4)

        /// A PUSH or POP whose host code depends on what is lacking.
        @inline(__always) var isMove: Bool { self == .push || self == .pop }

        /// What is to be added to ESP behind the instruction.
        fileprivate var move: Int8 {
            switch self {
            case .settled, .any: 0
            case .push: -4
            case .pop: 4
            }
        }
    }

    /// Runs of PUSH and POP move ESP once, at their end, and address the stack relative to where it was.
    ///
    /// ```
    /// push ebx      mov gs:[r12d - 4], ebx
    /// push esi      mov gs:[r12d - 8], esi      `stackDebt` is -4 here
    ///               lea r12d, [r12 - 8]
    /// ```
    /// Where the monitor takes over on the way, it makes up for what is lacking, and takes it back where it resumes.
    extension NativeTranslator {
        /// So far from the stack pointer that a distance of one byte reaches.
        private static let farthest: ClosedRange<Int8> = -112...112

        /// Finds what is to be added to ESP before each instruction of the block.
        func findStackDebts() {
            var debt: Int8 = 0
            for index in 0..<Int(block.count) {
                let record = instruction(index)
                if record.pointee.isMonitored { record.pointee.stackUse = .settled }
                if record.pointee.stackUse == .settled || !Self.farthest.contains(debt) { debt = 0 }
                record.pointee.stackDebt = debt
                // Transfers settle it themselves.
                debt = record.pointee.role == .straight ? debt + record.pointee.stackUse.move : 0
            }
        }

        /// Moves ESP behind the instruction at `index`, if it may not be lacking before the next.
        func emitStackMove(behind index: Int) {
            let record = instruction(index)
            guard record.pointee.role == .straight else { return }
            let owed = record.pointee.stackDebt + record.pointee.stackUse.move
            let moved = owed - instruction(index + 1).pointee.stackDebt
            if moved != 0 { host.lea(.r12, .r12, Int32(moved)) }
        }
    }

    extension Processor {
        /// Adds to ESP what emitted code has not yet; with the opposite sign, what it takes for lacking.
        @inline(__always)
        func moveStack(by debt: Int) {
            if debt != 0 { pointee.esp = pointee.esp &+ UInt32(truncatingIfNeeded: debt) }
        }
    }
#endif
