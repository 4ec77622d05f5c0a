#if arch(x86_64) && os(Linux)
    import X86

    extension BlockRole {
        /// In a native block, which goes on behind some that end others.
        init(native i: Instruction) {
            switch i {
            case _ where i.changesOnlyDataSegment: self = .callout
            case _ where i.isCountedJump: self = .conditional
            default: self = BlockRole(i, mode: .allFlat)
            }
        }
    }

    extension Instruction {
        /// LOOP or JECXZ, or one of the like: near transfers that count in ECX, or look there.
        var isCountedJump: Bool {
            switch operation {
            case .loop, .loope, .loopne, .jcxz: operandSize == 4 && addressSize == 4
            default: false
            }
        }

        /// Loads DS, ES, FS or GS, and so may change the mode, but will not as a rule.
        var changesOnlyDataSegment: Bool {
            guard operation == .popSegment || operation == .movSegment, operands.0.kind == .segment else {
                return false
            }
            return operands.0.register != SegmentRegister.ss.rawValue
                && operands.0.register != SegmentRegister.cs.rawValue
        }
    }
#endif
