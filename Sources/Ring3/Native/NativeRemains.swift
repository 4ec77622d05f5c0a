#if arch(x86_64) && os(Linux)
    /// A copy of an emitted block, to be looked at.
    struct NativeRemains {
        let mode: NativeMode
        /// Linear address of the first byte.
        let eip: UInt32
        /// Offsets in the arena.
        let entry: Int
        let staleExit: Int
        let end: Int
        /// One more than the block has: the last says what follows it.
        let instructions: [NativeInstruction]
        let code: [UInt8]

        init(_ cache: NativeCache, _ number: Int32) {
            let block = cache.blocks[Int(number)]
            mode = block.mode
            eip = block.eip
            (entry, staleExit, end) = (Int(block.entry), Int(block.staleExit), Int(block.end))
            instructions = Array(
                UnsafeBufferPointer(start: cache.instructions + Int(block.first), count: Int(block.count) + 1))
            code = Array(UnsafeBufferPointer(start: cache.arena.writable + entry, count: end - entry))
        }

        /// Guest instructions in it.
        var count: Int { Swift.max(0, instructions.count - 1) }

        /// Host code of an instruction: offsets in the arena.
        func range(_ index: Int) -> Range<Int> {
            let start = Int(instructions[index].host)
            return start..<Swift.max(start, Int(instructions[index + 1].host))
        }

        /// What precedes the first instruction.
        var prologue: Range<Int> { entry..<Swift.max(entry, Int(instructions[0].host)) }

        /// An exit behind the instructions.
        struct Exit {
            /// Of the conditional jump that leads there; nil for what falls out of the block's end.
            var index: Int?
            var range: Range<Int>
        }

        /// In the order of their addresses. Those of other jumps are part of the jumps' own code. Only while executions are
        /// counted, or before any jump is linked: otherwise a conditional jump's distance may be to another block.
        var exits: [Exit] {
            var starts: [(index: Int?, start: Int)] = []
            if count == 0 || !instructions[count - 1].role.endsBlock {
                starts.append((nil, Int(instructions[count].host)))
            }
            for index in 0..<count where instructions[index].role == .conditional {
                if let target = target(ofJumpEndingAt: jumpEnd(index)) { starts.append((index, target)) }
            }
            starts.sort { $0.start < $1.start }
            let ends = starts.dropFirst().map(\.start) + [staleExit]
            return zip(starts, ends).map { Exit(index: $0.index, range: $0.start..<Swift.max($0.start, $1)) }
        }

        /// Where a conditional jump's code ends: behind it, the next part of the block may be counted.
        private func jumpEnd(_ index: Int) -> Int {
            let isCounted = NativeInstruction.isCounted(between: instructions[index], instructions[index + 1])
            return range(index).upperBound - (isCounted ? NativeTranslator.countSize : 0)
        }

        /// The last instruction's.
        var lastRole: BlockRole? { count > 0 ? instructions[count - 1].role : nil }

        /// Linear address of what follows the block.
        var next: UInt32 { eip &+ UInt32(instructions[count].offset) }

        /// Where the relative transfer at `index` goes when it leaves the block: a linear address.
        func target(of index: Int) -> UInt32 {
            let record = instructions[index]
            let next = eip &+ UInt32(record.offset) &+ UInt32(record.instruction.length)
            return record.isFollowed ? next : next &+ record.instruction.immediate
        }

        /// Where a jump leads whose distance, of four bytes, ends there; nil if that is no exit, but the block's own start.
        func target(ofJumpEndingAt end: Int) -> Int? {
            guard end - 4 >= entry, end <= self.end else { return nil }
            let distance = (0..<4).reduce(UInt32(0)) { $0 | UInt32(code[end - 4 - entry + $1]) << UInt32($1 * 8) }
            let target = end + Int(Int32(bitPattern: distance))
            return (end...self.end).contains(target) ? target : nil
        }
    }
#endif
