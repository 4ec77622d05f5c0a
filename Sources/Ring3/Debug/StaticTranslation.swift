import X86

extension ThreadedEngine {
    /// Blocks that are translated without being executed, at most; far fewer than the cache holds.
    private static let staticBlocks = 20_000

    /// Translates the block at EIP and all that direct transfers lead to from there, as if everything ran in the mode the
    /// processor is in now. Executes nothing.
    func translateAhead() {
        let mode = cpu.blockMode
        let base = cpu.pointee.cs.base
        var waiting = [base &+ cpu.pointee.eip]
        var seen = Set(waiting)
        var translated = 0
        while translated < Self.staticBlocks, let linear = waiting.popLast() {
            guard let block = translateAhead(linear, mode) else { continue }
            translated += 1
            // The last in is the first out: what falls through is followed first.
            for target in successors(of: block, linear).reversed() where seen.insert(target).inserted {
                waiting.append(target)
            }
        }
    }

    private func translateAhead(_ linear: UInt32, _ mode: BlockMode) -> BlockPointer? {
        guard let physical = try? cpu.translate(linear, .execute, isUser: false), cpu.isRAM(physical) else {
            return nil
        }
        // Instructions may go on in the next page.
        _ = try? cpu.translate((linear | 0xFFF) &+ 1, .execute, isUser: false)
        let place = UInt32(truncatingIfNeeded: physical)
        // Memory that nothing was loaded into is no code, though it decodes: as ADD [EAX], AL.
        let bytes = UnsafeRawBufferPointer(
            start: cpu.pointee.ramBase + Int(place), count: Int(Swift.min(16, 0x1000 - place & 0xFFF)))
        guard bytes.contains(where: { $0 != 0 }) else { return nil }
        return cache.find(TranslationCache.key(place, mode)) ?? translator.translate(place, linear: linear, mode)
    }

    /// Linear addresses of the blocks that may follow.
    private func successors(of block: BlockPointer, _ linear: UInt32) -> [UInt32] {
        let targets = block.pointee.opBuffer.exits.map { linear &+ $0.exit.offset }
        guard block.pointee.instructionCount > 0 else { return targets }
        let last = block.pointee.instructions[Int(block.pointee.instructionCount) - 1]
        let next = linear &+ UInt32(last.offset) &+ UInt32(last.instruction.length)
        let relative = [last.instruction.operands.0].filter { $0.kind == .relative }.map { _ in
            next &+ last.instruction.immediate
        }
        switch last.role {
        case .call, .indirectCall: return [next] + targets
        case .transfer:
            switch last.instruction.operation {
            case .jmp: return relative
            case .ret, .invalid, .overlong, .truncated: return []
            default: return [next] + relative
            }
        case .calloutEnd:
            switch last.instruction.operation {
            case .iret, .retFar, .sysenter, .sysexit: return []
            case .jmpFar: return farTarget(last.instruction)
            case .callFar: return [next] + farTarget(last.instruction)
            default: return [next]
            }
        default: return targets
        }
    }

    /// Where a direct far transfer leads, if its selector is that of a segment like the one in force.
    private func farTarget(_ instruction: Instruction) -> [UInt32] {
        instruction.operands.0.kind == .farPointer ? [cpu.pointee.cs.base &+ instruction.immediate] : []
    }
}
