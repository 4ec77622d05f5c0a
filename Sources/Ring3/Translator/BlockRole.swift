import X86

/// What an instruction is to the block it stands in.
enum BlockRole: UInt8 {
    /// Falls through to the next one.
    case straight
    /// A sensitive instruction behind which the block can go on.
    case callout
    /// A conditional jump: an exit on the way.
    case conditional
    // The ends of blocks: near transfers, and what may change the mode the block is specialised on.
    case jump, call, indirectJump, indirectCall, `return`
    /// Another innocuous transfer (LOOP, 16-bit ones, those that must be checked against the limit of CS).
    case transfer
    /// A sensitive instruction that may go anywhere or change the mode; on `native` one that goes on by a stub, too.
    case calloutEnd

    init(_ i: Instruction, mode: BlockMode) {
        switch i.operation {
        case .jcc, .jmp, .call, .ret: self = Self.near(i, mode)
        case .jcxz, .loop, .loope, .loopne: self = .transfer
        case .invalid, .overlong, .truncated: self = .transfer
        default:
            guard i.sensitivity.isSensitive else {
                self = .straight
                return
            }
            self = Self.changesMode(i) ? .calloutEnd : .callout
        }
    }

    private static func near(_ i: Instruction, _ mode: BlockMode) -> BlockRole {
        // The micro-ops take targets of 32 bits that cannot lie beyond the limit.
        guard i.operandSize == 4, mode.contains(.flatCode) else { return .transfer }
        if i.operation == .jcc { return .conditional }
        if i.operation != .jmp, !mode.contains(.flatStack) { return .transfer }
        switch i.operands.0.kind {
        case .relative: return i.operation == .jmp ? .jump : .call
        case .register: return i.operation == .jmp ? .indirectJump : .indirectCall
        case .memory:
            var op = MicroOp(opcode: .jumpM, index: 0)
            guard Lowering(mode: mode).address(i, &op) else { return .transfer }
            return i.operation == .jmp ? .indirectJump : .indirectCall
        default: return i.operation == .ret ? .return : .transfer
        }
    }

    /// Whether an instruction may change the mode bits, the page tables or the next instruction's address.
    private static func changesMode(_ i: Instruction) -> Bool {
        switch i.operation {
        case .cli, .sti, .pushf, .popf, .in, .out, .ins, .outs, .pushSegment, .sgdt, .sidt, .sldt, .str, .smsw, .lar,
            .lsl, .verr, .verw, .arpl, .cpuid, .rdtsc, .rdpmc, .rdmsr:
            return false
        case .movSegment: return i.operands.0.kind == .segment
        case .movControl, .movDebug: return i.operands.0.kind == .control || i.operands.0.kind == .debug
        default: return true
        }
    }

    var endsBlock: Bool {
        switch self {
        case .straight, .callout, .conditional: false
        default: true
        }
    }

    var disposition: Disposition {
        switch self {
        case .straight: .identical
        case .callout, .calloutEnd: .callout
        default: .controlFlow
        }
    }
}
