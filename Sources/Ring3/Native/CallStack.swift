#if arch(x86_64) && os(Linux)
    import Glibc

    /// The host's stack while emitted code runs: addresses that the guest's calls have left and its returns will take.
    ///
    /// Nothing of the guest's is there, and nothing is relied on: whoever returns says in R8D where the guest does, and
    /// code at the address compares. The stack is empty again whenever the monitor enters emitted code, so that everything
    /// in it was pushed by blocks that are in force, for the page tables in use.
    ///
    /// It cannot overflow: a call takes an instruction at least, of which there are `InstructionBudget.largest`.
    final class CallStack {
        /// Bytes for the host's signal handlers, which find no other stack.
        private static let handlerRoom = 256 << 10
        private static let guardSize = 4096
        private static let size = guardSize + handlerRoom + Int(InstructionBudget.largest) * 8 + 4096

        private let mapping: UnsafeMutableRawPointer
        /// RSP where nothing has been called.
        let bottom: UInt64

        /// - Parameter last: where to return to where nothing was called.
        init(last: UInt64) throws(CodeArena.Failure) {
            let (protection, flags) = (PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)
            guard let base = mmap(nil, Self.size, protection, flags, -1, 0), base != MAP_FAILED else {
                throw CodeArena.Failure(errno: errno)
            }
            mapping = base
            let slot = base + Self.size - 64
            slot.storeBytes(of: last, as: UInt64.self)
            bottom = UInt64(UInt(bitPattern: slot))
            guard mprotect(base, Self.guardSize, PROT_NONE) == 0 else {
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
    }
#endif
