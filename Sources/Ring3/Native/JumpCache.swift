#if arch(x86_64) && os(Linux)
    /// Host addresses of blocks by guest address, for jumps that cannot be linked: to other pages, through registers and
    /// memory, returns. Direct-mapped by the low bits of EIP: tags first, then addresses.
    ///
    /// Valid for one privilege level and one mode, and as long as the page tables lead to the same pages.
    final class JumpCache {
        /// log2 of the entries.
        static let bits = 14
        static let count = 1 << bits
        /// No EIP equals it: tags are 64 bits wide.
        private static let empty: UInt64 = 1 << 32
        /// Pages that may have entries.
        private static let mostPages = 512

        let entries = UnsafeMutablePointer<UInt64>.allocate(capacity: 2 * count)
        private var isEmpty = false
        /// The pages that have entries, and where in RAM these found them.
        private var pages: [(linear: UInt32, physical: UInt32)] = []
        /// The regions of 4 MiB, by the low bits of their numbers, in which they are.
        private var regions: UInt64 = 0

        init() { removeAll() }

        deinit { entries.deallocate() }

        /// Enters a block, whose code is at a host address.
        func insert(_ block: NativeBlock, _ host: UInt64) {
            if pages.count + 2 > Self.mostPages { removeAll() }
            note(block.eip, block.physical)
            if let second = block.secondPage { note((block.eip | 0xFFF) &+ 1, second) }
            let index = Int(block.eip) & (Self.count - 1)
            entries[index] = UInt64(block.eip)
            entries[Self.count + index] = host
            isEmpty = false
        }

        private func note(_ linear: UInt32, _ physical: UInt32) {
            let page = linear & 0xFFFF_F000
            guard !pages.contains(where: { $0.linear == page }) else { return }
            pages.append((page, physical & 0xFFFF_F000))
            regions |= 1 << UInt64(page >> 22 & 63)
        }

        /// Keeps the entries of pages that are where they were, or of those outside a region of 4 MiB.
        func revalidate(_ cpu: Processor, isUser: Bool, region: UInt32? = nil) {
            if let region, regions & 1 << UInt64(region & 63) == 0 { return }
            var gone: [UInt32] = []
            /// Of the large page, or half of one, that was looked at last.
            var (large, distance) = (UInt32.max, UInt32(0))
            pages.removeAll { page in
                if let region, page.linear >> 22 != region { return false }
                if page.linear >> 21 == large, page.physical &- page.linear == distance { return false }
                if let found = cpu.peek(page.linear, isUser: isUser), found.isExecutable,
                    found.page & (UInt64(cpu.pointee.a20Mask) | 0xFFFF_FFFF_0000_0000) == UInt64(page.physical)
                {
                    if found.isLarge { (large, distance) = (page.linear >> 21, page.physical &- page.linear) }
                    return false
                }
                gone.append(page.linear)
                return true
            }
            for page in gone { remove(page: page) }
        }

        /// Removes the blocks of a page, and those that cross into it.
        private func remove(page: UInt32) {
            for offset in 0..<0x1000 as Range<UInt32> { remove(page &+ offset) }
            for distance in 1...15 as ClosedRange<UInt32> { remove(page &- distance) }
        }

        private func remove(_ eip: UInt32) {
            let index = Int(eip) & (Self.count - 1)
            if entries[index] == UInt64(eip) { entries[index] = Self.empty }
        }

        func removeAll() {
            guard !isEmpty else { return }
            entries.update(repeating: Self.empty, count: Self.count)
            (entries + Self.count).update(repeating: 0, count: Self.count)
            pages.removeAll(keepingCapacity: true)
            regions = 0
            isEmpty = true
        }
    }
#endif
