#if arch(x86_64) && os(Linux)
    import Glibc
    import Hardware

    @testable import Ring3

    /// Host memory that is nobody's, beside memory that a guest may reach: an access that strays there does not fault.
    ///
    /// ```
    ///  far: never touched │ near: the pattern │ what is guarded │ near │ far
    /// ```
    /// A write to the near part changes the pattern, and what is read there is in all likelihood not what was meant to be
    /// read. The far part has no pages of the host's until somebody reads or writes it.
    final class CanaryMapping: Sendable {
        /// What it stands beside.
        enum Side { case below, above }

        let addresses: Range<UInt64>
        /// Nothing lies between it and what it guards.
        let isAdjacent: Bool
        private let near: Range<UInt64>
        private let far: Range<UInt64>

        /// <asm-generic/mman-common.h>; the Glibc module lacks it. Older kernels take the address for a wish.
        private static let fixedWithoutReplacing: Int32 = 0x10_0000
        private static let page: UInt64 = 4096
        private static let largestNear: UInt64 = 16 * page
        /// Bytes to be had if nothing is in the way. A displacement reaches 2 GiB.
        private static let sizes: [UInt64] = [2 << 30, 256 << 20, 16 << 20, 1 << 20, largestNear, page]
        /// How many pages away it may be if the nearest are somebody else's: each of the first, then some.
        private static let distances = Array(1..<64) + stride(from: 64, to: 65_536, by: 64)

        /// What each near page holds: no byte is 0 or 0xFF, as memory that is not there is.
        private static let pattern: [UInt8] = {
            var random = SeededGenerator(seed: 0xCA)
            return (0..<Int(page)).map { _ in UInt8.random(in: 1...0xFE, using: &random) }
        }()

        /// As large as there is room for, as near as there is room for; nil if there is none.
        init?(_ side: Side, _ guarded: Range<UInt64>, atMost largest: UInt64) {
            func range(_ distance: UInt64, _ size: UInt64) -> Range<UInt64> {
                switch side {
                case .below: guarded.lowerBound - distance - size..<guarded.lowerBound - distance
                case .above: guarded.upperBound + distance..<guarded.upperBound + distance + size
                }
            }
            let sizes = Self.sizes.drop { $0 > largest }
            let adjacent = sizes.lazy.map { range(0, $0) }.first(where: Self.map)
            isAdjacent = adjacent != nil
            let other = { Self.distances.lazy.map { range(UInt64($0) * Self.page, Self.page) }.first(where: Self.map) }
            guard let place = adjacent ?? other() else { return nil }
            addresses = place
            let size = Swift.min(Self.largestNear, UInt64(place.count))
            switch side {
            case .below:
                near = place.upperBound - size..<place.upperBound
                far = place.lowerBound..<near.lowerBound
            case .above:
                near = place.lowerBound..<place.lowerBound + size
                far = near.upperBound..<place.upperBound
            }
            for start in stride(from: near.lowerBound, to: near.upperBound, by: Int(Self.page)) {
                Self.pointer(start).copyMemory(from: Self.pattern, byteCount: Self.pattern.count)
            }
        }

        /// All of those addresses, none of which is to be touched; nil if somebody else has some of them.
        init?(untouched place: Range<UInt64>) {
            guard Self.map(place) else { return nil }
            addresses = place
            isAdjacent = true
            near = place.lowerBound..<place.lowerBound
            far = place
        }

        deinit { munmap(Self.pointer(addresses.lowerBound), addresses.count) }

        private static func pointer(_ address: UInt64) -> UnsafeMutableRawPointer {
            guard let pointer = UnsafeMutableRawPointer(bitPattern: UInt(address)) else {
                preconditionFailure("no canary stands at 0")
            }
            return pointer
        }

        private static func map(_ place: Range<UInt64>) -> Bool {
            let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixedWithoutReplacing
            let wanted = pointer(place.lowerBound)
            guard let got = mmap(wanted, place.count, PROT_READ | PROT_WRITE, flags, -1, 0), got != MAP_FAILED else {
                return false
            }
            guard got == wanted else {
                munmap(got, place.count)
                return false
            }
            // A large page would come as a whole.
            madvise(got, place.count, MADV_NOHUGEPAGE)
            return true
        }

        /// Addresses of pages that somebody has touched, as far as that can be seen: the first of each part.
        var touched: [UInt64] {
            let changed = stride(from: near.lowerBound, to: near.upperBound, by: Int(Self.page)).first {
                memcmp(Self.pointer($0), Self.pattern, Self.pattern.count) != 0
            }
            return [changed, firstResident].compactMap(\.self)
        }

        private var firstResident: UInt64? {
            guard !far.isEmpty else { return nil }
            var pages = [UInt8](repeating: 0, count: far.count >> 12)
            guard mincore(Self.pointer(far.lowerBound), far.count, &pages) == 0 else { return far.lowerBound }
            return pages.withUnsafeBytes { bytes in
                guard let start = bytes.baseAddress, let first = memchr(start, 1, bytes.count) else { return nil }
                return far.lowerBound + UInt64(UnsafeRawPointer(first) - start) << 12
            }
        }
    }

    /// The canaries round all that a machine on the engine `native` has of the host's memory.
    final class Canaries {
        private(set) var mappings: [(name: String, canary: CanaryMapping)] = []
        /// Windows that have canaries on both sides.
        private var guarded: Set<UInt64> = []
        /// The sides of windows, and how many of them have a canary that is adjacent.
        private(set) var sides = 0
        private(set) var adjacentSides = 0

        /// The host's addresses that a guest's are, were it not for the window; from where Linux allows mappings on.
        static let lowest = CanaryMapping(untouched: 0x1_0000..<1 << 32)

        /// What `make` makes, anew if another test's mapping lies next to a window of it, where a canary would stand.
        static func adjacent<Machine>(
            _ make: () throws -> (Machine, NativeEngine, Canaries)
        ) rethrows -> (Machine, NativeEngine, Canaries) {
            var made = try make()
            for _ in 0..<20 where made.2.adjacentSides < made.2.sides { made = try make() }
            return made
        }

        init(_ engine: NativeEngine, _ memory: PhysicalMemory) {
            // Inaccessible pages of its own stand on both sides of RAM.
            let start = UInt64(UInt(bitPattern: memory.base)) - (1 << 20)
            add("RAM", start..<start + UInt64(memory.size) + (2 << 20))
            add("instruction budget", engine.budget.addresses)
            add("call stack", engine.calls.addresses)
            guardWindows(of: engine)
        }

        /// Puts canaries round the windows that have none yet.
        func guardWindows(of engine: NativeEngine) {
            for window in engine.spaces.windows where guarded.insert(window.lowerBound).inserted {
                sides += 2
                adjacentSides += add("window", window, atMost: 2 << 30)
            }
        }

        /// Returns how many are adjacent.
        @discardableResult
        private func add(_ name: String, _ addresses: Range<UInt64>, atMost largest: UInt64 = 1 << 20) -> Int {
            let sides: [CanaryMapping.Side] = [.below, .above]
            let new = sides.compactMap { CanaryMapping($0, addresses, atMost: largest) }
            mappings += new.map { (name, $0) }
            return new.count(where: \.isAdjacent)
        }

        /// What has been touched of them, and of the lowest 4 GiB of host addresses.
        var touched: [String] {
            let beside = mappings.flatMap { each in each.canary.touched.map { "beside \(each.name): \(hex($0))" } }
            return beside + (Self.lowest?.touched.map { "without window: \(hex($0))" } ?? [])
        }

        private func hex(_ address: UInt64) -> String { "0x" + String(address, radix: 16) }
    }
#endif
