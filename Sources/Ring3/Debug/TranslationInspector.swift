import X86

/// Looks into the translation cache of the engine `translate`.
final class TranslationInspector: Inspector {
    private let engine: ThreadedEngine
    private let profile: TranslationProfile
    /// Numbers of the blocks with a link to a block, by its number.
    private let linksIn: [Int: [Int]]

    fileprivate init(_ engine: ThreadedEngine, _ profile: TranslationProfile) {
        self.engine = engine
        self.profile = profile
        // Ends what is being counted.
        profile.leave()
        var linksIn: [Int: [Int]] = [:]
        for block in engine.cache.blocks {
            guard let number = profile.number(of: block) else { continue }
            for case let target? in Self.links(of: block).map(profile.number(of:)) {
                if linksIn[target]?.last != number { linksIn[target, default: []].append(number) }
            }
        }
        self.linksIn = linksIn
    }

    /// The blocks that a block's exits are bound to.
    private static func links(of block: BlockPointer) -> [BlockPointer] {
        block.pointee.opBuffer.exits.compactMap { _, exit in
            exit.opcode == .jump && exit.link.pointee.limit < TranslatedBlock.stale ? exit.link : nil
        }
    }

    // MARK: Choosing

    var hottest: [Int] {
        profile.records.indices.sorted { a, b in
            let (first, second) = (profile.counters[a].instructions, profile.counters[b].instructions)
            return first == second ? a < b : first > second
        }
    }

    func blocks(at linear: UInt32) -> [Int] {
        profile.records.indices.filter {
            let record = profile.records[$0]
            return linear &- profile.counters[$0].linear < record.bytes.count
                || linear &- record.firstLinear < record.bytes.count
        }
    }

    var count: Int { profile.records.count }

    // MARK: Showing

    func block(_ number: Int) -> InspectedBlock {
        let record = profile.records[number]
        let counter = profile.counters[number]
        let listing = listing(number)
        return InspectedBlock(
            number: number, address: GuestAddress(counter.linear), eip: GuestAddress(counter.eip),
            physical: GuestAddress(UInt32(truncatingIfNeeded: record.key)), length: record.bytes.count,
            mode: BlockMode(rawValue: UInt32(truncatingIfNeeded: record.key >> 32) & 0x7FFF_FFFF).words,
            state: record.state,
            version: record.versions, executions: counter.executions, instructionsExecuted: counter.instructions,
            nanoseconds: counter.samples > 0 ? Double(counter.sampledTime) / Double(counter.samples) : nil,
            timedExecutions: counter.samples, instructions: listing?.inspected ?? [],
            exits: listing.map { exits($0, isCurrent: record.block != nil) } ?? [],
            entries: (linksIn[number] ?? []).map {
                InspectedBlock.Entry(block: $0, from: GuestAddress(profile.counters[$0].linear))
            },
            earlier: record.endings.map(InspectedBlock.EarlierVersion.init))
    }

    private func listing(_ number: Int) -> BlockListing? {
        let record = profile.records[number]
        guard let remains = record.block.map({ TranslationProfile.BlockRemains($0) }) ?? record.remains else {
            return nil
        }
        return BlockListing(remains, bytes: record.bytes, linear: profile.counters[number].linear)
    }

    /// Exits to known addresses, and what the last instruction does if that is not one.
    private func exits(_ listing: BlockListing, isCurrent: Bool) -> [InspectedBlock.Exit] {
        var exits = listing.ops.exits.map { place, exit in
            // An instruction's micro-ops end where the next one's begin; those without any begin there as well.
            let owner = listing.instructions.last { Int($0.firstOp) <= place }
            // A conditional jump at the end has a second exit behind that to its target.
            let isSecond = owner?.role == .conditional && place > Int(owner?.firstOp ?? 0) + 1
            return self.exit(exit, isSecond ? nil : owner?.role, listing, isCurrent)
        }
        guard let last = listing.instructions.last else { return exits }
        switch last.role {
        case .return: exits.append(Self.unknown("return", "looked up in the table of blocks"))
        case .indirectJump: exits.append(Self.unknown("indirect jump", "looked up in the table of blocks"))
        case .indirectCall: exits.append(Self.unknown("indirect call", "looked up in the table of blocks"))
        case .calloutEnd: exits.append(Self.unknown("callout", "the monitor says where to go on"))
        case .transfer: exits.append(Self.unknown("transfer", "the shared semantics say where to go on"))
        default: break
        }
        return exits
    }

    private static func unknown(_ kind: String, _ how: String) -> InspectedBlock.Exit {
        InspectedBlock.Exit(kind: kind, target: nil, isLinked: false, how: how, block: nil)
    }

    private func exit(
        _ exit: ExitOp, _ role: BlockRole?, _ listing: BlockListing, _ isCurrent: Bool
    ) -> InspectedBlock.Exit {
        let target = listing.linear &+ exit.offset
        let kind =
            switch role {
            case .conditional: "taken"
            case .jump: "jump"
            case .call: "call"
            default: "falls through"
            }
        var (how, number): (String, Int?) = ("not taken yet, so not linked", nil)
        switch exit.opcode {
        case .leave: how = "left to the dispatcher"
        case .jumpAway: how = "on another page: looked up in the table of blocks"
        default:
            if !isCurrent {
                how = "no longer in force"
            } else if exit.link.pointee.limit < TranslatedBlock.stale {
                (how, number) = ("linked", profile.number(of: exit.link))
            } else if exit.link != engine.cache.unlinked {
                how = "linked to a translation that is gone: to be linked anew"
            }
        }
        let isLinked = number != nil
        if number == nil { number = blocks(startingAt: target, listing.mode) }
        return InspectedBlock.Exit(
            kind: kind, target: GuestAddress(target), isLinked: isLinked, how: how, block: number)
    }

    private lazy var starts: [UInt32: [Int]] = {
        var starts: [UInt32: [Int]] = [:]
        for number in profile.records.indices { starts[profile.counters[number].linear, default: []].append(number) }
        return starts
    }()

    /// The block in the same mode that begins at a linear address.
    private func blocks(startingAt linear: UInt32, _ mode: BlockMode) -> Int? {
        starts[linear]?.first {
            UInt32(truncatingIfNeeded: profile.records[$0].key >> 32) & 0x7FFF_FFFF == mode.rawValue
        }
    }

    var monitoredInstructions: [InspectedCallout] { profile.callouts.sites.map(InspectedCallout.init) }

    var timing: String {
        "Executions and instructions are counted. Times are of the host's clock, less the "
            + "\(profile.callouts.clockCost) ns of reading it: callouts all timed, blocks about one execution in 16, and the "
            + "mean times the executions."
    }

    var totals: InspectionTotals {
        let statistics = engine.cache.statistics
        var (inBlocks, shares): (UInt64, [String: Double]) = (0, [:])
        for number in profile.records.indices {
            let executed = profile.counters[number].instructions
            inBlocks += executed
            guard executed > 0, let listing = listing(number) else { continue }
            let each = Double(executed) / Double(listing.instructions.count)
            for record in listing.instructions { shares[record.disposition.name, default: 0] += each }
        }
        let sum = shares.values.reduce(0, +)
        return InspectionTotals(
            places: profile.records.count, blocksTranslated: statistics.blocksTranslated,
            instructionsTranslated: statistics.instructionsTranslated,
            // Those that only profiling adds are not the translation's.
            microOps: statistics.microOps - statistics.blocksTranslated, emittedBytes: nil,
            blocksInvalidated: statistics.blocksInvalidated, evictions: statistics.evictions, links: statistics.links,
            slowPaths: statistics.slowPaths, bytes: statistics.bytes, instructionsInBlocks: inBlocks,
            instructionsInterpreted: profile.callouts.interpretedCount,
            executedByDisposition: sum > 0 ? shares.mapValues { $0 / sum } : [:])
    }
}

extension ThreadedEngine: InspectableEngine {
    /// Time is always taken.
    func startProfile(takesTime _: Bool) {
        cache.removeAll()
        cache.profile = TranslationProfile(cpu: cpu)
    }

    var inspector: (any Inspector)? { cache.profile.map { TranslationInspector(self, $0) } }
}
