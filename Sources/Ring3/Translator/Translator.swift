import X86

/// Forms blocks of guest instructions and has them lowered to micro-ops.
final class Translator {
    /// Instructions in a block at most. Longer ones gain nothing and waste more when they are left early.
    static let longest = 48
    /// Micro-ops in a block at most: two an instruction, a guard and its data, an exit, and one for the profile.
    static let mostOps = longest * 2 + 5

    let cache: TranslationCache
    private let source: Interpreter
    private let cpu: Processor
    // The block being made.
    private let instructions = UnsafeMutablePointer<BlockInstruction>.allocate(capacity: longest)
    private let lowered = UnsafeMutablePointer<LoweredInstruction?>.allocate(capacity: longest)
    private let ops = UnsafeMutablePointer<MicroOp>.allocate(capacity: mostOps)
    private var instructionCount = 0
    private var opCount = 0
    /// Index of the first instruction that has not been counted by an earlier micro-op.
    private var uncounted = 0
    /// Of the block's first byte.
    private var pageOffset: UInt32 = 0
    /// Bytes of the last instruction, if it ends in the next page.
    private var crossingBytes: InlineArray<16, UInt8>?

    init(cpu: Processor, cache: TranslationCache, source: Interpreter) {
        self.cpu = cpu
        self.cache = cache
        self.source = source
        lowered.initialize(repeating: nil, count: Self.longest)
    }

    deinit {
        instructions.deallocate()
        lowered.deallocate()
        ops.deallocate()
    }

    /// Translates the block at a physical address in RAM, which is mapped at `linear`; nil if its first instruction goes
    /// on in a page that is not there.
    func translate(_ physical: UInt32, linear: UInt32, _ mode: BlockMode) -> BlockPointer? {
        crossingBytes = nil
        let end = collect(physical, linear: linear, mode)
        guard instructionCount > 0 else { return nil }
        eliminateDeadFlags()
        absorbMoves()
        fuseComparisons()
        opCount = 0
        if let op = cache.profile?.entry(TranslationCache.key(physical, mode), linear: linear) { append(op) }
        emit(end, mode)
        if !cache.hasRoom(instructions: instructionCount, ops: opCount) {
            cache.removeAll()
            cache.statistics.evictions &+= 1
        }
        let block = cache.insert(
            bytes: physical..<(physical &+ Swift.min(end.length, 0x1000 - pageOffset)), mode: mode,
            instructions: UnsafeBufferPointer(start: instructions, count: instructionCount),
            ops: UnsafeBufferPointer(start: ops, count: opCount))
        cache.profile?.translated(block)
        return block
    }

    // MARK: Forming the block

    /// Where and how the instructions of a block end.
    private struct End {
        /// Bytes in the block.
        var length: UInt32
        /// The last instruction leaves the block by itself.
        var isTransfer: Bool
        /// What follows can be part of another block.
        var continues: Bool
    }

    private func collect(_ physical: UInt32, linear: UInt32, _ mode: BlockMode) -> End {
        let lowering = Lowering(mode: mode)
        instructionCount = 0
        pageOffset = physical & 0xFFF
        var offset: UInt32 = 0
        while instructionCount < Self.longest {
            guard let instruction = instruction(at: physical &+ offset, linear: linear &+ offset, mode) else {
                return End(length: offset, isTransfer: false, continues: mode.contains(.flatCode))
            }
            let role = BlockRole(instruction, mode: mode)
            instructions[instructionCount] = BlockInstruction(
                instruction: instruction, offset: UInt16(truncatingIfNeeded: offset), firstOp: 0, sinceSync: 0,
                recovery: 0, role: role, disposition: role.disposition)
            lowered[instructionCount] =
                role == .straight
                ? lowering.lower(instruction, index: UInt16(truncatingIfNeeded: instructionCount)) : nil
            instructionCount += 1
            offset += UInt32(instruction.length)
            if role.endsBlock { return End(length: offset, isTransfer: true, continues: false) }
            if pageOffset &+ offset >= 0x1000 {
                return End(length: offset, isTransfer: false, continues: mode.contains(.flatCode))
            }
        }
        return End(length: offset, isTransfer: false, continues: mode.contains(.flatCode))
    }

    /// One more instruction for the block. At most the last one reaches into the next page.
    private func instruction(at physical: UInt32, linear: UInt32, _ mode: BlockMode) -> Instruction? {
        let is32Bit = mode.contains(.code32)
        if let instruction = source.decoded(at: physical, is32Bit: is32Bit) { return instruction }
        guard let crossing = source.decodedAcrossPages(at: physical, linear: linear, is32Bit: is32Bit) else {
            return nil
        }
        crossingBytes = crossing.bytes
        return crossing.instruction
    }

    // MARK: Dead flags

    /// Finds the instructions whose flags nobody will see, or sees only when something faults on the way.
    private func eliminateDeadFlags() {
        for index in stride(from: instructionCount - 2, through: 0, by: -1) {
            guard let candidate = lowered[index], candidate.withoutFlags != nil, let killer = killer(of: index)
            else { continue }
            lowered[index]?.op.opcode = candidate.withoutFlags ?? candidate.op.opcode
            // From here on it counts as not touching them: what it would have left is recovered or never seen.
            lowered[index]?.flags = candidate.flags == .writes ? .writes : .none
            instructions[index].disposition = .rewritten
            for observer in (index + 1)...killer where lowered[observer]?.mayBeSlow ?? false {
                if instructions[observer].recovery == 0 {
                    instructions[observer].recovery = UInt16(truncatingIfNeeded: index + 1)
                }
            }
        }
    }

    /// The instruction that overwrites the flags of the one at `index` before anybody can have seen them; nil if they
    /// must be stored.
    private func killer(of index: Int) -> Int? {
        let canRecover = instructions[index].flagRecovery != nil
        var isIntact = true
        for next in (index + 1)..<instructionCount {
            // The interpreter may have to execute what stands behind a guard.
            if next == instructionCount - 1, crossingBytes != nil { return nil }
            guard let follower = lowered[next], follower.flags != .reads, follower.flags != .changes else { return nil }
            if follower.mayBeSlow, !canRecover || !isIntact { return nil }
            if follower.flags == .writes { return next }
            isIntact = isIntact && !mayDisturb(instructions[next], index)
        }
        return nil
    }

    /// Whether an instruction may change what the flags of the one at `index` are recovered from.
    private func mayDisturb(_ other: BlockInstruction, _ index: Int) -> Bool {
        let operands = instructions[index].instruction.operands
        return other.mayChange(operands.0.register)
            || operands.1.kind == .register && other.mayChange(operands.1.register)
    }

    // MARK: Moves

    /// `mov a, b` in front of `op a, c` becomes `a = b op c`, one micro-op for both.
    private func absorbMoves() {
        guard instructionCount > 1 else { return }
        for index in 0..<(instructionCount - 1) {
            guard let move = lowered[index]?.op, move.opcode == .mov32RR, mayFuse(index + 1),
                var next = lowered[index + 1]?.op, next.opcode.takesThreeOperands, next.a == move.a, next.b == move.a
            else { continue }
            next.b = move.b
            if next.opcode.hasSecondRegister, next.c == move.a { next.c = move.b }
            lowered[index + 1]?.op = next
            lowered[index]?.isEmpty = true
            instructions[index].disposition = .rewritten
            instructions[index + 1].disposition = .rewritten
        }
    }

    // MARK: Comparisons

    /// Has conditional jumps do what they depend on: one micro-op for both, in the jump's place.
    private func fuseComparisons() {
        for index in 0..<instructionCount where instructions[index].role == .conditional && mayFuse(index) {
            guard let source = setter(for: index), var op = lowered[source]?.op,
                let opcode = op.opcode.fused(with: instructions[index].instruction.condition)
            else { continue }
            op.opcode = opcode
            lowered[index] = LoweredInstruction(op: op, flags: .reads)
            lowered[source]?.isEmpty = true
            instructions[source].disposition = .rewritten
            for observer in (source + 1)..<index where lowered[observer]?.mayBeSlow ?? false {
                instructions[observer].recovery = UInt16(truncatingIfNeeded: source + 1)
            }
        }
    }

    /// The instruction that sets the flags for the conditional jump at `index`, if it can be done there as well: directly
    /// in front, or a comparison whose registers stay as they are, and whose flags can be recovered if need be.
    private func setter(for index: Int) -> Int? {
        guard let source = (0..<index).last(where: { lowered[$0]?.flags != FlagUse.none }) else { return nil }
        if source + 1 == index { return source }
        let between = (source + 1)..<index
        guard [.cmp, .test].contains(instructions[source].instruction.operation),
            !between.contains(where: { mayDisturb(instructions[$0], source) }),
            instructions[source].flagRecovery != nil || !between.contains(where: { lowered[$0]?.mayBeSlow ?? true })
        else { return nil }
        return source
    }

    /// A guard must be able to leave before the instruction at `index` and after the one in front of it.
    private func mayFuse(_ index: Int) -> Bool { crossingBytes == nil || index < instructionCount - 1 }

    // MARK: Emission

    private func emit(_ end: End, _ mode: BlockMode) {
        uncounted = 0
        for index in 0..<instructionCount {
            instructions[index].firstOp = UInt16(truncatingIfNeeded: opCount)
            instructions[index].sinceSync = count(through: index)
            if index == instructionCount - 1, let bytes = crossingBytes { appendCrossing(index, bytes) }
            switch instructions[index].role {
            case .straight, .callout: emitStraight(index)
            case .conditional: emitConditional(index)
            default: emitTransfer(index)
            }
        }
        guard !end.isTransfer else { return }
        if end.continues {
            appendExit(to: end.length, after: instructionCount - 1)
        } else {
            append(exit: .leave, offset: end.length, after: instructionCount - 1)
        }
    }

    /// Instructions that an exit behind the one at `index` must count.
    private func count(through index: Int) -> UInt16 { UInt16(truncatingIfNeeded: index + 1 - uncounted) }

    private func append(_ op: MicroOp) {
        ops[opCount] = op
        opCount += 1
    }

    /// The guard before an instruction that ends in the next page, and the bytes it expects there.
    private func appendCrossing(_ index: Int, _ bytes: InlineArray<16, UInt8>) {
        let inFirst = 0x1000 - Int(pageOffset) - Int(instructions[index].offset)
        let inSecond = Int(instructions[index].instruction.length) - inFirst
        var op = MicroOp(opcode: .crossing, index: UInt16(truncatingIfNeeded: index))
        op.a = UInt8(truncatingIfNeeded: inSecond)
        append(op)
        var expected: InlineArray<16, UInt8> = InlineArray(repeating: 0)
        for place in 0..<inSecond { expected[place] = bytes[inFirst + place] }
        append(unsafeBitCast(expected, to: MicroOp.self))
    }

    private func emitStraight(_ index: Int) {
        if let lowered = lowered[index] {
            if !lowered.isEmpty { append(lowered.op) }
            return
        }
        emitShared(index, instructions[index].role == .callout ? .callout : .shared)
    }

    private func emitShared(_ index: Int, _ opcode: MicroOpcode) {
        var op = MicroOp(opcode: opcode, index: UInt16(truncatingIfNeeded: index))
        op.immediate = UInt32(count(through: index))
        op.displacement = UInt32(instructionCount - 1 - index)
        cache.profile?.time(&op, instructions[index])
        append(op)
        uncounted = index + 1
    }

    private func emitConditional(_ index: Int) {
        if let fused = lowered[index] {
            append(fused.op)
        } else {
            let condition = UInt16(instructions[index].instruction.condition.rawValue)
            append(
                MicroOp(
                    opcode: .jumpOverflow.advanced(by: condition), index: UInt16(truncatingIfNeeded: index)))
        }
        appendExit(to: target(index), after: index)
    }

    /// Where the relative transfer at `index` goes, from the block's first byte.
    private func target(_ index: Int) -> UInt32 {
        let i = instructions[index].instruction
        return UInt32(instructions[index].offset) &+ UInt32(i.length) &+ i.immediate
    }

    /// An exit to `offset`: on the block's own page it can be linked for good, elsewhere the mapping may change.
    private func appendExit(to offset: UInt32, after index: Int) {
        append(exit: pageOffset &+ offset < 0x1000 ? .jump : .jumpAway, offset: offset, after: index)
    }

    private func append(exit opcode: MicroOpcode, offset: UInt32, after index: Int) {
        let exit = ExitOp(opcode: opcode, advance: count(through: index), offset: offset, link: cache.unlinked)
        append(unsafeBitCast(exit, to: MicroOp.self))
    }

    private func emitTransfer(_ index: Int) {
        let i = instructions[index].instruction
        let next = UInt32(instructions[index].offset) + UInt32(i.length)
        var op = MicroOp(opcode: .ret, index: UInt16(truncatingIfNeeded: index))
        switch instructions[index].role {
        case .jump: appendExit(to: target(index), after: index)
        case .call:
            op.opcode = .call
            op.immediate = next
            append(op)
            appendExit(to: target(index), after: index)
        case .indirectJump, .indirectCall:
            let isCall = instructions[index].role == .indirectCall
            if i.operands.0.kind == .register {
                op.opcode = isCall ? .callR : .jumpR
                op.a = i.operands.0.register
            } else {
                op.opcode = isCall ? .callM : .jumpM
                op.b = i.memory.base
                op.c = i.memory.index
                op.d = 1 << i.memory.shift
                op.displacement = i.memory.displacement
            }
            op.immediate = UInt32(count(through: index)) << 16 | next
            append(op)
        case .return:
            op.immediate = UInt32(count(through: index)) << 16 | i.immediate & 0xFFFF
            append(op)
        case .calloutEnd: emitShared(index, .calloutEnd)
        default: emitShared(index, .sharedEnd)
        }
    }
}
