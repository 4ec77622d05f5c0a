#if arch(x86_64) && os(Linux)
    import X86

    /// What emitted code has still to note, at some point of a block, of the last x87 instructions executed (SDM 1 8.1.8).
    ///
    /// Runs of them overwrite each other's notes, so that one at the end will do. Where the monitor takes over on the way,
    /// it makes up for what is lacking: see `GuestUnits.note`.
    struct X87Debt: Equatable {
        /// How many instructions ago the last one was; 0 if that is noted.
        private(set) var last: UInt8 = 0
        /// The same of the last one with an operand in memory.
        private(set) var withOperand: UInt8 = 0
        /// Where that operand was is not noted either. The registers of its address are as they were.
        private(set) var lacksOffset = false

        var isNone: Bool { last | withOperand == 0 }

        /// The debt behind an emitted instruction, before anything is noted.
        fileprivate func after(_ i: Instruction) -> X87Debt {
            var debt = self
            if last != 0 { debt.last += 1 }
            if withOperand != 0 { debt.withOperand += 1 }
            guard i.isRememberedByX87 else { return debt }
            debt.last = 1
            if i.operands.0.kind == .memory || i.operands.1.kind == .memory {
                (debt.withOperand, debt.lacksOffset) = (1, true)
            }
            return debt
        }

        /// What remains of it where nothing else is noted but the offset, as what comes next may change registers.
        fileprivate var withOffset: X87Debt {
            var debt = self
            debt.lacksOffset = false
            return debt
        }
    }

    extension NativeTranslator {
        /// Finds what is lacking before each instruction of the block.
        func findX87Debts() {
            var debt = X87Debt()
            for index in 0..<Int(block.count) {
                if !mayOwe(before: index) {
                    debt = X87Debt()
                } else if !instruction(index).pointee.instruction.isRememberedByX87 {
                    debt = debt.withOffset
                }
                instruction(index).pointee.x87 = debt
                if !instruction(index).pointee.isMonitored { debt = debt.after(instruction(index).pointee.instruction) }
            }
        }

        /// Whether something may be lacking before an instruction: it goes on to the next, or leaves by an exit that notes it.
        private func mayOwe(before index: Int) -> Bool {
            let record = instruction(index).pointee
            guard !record.isMonitored else { return false }
            // A jump of a loop that is unrolled has such an exit. Nothing is noted between it and the next round.
            return record.role == .straight || record.isFollowed && mayOwe(before: index + 1)
        }

        /// Notes, behind the instruction at `index`, what is lacking there and no longer before the next.
        func emitX87Notes(behind index: Int) {
            let record = instruction(index).pointee
            guard !record.isMonitored else { return }
            emitX87Notes(
                record.x87.after(record.instruction), before: index + 1, except: instruction(index + 1).pointee.x87)
        }

        /// Notes what is lacking before the instruction at `index`, but for what may remain so.
        func emitX87Notes(_ debt: X87Debt, before index: Int, except left: X87Debt = X87Debt()) {
            let number = block.first + UInt32(index)
            if debt.last != 0, left.last == 0 {
                host.store(immediate: number - UInt32(debt.last), state: places.lastX87)
            }
            if debt.withOperand != 0, left.withOperand == 0 {
                host.store(immediate: number - UInt32(debt.withOperand), state: places.lastX87WithOperand)
            }
            if debt.lacksOffset, !left.lacksOffset {
                let operand = index - Int(debt.withOperand)
                rewriter.emitOffset(.r8, instruction(operand).pointee.instruction, bytes(operand), &host)
                host.store(.r8, state: places.x87Operand)
            }
        }
    }
#endif
