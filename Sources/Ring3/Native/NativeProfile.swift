#if arch(x86_64) && os(Linux)
    import X86

    /// What becomes of emitted blocks, kept only while somebody inspects: executions, time, callouts, invalidations.
    ///
    /// Emitted code counts how often a block is entered, and left by each of its exits; the engine notes where the monitor
    /// takes over and gives back. From that follows exactly how often each instruction was executed. Without a profile
    /// nothing of that is emitted. Time is sampled, see `HostSampler`.
    final class NativeProfile {
        typealias Record = ProfileRecord<Int32, NativeRemains>

        /// Of the translations of a place that have ended.
        struct Tally {
            var executions: UInt64 = 0
            var instructions: UInt64 = 0
            /// Of all translations.
            var samples: UInt64 = 0
        }

        /// An exit that counts: the number of its counter, and the instruction behind which it leaves.
        struct Exit {
            var counter: Int
            var index: Int
        }

        /// A block of the cache.
        private struct Entry {
            /// Its place; nil if there was no room for another.
            var record: Int?
            var counter: Int
            var exits: Range<Int>
            var hasEnded = false
        }

        /// What was executed of an instruction: by emitted code, and by the monitor.
        struct Execution {
            var emitted: UInt64
            var monitored: UInt64
        }

        /// Bounds for guests that make ever more code: places, copies kept at an eviction, and copies of blocks that were
        /// written to.
        private static let placesKept = 4 << 20
        private static let remainsKept = 1000
        private static let writtenKept = 50_000

        let cpu: Processor
        private unowned let cache: NativeCache
        let callouts: CalloutProfile
        /// Nil if nobody asks for times.
        let sampler: HostSampler?
        let disassembler: HostDisassembler
        private(set) var records: [Record] = []
        private var tallies: [Tally] = []
        private var recordNumbers: [UInt64: Int] = [:]
        /// Executed in blocks that have ended.
        private(set) var ended = NativeDispositions()
        /// Places found by the sampler in blocks.
        private(set) var samples: UInt64 = 0
        /// Host code of all blocks, without that which counts.
        private(set) var emittedBytes: UInt64 = 0
        // Of the blocks that are in the cache now, by their numbers and those of their instructions.
        private var entries: [Entry] = []
        private var exits: [Exit] = []
        /// How many more executions, or fewer, an instruction has than the one before it, on the monitor's account.
        private var differences: [Int64] = []
        private var monitored: [UInt64] = []
        /// Of the block that is being emitted: where the distances to its counter are, and its first exit.
        private var emitting: (places: (load: Int, store: Int), firstExit: Int)?
        /// Bytes of it that are there for counting.
        private var countingBytes: UInt64 = 0
        private var remains = 0
        /// Bytes that one counter takes in emitted code.
        private static let counterCode: UInt64 = 18
        /// Those of a jump.
        private static let jumpCode: UInt64 = 5

        init(_ cache: NativeCache, _ cpu: Processor, takesTime: Bool) throws(Decoder.Failure) {
            self.cache = cache
            self.cpu = cpu
            disassembler = try HostDisassembler()
            callouts = CalloutProfile(cpu: cpu)
            sampler = takesTime ? HostSampler(cpu) : nil
        }

        // MARK: What the translator asks

        /// Emits what counts the executions of a block.
        func countEntry(_ host: inout HostAssembler) {
            // Which counter that is, its last site will tell.
            emitting = (host.count(at: cache.arena.countersPlace), exits.count)
            countingBytes = Self.counterCode
        }

        /// Emits what counts how often a block is left by the exit that comes next.
        ///
        /// - Parameter isDirect: without counting, a conditional jump would lead out itself.
        func countExit(after index: Int, isDirect: Bool = false, _ host: inout HostAssembler) {
            countingBytes &+= Self.counterCode &+ (isDirect ? Self.jumpCode : 0)
            // That of the site that the exit is about to get.
            exits.append(Exit(counter: cache.siteCount, index: index))
            host.count(at: place(ofCounter: cache.siteCount))
        }

        private func place(ofCounter number: Int) -> Int {
            cache.arena.countersPlace + number * MemoryLayout<UInt64>.stride
        }

        // MARK: What the cache tells

        /// The cache's last block is new.
        func inserted(_ number: Int32) {
            guard let emitting else { return }
            let block = cache.blocks[Int(number)]
            // A block's last site is that of its stale exit, which needs no counter.
            let counter = cache.siteCount - 1
            cache.assembler.patch(at: emitting.places.load, to: place(ofCounter: counter))
            cache.assembler.patch(at: emitting.places.store, to: place(ofCounter: counter))
            let key = NativeCache.key(block.physical, block.eip, block.mode)
            let record = recordNumbers[key] ?? addRecord(key, block.eip)
            entries.append(Entry(record: record, counter: counter, exits: emitting.firstExit..<exits.count))
            differences += repeatElement(0, count: Int(block.count) + 1)
            monitored += repeatElement(0, count: Int(block.count) + 1)
            emittedBytes &+= UInt64(block.end - block.entry) &- countingBytes
            self.emitting = nil
            guard let record else { return }
            records[record].block = number
            records[record].bytes = block.bytes(UnsafeRawPointer(cpu.pointee.ramBase))
            records[record].versions &+= 1
            if records[record].remains != nil { remains -= 1 }
            records[record].remains = nil
        }

        private func addRecord(_ key: UInt64, _ linear: UInt32) -> Int? {
            guard records.count < Self.placesKept else { return nil }
            records.append(Record(key: key, firstLinear: linear))
            tallies.append(Tally())
            recordNumbers[key] = records.count - 1
            return records.count - 1
        }

        /// A block is about to become stale, because something was written to its code, or is to be emitted anew.
        func invalidated(_ number: Int32, _ physical: UInt32, count: UInt32, isAdaptation: Bool) {
            let block = cache.blocks[Int(number)]
            let cause: ProfileEnding.Cause =
                isAdaptation
                ? .adaptation(block.eip &+ (physical &- block.physical))
                : .write(
                    physical: physical, count: count, writer: cpu.pointee.cs.base &+ cpu.pointee.instructionStart)
            end(number, cause)
        }

        /// All blocks are about to go. Keeps copies of the hottest.
        func evicted() {
            takeSamples()
            let current = entries.indices.filter { !entries[$0].hasEnded }
            for number in current { end(Int32(number), .eviction) }
            let hottest = current.compactMap { number in entries[number].record.map { (number, $0) } }
                .sorted { tallies[$0.1].instructions > tallies[$1.1].instructions }
            for (number, record) in hottest.prefix(Self.remainsKept) {
                records[record].remains = NativeRemains(cache, Int32(number))
                remains += 1
            }
            for counter in 0..<cache.siteCount { cache.arena.counters[counter] = 0 }
            entries.removeAll(keepingCapacity: true)
            exits.removeAll(keepingCapacity: true)
            differences.removeAll(keepingCapacity: true)
            monitored.removeAll(keepingCapacity: true)
        }

        private func end(_ number: Int32, _ cause: ProfileEnding.Cause) {
            guard let record = entries[Int(number)].record else { return }
            let executions = executions(number)
            tallies[record].executions &+= cache.arena.counters[entries[Int(number)].counter]
            tallies[record].instructions &+= Self.sum(executions)
            add(executions, of: number, to: &ended)
            entries[Int(number)].hasEnded = true
            if case .eviction = cause {
            } else if remains < Self.writtenKept {
                // Its first bytes are about to be overwritten.
                records[record].remains = NativeRemains(cache, number)
                remains += 1
            }
            records[record].end(
                cause, executions: tallies[record].executions, instructions: cpu.pointee.instructions)
        }

        private func add(_ executions: [Execution], of number: Int32, to sums: inout NativeDispositions) {
            guard Self.sum(executions) > 0 else { return }
            let listing = NativeListing(NativeRemains(cache, number), disassembler)
            for (index, execution) in executions.enumerated() {
                let instruction = listing.block.instructions[index].instruction
                sums.add(
                    emitted: execution.emitted, monitored: execution.monitored, listing.disposition(index),
                    row: instruction.sensitivity.isSensitive ? instruction.sensitivityIndex : nil)
            }
        }

        // MARK: What the engine does

        /// Emitted code was left before an instruction of a block that it has entered.
        func left(_ number: Int32, before index: Int) {
            differences[Int(cache.blocks[Int(number)].first) + index] &-= 1
        }

        /// An instruction that emitted code executed has taken the time of `count` more.
        func charged(_ number: Int32, _ index: Int, _ count: UInt64) {
            monitored[Int(cache.blocks[Int(number)].first) + index] &+= count
        }

        /// It goes on where there are so many instructions left of a block.
        func resumed(at host: UInt32, left: UInt64) {
            guard let (number, _) = cache.locate(cache.arena.executable + UInt64(host)) else { return }
            let block = cache.blocks[Int(number)]
            differences[Int(block.first) + Int(block.count) - Int(truncatingIfNeeded: left)] &+= 1
        }

        /// Has the monitor execute an instruction of a block, and times that.
        func calledOut<T>(_ number: Int32, _ index: Int, _ cause: CalloutCause?, _ body: () -> T) -> T {
            let block = cache.blocks[Int(number)]
            let place = Int(block.first) + index
            let record = cache.instructions[place]
            let before = cpu.pointee.instructions
            let site = callouts.site(
                record.instruction, linear: block.eip &+ UInt32(record.offset), cause ?? record.calloutCause)
            let result = site.map { callouts.timed($0, body) } ?? body()
            let executed = cpu.pointee.instructions &- before
            // It may just have overwritten its own block.
            guard let recordNumber = entries[Int(number)].record, entries[Int(number)].hasEnded else {
                monitored[place] &+= executed
                return result
            }
            tallies[recordNumber].instructions &+= executed
            ended.add(emitted: 0, monitored: executed, NativeDisposition(record, isOneToOne: true))
            return result
        }

        /// Has the interpreter execute single instructions until `end` have been counted, or something stops it.
        func interpret(with interpreter: Interpreter, until end: UInt64) -> EngineStop {
            cpu.pointee.sliceEnd = end
            cpu.setAttention([], true)
            while true {
                if cpu.pointee.instructions < cpu.pointee.stopAt {
                    callouts.interpret(with: interpreter) { interpreter.stepAlone() }
                } else if let stop = callouts.interpret(with: interpreter, { interpreter.attend() }) {
                    return stop
                }
            }
        }

        /// Sees whose the sampler's latest finds are.
        func takeSamples() {
            sampler?.end { place in
                guard let (number, _) = cache.locate(place), let record = entries[Int(number)].record else { return }
                tallies[record].samples &+= 1
                samples &+= 1
            }
        }

        // MARK: Results

        /// Of a place, all translations together.
        func total(_ record: Int) -> Tally {
            var total = tallies[record]
            guard let number = records[record].block else { return total }
            total.executions &+= cache.arena.counters[entries[Int(number)].counter]
            total.instructions &+= Self.sum(executions(number))
            return total
        }

        /// The place of a block that is in the cache.
        func record(of number: Int32) -> Int? { entries[Int(number)].record }

        /// How often a block in the cache was left by its exits.
        func exitCounts(_ number: Int32) -> [(index: Int, executions: UInt64)] {
            exits[entries[Int(number)].exits].map { ($0.index, cache.arena.counters[$0.counter]) }
        }

        /// How often each instruction of a block in the cache was executed.
        func executions(_ number: Int32) -> [Execution] {
            let block = cache.blocks[Int(number)]
            var left = [UInt64](repeating: 0, count: Int(block.count))
            for exit in exitCounts(number) { left[exit.index] &+= exit.executions }
            var emitted = cache.arena.counters[entries[Int(number)].counter]
            return (0..<Int(block.count)).map { index in
                emitted &+= UInt64(bitPattern: differences[Int(block.first) + index])
                defer { emitted &-= left[index] }
                return Execution(emitted: emitted, monitored: monitored[Int(block.first) + index])
            }
        }

        private static func sum(_ executions: [Execution]) -> UInt64 {
            executions.reduce(0) { $0 &+ $1.emitted &+ $1.monitored }
        }

        /// Everything executed in blocks, by what was made of it.
        var executedByDisposition: NativeDispositions {
            var all = ended
            for number in entries.indices where !entries[number].hasEnded && entries[number].record != nil {
                add(executions(Int32(number)), of: Int32(number), to: &all)
            }
            return all
        }
    }

    extension NativeInstruction {
        /// Why emitted code leaves for the monitor here.
        var calloutCause: CalloutCause {
            if instruction.sensitivity.isSensitive { return .sensitive(row: instruction.sensitivityIndex) }
            return switch monitoring {
            case .flags: .flags
            case .faulting: .keptFaulting
            case .notEmittable, nil: .notEmittable
            }
        }
    }
#endif
