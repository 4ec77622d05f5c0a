#if arch(x86_64) && os(Linux)
    import Glibc

    /// Host addresses of blocks by guest address, for jumps that cannot be linked: through registers and memory, returns, and
    /// to known addresses on other pages, the `FarTargets`.
    ///
    /// ```
    /// entries → │ `count` tags │ `count` addresses │ addresses of far targets │
    /// ```
    /// Entries are direct-mapped. A tag is the complement of an EIP, of 64 bits, and 0 where there is no entry. Far targets
    /// have their places for themselves, and no tags.
    ///
    /// Valid for one privilege level and one mode, and as long as the page tables lead to the same pages. The entries of a
    /// page that has gone are put aside: often it comes back, as with the next process that runs the same program.
    final class JumpCache {
        /// With so many entries, the index is the low half of a register.
        static let count = 1 << 16
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

        /// Entries of a page that has gone.
        private struct Aside {
            var linear: UInt32
            var physical: UInt32
            var entries: [(eip: UInt32, host: UInt64)]
        }

        let entries: UnsafeMutablePointer<UInt64>
        private let targets: FarTargets
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

        /// Offset of the far targets' table.
        static let farPlace = 2 * count * MemoryLayout<UInt64>.stride
        /// Bytes it takes, of which the host provides what is used.
        static let size = farPlace + FarTargets.tableSize

        /// - Parameter place: zeros, and from `farPlace` on a table of `targets`, which outlive it.
        init(at place: UnsafeMutableRawPointer, _ targets: FarTargets) {
            entries = place.bindMemory(to: UInt64.self, capacity: 2 * Self.count)
            far = (place + Self.farPlace).bindMemory(to: UInt64.self, capacity: FarTargets.most)
            self.targets = targets
        }

        /// Where the entry for an address is. Functions begin at multiples of 16, as a rule: by the low bits of EIP alone,
        /// fifteen of sixteen entries would stay empty, and the others meet. Those of the same 64 KiB never do.
        static func index(_ eip: UInt32) -> Int { Int((eip &+ eip >> 16) & UInt32(count - 1)) }

        /// Enters a block, whose code is at a host address.
        func insert(_ block: NativeBlock, _ host: UInt64) {
            if pages.count + 2 > Self.mostPages { removeAll() }
            insert(block.eip, host, at: page(block.eip, block.physical))
            if let second = block.secondPage { _ = page((block.eip | 0xFFF) &+ 1, second) }
        }

        private func insert(_ eip: UInt32, _ host: UInt64, at page: Int) {
            let index = Self.index(eip)
            entries[index] = ~UInt64(eip)
            entries[Self.count + index] = host
            if let number = targets.number(of: eip) { far[number] = host }
            pages[page].starts.insert(eip & 0xFFF)
        }

        /// The host's address for a block, by the jump cache whose entries are at an address; nil if there is no entry.
        static func find(_ eip: UInt32, in place: UInt64) -> UInt64? {
            guard let entries = UnsafePointer<UInt64>(bitPattern: UInt(place)) else { return nil }
            let index = index(eip)
            return entries[index] == ~UInt64(eip) ? entries[count + index] : nil
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

        private func takeBack(_ number: Int) {
            let (linear, physical) = (pages[number].linear, pages[number].physical)
            guard let index = aside.firstIndex(where: { $0.linear == linear }) else { return }
            let found = aside.remove(at: index)
            guard found.physical == physical else { return }
            for entry in found.entries { insert(entry.eip, entry.host, at: number) }
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
            removeEntries(of: page) { eip, host in
                // The last ones may cross into a page that is another one then.
                if eip & 0xFFF < 0xFF1 { removed.entries.append((eip, host)) }
            }
            for distance in 1...15 as ClosedRange<UInt32> { _ = remove(page.linear &- distance) }
            targets.forEach(onPageOf: page.linear &- 1) { number, eip in
                if page.linear &- eip <= 15 { far[number] = targets.unknown }
            }
            guard !removed.entries.isEmpty else { return }
            aside.removeAll { $0.linear == page.linear }
            if aside.count >= Self.mostPages { aside.removeFirst() }
            aside.append(removed)
        }

        private func removeEntries(of page: Page, _ body: (_ eip: UInt32, _ host: UInt64) -> Void) {
            targets.forEach(onPageOf: page.linear) { number, eip in
                guard far[number] != targets.unknown else { return }
                // Another address may have driven its entry out.
                if entries[Self.index(eip)] != ~UInt64(eip) { body(eip, far[number]) }
                far[number] = targets.unknown
            }
            page.starts.forEach { offset in
                let eip = page.linear | offset
                if let host = remove(eip) { body(eip, host) }
            }
        }

        private func remove(_ eip: UInt32) -> UInt64? {
            let index = Self.index(eip)
            guard entries[index] == ~UInt64(eip) else { return nil }
            entries[index] = 0
            return entries[Self.count + index]
        }

        func removeAll() {
            for page in pages { removeEntries(of: page) { _, _ in } }
            pages.removeAll(keepingCapacity: true)
            aside.removeAll(keepingCapacity: true)
            regions = RegionSet()
        }
    }

    /// A set of offsets in a page.
    private struct PageOffsets {
        private var words = InlineArray<64, UInt64>(repeating: 0)

        mutating func insert(_ offset: UInt32) { words[Int(offset >> 6 & 63)] |= 1 << UInt64(offset & 63) }

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

    /// Code that looks into the jump cache, of which R15 has the address, for the address in R8D.
    ///
    /// Compares without a flag: tag + address + 1 is zero if it is the right one.
    enum JumpCacheLookup {
        /// Leaves `ZeroBranch.bias` in RCX if the address is there, ECX in R10, and the entry's number in R9.
        static func emit(_ branch: ZeroBranch, _ host: inout HostAssembler) {
            host.bytes(0xC4, 0x43, 0x7B, 0xF0, 0xC8, 0x10)  // rorx r9d, r8d, 16
            host.bytes(0x47, 0x8D, 0x0C, 0x01)  // lea r9d, [r9 + r8]
            host.bytes(0x45, 0x0F, 0xB7, 0xC9)  // movzx r9d, r9w
            host.bytes(0x4F, 0x8B, 0x1C, 0xCF)  // mov r11, [r15 + r9*8]
            host.move(.r10, .rcx)
            host.bytes(0x4B, 0x8D, 0x4C, 0x03, 1 + branch.bias)  // lea rcx, [r11 + r8 + 1]
        }

        /// The jump to, or call of, what was found.
        static func emitJump(_ host: inout HostAssembler, isCall: Bool) {
            host.bytes(0x43, 0xFF, opcode(isCall) | 4, 0xCF)  // jmp [r15 + r9*8 + addresses]
            host.dword(UInt32(JumpCache.count * 8))
        }

        /// The jump to, or call of, a far target, or the way out by the site in R8D.
        static func emitFarJump(_ number: Int, _ host: inout HostAssembler, isCall: Bool) {
            host.bytes(0x41, 0xFF, opcode(isCall) | 7)  // jmp [r15 + place]
            host.dword(UInt32(JumpCache.farPlace + number * 8))
        }

        /// FF /4 is JMP, FF /2 CALL, with a displacement of 32 bits.
        private static func opcode(_ isCall: Bool) -> UInt8 { isCall ? 0x90 : 0xA0 }
    }
#endif
