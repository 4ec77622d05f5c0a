#if arch(x86_64) && os(Linux)
    import X86

    /// Looks into the code that the engine `native` has emitted.
    final class NativeInspector: Inspector {
        private let cache: NativeCache
        private let profile: NativeProfile
        private let stubs: NativeStubs
        /// What was executed of each place, by its number.
        private let tallies: [NativeProfile.Tally]
        /// The cache's blocks by where they begin in the arena.
        private var blocksByEntry: [Int: Int32] = [:]
        /// Distances of jumps that are or can be linked, by block.
        private var patches: [Int32: [Int]] = [:]
        /// Numbers of the blocks with a link to a block, by its number.
        private var linksIn: [Int: [Int]] = [:]
        private var starts: [UInt64: Int] = [:]

        fileprivate init(_ engine: NativeEngine, _ profile: NativeProfile) {
            cache = engine.cache
            self.profile = profile
            stubs = engine.stubs
            tallies = profile.records.indices.map(profile.total)
            for number in 0..<cache.blockCount { blocksByEntry[Int(cache.blocks[number].entry)] = Int32(number) }
            for site in 0..<cache.siteCount where [.link, .own].contains(cache.sites[site].kind) {
                patches[cache.sites[site].block, default: []].append(Int(cache.sites[site].place))
            }
            for number in profile.records.indices {
                starts[profile.records[number].key] = number
                guard let block = profile.records[number].block else { continue }
                for case let target? in patches[block, default: []].map(linkedBlock) {
                    guard let other = profile.record(of: target) else { continue }
                    if linksIn[other]?.last != number { linksIn[other, default: []].append(number) }
                }
            }
        }

        /// The block that a jump is linked to whose distance is at `place`.
        private func linkedBlock(_ place: Int) -> Int32? {
            let distance = UnsafeRawPointer(cache.arena.writable + place).loadUnaligned(as: Int32.self)
            return blocksByEntry[place + 4 + Int(distance)]
        }

        // MARK: Choosing

        var count: Int { profile.records.count }

        var hottest: [Int] {
            profile.records.indices.sorted { a, b in
                let (first, second) = (tallies[a].instructions, tallies[b].instructions)
                return first == second ? a < b : first > second
            }
        }

        func blocks(at linear: UInt32) -> [Int] {
            profile.records.indices.filter {
                linear &- profile.records[$0].firstLinear < profile.records[$0].bytes.count
            }
        }

        // MARK: Showing

        func block(_ number: Int) -> InspectedBlock {
            let record = profile.records[number]
            let tally = tallies[number]
            let remains = record.block.map { NativeRemains(cache, $0) } ?? record.remains
            let listing = remains.map { NativeListing($0, profile.disassembler, name: name) }
            let executions = record.block.map { profile.executions($0).map { $0.emitted &+ $0.monitored } }
            let time = Double(tally.samples) * Double(HostSampler.period)
            return InspectedBlock(
                number: number, address: GuestAddress(record.firstLinear), eip: GuestAddress(record.firstLinear),
                physical: GuestAddress(
                    UInt32(truncatingIfNeeded: record.key >> 40) << 12 | record.firstLinear & 0xFFF),
                length: record.bytes.count, mode: mode(of: record.key).words, state: record.state,
                version: record.versions, executions: tally.executions, instructionsExecuted: tally.instructions,
                nanoseconds: tally.samples > 0 && tally.executions > 0 ? time / Double(tally.executions) : nil,
                timedExecutions: 0, samples: tally.samples, prologue: listing.map { $0.code($0.block.prologue) },
                staleExit: listing.map { $0.code($0.block.staleExit..<$0.block.end) },
                hostBytes: remains.map { $0.end - $0.entry },
                instructions: listing?.inspected(record.bytes, executions) ?? [],
                exits: listing.map { exits($0, record) } ?? [],
                entries: (linksIn[number] ?? []).map {
                    InspectedBlock.Entry(block: $0, from: GuestAddress(profile.records[$0].firstLinear))
                },
                earlier: record.endings.map(InspectedBlock.EarlierVersion.init))
        }

        private func mode(of key: UInt64) -> NativeMode { NativeMode(rawValue: UInt8(truncatingIfNeeded: key >> 32)) }

        /// What there is at an offset of the arena outside of the block that is shown.
        private func name(_ offset: Int) -> String? {
            switch offset {
            case stubs.leave: return "monitor"
            case stubs.lookup: return "lookup"
            case stubs.enterSystem: return "sysenter"
            case stubs.leaveSystem: return "sysexit"
            case stubs.readClock: return "rdtsc"
            case stubs.loadControl: return "fldcw"
            case _ where stubs.continuations[offset] != nil: return "segment"
            default: break
            }
            return blocksByEntry[offset].flatMap(profile.record(of:)).map { "block \($0)" }
        }

        private func exits(_ listing: NativeListing, _ record: NativeProfile.Record) -> [InspectedBlock.Exit] {
            let block = listing.block
            let counts = record.block.map(profile.exitCounts) ?? []
            var exits: [InspectedBlock.Exit] = []
            for place in block.exits {
                let index = place.index ?? block.count - 1
                // A conditional jump at the end has an exit of its own before the one that falls through.
                let times = place.index == nil ? counts.first { $0.index == index } : counts.last { $0.index == index }
                let target = place.index.map(block.target) ?? block.next
                let isTaken = place.index.map { !block.instructions[$0].isFollowed } ?? false
                exits.append(
                    exit(
                        isTaken ? "taken" : "falls through", to: target, place.range, listing, record,
                        times?.executions, showsCode: true))
            }
            exits = exits.reduce(into: []) { $0.add($1) }
            guard block.count > 0 else { return exits }
            let last = block.count - 1
            switch block.instructions[last].role {
            case .jump, .call:
                let kind = block.instructions[last].role == .jump ? "jump" : "call"
                exits.append(
                    exit(
                        kind, to: block.target(of: last), block.range(last), listing, record,
                        counts.last { $0.index == last }?.executions, showsCode: false))
            case .return: exits.append(Self.unknown("return", "looked up in the jump cache"))
            case .indirectJump: exits.append(Self.unknown("indirect jump", "looked up in the jump cache"))
            case .indirectCall: exits.append(Self.unknown("indirect call", "looked up in the jump cache"))
            case .calloutEnd where [.sysenter, .sysexit].contains(block.instructions[last].instruction.operation):
                exits.append(Self.unknown("system call", "looked up in the jump cache"))
            case .calloutEnd
            where !block.instructions[last].isMonitored && block.instructions[last].instruction.goesOnByStub:
                exits.append(Self.unknown("falls through", "looked up in the jump cache"))
            case .calloutEnd where !block.instructions[last].isMonitored:
                exits.append(
                    exit(
                        "falls through", to: block.next, block.range(last), listing, record,
                        counts.last { $0.index == last }?.executions, showsCode: false))
            case .calloutEnd: exits.append(Self.unknown("callout", "the monitor says where to go on"))
            case .transfer: exits.append(Self.unknown("transfer", "the shared semantics say where to go on"))
            case .straight, .callout, .conditional: break
            }
            return exits
        }

        private static func unknown(_ kind: String, _ how: String) -> InspectedBlock.Exit {
            InspectedBlock.Exit(kind: kind, target: nil, isLinked: false, how: how, block: nil)
        }

        private func exit(
            _ kind: String, to target: UInt32, _ range: Range<Int>, _ listing: NativeListing,
            _ record: NativeProfile.Record, _ executions: UInt64?, showsCode: Bool
        ) -> InspectedBlock.Exit {
            var (how, linked): (String, Int?) = ("not taken yet, so not linked", nil)
            let places = record.block.flatMap { patches[$0] }?.filter(range.contains) ?? []
            // A call has two: its own, and that of the jump to where it returns to.
            let patch = places.first { cache.arena.writable[$0 - 1] == 0xE8 } ?? places.first
            if target >> 12 != record.firstLinear >> 12 {
                how = "on another page: by the jump cache"
            } else if let block = record.block, !cache.blocks[Int(block)].links(to: target) {
                how = "at the page's end: by the jump cache"
            } else if record.block == nil {
                how = "no longer in force"
            } else if let block = patch.flatMap(linkedBlock) {
                linked = profile.record(of: block)
                how = cache.blocks[Int(block)].isStale ? "linked, by way of a translation that is gone" : "linked"
            } else if executions ?? 0 > 0 {
                how = "not linked: the block there is of another mode, or could not be emitted"
            }
            return InspectedBlock.Exit(
                kind: kind, target: GuestAddress(target), isLinked: linked != nil, how: how,
                block: linked ?? block(at: target, record), executions: executions,
                hostCode: showsCode ? listing.code(range) : nil)
        }

        /// The block on the same page of RAM, in the same mode, that begins at a linear address.
        private func block(at linear: UInt32, _ record: NativeProfile.Record) -> Int? {
            guard linear >> 12 == record.firstLinear >> 12 else { return nil }
            return starts[record.key & ~0xFFFF_FFFF | UInt64(linear)]
        }

        var monitoredInstructions: [InspectedCallout] { profile.callouts.sites.map(InspectedCallout.init) }

        var timing: String {
            let blocks =
                profile.sampler?.failure.map { "Blocks have no times: the host gives no timer (errno \($0))." }
                    ?? """
                    Block times are samples: every \(HostSampler.period / 1000) µs a timer of the host's looks which block is \
                    executing; it found one \(profile.samples) times.
                    """
            return """
                Executions and instructions are counted, by code in the blocks that is there only for that. \(blocks) \
                Callouts are all timed by the host's clock, less the \(profile.callouts.clockCost) ns of reading it, and \
                without the way to the monitor, which after a fault takes more than the rest.
                """
        }

        /// Everything executed in blocks, by what was made of it.
        private(set) lazy var dispositions = profile.executedByDisposition

        var totals: InspectionTotals {
            let statistics = cache.statistics.pointee
            let sum = dispositions.sum
            var shares: [String: Double] = [:]
            for (disposition, executed) in [
                (NativeDisposition.identical, dispositions.identical), (.rewritten, dispositions.rewritten),
                (.controlFlow, dispositions.controlFlow), (.callout, dispositions.callout &+ dispositions.monitored),
            ] where executed > 0 {
                shares[disposition.name] = Double(executed) / Double(sum)
            }
            return InspectionTotals(
                places: count, blocksTranslated: statistics.blocksTranslated,
                instructionsTranslated: statistics.instructionsTranslated, microOps: nil,
                emittedBytes: profile.emittedBytes, blocksInvalidated: statistics.blocksInvalidated,
                evictions: statistics.evictions, links: statistics.links, slowPaths: statistics.slowPaths,
                bytes: statistics.bytes, instructionsInBlocks: tallies.reduce(0) { $0 &+ $1.instructions },
                instructionsInterpreted: profile.callouts.interpretedCount, executedByDisposition: shares)
        }
    }

    extension [InspectedBlock.Exit] {
        /// Adds an exit, or its executions to another of its kind to the same target: an unrolled loop has one a round.
        fileprivate mutating func add(_ exit: InspectedBlock.Exit) {
            guard let known = firstIndex(where: { $0.kind == exit.kind && $0.target == exit.target }) else {
                return append(exit)
            }
            let old = self[known]
            let executions = [old.executions, exit.executions].compactMap { $0 }
            let code = [old.hostCode, exit.hostCode].compactMap { $0 }
            if !old.isLinked, exit.isLinked { self[known] = exit }
            self[known].executions = executions.isEmpty ? nil : executions.reduce(0, &+)
            self[known].hostCode = code.isEmpty ? nil : code.flatMap { $0 }
        }
    }

    extension NativeMode {
        /// What emitted code relies on.
        var words: [String] {
            var words = BlockMode.allFlat.words
            if contains(.openFS) { words.append("open FS") }
            if contains(.openGS) { words.append("open GS") }
            words.append(contains(.stringsGoUp) ? "DF clear" : "DF set")
            return words
        }
    }

    extension NativeEngine: InspectableEngine {
        func startProfile(takesTime: Bool) throws(Decoder.Failure) {
            if cache.blockCount > 0 { removeAllBlocks() }
            cache.profile = try NativeProfile(cache, cpu, takesTime: takesTime)
            cache.verification?.allowCounters(of: cache.arena)
        }

        var inspector: (any Inspector)? { cache.profile.map { NativeInspector(self, $0) } }
    }
#endif
