#if arch(x86_64) && os(Linux)
    import CHost
    import Glibc

    /// Addresses that emitted code jumps to, or calls, on other pages than its own: numbered, so that every jump cache has a
    /// place for each.
    ///
    /// There the host's address of the block is, or, as long as that is not known, the way out to the monitor. Tables of
    /// these begin as private copies of a file that is full of the latter.
    final class FarTargets {
        /// How many there can be.
        static let most = 1 << 16
        /// Bytes of a table.
        static let tableSize = most * MemoryLayout<UInt64>.stride

        /// The way out.
        let unknown: UInt64
        /// The same for other jumps.
        let missing: UInt64
        private let file: Int32
        private(set) var count = 0
        private let targets = UnsafeMutablePointer<Target>.allocate(capacity: most)
        /// By the page's number, that of its last target and one more; 0 if it has none.
        private let pages: UnsafeMutablePointer<UInt32>
        private static let pagesSize = (1 << 20) * MemoryLayout<UInt32>.stride

        private struct Target {
            var eip: UInt32
            /// As in `pages`.
            var nextOnPage: UInt32
        }

        /// - Parameters:
        ///   - unknown: a host address, which finds the number of a `NativeSite` in R8D.
        ///   - missing: one that finds the guest's address there.
        init(unknown: UInt64, missing: UInt64) throws(CodeArena.Failure) {
            self.unknown = unknown
            self.missing = missing
            guard let pages = ShadowWindow.reserve(Self.pagesSize, PROT_READ | PROT_WRITE) else {
                throw CodeArena.Failure(errno: errno)
            }
            let file = ring3_memfd_create("ring3-far")
            guard file >= 0, ftruncate(file, Self.tableSize) == 0,
                let table = mmap(nil, Self.tableSize, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), table != MAP_FAILED
            else {
                let error = errno
                munmap(pages, Self.pagesSize)
                if file >= 0 { close(file) }
                throw CodeArena.Failure(errno: error)
            }
            table.initializeMemory(as: UInt64.self, repeating: unknown, count: Self.most)
            munmap(table, Self.tableSize)
            self.pages = pages.bindMemory(to: UInt32.self, capacity: 1 << 20)
            self.file = file
        }

        deinit {
            munmap(pages, Self.pagesSize)
            close(file)
            targets.deallocate()
        }

        /// Puts an empty table at a page's start, in place of what is mapped there.
        func provideTable(at place: UnsafeMutableRawPointer) throws(CodeArena.Failure) {
            let flags = MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE
            guard mmap(place, Self.tableSize, PROT_READ | PROT_WRITE, flags, file, 0) != MAP_FAILED else {
                throw CodeArena.Failure(errno: errno)
            }
        }

        /// Whether there is room for those of another block, however long.
        var hasRoom: Bool { count + 2 * Translator.longest + 2 <= Self.most }

        /// The number of an address; nil if nothing leads there.
        func number(of eip: UInt32) -> Int? {
            var number = pages[Int(eip >> 12)]
            while number != 0 {
                let target = targets[Int(number) - 1]
                if target.eip == eip { return Int(number) - 1 }
                number = target.nextOnPage
            }
            return nil
        }

        /// The number of an address, to which something is about to lead. There must be room.
        func note(_ eip: UInt32) -> Int {
            if let known = number(of: eip) { return known }
            targets[count] = Target(eip: eip, nextOnPage: pages[Int(eip >> 12)])
            count += 1
            pages[Int(eip >> 12)] = UInt32(count)
            return count - 1
        }

        /// Those on the page that holds `linear`.
        func forEach(onPageOf linear: UInt32, _ body: (_ number: Int, _ eip: UInt32) -> Void) {
            var number = pages[Int(linear >> 12)]
            while number != 0 {
                let target = targets[Int(number) - 1]
                body(Int(number) - 1, target.eip)
                number = target.nextOnPage
            }
        }

        /// Nothing leads anywhere any more, and all tables are empty.
        func removeAll() {
            for number in 0..<count { pages[Int(targets[number].eip >> 12)] = 0 }
            count = 0
        }
    }
#endif
