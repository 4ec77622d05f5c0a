#if arch(x86_64) && os(Linux)
    import CHost
    import Glibc

    /// Counts instructions without touching a flag: every block takes its length off a pointer, in parts, and loads at once
    /// from where that will point. While instructions are left, it points into readable memory; when the block would exceed what is
    /// left, to a page that cannot be read, and the host's exception keeps the block from beginning.
    ///
    /// ```
    ///  guard page │ zero │ 1 │ 2 │ ...  `largest`
    ///             ↑ `end`: no instruction is left
    /// ```
    /// All of it is one page of zeros of the host's, so that the loads hit its first-level cache.
    final class InstructionBudget {
        /// Instructions between two looks at the engine at most.
        static let largest: UInt64 = 1 << 20
        private static let guardSize = 4096
        private static let size = guardSize + Int(largest) + 4096

        private let mapping: UnsafeMutableRawPointer
        /// Address that stands for nothing left.
        let end: UInt64

        init() throws(CodeArena.Failure) {
            guard
                let base = mmap(nil, Self.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
                base != MAP_FAILED
            else { throw CodeArena.Failure(errno: errno) }
            mapping = base
            end = UInt64(UInt(bitPattern: base)) + UInt64(Self.guardSize)
            // The address space is ours already: this cannot fail for lack of it.
            guard mprotect(base + Self.guardSize, Self.size - Self.guardSize, PROT_READ) == 0 else {
                let error = errno
                munmap(base, Self.size)
                throw CodeArena.Failure(errno: error)
            }
        }

        deinit { munmap(mapping, Self.size) }

        /// All of the mapping.
        var addresses: Range<UInt64> {
            let start = UInt64(UInt(bitPattern: mapping))
            return start..<start + UInt64(Self.size)
        }

        /// Whether a fault at that address says that a block was too long for what was left.
        func isExhausted(at address: UInt64) -> Bool {
            address &- (end &- UInt64(Self.guardSize)) < UInt64(Self.guardSize)
        }
    }
#endif
