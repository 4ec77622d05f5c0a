import X86

/// A translation taken apart: what was made of each instruction, and why.
struct BlockListing {
    let mode: BlockMode
    let instructions: [BlockInstruction]
    let ops: [MicroOp]
    /// The guest's bytes, and the linear address of the first.
    let bytes: [UInt8]
    let linear: UInt32
    private let lowered: [LoweredInstruction?]

    init(_ remains: TranslationProfile.BlockRemains, bytes: [UInt8], linear: UInt32) {
        mode = remains.mode
        instructions = remains.instructions
        ops = remains.ops
        self.bytes = bytes
        self.linear = linear
        let lowering = Lowering(mode: mode)
        lowered = instructions.map { $0.role == .straight ? lowering.lower($0.instruction, index: 0) : nil }
    }

    var inspected: [InspectedBlock.Instruction] {
        instructions.indices.map { index in
            let record = instructions[index]
            let address = address(of: index)
            let code = bytes.dropFirst(Int(record.offset)).prefix(Int(record.instruction.length))
            return InspectedBlock.Instruction(
                address: GuestAddress(address), bytes: code.map { hex($0, 2) }.joined(separator: " "),
                text: record.instruction.text(at: address), disposition: record.disposition.name,
                reason: reason(index),
                source: record.disposition == .callout ? record.instruction.sensitivity.source : nil,
                note: note(index), microOps: microOps(index))
        }
    }

    private func address(of index: Int) -> UInt32 { linear &+ UInt32(instructions[index].offset) }

    // MARK: Micro-ops

    /// Places of the micro-ops of an instruction: from its first one to the next one's.
    private func places(_ index: Int) -> Range<Int> {
        let first = Int(instructions[index].firstOp)
        return first..<(index + 1 < instructions.count ? max(first, Int(instructions[index + 1].firstOp)) : ops.count)
    }

    private func microOps(_ index: Int) -> [String] {
        var lines: [String] = []
        var place = places(index).lowerBound
        while place < places(index).upperBound {
            let op = ops[place]
            if op.opcode == .crossing {
                let expected = withUnsafeBytes(of: ops[place + 1]) { $0.prefix(Int(op.a)).map { hex($0, 2) } }
                lines.append("\(op.opcode) unless the next page begins with \(expected.joined(separator: " "))")
                place += 1
            } else if op.opcode.isExit {
                let exit = unsafeBitCast(op, to: ExitOp.self)
                lines.append("\(op.opcode) \(GuestAddress(linear &+ exit.offset)), counting \(exit.advance)")
            } else {
                let owner = instructions[min(Int(op.index), instructions.count - 1)].instruction
                lines.append(MicroOpText(op: op, instruction: owner).description)
            }
            place += 1
        }
        return lines
    }

    /// The micro-op that does the work of the instruction, which may stand with a later one.
    private func work(_ index: Int) -> MicroOp? {
        if let jump = fusedJump(index) { return ops[places(jump).lowerBound] }
        let end = index + 1 < instructions.count ? places(index + 1).upperBound : places(index).upperBound
        return ops[places(index).lowerBound..<end].first { !$0.opcode.isExit && Int($0.index) == index }
    }

    /// The conditional jump that an instruction's micro-op does as well, and with which it stands.
    private func fusedJump(_ index: Int) -> Int? {
        guard places(index).isEmpty,
            let jump = instructions.indices.dropFirst(index + 1).first(where: { instructions[$0].role == .conditional }
            ),
            Int(ops[places(jump).lowerBound].index) == index
        else { return nil }
        return jump
    }

    // MARK: Reasons

    private func reason(_ index: Int) -> String {
        let record = instructions[index]
        switch record.disposition {
        case .callout: return record.instruction.sensitivity.reason
        case .controlFlow: return transferReason(index)
        case .identical:
            guard let lowered = lowered[index] else { return "Innocuous; done by the shared semantics." }
            return lowered.isEmpty ? "Innocuous; does nothing, so there is no micro-op." : "Innocuous."
        case .rewritten: return rewritingReason(index)
        }
    }

    private func rewritingReason(_ index: Int) -> String {
        var reasons: [String] = []
        if index > 0, isAbsorbed(index - 1) { reasons.append("Does the move before it as well.") }
        if isAbsorbed(index) {
            reasons.append("A move into the next instruction's operand, which reads its source instead.")
        } else if let op = work(index) {
            if let plain = lowered[index]?.withoutFlags, op.opcode == plain {
                let killer = instructions.indices.dropFirst(index + 1).first { lowered[$0]?.flags == .writes }
                let who = killer.map { "\(instructions[$0].instruction.operation) at \(GuestAddress(address(of: $0)))" }
                reasons.append("Flags not computed: \(who ?? "another") overwrites them, and nobody reads them before.")
            }
            if fusedJump(index) != nil {
                reasons.append("Fused with the conditional jump behind it: one micro-op for both.")
            }
        }
        return reasons.isEmpty ? "Same effect by another micro-op." : reasons.joined(separator: " ")
    }

    /// A move without a micro-op of its own.
    private func isAbsorbed(_ index: Int) -> Bool {
        instructions[index].disposition == .rewritten && instructions[index].instruction.operation == .mov
            && index + 1 < instructions.count && work(index) == nil
    }

    private func transferReason(_ index: Int) -> String {
        switch instructions[index].role {
        case .conditional:
            guard let source = instructions.indices.first(where: { fusedJump($0) == index }) else {
                return "An exit on the way."
            }
            guard source + 1 < index else {
                return "An exit on the way; done by the micro-op of the instruction before it."
            }
            let who = "\(instructions[source].instruction.operation) at \(GuestAddress(address(of: source)))"
            return "An exit on the way; done by the micro-op of \(who)."
        case .jump: return "Its target is known: an exit."
        case .call: return "Pushes the return address; its target is known: an exit."
        case .return: return "Its target is looked up in the table of blocks."
        case .indirectJump, .indirectCall:
            return "Its target is read at run time, and looked up in the table of blocks."
        default:
            return instructions[index].instruction.sensitivity.form == Sensitivity.nearTransfers
                ? "Done by the shared semantics; the dispatcher finds the next block."
                : "Raises an exception, by the shared semantics."
        }
    }

    private func note(_ index: Int) -> String? {
        let recovery = Int(instructions[index].recovery)
        guard recovery > 0, recovery <= instructions.count else { return nil }
        let (operation, place) = (instructions[recovery - 1].instruction.operation, address(of: recovery - 1))
        return "On the slow path the flags of \(operation) at \(GuestAddress(place)) are recovered first."
    }
}

extension MicroOpcode {
    /// An `ExitOp`.
    var isExit: Bool { self == .jump || self == .jumpAway || self == .leave }
}

extension Sequence<MicroOp> {
    /// The exits and where they stand. What follows `crossing` is data, whatever it looks like.
    var exits: [(place: Int, exit: ExitOp)] {
        var isData = false
        return enumerated().compactMap { place, op in
            let wasData = isData
            isData = !wasData && op.opcode == .crossing
            return wasData || !op.opcode.isExit ? nil : (place, unsafeBitCast(op, to: ExitOp.self))
        }
    }
}

extension TranslatedBlock {
    var opBuffer: UnsafeBufferPointer<MicroOp> { UnsafeBufferPointer(start: ops, count: Int(opCount)) }
}

extension Disposition {
    /// As reports have it.
    var name: String {
        switch self {
        case .identical: "identical"
        case .rewritten: "rewritten"
        case .controlFlow: "control flow"
        case .callout: "callout"
        }
    }
}

extension BlockMode {
    /// What a translation relies on.
    var words: [String] {
        var words = [contains(.code32) ? "32-bit code" : "16-bit code"]
        if contains(.flatCode) { words.append("flat CS") }
        if contains(.flatStack) { words.append("flat SS") }
        if contains(.flatData) { words.append("flat DS") }
        if contains(.flatExtra) { words.append("flat ES") }
        return words
    }
}
