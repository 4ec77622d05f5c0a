#if arch(x86_64) && os(Linux)
    import X86

    extension BlockRole {
        /// In a native block, which goes on behind some that end others.
        init(native i: Instruction) {
            switch i {
            case _ where i.goesOnByStub: self = .calloutEnd
            case _ where i.changesOnlyDataSegment: self = .callout
            case _ where i.isCountedJump: self = .conditional
            default:
                var flat = i
                // What is emitted adds the base.
                if [.fs, .gs].contains(i.memory.segment) { flat.memory.segment = .ds }
                self = BlockRole(flat, mode: .allFlat)
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
        @inline(__always) var changesOnlyDataSegment: Bool {
            guard operation == .popSegment || operation == .movSegment, operands.0.kind == .segment else {
                return false
            }
            return operands.0.register != SegmentRegister.ss.rawValue
                && operands.0.register != SegmentRegister.cs.rawValue
        }

        /// One of those of `InlineEnding`: loads FS or GS, RDTSC, FLDCW.
        var goesOnByStub: Bool {
            operation == .rdtsc || operation == .fldcw || changesOnlyDataSegment && !reloadsFlatSegment
        }

        /// Loads DS or ES, without which there is no emitted code.
        var reloadsFlatSegment: Bool {
            changesOnlyDataSegment
                && [SegmentRegister.ds.rawValue, SegmentRegister.es.rawValue].contains(operands.0.register)
        }

        /// Its memory operand lies in CS, at an address of 32 bits.
        var readsFlatCode: Bool { memory.segment == .cs && addressSize == 4 }
    }
#endif
