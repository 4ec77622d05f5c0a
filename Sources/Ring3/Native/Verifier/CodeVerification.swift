#if arch(x86_64) && os(Linux)
    import X86

    /// Has every block verified when it is emitted, linked to another or made stale, and keeps the first finding, upon
    /// which the engine stops.
    final class CodeVerification {
        let verifier: EmittedCodeVerifier
        private(set) var finding: EmittedCodeFinding? {
            didSet { if finding != nil { proofs.refused += 1 } }
        }
        private(set) var proofs = EmittedCodeProofs()
        /// The blocks, by number.
        private(set) var blocks: [EmittedBlock] = []
        private let start: UInt64

        init(_ arena: CodeArena, _ stubs: NativeStubs) throws(Decoder.Failure) {
            start = arena.executable
            let code = UnsafeRawBufferPointer(
                start: UnsafeRawPointer(bitPattern: UInt(arena.executable)), count: arena.size)
            verifier = try EmittedCodeVerifier(
                code,
                .of(
                    farTargetCount: FarTargets.most, leave: stubs.leave,
                    continuations: stubs.continuations,
                    systemCalls: [stubs.enterSystem, stubs.leaveSystem], firstBlock: stubs.end))
        }

        /// The last of the cache's blocks is new.
        func blockInserted(into cache: NativeCache) {
            let number = cache.blockCount - 1
            let block = EmittedBlock(cache, number)
            blocks.append(block)
            verifyAgain(number)
        }

        /// Looks at a block that is not stale.
        func verifyAgain(_ number: Int) {
            let block = blocks[number]
            check(\.blocks) { () throws(EmittedCodeFinding) in try verifier.verify(block) }
        }

        /// The jump of that block whose distance is at `place` leads to another now.
        func blockLinked(_ number: Int32, at place: Int) {
            let block = blocks[Int(number)]
            check(\.links) { () throws(EmittedCodeFinding) in try verifier.verifyLink(block, at: place) }
        }

        func blockRetired(_ number: Int32) {
            let block = blocks[Int(number)]
            check(\.retired) { () throws(EmittedCodeFinding) in try verifier.verifyStale(block) }
        }

        /// Blocks may count from now on.
        func allowCounters(of arena: CodeArena) {
            let size = arena.counters.count * MemoryLayout<UInt64>.stride
            verifier.layout.counters = arena.countersPlace..<arena.countersPlace + size
        }

        func removeAll() {
            blocks.removeAll(keepingCapacity: true)
            verifier.removeAll()
        }

        /// Notes it if the monitor is about to enter code, or have it entered through the jump cache, that was not
        /// verified. False if there is anything that forbids to go on.
        func mayEnter(_ host: UInt64, isLinked: Bool = false) -> Bool {
            if finding == nil, !verifier.mayEnter(Int(host &- start), isLinked: isLinked) {
                finding = EmittedCodeFinding(
                    rule: .entry, offset: Int(truncatingIfNeeded: host &- start), blockOffset: 0, bytes: [], text: "")
            }
            return finding == nil
        }

        private func check(
            _ kind: WritableKeyPath<EmittedCodeProofs, Int>, _ body: () throws(EmittedCodeFinding) -> Void
        ) {
            guard finding == nil else { return }
            do throws(EmittedCodeFinding) {
                try body()
                proofs[keyPath: kind] += 1
                proofs.instructions = verifier.instructionCount
            } catch {
                finding = error
            }
        }
    }

    extension EmittedBlock {
        /// What the monitor has of its block `number`, the last one.
        fileprivate init(_ cache: NativeCache, _ number: Int) {
            let block = cache.blocks[number]
            let instructions = cache.instructions + Int(block.first)
            let count = Int(block.count)
            // Behind an instruction that ends the block nothing follows.
            let last = count > 0 && instructions[count - 1].role.endsBlock ? count - 1 : count
            var first = cache.siteCount
            while first > 0, Int(cache.sites[first - 1].block) == number { first -= 1 }
            self.init(
                entry: Int(block.entry), staleExit: Int(block.staleExit), end: Int(block.end), mode: block.mode,
                count: count,
                resumptions: (0...last).map {
                    let counted = Int(instructions[$0].counted)
                    return (Int(instructions[$0].host), counted, counted - $0)
                },
                records: block.first..<block.first + UInt32(count), sites: UInt32(first)..<UInt32(cache.siteCount),
                patches: Dictionary(
                    uniqueKeysWithValues: (first..<cache.siteCount).map { cache.sites[$0] }
                        .filter { $0.kind == .link }.map { (Int($0.place), Int($0.unlinked)) }))
        }
    }
#endif
