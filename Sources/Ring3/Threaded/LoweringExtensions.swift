import X86

// Lowering of the commonest x87 and SSE instructions.
extension Lowering {
    func lowerX87(_ i: Instruction, _ op: MicroOp) -> LoweredInstruction? {
        guard let x87 = X87Step.resolve(i) else { return nil }
        var op = op
        op.opcode = x87.step.opcode
        op.a = x87.step.rawValue
        op.immediate = UInt32(bitPattern: x87.arithmetic.rawValue)
        return LoweredInstruction(op: op, mayBeSlow: true)
    }

    func lowerSSE(_ i: Instruction, _ op: MicroOp) -> LoweredInstruction? {
        let (first, second) = (i.operands.0, i.operands.1)
        guard first.kind == .xmm || second.kind == .xmm else { return nil }
        var op = op
        op.a = first.kind == .xmm ? first.register : second.register
        if first.kind == .xmm, second.kind == .xmm { op.b = second.register }
        guard let opcode = moveOpcode(i) ?? logicOpcode(i) ?? shuffleOpcode(i, &op) ?? arithmeticOpcode(i, &op) else {
            return nil
        }
        op.opcode = opcode
        return LoweredInstruction(op: op, mayBeSlow: true)
    }

    private func moveOpcode(_ i: Instruction) -> MicroOpcode? {
        let (first, second) = (i.operands.0.kind, i.operands.1.kind)
        switch (i.operation, first, second) {
        case (.movaps, .xmm, .xmm), (.movapd, .xmm, .xmm), (.movdqa, .xmm, .xmm), (.movups, .xmm, .xmm),
            (.movupd, .xmm, .xmm), (.movdqu, .xmm, .xmm):
            return .sseMove
        case (.movaps, .xmm, .memory), (.movapd, .xmm, .memory), (.movdqa, .xmm, .memory): return .sseLoad16
        case (.movups, .xmm, .memory), (.movupd, .xmm, .memory), (.movdqu, .xmm, .memory): return .sseLoad16Unaligned
        case (.movaps, .memory, .xmm), (.movapd, .memory, .xmm), (.movdqa, .memory, .xmm): return .sseStore16
        case (.movups, .memory, .xmm), (.movupd, .memory, .xmm), (.movdqu, .memory, .xmm): return .sseStore16Unaligned
        case (.movsd, .xmm, .memory), (.movq, .xmm, .memory): return .sseLoad8
        case (.movsd, .memory, .xmm), (.movq, .memory, .xmm): return .sseStore8
        case (.movss, .xmm, .memory), (.movd, .xmm, .memory): return .sseLoad4
        case (.movss, .memory, .xmm), (.movd, .memory, .xmm): return .sseStore4
        default: return nil
        }
    }

    private func logicOpcode(_ i: Instruction) -> MicroOpcode? {
        guard i.operands.0.kind == .xmm, i.operands.1.kind == .xmm else { return nil }
        switch i.operation {
        case .pand, .andps, .andpd: return .sseAnd
        case .por, .orps, .orpd: return .sseOr
        case .pxor, .xorps, .xorpd: return .sseXor
        case .unpcklpd, .punpcklqdq, .movlhps: return .sseUnpackLow
        case .unpckhpd, .punpckhqdq: return .sseUnpackHigh
        default: return nil
        }
    }

    private func shuffleOpcode(_ i: Instruction, _ op: inout MicroOp) -> MicroOpcode? {
        guard i.operands.0.kind == .xmm, i.operands.1.kind == .xmm else { return nil }
        switch i.operation {
        case .shufps: op.c = op.a
        case .pshufd: op.c = op.b
        default: return nil
        }
        return .sseShuffle
    }

    private func arithmeticOpcode(_ i: Instruction, _ op: inout MicroOp) -> MicroOpcode? {
        guard i.operands.0.kind == .xmm, let (operation, format) = i.operation.sseArithmetic else { return nil }
        op.immediate = UInt32(bitPattern: operation.rawValue * 4 + format.rawValue)
        guard i.operands.1.kind == .memory else { return i.operands.1.kind == .xmm ? .sseArithmeticR : nil }
        switch format {
        case .packedSingle, .packedDouble: return .sseArithmetic16
        case .scalarDouble: return .sseArithmetic8
        case .scalarSingle: return .sseArithmetic4
        }
    }
}
