/// Where the `CallStack` is in use.
struct CallStackPlaces {
    /// RSP of emitted code.
    var stack: UInt64 = 0
    /// RSP where nothing has been called since the mode was another; there lies `last`.
    var base: UInt64 = 0
    /// The first of these.
    var bottom: UInt64 = 0
    /// Where to return to where nothing was called: a host address.
    var last: UInt64 = 0
    /// RSP of the user's code, which has called the supervisor's, and the jump cache it used.
    var user: UInt64 = 0
    var userJumpCache: UInt64 = 0
}

#if arch(x86_64) && os(Linux)
    import Glibc

    /// The host's stack while emitted code runs: addresses that the guest's calls have left and its returns will take.
    ///
    /// Nothing of the guest's is there, and nothing is relied on: whoever returns says in R8D where the guest does, and
    /// code at the address compares. Everything in use of it was pushed by blocks for the same page tables, privilege and
    /// mode: where one of them changes, it begins anew. SYSENTER begins anew above what the user has pushed, and SYSEXIT
    /// takes that up again if it leads back to the same.
    ///
    /// It cannot overflow: a call takes an instruction at least, of which there are `InstructionBudget.largest` till the
    /// monitor sees how much there is.
    final class CallStack {
        /// Bytes for the host's signal handlers, which find no other stack.
        private static let handlerRoom = 256 << 10
        private static let guardSize = 4096
        /// Bytes with which it begins anew.
        private static let mostInUse: UInt64 = 64 << 10
        private static let size =
            guardSize + handlerRoom + Int(InstructionBudget.largest) * 8 + Int(mostInUse) + 4096

        private let mapping: UnsafeMutableRawPointer
        /// RSP where nothing has been called.
        private let bottom: UInt64

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

        /// For a processor that has not executed anything yet.
        var places: CallStackPlaces {
            let last = UnsafePointer<UInt64>(bitPattern: UInt(bottom))?.pointee ?? 0
            return CallStackPlaces(stack: bottom, base: bottom, bottom: bottom, last: last)
        }

        /// Begins anew.
        @inline(__always)
        func reset(_ places: inout CallStackPlaces) {
            (places.stack, places.base, places.userJumpCache) = (bottom, bottom, 0)
        }

        /// Whether it should.
        @inline(__always)
        func isLong(_ places: CallStackPlaces) -> Bool { bottom &- places.stack > Self.mostInUse }

        /// All of the mapping.
        var addresses: Range<UInt64> {
            let start = UInt64(UInt(bitPattern: mapping))
            return start..<start + UInt64(Self.size)
        }
    }
#endif
