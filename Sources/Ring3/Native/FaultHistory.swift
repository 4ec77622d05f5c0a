#if arch(x86_64) && os(Linux)
    import X86

    /// Which instructions keep faulting on the host: the monitor executes those without being asked by a fault, which
    /// costs ten times as much, until it sees that they would not fault any more.
    ///
    /// By the place of the instruction, a guest-physical address, so that what is known outlives blocks.
    struct FaultHistory {
        private var entries: [Entry] = []
        /// One more than the numbers of these, where a hash of their place leads, or at the next free slot; 0 in a free one.
        private var table = [UInt16](repeating: 0, count: 1 << tableBits)
        private static let tableBits = 15
        /// If there are more, all are forgotten: a guest could go on for ever.
        private static let mostEntries = 1 << (tableBits - 1)
        /// Pages, linear addresses, that the monitor accessed for a repeated instruction, by the low bits of their numbers.
        private var visited = [UInt32](repeating: 1, count: recentPages)
        private static let recentPages = 256

        init() { entries.reserveCapacity(Self.mostEntries) }

        /// The slot of `table` for an instruction: its own, or a free one.
        private func slot(ofInstruction place: UInt32) -> Int {
            var slot = Int((place &* 0x9E37_79B1) >> UInt32(32 - Self.tableBits))
            while table[slot] != 0, entries[Int(table[slot]) - 1].place != place {
                slot = (slot + 1) & (table.count - 1)
            }
            return slot
        }

        private func known(_ place: UInt32) -> Int? {
            let number = table[slot(ofInstruction: place)]
            return number == 0 ? nil : Int(number) - 1
        }

        /// The number, for `executed`, of the instruction at `place`, if it is left to the monitor.
        func monitored(_ place: UInt32) -> UInt16? {
            guard let number = known(place), entries[number].isMonitored else { return nil }
            return UInt16(number)
        }

        /// How often the instruction at `place` was given back.
        func releases(_ place: UInt32) -> UInt8 { known(place).map { entries[$0].releases } ?? 0 }

        /// How often the instruction at `place` faulted of late in a way that counts.
        func recentFaults(_ place: UInt32) -> UInt32 { known(place).map { UInt32(entries[$0].faults) } ?? 0 }

        /// The instruction at `place` faulted.
        ///
        /// - Parameters:
        ///   - time: guest instructions executed so far.
        ///   - linear: what was missing in the window, if that is known.
        ///   - filling: whether it is there now.
        ///   - isRepeated: it is a repeated string instruction, which wants one page after the other.
        /// - Returns: true if it is the monitor's from now on.
        mutating func faulted(
            _ place: UInt32, at time: UInt64, on linear: UInt32?, _ filling: ShadowWindow.Filling, isRepeated: Bool
        ) -> Bool {
            entries[number(place)].faulted(
                at: time, on: linear.map { $0 & 0xFFFF_F000 }, filling, isRepeated: isRepeated)
        }

        private mutating func number(_ place: UInt32) -> Int {
            if let known = known(place) { return known }
            if entries.count >= Self.mostEntries {
                entries.removeAll(keepingCapacity: true)
                table = [UInt16](repeating: 0, count: table.count)
            }
            entries.append(Entry(place: place))
            table[slot(ofInstruction: place)] = UInt16(entries.count)
            return entries.count - 1
        }

        /// Whether the monitor shall do the access to `linear` on which a repeated instruction faulted, and nothing be
        /// mapped, because none came to the page of late. Often it is the last time, too, and a call to the host's kernel
        /// would be in vain.
        ///
        /// - Parameter isProvided: whether the guest has a page there. Before it has, nobody has come to it.
        mutating func postpones(_ linear: UInt32, isProvided: Bool) -> Bool {
            isProvided ? !visit(linear) : visited[Self.slot(linear)] != linear & 0xFFFF_F000
        }

        /// A repeated instruction comes to the page of `linear`; true if one did of late.
        mutating func visit(_ linear: UInt32) -> Bool {
            let (page, slot) = (linear & 0xFFFF_F000, Self.slot(linear))
            defer { visited[slot] = page }
            return visited[slot] == page
        }

        /// Whether an instruction which the monitor has executed would not have faulted for a page that is missing, as far as
        /// that can be told of a repeated one: by where it began.
        mutating func visitsKnownPages(_ i: Instruction, source: UInt32, destination: UInt32) -> Bool {
            guard i.isRepeated else { return true }
            let hasSource = i.operation == .stos || i.operation == .scas || visit(source)
            let hasDestination = i.operation == .lods || visit(destination)
            return hasSource && hasDestination
        }

        private static func slot(_ linear: UInt32) -> Int { Int(linear >> 12) & (recentPages - 1) }

        /// The monitor has executed the instruction at `place`, of that number, without being asked by a fault.
        ///
        /// - Parameter isHarmless: it would not have faulted.
        /// - Returns: true if it is not the monitor's any more.
        mutating func executed(_ number: UInt16, _ place: UInt32, isHarmless: Bool) -> Bool {
            // It may have been forgotten since.
            guard number < entries.count, entries[Int(number)].place == place else { return true }
            return entries[Int(number)].executed(isHarmless: isHarmless)
        }
    }

    /// What is known of one instruction.
    private struct Entry {
        let place: UInt32
        private(set) var isMonitored = false
        private(set) var releases: UInt8 = 0
        /// Faults of late, and when the first of these was, in guest instructions.
        private(set) var faults: UInt8 = 0
        private var firstFault: UInt64 = 0
        /// Linear address of the page that was missing last.
        private var lastPage: UInt32?
        /// While it is monitored: how often it would not have faulted, less what it would have.
        private var harmless: UInt32 = 0

        /// Faults after which it is the monitor's, if they come as dense as one in so many guest instructions.
        private static let patience: UInt8 = 8
        private static let faultDistance: UInt64 = 4096
        /// Executions without a fault, one with a fault making up for some of them, after which it is given back: twice
        /// as many each time.
        private static let probation: UInt32 = 64
        private static let faultWeight: UInt32 = 16
        /// Given back so often, it does without the monitor most of the time: when the guest provides pages, it is left
        /// to the faults.
        private static let manyReleases: UInt8 = 2
        private static let mostReleases: UInt8 = 8

        init(place: UInt32) { self.place = place }

        mutating func faulted(
            at time: UInt64, on page: UInt32?, _ filling: ShadowWindow.Filling, isRepeated: Bool
        ) -> Bool {
            let isSamePage = page != nil && page == lastPage
            lastPage = page
            switch filling {
            // That a page is seen for the first time says nothing about the instruction.
            case .done: guard isSamePage, !isRepeated else { return false }
            case .fault: guard releases < Self.manyReleases else { return false }
            case .refused, .failed, .postponed: break
            }
            if faults == 0 { firstFault = time }
            faults += 1
            guard faults >= Self.patience else { return false }
            faults = 0
            harmless = 0
            isMonitored = time &- firstFault <= UInt64(Self.patience) * Self.faultDistance
            return isMonitored
        }

        mutating func executed(isHarmless: Bool) -> Bool {
            guard isHarmless else {
                harmless -= min(harmless, Self.faultWeight)
                return false
            }
            harmless += 1
            guard harmless >= Self.probation << UInt32(releases) else { return false }
            isMonitored = false
            releases = min(releases + 1, Self.mostReleases)
            return true
        }
    }
#endif
