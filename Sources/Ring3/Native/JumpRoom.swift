#if arch(x86_64) && os(Linux)
    import CHost
    import Glibc

    /// Addresses of the host's for the jump caches of a view, in the order of their modes: for all there can be, so that none
    /// fails for lack of them.
    ///
    /// Entries are a file in memory. Private memory of that size is more than a host grants that counts it before it is used
    /// (`vm.overcommit_memory` of 2).
    final class JumpRoom {
        private static let size = NativeMode.count * JumpCache.size
        /// Nobody has anything nearer to it when it is made: there a stray access of the guest's might go.
        private static let distance = 4 << 30
        private let start: UnsafeMutableRawPointer
        private let file: Int32

        /// - Parameter targets: which every jump cache begins with a table of.
        init(_ targets: FarTargets) throws(CodeArena.Failure) {
            file = ring3_memfd_create("ring3-jumps")
            guard file >= 0 else { throw CodeArena.Failure(errno: errno) }
            guard ftruncate(file, Self.size) == 0,
                let wide = ShadowWindow.reserve(Self.size + 2 * Self.distance, PROT_NONE)
            else {
                let error = errno
                close(file)
                throw CodeArena.Failure(errno: error)
            }
            munmap(wide, Self.distance)
            start = wide + Self.distance
            munmap(start + Self.size, Self.distance)
            for number in 0..<NativeMode.count {
                let mode = NativeMode(rawValue: UInt8(number))
                try targets.provideTable(at: place(of: mode))
                guard provideEntries(of: mode) else { throw CodeArena.Failure(errno: errno) }
            }
        }

        deinit {
            munmap(start, Self.size)
            close(file)
        }

        private func offset(of mode: NativeMode) -> Int { Int(mode.rawValue) * JumpCache.size }

        /// Where the far targets of a jump cache are; its entries follow.
        func place(of mode: NativeMode) -> UnsafeMutableRawPointer { start + offset(of: mode) }

        /// Zeros, for which the host provides memory when they are used.
        private func provideEntries(of mode: NativeMode) -> Bool {
            let (entries, flags) = (place(of: mode) + FarTargets.tableSize, MAP_SHARED | MAP_FIXED)
            let offset = offset(of: mode) + FarTargets.tableSize
            guard mmap(entries, JumpCache.entriesSize, PROT_READ | PROT_WRITE, flags, file, offset) != MAP_FAILED else {
                return false
            }
            // Few entries are near others: large pages would be a waste. A host that has none refuses.
            madvise(entries, JumpCache.entriesSize, MADV_NOHUGEPAGE)
            return true
        }

        /// Makes all entries zero, and gives back what the host has provided for them, its page tables included.
        func clearEntries(of mode: NativeMode) {
            let isRemoved = madvise(place(of: mode) + FarTargets.tableSize, JumpCache.entriesSize, MADV_REMOVE) == 0
            precondition(isRemoved && provideEntries(of: mode), "the host does not take back its pages")
        }
    }
#endif
