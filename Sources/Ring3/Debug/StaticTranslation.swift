import X86

/// Follows direct control flow from block to block, and has every block translated. Executes nothing.
struct StaticTranslation {
    /// Blocks that are translated without being executed, at most; far fewer than the caches hold.
    private static let mostBlocks = 20_000

    let cpu: Processor

    /// Begins at EIP.
    ///
    /// - Parameter translate: makes the block at a linear address, which lies at a physical one in RAM, and returns the
    ///   linear addresses that it may lead to; nil if there can be none.
    func run(translate: (_ physical: UInt32, _ linear: UInt32) -> [UInt32]?) {
        var waiting = [cpu.pointee.cs.base &+ cpu.pointee.eip]
        var seen = Set(waiting)
        var translated = 0
        while translated < Self.mostBlocks, let linear = waiting.popLast() {
            guard let place = place(of: linear), let targets = translate(place, linear) else { continue }
            translated += 1
            // The last in is the first out: what falls through is followed first.
            for target in targets.reversed() where seen.insert(target).inserted { waiting.append(target) }
        }
    }

    /// Where code at a linear address lies in RAM.
    private func place(of linear: UInt32) -> UInt32? {
        guard let physical = try? cpu.translate(linear, .execute, isUser: false), cpu.isRAM(physical) else {
            return nil
        }
        // Instructions may go on in the next page.
        _ = try? cpu.translate((linear | 0xFFF) &+ 1, .execute, isUser: false)
        let place = UInt32(truncatingIfNeeded: physical)
        // Memory that nothing was loaded into is no code, though it decodes: as ADD [EAX], AL.
        let bytes = UnsafeRawBufferPointer(
            start: cpu.pointee.ramBase + Int(place), count: Int(Swift.min(16, 0x1000 - place & 0xFFF)))
        return bytes.contains { $0 != 0 } ? place : nil
    }

    /// Linear addresses of the blocks that may follow one.
    ///
    /// - Parameters:
    ///   - last: its last instruction, at linear address `address`.
    ///   - exits: where its exits to known addresses lead.
    func successors(of last: Instruction, _ role: BlockRole, at address: UInt32, exits: [UInt32]) -> [UInt32] {
        let next = address &+ UInt32(last.length)
        let relative = last.operands.0.kind == .relative ? [next &+ last.immediate] : []
        switch role {
        case .call, .indirectCall: return [next] + exits
        case .transfer:
            switch last.operation {
            case .jmp: return relative
            case .ret, .invalid, .overlong, .truncated: return []
            default: return [next] + relative
            }
        case .calloutEnd:
            switch last.operation {
            case .iret, .retFar, .sysenter, .sysexit: return []
            case .jmpFar: return farTarget(last)
            case .callFar: return [next] + farTarget(last)
            default: return [next]
            }
        default: return exits
        }
    }

    /// Where a direct far transfer leads, if its selector is that of a segment like the one in force.
    private func farTarget(_ instruction: Instruction) -> [UInt32] {
        instruction.operands.0.kind == .farPointer ? [cpu.pointee.cs.base &+ instruction.immediate] : []
    }
}

extension ThreadedEngine {
    /// Translates the block at EIP and all that direct transfers lead to from there, as if everything ran in the mode the
    /// processor is in now. Executes nothing.
    func translateAhead() {
        let (mode, walk) = (cpu.blockMode, StaticTranslation(cpu: cpu))
        walk.run { place, linear in
            guard
                let block = cache.find(TranslationCache.key(place, mode))
                    ?? translator.translate(place, linear: linear, mode)
            else { return nil }
            let exits = block.pointee.opBuffer.exits.map { linear &+ $0.exit.offset }
            guard block.pointee.instructionCount > 0 else { return exits }
            let last = block.pointee.instructions[Int(block.pointee.instructionCount) - 1]
            return walk.successors(
                of: last.instruction, last.role, at: linear &+ UInt32(last.offset), exits: exits)
        }
    }
}

#if arch(x86_64) && os(Linux)
    extension NativeEngine {
        /// The same, as far as the processor is in a mode that code is emitted for.
        func translateAhead() {
            guard cpu.blockMode == .allFlat, cpu.pointee.cs.base == 0 else { return }
            let (mode, walk) = (cpu.nativeMode, StaticTranslation(cpu: cpu))
            walk.run { place, linear in
                guard cache.hasRoom,
                    let number = cache.find(place, eip: linear, mode)
                        ?? translator.translate(place, eip: linear, mode)
                else { return nil }
                let block = NativeRemains(cache, number)
                let exits =
                    block.exits.map { $0.index.map(block.target) ?? block.next }
                    + (block.lastRole == .jump || block.lastRole == .call ? [block.target(of: block.count - 1)] : [])
                guard let last = block.instructions.dropLast().last else { return exits }
                return walk.successors(
                    of: last.instruction, last.role, at: linear &+ UInt32(last.offset), exits: exits)
            }
        }
    }
#endif
