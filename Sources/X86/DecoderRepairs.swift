/// What Capstone 4.0.2 has to be helped with: encodings, legality, operations and sizes.
///
/// Prefixes it never gets to see (`Canonical`), and operands it hides are put back in `DecoderOperands`. `RepairTests`
/// has a test for each.
enum DecoderRepairs {
    /// An encoding with the same operands that Capstone knows, for one it does not.
    struct StandIn {
        var opcode: Int
        var modRM: UInt8
        /// What the instruction really is; nil if it is what the stand-in is.
        var operation: Operation?
    }

    static func standIn(for encoding: Encoding) -> StandIn? {
        switch encoding.opcode {
        case OpcodeMap.twoByte(0x18)...OpcodeMap.twoByte(0x1F):
            // The hint space (SDM 2B, "NOP" and "PREFETCHh"): Capstone refuses register forms and PREFETCH rows above
            // 3, and makes MPX and CET of the rest. All have one operand, as INC (FF /0) has.
            let isHint = encoding.opcode == OpcodeMap.twoByte(0x18) && encoding.row < 4 && !encoding.isRegisterForm
            return StandIn(opcode: 0xFF, modRM: encoding.modRM & 0xC7, operation: isHint ? .prefetch : .nop)
        case OpcodeMap.twoByte(0xFF), OpcodeMap.twoByte(0xB9):
            // UD0 and UD1 have a ModR/M byte (SDM 2B, "UD"), which Capstone overlooks. Operands as of MOV r, r/m.
            let operation: Operation = encoding.opcode == OpcodeMap.twoByte(0xFF) ? .ud0 : .ud1
            return StandIn(opcode: 0x8B, modRM: encoding.modRM, operation: operation)
        case OpcodeMap.twoByte(0x20)...OpcodeMap.twoByte(0x23):
            // The mod field is ignored, as if it were 3 (SDM 2B, "MOV - Move to/from Control Registers").
            return StandIn(opcode: encoding.opcode, modRM: encoding.modRM | 0xC0)
        case OpcodeMap.twoByte(0xAE) where encoding.isRegisterForm:
            // The r/m field of the fences is ignored (SDM 2A, "LFENCE"); Capstone wants it zero.
            return StandIn(opcode: encoding.opcode, modRM: encoding.modRM & 0xF8)
        default:
            return nil
        }
    }

    /// Refuses what Capstone accepts, or takes for something else, though no processor of ours has it.
    static func isLegal(_ encoding: Encoding) -> Bool {
        switch encoding.opcode {
        case 0x62, 0xC4, 0xC5:
            // BOUND, LES, LDS: the register forms are VEX and EVEX prefixes to Capstone.
            !encoding.isRegisterForm
        case 0x8F:
            // POP; the other rows are XOP prefixes to Capstone.
            encoding.row == 0
        case 0x8E:
            // MOV to CS.
            encoding.row != SegmentRegister.cs.rawValue
        case OpcodeMap.twoByte(0x20), OpcodeMap.twoByte(0x22):
            // CR1 and CR5 to CR7 do not exist.
            encoding.row == 0 || (2...4).contains(encoding.row)
        case OpcodeMap.twoByte(0x12), OpcodeMap.twoByte(0x16):
            // MOVLPD and MOVHPD have no register form; Capstone makes MOVHLPS and MOVLHPS of it.
            !(encoding.isRegisterForm && encoding.mandatoryPrefix == 0x66)
        default:
            encoding.form.isDefined
        }
    }

    /// The operation of a Capstone instruction, where the id alone does not tell.
    static func operation(_ meaning: CapstoneMeaning, _ encoding: Encoding) -> Operation? {
        switch (meaning.operation, encoding.opcode) {
        // PAUSE is NOP with F3, which Capstone does not get to see.
        case (.nop, 0x90) where encoding.prefixes.repeatByte == 0xF3: .pause
        // FENI, FDISI and FSETPM do nothing since the 387 (SDM 3B 23.18.9), not even what FNOP does.
        case (.fnop, 0xDB): .nop
        // Right with a prefix 66 only: in a 16-bit segment Capstone has these widen EAX.
        case (_, 0x98): encoding.operandSize == 2 ? .cbw : .cwde
        case (_, 0x99): encoding.operandSize == 2 ? .cwd : .cdq
        // The ids are shared with SSE2 instructions.
        case (.movsd, 0...0xFF): .movs
        case (.cmpsd, 0...0xFF): .cmps
        case (.mov, 0x8C), (.mov, 0x8E): .movSegment
        case (.mov, OpcodeMap.twoByte(0x20)), (.mov, OpcodeMap.twoByte(0x22)): .movControl
        case (.mov, OpcodeMap.twoByte(0x21)), (.mov, OpcodeMap.twoByte(0x23)): .movDebug
        // PUSH and POP of segment registers: 06...1F and 0F A0...A9 against 50...5F, 68, 6A, 8F and FF.
        case (.push, ...0x1F), (.push, 0x100...): .pushSegment
        case (.pop, ...0x1F), (.pop, 0x100...): .popSegment
        default: meaning.operation
        }
    }

    /// The size of a memory operand in bytes, where Capstone does not give it; nil where it does.
    static func memorySize(of operation: Operation, _ encoding: Encoding) -> UInt8? {
        let operandSize = encoding.operandSize
        return switch operation {
        // Only the address is used.
        case .lea, .invlpg, .prefetch, .nop, .ud0, .ud1: 0
        // FXSAVE's 512 bytes exceed the field.
        case .fxsave, .fxrstor: 0
        case .xlat: 1
        case .sldt, .str, .smsw, .lldt, .ltr, .lmsw, .verr, .verw, .lar, .lsl, .movSegment, .fnstsw, .pinsrw: 2
        // Scalars and half registers, for which Capstone has the size of the whole register.
        case .comiss, .ucomiss: 4
        case .comisd, .ucomisd: 8
        case .punpcklbw, .punpcklwd, .punpckldq: encoding.mandatoryPrefix == 0 ? 4 : 16
        case .lgdt, .sgdt, .lidt, .sidt: 6
        case .lds, .les, .lfs, .lgs, .lss, .callFar, .jmpFar: operandSize + 2
        case .bound: operandSize * 2
        case .fldenv, .fnstenv: operandSize == 2 ? 14 : 28
        case .frstor, .fnsave: operandSize == 2 ? 94 : 108
        default: nil
        }
    }
}
