#if arch(x86_64) && os(Linux)
    import Glibc

    /// Host addresses of blocks by guest address, for jumps that cannot be linked: through registers and memory, returns, and
    /// to known addresses on other pages, the `FarTargets`.
    ///
    /// ```
    /// │ addresses of far targets │ entries → `count` addresses │
    /// ```
    /// Every guest address has an entry, so nothing needs to be compared: an array of 32 GiB, of which the host provides what
    /// is used. An entry is 0 where nothing was ever entered nearby, which emitted code finds out by a jump to 0 that
    /// faults; there is the way out to the monitor in all entries of a page of the host's in which there is one.
    ///
    /// Valid for one privilege level and one mode, and as long as the page tables lead to the same pages. The entries of a
    /// page that has gone are put aside: often it comes back, as with the next process that runs the same program.
    final class JumpCache {
        /// One for each EIP.
        static let count = 1 << 32
        /// In a page of the host's.
        private static let countOfPage = 4096 / MemoryLayout<UInt64>.stride
        /// Pages that may have entries, and pages that may have some put aside.
        private static let mostPages = 512

        /// A page that has entries.
        private struct Page {
            var linear: UInt32
            /// Where in RAM they found it.
            var physical: UInt32
            /// Where in it they begin. Some may have no entry any more.
            var starts = PageOffsets()
            /// What the guest's tables had for it when that was looked at last.
            var entries = TableEntries()
        }

        private struct Entry {
            var eip: UInt32
            var host: UInt64
            /// Only far jumps have led there so far.
            var isFar: Bool
        }

        /// Entries of a page that has gone.
        private struct Aside {
            var linear: UInt32
            var physical: UInt32
            var entries: [Entry]
        }

        let entries: UnsafeMutablePointer<UInt64>
        private unowned(unsafe) let room: JumpRoom
        private let mode: NativeMode
        private let targets: FarTargets
        /// The way out.
        private let unknown: UInt64
        private let far: UnsafeMutablePointer<UInt64>
        private var pages: [Page] = []
        private var aside: [Aside] = []
        /// Indices in `pages`, by the low bits of the page's number, that need not be looked for.
        private var recent = [Int](repeating: 0, count: recentPages)
        private static let recentPages = 256
        /// In which they are.
        private var regions = RegionSet()
        /// What `entries` of pages rely on.
        private var controls = PagingControls()

        /// Pages that the host has provided for entries, or may have: no more than `mostProvided`.
        private var provided = 0
        private static let mostProvided = 1024

        /// Bytes it takes, of which the host provides what is used.
        static let size = FarTargets.tableSize + entriesSize
        static let entriesSize = count * MemoryLayout<UInt64>.stride

        /// The room and the targets outlive it.
        init(in room: JumpRoom, _ mode: NativeMode, _ targets: FarTargets) {
            self.room = room
            self.mode = mode
            let place = room.place(of: mode)
            far = place.bindMemory(to: UInt64.self, capacity: FarTargets.most)
            entries = (place + FarTargets.tableSize).bindMemory(to: UInt64.self, capacity: Self.count)
            self.targets = targets
            unknown = targets.missing
        }

        /// Enters a block, whose code is at a host address.
        ///
        /// - Parameter isFar: for far jumps alone.
        func insert(_ block: NativeBlock, _ host: UInt64, isFar: Bool = false) {
            if pages.count + 2 > Self.mostPages { removeAll() }
            if provided >= Self.mostProvided { giveBack() }
            insert(Entry(eip: block.eip, host: host, isFar: isFar), at: page(block.eip, block.physical))
            if let second = block.secondPage { _ = page((block.eip | 0xFFF) &+ 1, second) }
        }

        private func insert(_ new: Entry, at page: Int) {
            let (eip, host) = (new.eip, new.host)
            if let number = targets.number(of: eip) { far[number] = host }
            guard !new.isFar else { return }
            let entry = entries + Int(eip)
            // Written before anything is read there, or the host would provide the page in two steps.
            entry.pointee = host
            if entries[Int(eip ^ 1)] == 0 {
                provided += 1
                (entries + (Int(eip) & -Self.countOfPage)).update(repeating: unknown, count: Self.countOfPage)
                entry.pointee = host
            }
            pages[page].starts.insert(eip & 0xFFF)
        }

        /// The host's address for a block, by the jump cache whose entries are at an address; nil if there is no entry.
        static func find(_ eip: UInt32, in place: UInt64, unknown: UInt64) -> UInt64? {
            guard let entries = UnsafePointer<UInt64>(bitPattern: UInt(place)) else { return nil }
            let host = entries[Int(eip)]
            return host == 0 || host == unknown ? nil : host
        }

        /// The index of the page that holds `linear`, which is new perhaps, or back.
        private func page(_ linear: UInt32, _ physical: UInt32) -> Int {
            let page = linear & 0xFFFF_F000
            let slot = Int(linear >> 12) & (Self.recentPages - 1)
            if recent[slot] < pages.count, pages[recent[slot]].linear == page { return recent[slot] }
            if let known = pages.firstIndex(where: { $0.linear == page }) {
                recent[slot] = known
                return known
            }
            pages.append(Page(linear: page, physical: physical & 0xFFFF_F000))
            recent[slot] = pages.count - 1
            regions.insert(page)
            takeBack(pages.count - 1)
            return pages.count - 1
        }

        /// An address has been looked for in vain: also what is only read takes memory, if there is no entry nearby.
        func noteMiss(of eip: UInt32) {
            guard entries[Int(eip)] == 0 else { return }
            provided += 1
            if provided >= Self.mostProvided { giveBack() }
        }

        /// Removes all, and gives back what the host has provided.
        private func giveBack() {
            removeAll()
            provided = 0
            room.clearEntries(of: mode)
        }

        private func hasPage(_ linear: UInt32) -> Bool {
            let page = linear & 0xFFFF_F000
            return regions.contains(page) && pages.contains { $0.linear == page }
        }

        private func takeBack(_ number: Int) {
            let (linear, physical) = (pages[number].linear, pages[number].physical)
            guard let index = aside.firstIndex(where: { $0.linear == linear }) else { return }
            let found = aside.remove(at: index)
            guard found.physical == physical else { return }
            for entry in found.entries { insert(entry, at: number) }
        }

        /// Keeps the entries of pages that are where they were, and of global ones outside `flushed`.
        func revalidate(_ cpu: Processor, isUser: Bool, flushed: RegionSet) {
            let now = PagingControls(cpu)
            let isSameMode = controls == now
            let hasGlobal = isSameMode && now.cr4 & CR4.pge != 0
            let isAnyFlushed = !flushed.isEmpty
            controls = now
            var reader = TableReader(cpu)
            var indices: [Int] = []
            pages.withUnsafeMutableBufferPointer { pages in
                for index in pages.indices.reversed() {
                    let linear = pages[index].linear
                    if hasGlobal, pages[index].entries.areGlobal, !isAnyFlushed || !flushed.contains(linear) {
                        continue
                    }
                    let entries = reader.entries(of: linear)
                    if isSameMode, entries.arePresent, entries == pages[index].entries { continue }
                    pages[index].entries = entries
                    if !isValid(pages[index], cpu, isUser: isUser) { indices.append(index) }
                }
            }
            remove(indices)
        }

        /// The same of those, global or not, of the page that holds `linear`, which may be a large one.
        func revalidate(_ cpu: Processor, isUser: Bool, page linear: UInt32) {
            guard regions.contains(linear) else { return }
            var reader = TableReader(cpu)
            var indices: [Int] = []
            for index in pages.indices.reversed() where pages[index].linear >> 22 == linear >> 22 {
                // Small ones are flushed alone (SDM 3A 4.10.4.1).
                guard pages[index].linear >> 12 == linear >> 12 || pages[index].entries.table == 0 else { continue }
                // They may not be global any more.
                pages[index].entries = reader.entries(of: pages[index].linear)
                if !isValid(pages[index], cpu, isUser: isUser) { indices.append(index) }
            }
            remove(indices)
        }

        /// Pages by their indices, which descend.
        private func remove(_ indices: [Int]) {
            guard !indices.isEmpty else { return }
            let gone = indices.map { pages[$0] }
            for index in indices { pages.remove(at: index) }
            for page in gone { remove(page) }
        }

        private func isValid(_ page: Page, _ cpu: Processor, isUser: Bool) -> Bool {
            guard let found = cpu.peek(page.linear, isUser: isUser), found.isExecutable else { return false }
            return found.page & (UInt64(cpu.pointee.a20Mask) | 0xFFFF_FFFF_0000_0000) == UInt64(page.physical)
        }

        /// Puts the blocks of a page aside, and removes those that cross into it.
        private func remove(_ page: Page) {
            var removed = Aside(linear: page.linear, physical: page.physical, entries: [])
            removeEntries(of: page) {
                // The last ones may cross into a page that is another one then.
                if $0.eip & 0xFFF < 0xFF1 { removed.entries.append($0) }
            }
            if hasPage(page.linear &- 1) {
                for distance in 1...15 as ClosedRange<UInt32> { _ = remove(page.linear &- distance) }
            }
            targets.forEach(onPageOf: page.linear &- 1) { number, eip in
                if page.linear &- eip <= 15 { far[number] = targets.unknown }
            }
            guard !removed.entries.isEmpty else { return }
            aside.removeAll { $0.linear == page.linear }
            if aside.count >= Self.mostPages { aside.removeFirst() }
            aside.append(removed)
        }

        private func removeEntries(of page: Page, _ body: (Entry) -> Void) {
            targets.forEach(onPageOf: page.linear) { number, eip in
                guard far[number] != targets.unknown else { return }
                if !page.starts.contains(eip & 0xFFF) { body(Entry(eip: eip, host: far[number], isFar: true)) }
                far[number] = targets.unknown
            }
            page.starts.forEach { offset in
                let eip = page.linear | offset
                if let host = remove(eip) { body(Entry(eip: eip, host: host, isFar: false)) }
            }
        }

        private func remove(_ eip: UInt32) -> UInt64? {
            let entry = entries + Int(eip)
            let host = entry.pointee
            guard host != 0, host != unknown else { return nil }
            entry.pointee = unknown
            return host
        }

        func removeAll() {
            for page in pages { removeEntries(of: page) { _ in } }
            pages.removeAll(keepingCapacity: true)
            aside.removeAll(keepingCapacity: true)
            regions = RegionSet()
        }
    }

    /// A set of offsets in a page.
    private struct PageOffsets {
        private var words = InlineArray<64, UInt64>(repeating: 0)

        mutating func insert(_ offset: UInt32) { words[Int(offset >> 6 & 63)] |= 1 << UInt64(offset & 63) }

        func contains(_ offset: UInt32) -> Bool { words[Int(offset >> 6 & 63)] & 1 << UInt64(offset & 63) != 0 }

        /// Those that are in it, ascending.
        func forEach(_ body: (UInt32) -> Void) {
            for index in words.indices {
                var word = words[index]
                while word != 0 {
                    body(UInt32(index) << 6 | UInt32(word.trailingZeroBitCount))
                    word &= word - 1
                }
            }
        }
    }

    /// Jumps and calls by the jump cache, of which R15 has the address.
    enum JumpCacheLookup {
        /// The jump to, or call of, the block for the address in R8, whose upper half is zero.
        static func emitJump(_ host: inout HostAssembler, isCall: Bool) {
            host.bytes(0x43, 0xFF, isCall ? 0x14 : 0x24, 0xC7)  // jmp [r15 + r8*8]
        }

        /// The jump to, or call of, a far target, or the way out by the site in R8D.
        static func emitFarJump(_ number: Int, _ host: inout HostAssembler, isCall: Bool) {
            host.bytes(0x41, 0xFF, isCall ? 0x97 : 0xA7)  // jmp [r15 + place]
            host.dword(UInt32(truncatingIfNeeded: number * 8 - FarTargets.tableSize))
        }
    }
#endif
