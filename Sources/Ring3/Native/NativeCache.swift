#if arch(x86_64) && os(Linux)
    import Glibc
    import X86

    /// One guest instruction of an emitted block.
    struct NativeInstruction {
        var instruction: Instruction
        /// From the block's first byte.
        var offset: UInt16
        var role: BlockRole
        /// A jump back to the block's start, behind which another round of the loop follows.
        var isFollowed = false
        /// How many of the block's instructions have been counted where it is reached: it and others behind it among them.
        var counted: UInt16 = 0
        /// What the flags lack before it, and whether emitted code makes good right behind it what it leaves undefined.
        var debt = HostFlagDebt.none
        var isPaidAtOnce = false
        /// What its operation does with flags.
        var flagUse = HostFlagUse.none
        /// What is to be added to ESP before it, and what it does about that.
        var stackDebt: Int8 = 0
        var stackUse = StackUse.settled
        /// What is to be noted of x87 instructions before it.
        var x87 = X87Debt()
        /// Bytes of host code behind its own that note it, and add what was lacking in ESP.
        var settlingSize: UInt8 = 0
        /// Why it is the monitor's, though it may be innocuous; nil if it is emitted.
        var monitoring: Monitoring?
        var isMonitored: Bool { monitoring != nil }
        /// Its host code depends on nothing else in the block, if it is emitted and nothing is paid at once.
        var isPlain = false
        /// Emitted code does it where it stores to the `DataRegion`.
        var storesToRegion = false
        /// Where its host code is among the drafts, if it is straight, and its bytes.
        var draft: UInt16 = 0
        var draftSize: UInt16 = 0
        /// Its host code begins with its own bytes, the last four of which are its immediate, and any other would do.
        var endsWithConstant = false
        /// Offset of its host code in the arena.
        var host: UInt32 = 0

        @inline(__always)
        var isPortAccess: Bool { instruction.operation == .in || instruction.operation == .out }

        /// Whether there is code between two instructions that counts the second and others behind it.
        static func isCounted(between first: NativeInstruction, _ second: NativeInstruction) -> Bool {
            first.counted < second.counted
        }

        /// Why an instruction is left to the monitor.
        enum Monitoring: Equatable {
            /// It is sensitive, or there is no host code for it.
            case notEmittable
            /// The flags that it leaves undefined cannot be made good.
            case flags
            /// It kept faulting: its number in the `FaultHistory`.
            case faulting(UInt16)
        }
    }

    /// A run of guest instructions in one page, or one that crosses into another page, as host code.
    struct NativeBlock {
        /// Of its first byte: guest-physical and linear address.
        var physical: UInt32
        var eip: UInt32
        /// Bytes of guest code.
        var length: UInt32
        /// Offsets in the arena: entry, the way out once it is stale, and the end.
        var entry: UInt32
        var staleExit: UInt32
        var end: UInt32
        /// Index of its first `NativeInstruction`; one more than `count` of them, the last for what follows the block.
        var first: UInt32
        var count: UInt16
        var mode: NativeMode
        var isStale: Bool
        /// A loop, several rounds of it.
        var isUnrolled = false
        /// Another block in the same slot of the cache's table.
        var nextInSlot = NativeCache.none
        /// Another block that begins on the same physical page; `NativeCache.none` ends the list.
        var nextOnPage = NativeCache.none
        /// The physical page that the block's only instruction ends in, if that is another one; and the next block that
        /// ends there.
        var secondPage: UInt32?
        var nextCrossing = NativeCache.none
        /// The first of the sites that are linked to this one.
        var firstLink = NativeCache.none
    }

    extension NativeBlock {
        /// Offset in a page where no instruction is so long that it crosses into the next one.
        private static let lastWhole: UInt32 = 0x1000 - 15

        /// Whether exits to `target` are linked, and not by the jump cache: both lie on one page, whole. What the page tables
        /// lead to behind it may be another one soon.
        func links(to target: UInt32) -> Bool {
            target >> 12 == eip >> 12 && secondPage == nil && target & 0xFFF <= Self.lastWhole
        }

        /// Whether an exit of this one may be linked to another block: on the same page, and emitted for the same mode.
        func canLead(to block: NativeBlock) -> Bool {
            physical >> 12 == block.physical >> 12 && mode == block.mode && block.secondPage == nil
        }

        /// The guest's code.
        func bytes(_ ram: UnsafeRawPointer) -> [UInt8] {
            let first = UnsafeRawBufferPointer(start: ram + Int(physical), count: Int(length - rest))
            guard let secondPage else { return Array(first) }
            return Array(first) + UnsafeRawBufferPointer(start: ram + Int(secondPage), count: Int(rest))
        }

        /// Bytes that lie at the start of the second page.
        fileprivate var rest: UInt32 { secondPage == nil ? 0 : length - (0x1000 - physical & 0xFFF) }
    }

    /// How often the guest has written to loops that were unrolled, by where in RAM they begin. Some share a count.
    struct CodeRewrites: ~Copyable {
        private static let many = 4
        private static let size = 1 << 16
        private let counts = UnsafeMutablePointer<UInt8>.allocate(capacity: size)

        init() { forget() }

        deinit { counts.deallocate() }

        func forget() { counts.initialize(repeating: 0, count: Self.size) }

        @inline(__always)
        private func count(_ physical: UInt32) -> UnsafeMutablePointer<UInt8> {
            counts + Int((physical ^ physical >> 16) & UInt32(Self.size - 1))
        }

        func note(_ physical: UInt32) {
            let count = count(physical)
            if count.pointee < Self.many { count.pointee += 1 }
        }

        /// So many that there may well be more.
        @inline(__always)
        func areMany(at physical: UInt32) -> Bool { count(physical).pointee >= Self.many }
    }

    /// A place where emitted code leaves for the monitor.
    struct NativeSite {
        enum Kind: UInt8 {
            /// To `eip`: once the block there exists, the jump at `place` can lead to it.
            case link
            /// Nobody does: the jump at `place` leads to the block's own start.
            case own
            /// To `eip`, one of the `FarTargets`, for which the jump cache had no block.
            case far
            /// To `eip`, where the block begins, whose code has changed.
            case stale
            /// The guest's x87 and SSE state must come to the host's units before instruction `index`.
            case units
            /// A slice of a repeated string instruction, `index`, has been executed.
            case repeated
            /// The monitor has to execute instruction `index` of the block.
            case callout
        }
        /// VERW of memory in CS may call out for three reasons; everything else has fewer ways out.
        static let mostOfInstruction = 3

        var kind: Kind
        /// Of the instruction.
        var index: UInt16 = 0
        var block: Int32
        /// Where the guest goes on, as far as the site alone says so.
        var eip: UInt32 = 0
        /// Offset in the arena of a jump's or call's distance, and where that leads until it is linked.
        var place: UInt32 = 0
        var unlinked: UInt32 = 0
        /// Another site that is linked to the same block.
        var nextLink = NativeCache.none
    }

    /// Emitted blocks by address, by page and by host address.
    ///
    /// Blocks are emitted one behind the other and go all at once, when anything is full or little of it still of use.
    final class NativeCache {
        static let none: Int32 = -1
        static let mostBlocks = 1 << 18
        static let mostInstructions = 1 << 21
        static let mostSites = 1 << 20
        /// Stale instructions from which on it pays to begin anew, if they are nearly all: memory that was used is at hand.
        private static let manyStale = 1 << 13
        /// Bytes that the longest block can take.
        static let largestBlock = 1 << 14
        private static let lineSize = 64
        /// Bytes behind a line's start, at most: nearer to it nothing is gained that is worth the room.
        private static let lastEntryInLine = 16

        let arena: CodeArena
        let ram: UnsafeRawPointer
        let blocks = UnsafeMutablePointer<NativeBlock>.allocate(capacity: mostBlocks)
        let instructions = UnsafeMutablePointer<NativeInstruction>.allocate(capacity: mostInstructions)
        let sites = UnsafeMutablePointer<NativeSite>.allocate(capacity: mostSites)
        private(set) var blockCount = 0
        var instructionCount = 0
        private(set) var siteCount = 0
        /// Of `instructionCount`, those of stale blocks.
        private var staleCount = 0
        /// Bytes of the arena in use, and those that never go: the stubs.
        private(set) var used = 0
        private var reserved = 0
        /// Numbers of blocks, where a hash of their address leads; whatever is not there is found on its page.
        private let table = UnsafeMutablePointer<Int32>.allocate(capacity: tableSize)
        private static let tableSize = 1 << 18
        private let pages: UnsafeMutablePointer<Int32>
        /// Blocks that end on a page and begin on another, stale ones among them.
        private let crossings: UnsafeMutablePointer<Int32>
        let statistics = UnsafeMutablePointer<TranslationStatistics>.allocate(capacity: 1)
        /// Looks at whatever is written to the arena, if anybody does.
        var verification: CodeVerification?
        /// What becomes of the blocks, if somebody wants to know.
        var profile: NativeProfile?
        let rewrites = CodeRewrites()

        init(_ ram: UnsafeRawPointer, ramSize: Int, capacity: Int) throws(CodeArena.Failure) {
            self.ram = ram
            arena = try CodeArena(size: capacity, counters: Self.mostSites)
            statistics.initialize(to: TranslationStatistics())
            table.initialize(repeating: Self.none, count: Self.tableSize)
            let pageCount = ramSize >> 12
            pages = .allocate(capacity: pageCount)
            pages.initialize(repeating: Self.none, count: pageCount)
            crossings = .allocate(capacity: pageCount)
            crossings.initialize(repeating: Self.none, count: pageCount)
        }

        deinit {
            blocks.deallocate()
            instructions.deallocate()
            sites.deallocate()
            pages.deallocate()
            crossings.deallocate()
            table.deallocate()
            statistics.deallocate()
        }

        /// Where the next code goes.
        var assembler: HostAssembler { HostAssembler(arena.writable, at: used) }

        /// Where the next block goes: near the start of a cache line of the host's, which takes longer over jumps to a
        /// line's end. On an AMD Zen 4 calls, where entries matter most, take 1.4 times as long as the host's so, and 1.9
        /// times wherever the last block ends.
        var blockAssembler: HostAssembler {
            let offset = used % Self.lineSize
            let gap = offset <= Self.lastEntryInLine ? 0 : Self.lineSize - offset
            return HostAssembler(arena.writable, at: used + gap)
        }

        /// Keeps what has been emitted so far for good.
        func reserve(through end: Int) {
            used = end
            reserved = end
        }

        /// Whether there is room for another block, however long.
        var hasRoom: Bool {
            used + Self.lineSize + Self.largestBlock <= arena.size && blockCount < Self.mostBlocks
                && instructionCount + Translator.longest + 1 <= Self.mostInstructions
                && siteCount + NativeSite.mostOfInstruction * Translator.longest + 8 <= Self.mostSites
        }

        /// Whether blocks whose code has changed take up nearly all of what there is.
        var isMostlyStale: Bool {
            staleCount >= Self.manyStale && staleCount >= instructionCount - instructionCount / 8
        }

        private static func slot(_ physical: UInt32, _ eip: UInt32, _ mode: NativeMode) -> Int {
            // The offset in the page is the same in both addresses.
            let mixed = physical ^ eip >> 12 &* 0x9E5 ^ UInt32(mode.rawValue) << 11
            return Int((mixed ^ mixed >> 16) & UInt32(tableSize - 1))
        }

        /// Bits 63 to 40 are the page in RAM, 39 to 32 the mode, 31 to 0 EIP, whose offset in the page is that in RAM.
        static func key(_ physical: UInt32, _ eip: UInt32, _ mode: NativeMode) -> UInt64 {
            UInt64(physical >> 12) << 40 | UInt64(mode.rawValue) << 32 | UInt64(eip)
        }

        /// The block for code at these addresses, unless it is stale.
        func find(_ physical: UInt32, eip: UInt32, _ mode: NativeMode) -> Int32? {
            func isWanted(_ number: Int32) -> Bool {
                let block = blocks + Int(number)
                return block.pointee.eip == eip && block.pointee.physical == physical && block.pointee.mode == mode
            }
            var number = table[Self.slot(physical, eip, mode)]
            while number != Self.none, !isWanted(number) { number = blocks[Int(number)].nextInSlot }
            return number == Self.none ? nil : number
        }

        /// A site's number, for the code that leaves there.
        func add(_ site: NativeSite) -> UInt32 {
            precondition(siteCount < Self.mostSites, "a block with more ways out than there is room for")
            sites[siteCount] = site
            siteCount += 1
            return UInt32(siteCount - 1)
        }

        /// Number of the block that `insert` will add next.
        var nextBlock: Int32 { Int32(blockCount) }

        @discardableResult
        func insert(_ new: NativeBlock) -> Int32 {
            let number = nextBlock
            var block = new
            let page = Int(block.physical >> 12)
            block.nextOnPage = pages[page]
            pages[page] = number
            if let second = block.secondPage {
                block.nextCrossing = crossings[Int(second >> 12)]
                crossings[Int(second >> 12)] = number
            }
            let slot = Self.slot(block.physical, block.eip, block.mode)
            block.nextInSlot = table[slot]
            table[slot] = number
            blocks[Int(number)] = block
            blockCount += 1
            used = Int(block.end)
            statistics.pointee.blocksTranslated &+= 1
            statistics.pointee.instructionsTranslated &+= UInt64(block.count)
            statistics.pointee.bytes = UInt64(used)
            profile?.inserted(number)
            verification?.blockInserted(into: self)
            return number
        }

        /// The block whose code lies at a host address, and which of its instructions; nil for the stubs.
        func locate(_ host: UInt64) -> (block: Int32, index: Int)? {
            let offset = UInt32(truncatingIfNeeded: host &- arena.executable)
            // Blocks lie in the order of their numbers.
            var (low, high) = (0, blockCount)
            while low < high {
                let middle = (low + high) / 2
                if blocks[middle].end <= offset { low = middle + 1 } else { high = middle }
            }
            guard low < blockCount, offset >= blocks[low].entry else { return nil }
            let first = Int(blocks[low].first)
            var index = Int(blocks[low].count)
            while index > 0, instructions[first + index].host > offset { index -= 1 }
            return (Int32(low), index)
        }

        /// The block that an instruction, by its index in `instructions`, belongs to.
        func block(ofInstruction index: UInt32) -> NativeBlock? {
            // Their instructions too lie in the order of their numbers.
            var (low, high) = (0, blockCount)
            while low < high {
                let middle = (low + high) / 2
                if blocks[middle].first + UInt32(blocks[middle].count) < index {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            return low < blockCount ? blocks[low] : nil
        }

        /// Makes every block stale that holds one of the `count` bytes at `physical`, which lie in one page.
        ///
        /// - Parameter isAdaptation: the code is still the same, but shall be emitted anew.
        func invalidate(_ physical: UInt32, count: UInt32, isAdaptation: Bool = false) {
            func note(_ number: Int32) {
                profile?.invalidated(number, physical, count: count, isAdaptation: isAdaptation)
                let block = blocks[Int(number)]
                if !isAdaptation, block.isUnrolled { rewrites.note(block.physical) }
            }
            retire(onPage: physical, noting: note) {
                overlaps($0, physical, count) && (isAdaptation || !repair($0, physical, count))
            }
            let page = Int(physical >> 12)
            var number = crossings[page]
            crossings[page] = Self.none
            while number != Self.none {
                let next = blocks[Int(number)].nextCrossing
                if !blocks[Int(number)].isStale, physical & 0xFFF < blocks[Int(number)].rest {
                    retire(onPage: blocks[Int(number)].physical, noting: note) { $0 == number }
                }
                if !blocks[Int(number)].isStale {
                    blocks[Int(number)].nextCrossing = crossings[page]
                    crossings[page] = number
                }
                number = next
            }
        }

        private func retire(
            onPage physical: UInt32, noting note: (Int32) -> Void, where isConcerned: (Int32) -> Bool
        ) {
            let page = Int(physical >> 12)
            var previous = Self.none
            var number = pages[page]
            while number != Self.none {
                let next = blocks[Int(number)].nextOnPage
                if isConcerned(number) {
                    note(number)
                    retire(number)
                    if previous == Self.none { pages[page] = next } else { blocks[Int(previous)].nextOnPage = next }
                } else {
                    previous = number
                }
                number = next
            }
        }

        /// Whether a block holds one of the `count` bytes at `physical`.
        func holdsCode(_ physical: UInt32, count: UInt32) -> Bool {
            var number = pages[Int(physical >> 12)]
            while number != Self.none {
                if overlaps(number, physical, count) { return true }
                number = blocks[Int(number)].nextOnPage
            }
            number = crossings[Int(physical >> 12)]
            while number != Self.none {
                if !blocks[Int(number)].isStale, physical & 0xFFF < blocks[Int(number)].rest { return true }
                number = blocks[Int(number)].nextCrossing
            }
            return false
        }

        private func overlaps(_ number: Int32, _ physical: UInt32, _ count: UInt32) -> Bool {
            let block = blocks[Int(number)]
            return block.physical < physical &+ count && block.physical &+ block.length > physical
        }

        /// Whoever comes to the block from now on leaves at once.
        private func retire(_ number: Int32) {
            let block = blocks[Int(number)]
            blocks[Int(number)].isStale = true
            staleCount += Int(block.count) + 1
            var host = HostAssembler(arena.writable, at: Int(block.entry))
            host.jump(to: Int(block.staleExit))
            statistics.pointee.blocksInvalidated &+= 1
            verification?.blockRetired(number)
            removeFromTable(number)
        }

        private func removeFromTable(_ number: Int32) {
            let block = blocks[Int(number)]
            let slot = Self.slot(block.physical, block.eip, block.mode)
            guard table[slot] != number else {
                table[slot] = block.nextInSlot
                return
            }
            var previous = table[slot]
            while previous != Self.none, blocks[Int(previous)].nextInSlot != number {
                previous = blocks[Int(previous)].nextInSlot
            }
            if previous != Self.none { blocks[Int(previous)].nextInSlot = block.nextInSlot }
        }

        /// Leads those that are linked to a stale block to the one that took its place.
        func moveLinks(from stale: Int32, to block: Int32) {
            var link = blocks[Int(stale)].firstLink
            blocks[Int(stale)].firstLink = Self.none
            while link != Self.none {
                let site = sites[Int(link)]
                // Of stale blocks nobody executes more than what calls return to, and hardly that.
                if !blocks[Int(site.block)].isStale { self.link(UInt32(link), to: block) }
                link = site.nextLink
            }
        }

        /// Leads the jump or call at a `link` site to a block.
        func link(_ number: UInt32, to target: Int32) {
            let site = sites[Int(number)]
            assembler.patch(at: Int(site.place), to: Int(blocks[Int(target)].entry))
            sites[Int(number)].nextLink = blocks[Int(target)].firstLink
            blocks[Int(target)].firstLink = Int32(bitPattern: number)
            statistics.pointee.links &+= 1
            verification?.blockLinked(site.block, at: Int(site.place))
        }

        /// Forgets all blocks. Nobody may be going to return to one.
        func removeAll() {
            profile?.evicted()
            // Where the guest keeps writing to its code, it will go on with that.
            if !isMostlyStale { rewrites.forget() }
            for number in 0..<blockCount {
                let block = blocks + number
                table[Self.slot(block.pointee.physical, block.pointee.eip, block.pointee.mode)] = Self.none
                pages[Int(block.pointee.physical >> 12)] = Self.none
                if let second = block.pointee.secondPage { crossings[Int(second >> 12)] = Self.none }
            }
            blockCount = 0
            instructionCount = 0
            staleCount = 0
            siteCount = 0
            used = reserved
            statistics.pointee.evictions &+= 1
            verification?.removeAll()
        }
    }
#endif
