#if arch(x86_64) && os(Linux)
    import CHost
    import Glibc
    import Hardware

    /// A guest address space, as one privilege level sees it, in the host's page tables: 4 GiB of host addresses, in which
    /// pages of guest RAM appear as the guest accesses them.
    ///
    /// What is mapped is what a TLB may hold (SDM 3A 4.10.2): a page enters when a walk of the guest's tables, A and D
    /// bits and all, allowed the access. When the guest flushes, what a walk would find just the same may stay, and
    /// everything else leaves. Whatever is not mapped faults.
    final class ShadowWindow {
        /// A page of 4 KiB.
        private struct Page {
            var linear: UInt32
            var physical: UInt32
            var isWritable: Bool
            /// Mapped by an entry for a large page.
            var isLarge: Bool
            var isGlobal: Bool
            /// What the guest's tables had for it when that was looked at last.
            var entries = TableEntries()
        }

        /// Writable pages that lie in a row in both address spaces, and are mapped by the same entry of the guest's
        /// tables, or by none: paging is off.
        private struct Stretch {
            var linear: UInt64
            var physical: UInt64
            var count: UInt64
            var isGlobal: Bool

            func contains(_ page: UInt32) -> Bool { UInt64(page) &- linear < count << 12 }
        }

        /// 2 MiB mapped by one entry of the guest's tables.
        private struct LargePage: Equatable {
            var linear: UInt32
            var physical: UInt64
            var isWritable: Bool

            func contains(_ page: UInt32) -> Bool { page &- linear < 2 << 20 }
        }

        static let size = 1 << 32
        /// Instructions reach up to 16 bytes beyond the last address; repeated ones stop there.
        private static let guardSize = 1 << 16
        /// Pages mapped by one call at most, if the guest's tables have them in a row.
        private static let longestRow = 16
        private let rowLimit: Int

        /// A multiple of 4 GiB.
        let base: UInt64
        private let place: UnsafeMutableRawPointer
        private let memory: PhysicalMemory
        private let isUser: Bool
        /// Those that are not global come first.
        private var pages: [Page] = []
        private var localCount = 0
        private var stretches: [Stretch] = []
        /// For each linear page, the index of its `Page` and one more; 0 if there is none.
        private let slots: UnsafeMutablePointer<UInt32>
        private static let slotBytes = (size >> 12) * MemoryLayout<UInt32>.stride
        /// What the tables have for those large pages, or halves of 4 MiB, that some of `pages` are parts of.
        private var largePages: [LargePage] = []
        /// What `entries` of pages rely on.
        private var controls = PagingControls()

        /// - Parameter anticipates: pages may be mapped that have not been accessed since they were flushed.
        init(_ memory: PhysicalMemory, isUser: Bool, anticipates: Bool) throws(CodeArena.Failure) {
            self.memory = memory
            rowLimit = anticipates ? Self.longestRow : 1
            self.isUser = isUser
            // Twice the size, for the alignment.
            guard let slots = Self.reserve(Self.slotBytes, PROT_READ | PROT_WRITE) else {
                throw CodeArena.Failure(errno: errno)
            }
            guard let there = Self.reserve(2 * Self.size + Self.guardSize, PROT_NONE) else {
                let error = errno
                munmap(slots, Self.slotBytes)
                throw CodeArena.Failure(errno: error)
            }
            self.slots = slots.bindMemory(to: UInt32.self, capacity: Self.size >> 12)
            let before = -Int(bitPattern: there) & (Self.size - 1)
            place = there + before
            base = UInt64(UInt(bitPattern: place))
            if before > 0 { munmap(there, before) }
            munmap(place + Self.size + Self.guardSize, Self.size - before)
        }

        /// What emitted code can reach by way of it.
        var addresses: Range<UInt64> { base..<base + UInt64(Self.size + Self.guardSize) }

        deinit {
            munmap(place, Self.size + Self.guardSize)
            munmap(slots, Self.slotBytes)
        }

        /// Addresses, for which the host provides zeros when they are used; nil if it has none, see `errno`.
        static func reserve(_ size: Int, _ protection: Int32) -> UnsafeMutableRawPointer? {
            let place = mmap(nil, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
            return place == MAP_FAILED ? nil : place
        }

        /// The guest's linear address behind a host address; nil outside the window.
        func linear(_ address: UInt64) -> UInt32? { UInt32(exactly: address &- base) }

        /// Mappings that the host may have for it: the process has a limit.
        var mappingCount: Int { 2 * pages.count + 3 * stretches.count }
        /// How much that grows at a `fill`, at most.
        static let mostMappingsOfFilling = 2 * longestRow

        // MARK: Mapping

        enum Filling {
            case done
            /// The guest's tables do not allow the access.
            case fault
            /// The monitor must do the access: it concerns a device, or changes code.
            case refused
            /// The host has no room.
            case failed
            /// The monitor does the access this time, though it need not.
            case postponed
        }

        /// Lets the guest access `linear`, if its page tables allow it and nobody has to see the access.
        func fill(_ cpu: Processor, _ linear: UInt32, isWrite: Bool) -> Filling {
            let page: PageTranslation
            do throws(Fault) {
                page = try cpu.walk(linear, isWrite ? .write : .read, isUser: isUser)
            } catch {
                return .fault
            }
            guard let found = visible(page, at: linear & 0xFFFF_F000, cpu), !isWrite || found.isWritable else {
                return .refused
            }
            let hasPaging = cpu.pointee.cr0 & CR0.pg != 0
            if found.isWritable, !hasPaging || page.isLarge, cpu.pointee.a20Mask == .max,
                !stretches.contains(where: { $0.contains(found.linear) })
            {
                return map(stretch(round: found, isWhole: !hasPaging, cpu)) ? .done : .failed
            }
            return map(row(from: found, cpu), cpu) ? .done : .failed
        }

        /// What may be mapped for a translation; nil if it is not RAM.
        private func visible(_ page: PageTranslation, at linear: UInt32, _ cpu: Processor) -> Page? {
            let place = page.page & (UInt64(cpu.pointee.a20Mask) | 0xFFFF_FFFF_0000_0000)
            guard cpu.isRAM(place) else { return nil }
            let isCode = cpu.pointee.codeMap[Int(place >> 12)] != 0
            return Page(
                linear: linear, physical: UInt32(truncatingIfNeeded: place),
                isWritable: page.isWritable && page.isDirty && !isCode, isLarge: page.isLarge,
                isGlobal: page.isGlobal)
        }

        /// A page and those behind it that the guest has accessed already and that lie behind it in RAM, too.
        private func row(from first: Page, _ cpu: Processor) -> [Page] {
            var row = [first]
            while row.count < rowLimit {
                let offset = UInt32(row.count) << 12
                let linear = first.linear &+ offset
                guard linear > first.linear, slots[Int(linear >> 12)] == 0,
                    let page = cpu.peek(linear, isUser: isUser), let next = visible(page, at: linear, cpu),
                    next.physical == first.physical &+ offset, next.isWritable == first.isWritable
                else { break }
                row.append(next)
            }
            return row
        }

        /// The pages round one that the same entry maps.
        private func stretch(round page: Page, isWhole: Bool, _ cpu: Processor) -> Stretch {
            let largeSize: UInt64 = cpu.pointee.cr4 & CR4.pae != 0 ? 2 << 20 : 4 << 20
            let physical = UInt64(page.physical)
            let first = isWhole ? 0 : physical & ~(largeSize - 1)
            let end = isWhole ? UInt64(cpu.pointee.ramSize) : first + largeSize
            func isPlain(_ physical: UInt64) -> Bool {
                cpu.isRAM(physical) && cpu.pointee.codeMap[Int(physical >> 12)] == 0
            }
            var (low, high) = (physical, physical + 4096)
            while low > first, isPlain(low - 4096) { low -= 4096 }
            while high < end, isPlain(high) { high += 4096 }
            return Stretch(
                linear: UInt64(page.linear) - (physical - low), physical: low, count: (high - low) >> 12,
                isGlobal: page.isGlobal)
        }

        private func map(_ stretch: Stretch) -> Bool {
            guard map(stretch.linear, stretch.physical, stretch.count, isWritable: true) else { return false }
            stretches.append(stretch)
            return true
        }

        private func map(_ row: [Page], _ cpu: Processor) -> Bool {
            guard let first = row.first,
                map(
                    UInt64(first.linear), UInt64(first.physical), UInt64(row.count), isWritable: first.isWritable,
                    touching: MAP_POPULATE)
            else { return false }
            for page in row { enter(page, cpu) }
            return true
        }

        private func map(
            _ linear: UInt64, _ physical: UInt64, _ count: UInt64, isWritable: Bool, touching: Int32 = 0
        ) -> Bool {
            mmap(
                place + Int(linear), Int(count) << 12, isWritable ? PROT_READ | PROT_WRITE : PROT_READ,
                MAP_SHARED | MAP_FIXED | MAP_NORESERVE | touching, memory.fileDescriptor, Int(physical)) != MAP_FAILED
        }

        private func enter(_ page: Page, _ cpu: Processor) {
            if page.isLarge, !largePages.contains(where: { $0.contains(page.linear) }),
                let large = largePage(round: page.linear, cpu)
            {
                largePages.append(large)
            }
            let known = Int(slots[Int(page.linear >> 12)])
            if known != 0 {
                guard pages[known - 1].isGlobal != page.isGlobal else { return pages[known - 1] = page }
                remove(known - 1)
            }
            pages.append(page)
            guard !page.isGlobal else { return noteSlot(pages.count - 1) }
            pages.swapAt(localCount, pages.count - 1)
            noteSlot(localCount)
            localCount += 1
            noteSlot(pages.count - 1)
        }

        /// Notes where a page is.
        private func noteSlot(_ index: Int) { slots[Int(pages[index].linear >> 12)] = UInt32(index + 1) }

        // MARK: Unmapping

        /// Makes writes to the page at `physical` fault from now on: it holds code.
        func protect(_ physical: UInt32) {
            let page = physical & 0xFFFF_F000
            for index in pages.indices where pages[index].physical == page && pages[index].isWritable {
                guard protect(at: Int(pages[index].linear)) else { return }
                pages[index].isWritable = false
            }
            for stretch in stretches where UInt64(page) &- stretch.physical < stretch.count << 12 {
                guard protect(at: Int(stretch.linear + (UInt64(page) - stretch.physical))) else { return }
            }
        }

        private func protect(at linear: Int) -> Bool {
            guard mprotect(place + linear, 4096, PROT_READ) == 0 else {
                dropAll()
                return false
            }
            return true
        }

        /// Forgets everything, or everything that is not global.
        func forget(keepingGlobal: Bool) {
            guard keepingGlobal else { return dropAll() }
            drop { !$0.isGlobal }
            remove { !$0.isGlobal }
        }

        /// Forgets the page at `linear`, and all of the large page that it is or was part of.
        func forget(page linear: UInt32) {
            let (page, region) = (linear & 0xFFFF_F000, linear >> 22)
            drop { $0.contains(page) || $0.linear >> 22 == UInt64(region) }
            if largePages.contains(where: { $0.linear >> 22 == region }) {
                largePages.removeAll { $0.linear >> 22 == region }
                remove { $0.linear == page || $0.isLarge && $0.linear >> 22 == region }
            } else if slots[Int(page >> 12)] != 0 {
                remove(Int(slots[Int(page >> 12)]) - 1)
                unmap(Int(page), 4096)
            }
        }

        /// Keeps what a walk of the guest's tables, as they are now, would find, and what is global outside `flushed`.
        func revalidate(_ cpu: Processor, flushed: RegionSet) {
            revalidateLarge(cpu) { _ in true }
            let isSameMode = controls == PagingControls(cpu)
            controls = PagingControls(cpu)
            let looksAtGlobal = !isSameMode || !flushed.isEmpty
            var reader = TableReader(cpu)
            remove(among: looksAtGlobal ? pages.count : localCount) { page in
                guard !page.isLarge, !page.isGlobal || !isSameMode || flushed.contains(page.linear) else {
                    return false
                }
                let entries = reader.entries(of: page.linear)
                if isSameMode, entries.arePresent, entries == page.entries { return false }
                page.entries = entries
                return !isValid(page, cpu)
            }
            revalidateStretches(cpu) { _ in true }
        }

        /// The same of the page at `linear`, and of the large page that it is or was part of.
        func revalidate(_ cpu: Processor, page linear: UInt32) {
            let region = linear >> 22
            revalidateLarge(cpu) { $0 >> 22 == region }
            revalidateStretches(cpu) { $0.linear >> 22 == UInt64(region) || $0.contains(linear & 0xFFFF_F000) }
            let slot = slots[Int(linear >> 12)]
            guard slot != 0 else { return }
            let old = pages[Int(slot) - 1]
            guard !isValid(old, cpu) else { return }
            // What is there instead will be accessed, or it would not be flushed.
            let new = cpu.peek(old.linear, isUser: isUser).flatMap { visible($0, at: old.linear, cpu) }
            if let new, map([new], cpu) { return }
            remove(Int(slot) - 1)
            unmap(Int(old.linear), 4096)
        }

        private func revalidateLarge(_ cpu: Processor, where isConcerned: (UInt32) -> Bool) {
            for index in largePages.indices.reversed() where isConcerned(largePages[index].linear) {
                let old = largePages[index]
                let new = largePage(round: old.linear, cpu)
                if let new, new.physical == old.physical, new.isWritable || !old.isWritable {
                    largePages[index] = new
                } else {
                    largePages.remove(at: index)
                    remove { $0.isLarge && old.contains($0.linear) }
                }
            }
        }

        private func revalidateStretches(_ cpu: Processor, where isConcerned: (Stretch) -> Bool) {
            drop { isConcerned($0) && !isValid($0, cpu) }
        }

        private func drop(where isGone: (Stretch) -> Bool) {
            for index in stretches.indices.reversed() where isGone(stretches[index]) {
                drop(stretches.remove(at: index))
            }
        }

        private func largePage(round linear: UInt32, _ cpu: Processor) -> LargePage? {
            let first = linear & ~0x1F_FFFF
            guard let found = cpu.peek(first, isUser: isUser), found.isLarge else { return nil }
            return LargePage(linear: first, physical: found.page, isWritable: found.isWritable && found.isDirty)
        }

        /// - Parameter count: how many of `pages` are looked at; nil for all.
        private func remove(among count: Int? = nil, where isGone: (inout Page) -> Bool) {
            var indices: [Int] = []
            pages.withUnsafeMutableBufferPointer { pages in
                for index in (0..<(count ?? pages.count)).reversed() where isGone(&pages[index]) {
                    indices.append(index)
                }
            }
            guard !indices.isEmpty else { return }
            var gone: [UInt32] = []
            for index in indices {
                gone.append(pages[index].linear)
                remove(index)
            }
            unmap(&gone)
        }

        private func isValid(_ page: Page, _ cpu: Processor) -> Bool {
            guard let found = cpu.peek(page.linear, isUser: isUser).flatMap({ visible($0, at: page.linear, cpu) })
            else { return false }
            return found.physical == page.physical && (found.isWritable || !page.isWritable)
                && (found.isGlobal || !page.isGlobal)
        }

        private func isValid(_ stretch: Stretch, _ cpu: Processor) -> Bool {
            let first = UInt32(truncatingIfNeeded: stretch.linear)
            guard let found = cpu.peek(first, isUser: isUser), found.page == stretch.physical, found.isWritable,
                found.isDirty, cpu.pointee.a20Mask == .max
            else { return false }
            guard cpu.pointee.cr0 & CR0.pg != 0 else { return true }
            let bits: UInt64 = cpu.pointee.cr4 & CR4.pae != 0 ? 21 : 22
            let last = stretch.linear + stretch.count << 12 - 1
            return found.isLarge && stretch.linear >> bits == last >> bits
        }

        private func remove(_ index: Int) {
            slots[Int(pages[index].linear >> 12)] = 0
            var hole = index
            if hole < localCount {
                localCount -= 1
                pages.swapAt(hole, localCount)
                if hole != localCount { noteSlot(hole) }
                hole = localCount
            }
            pages.swapAt(hole, pages.count - 1)
            pages.removeLast()
            if hole < pages.count { noteSlot(hole) }
        }

        private func drop(_ stretch: Stretch) {
            var index = pages.count - 1
            while index >= 0 {
                if stretch.contains(pages[index].linear) { remove(index) }
                index -= 1
            }
            unmap(Int(stretch.linear), Int(stretch.count) << 12)
        }

        /// Unmaps pages, those that have nothing between them by one call.
        private func unmap(_ gone: inout [UInt32]) {
            guard gone.count > 1 else {
                if let page = gone.first { unmap(Int(page), 4096) }
                return
            }
            gone.sort()
            var (first, last) = (gone[0], gone[0])
            for page in gone.dropFirst() {
                if !isEmpty(between: last, page) {
                    unmap(Int(first), Int(last - first) + 4096)
                    first = page
                }
                last = page
            }
            unmap(Int(first), Int(last - first) + 4096)
        }

        /// Nothing is mapped between two pages, which are not too far apart.
        private func isEmpty(between low: UInt32, _ high: UInt32) -> Bool {
            guard high - low <= 1 << 24 else { return false }
            for page in low >> 12..<high >> 12 where slots[Int(page)] != 0 { return false }
            return !stretches.contains { $0.linear < UInt64(high) && $0.linear + $0.count << 12 > UInt64(low) }
        }

        private func unmap(_ linear: Int, _ size: Int) {
            if !reserve(linear, size) { dropAll() }
        }

        /// One call for everything, which needs no more mappings than there are.
        func dropAll() {
            precondition(reserve(0, Self.size), "the host does not take back its pages")
            for page in pages { slots[Int(page.linear >> 12)] = 0 }
            pages.removeAll(keepingCapacity: true)
            localCount = 0
            stretches.removeAll()
            largePages.removeAll()
        }

        private func reserve(_ linear: Int, _ size: Int) -> Bool {
            mmap(
                place + linear, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0)
                != MAP_FAILED
        }
    }
#endif
