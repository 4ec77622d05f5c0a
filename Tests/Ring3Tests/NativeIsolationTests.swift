#if arch(x86_64) && os(Linux)
    import Hardware
    import Testing
    import X86

    @testable import Ring3

    /// Whatever a guest does, it reaches the host's memory nowhere but in its window, which has RAM in it.
    ///
    /// All emitted code is verified, the interpreter does the same beside it, and memory that anybody could read and write
    /// stands round all that belongs to the machine.
    @Suite(.enabled(if: NativeEngine.isSupported)) struct NativeIsolationTests {
        private typealias Hostility = HostileCode.Hostility
        private static let memorySize = 8 << 20
        private static let parts = 2
        private static let seedsPerPart: UInt64 = 9

        /// What became of some guests.
        private struct Tally {
            var instructions: UInt64 = 0
            var orders = 0
            var pageFaults: UInt64 = 0
            var doubleFaults: UInt64 = 0
            var generalProtections: UInt64 = 0
            var mmioAccesses: UInt64 = 0
            var codeWrites: UInt64 = 0
            var flushes: UInt64 = 0
            var blocks: UInt64 = 0
            var links: UInt64 = 0
            var invalidated: UInt64 = 0
            var proofs = 0
            var sides = 0
            var adjacentSides = 0
            /// Guests that were in ring 3 at last, or had a stack in a device or round address 0.
            var userGuests = 0
            var stacksInDevices = 0
            var stacksRoundZero = 0
            /// Whose last page fault was at the end of the address space.
            var faultsAtTheEnd = 0
            /// Blocks in the last pages of the address space, and those that end with it.
            var blocksInTheLastPages = 0
            var blocksToTheEnd = 0
        }

        /// A machine with the guest of that number, in lockstep with another.
        ///
        /// - Parameter most: instructions, if fewer than that guest may have otherwise.
        private func machine(_ hostility: Hostility, seed: UInt64, most: UInt64 = .max) throws -> VirtualMachine {
            var random = SeededGenerator(seed: seed)
            let mustPage = hostility == .randomPageTables || hostility == .codeAtTheEnd
            let pagings: [HostileGuest.Paging] = mustPage ? [.twoLevels, .pae] : HostileGuest.Paging.allCases
            // Who writes to its tables and does not flush is told by its TLB what was there, and engines have others.
            let writesTables = hostility == .randomPageTables && seed % 2 == 1
            let guest = HostileGuest(
                hostility: hostility, paging: pagings[Int(seed / 2) % pagings.count],
                spaces: Int.random(in: 1...3, using: &random),
                hasRandomTables: hostility == .randomPageTables || Bool.random(using: &random),
                writesTables: writesTables)
            var configuration = MachineConfiguration()
            configuration.memorySize = Self.memorySize
            configuration.engine = .native
            configuration.isDeterministic = true
            configuration.lockstep = writesTables ? nil : .interpret
            configuration.verifiesEmittedCode = true
            // What writes to its own code has blocks emitted all the time.
            let largest: UInt64 = hostility == .selfModifyingLoops ? 10_000 : 40_000
            configuration.maximumInstructions = Swift.min(most, UInt64.random(in: 1_000...largest, using: &random))
            let machine = try VirtualMachine(configuration)
            for each in [machine, machine.reference].compactMap(\.self) {
                guest.prepare(each.memory, each.cpu, seed: seed)
            }
            return machine
        }

        /// Runs the guest of that number; nothing of it may be found outside.
        private func run(_ hostility: Hostility, seed: UInt64, _ tally: inout Tally) throws {
            let (machine, engine, canaries) = try Canaries.adjacent {
                () throws -> (VirtualMachine, NativeEngine, Canaries) in
                let machine = try self.machine(hostility, seed: seed)
                let engine = try #require(machine.inspectable as? NativeEngine)
                return (machine, engine, Canaries(engine, machine.memory))
            }
            switch machine.run() {
            case .diverged(let divergence):
                Issue.record("\(hostility) \(seed): \(try earliest(divergence, hostility, seed: seed))")
            case .unsafeCode(let finding): Issue.record("\(hostility) \(seed): \(finding)")
            default: break
            }
            #expect(canaries.touched == [], "\(hostility) \(seed)")
            expectFaultInside(machine.cpu, engine, "\(hostility) \(seed)")
            note(machine, engine, canaries, &tally)
        }

        /// The same divergence, seen as early as can be.
        private func earliest(_ first: Divergence, _ hostility: Hostility, seed: UInt64) throws -> Divergence {
            var (good, found) = (first.agreedAt, first)
            while found.instructions > good + 1 {
                let middle = good + (found.instructions - good) / 2
                let machine = try machine(hostility, seed: seed, most: middle)
                guard case .diverged(let earlier) = machine.run(), earlier.instructions < found.instructions else {
                    good = middle
                    continue
                }
                found = earlier
            }
            return found
        }

        /// The last fault of emitted code was in a window, or said that the budget was used up.
        private func expectFaultInside(_ cpu: Processor, _ engine: NativeEngine, _ name: String) {
            guard cpu.pointee.native.faultVector == UInt64(Vector.pageFault) else { return }
            let address = cpu.pointee.native.faultAddress
            #expect(
                engine.spaces.windows.contains { $0.contains(address) } || engine.budget.isExhausted(at: address),
                "\(name): \(address)")
        }

        private func note(
            _ machine: VirtualMachine, _ engine: NativeEngine, _ canaries: Canaries, _ tally: inout Tally
        ) {
            let (cpu, statistics) = (machine.cpu, engine.cache.statistics.pointee)
            tally.instructions += cpu.pointee.instructions
            tally.orders += Int(HostileGuest.ordersTaken(machine.memory))
            tally.pageFaults += cpu.pointee.statistics.exceptions[Int(Vector.pageFault)]
            tally.doubleFaults += cpu.pointee.statistics.exceptions[Int(Vector.doubleFault)]
            tally.generalProtections += cpu.pointee.statistics.exceptions[Int(Vector.generalProtection)]
            tally.mmioAccesses += cpu.pointee.statistics.mmioAccesses
            tally.codeWrites += cpu.pointee.statistics.codeWrites
            tally.flushes += cpu.pointee.statistics.tlbFlushes
            tally.blocks += statistics.blocksTranslated
            tally.links += statistics.links
            tally.invalidated += statistics.blocksInvalidated
            tally.proofs += engine.cache.verification?.proofs.blocks ?? 0
            tally.sides += canaries.sides
            tally.adjacentSides += canaries.adjacentSides
            if cpu.pointee.cpl == 3 { tally.userGuests += 1 }
            let isDevice = cpu.pointee.esp >= machine.memory.size || 0x9FFC0..<0xC0040 ~= cpu.pointee.esp
            if isDevice, cpu.pointee.esp < 0xFFFF_F000 { tally.stacksInDevices += 1 }
            if cpu.pointee.esp &+ 0x100 < 0x200 { tally.stacksRoundZero += 1 }
            if cpu.pointee.cr2 &+ 0x2000 < 0x3000 { tally.faultsAtTheEnd += 1 }
            for number in 0..<engine.cache.blockCount {
                let block = engine.cache.blocks[number]
                guard block.eip >= 0xFFFF_C000 else { continue }
                tally.blocksInTheLastPages += 1
                let end = UInt64(block.eip) + UInt64(block.length)
                if end == 1 << 32 { tally.blocksToTheEnd += 1 }
                #expect(end <= 1 << 32)
            }
        }

        private func run(_ hostility: Hostility, part: Int) throws -> Tally {
            var tally = Tally()
            let first = UInt64(part) * Self.seedsPerPart
            for seed in first..<first + Self.seedsPerPart { try run(hostility, seed: seed, &tally) }
            #expect(Canaries.lowest != nil)
            #expect(tally.sides == 4 * Int(Self.seedsPerPart) && tally.adjacentSides * 10 >= tally.sides * 9)
            // Guests go on after faults, in ring 3 too, and what they execute is emitted and verified.
            #expect(tally.instructions > 20_000 && tally.orders > 50 && tally.userGuests > 0)
            #expect(tally.blocks > 500 && tally.proofs >= Int(tally.blocks) && tally.links > 200)
            return tally
        }

        @Test(arguments: 0..<parts) func randomPageTables(part: Int) throws {
            let tally = try run(.randomPageTables, part: part)
            #expect(tally.pageFaults > 200 && tally.doubleFaults > 30 && tally.flushes > 400)
        }

        @Test(arguments: 0..<parts) func selfModifyingLoops(part: Int) throws {
            let tally = try run(.selfModifyingLoops, part: part)
            #expect(tally.codeWrites > 2000 && tally.invalidated > 2000)
        }

        @Test(arguments: 0..<parts) func wildJumps(part: Int) throws {
            let tally = try run(.wildJumps, part: part)
            #expect(tally.pageFaults > 20 && tally.links > 1000)
        }

        @Test(arguments: 0..<parts) func stackInMMIO(part: Int) throws {
            let tally = try run(.stackInMMIO, part: part)
            #expect(tally.stacksInDevices > 1 && tally.mmioAccesses > 5000)
        }

        @Test(arguments: 0..<parts) func stackWrapAround(part: Int) throws {
            let tally = try run(.stackWrapAround, part: part)
            #expect(tally.stacksRoundZero > 2 && tally.doubleFaults > 10)
        }

        @Test(arguments: 0..<parts) func accessesAtTheEnd(part: Int) throws {
            let tally = try run(.accessesAtTheEnd, part: part)
            #expect(tally.faultsAtTheEnd > 2 && tally.mmioAccesses > 1000)
        }

        @Test(arguments: 0..<parts) func codeAtTheEnd(part: Int) throws {
            let tally = try run(.codeAtTheEnd, part: part)
            #expect(tally.blocksInTheLastPages > 300 && tally.blocksToTheEnd > 2 && tally.generalProtections > 10)
        }

        /// Where the guest's address spaces are kept, each has windows of its own, which are made when it is first used.
        @Test(arguments: Hostility.allCases) private func manyWindows(hostility: Hostility) throws {
            let runner = try CodeRunner()
            let engine = try runner.nativeEngine(keepsTranslations: true)
            let canaries = Canaries(engine, runner.memory)
            let guest = HostileGuest(
                hostility: hostility, paging: .twoLevels, spaces: 20, hasRandomTables: true, writesTables: true)
            guest.prepare(runner.memory, runner.cpu, seed: 4)
            var windows = 0
            for _ in 0..<150 {
                let stop = engine.run(until: runner.cpu.pointee.instructions + 100)
                canaries.guardWindows(of: engine)
                windows = Swift.max(windows, engine.spaces.windows.count)
                if stop == .halted || stop == .shutdown || stop == .unsafeCode { break }
            }
            #expect(engine.finding == nil)
            #expect(canaries.touched == [])
            expectFaultInside(runner.cpu, engine, "\(hostility)")
            #expect(windows > 6 && canaries.sides == 2 * windows && canaries.adjacentSides * 10 >= canaries.sides * 9)
        }
    }
#endif
