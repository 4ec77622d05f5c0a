#if arch(x86_64) && os(Linux)
    /// Host addresses of blocks by guest address, for jumps that cannot be linked: to other pages, through registers and
    /// memory, returns. Direct-mapped by the low bits of EIP: tags first, then addresses.
    ///
    /// Valid for one privilege level and as long as no translation of linear addresses is flushed.
    final class JumpCache {
        /// log2 of the entries.
        static let bits = 10
        static let count = 1 << bits
        /// No EIP equals it: tags are 64 bits wide.
        private static let empty: UInt64 = 1 << 32

        let entries = UnsafeMutablePointer<UInt64>.allocate(capacity: 2 * count)
        private var isEmpty = false
        /// Which 4 MiB regions may have entries.
        private var regions: InlineArray<16, UInt64> = InlineArray(repeating: 0)
        private var mode: NativeMode = []

        /// Only blocks of that mode are of use from now on.
        func use(in mode: NativeMode) {
            guard mode != self.mode else { return }
            removeAll()
            self.mode = mode
        }

        init() { removeAll() }

        deinit { entries.deallocate() }

        func insert(_ eip: UInt32, _ host: UInt64) {
            let index = Int(eip) & (Self.count - 1)
            entries[index] = UInt64(eip)
            entries[Self.count + index] = host
            regions[Int(eip >> 28)] |= 1 << UInt64(eip >> 22 & 63)
            isEmpty = false
        }

        /// Forgets what lies in the same 4 MiB, the size of a large page, as an address.
        func remove(region linear: UInt32) {
            let bit: UInt64 = 1 << UInt64(linear >> 22 & 63)
            guard regions[Int(linear >> 28)] & bit != 0 else { return }
            regions[Int(linear >> 28)] &= ~bit
            for index in 0..<Self.count where entries[index] >> 22 == UInt64(linear >> 22) {
                entries[index] = Self.empty
            }
        }

        func removeAll() {
            guard !isEmpty else { return }
            entries.update(repeating: Self.empty, count: Self.count)
            (entries + Self.count).update(repeating: 0, count: Self.count)
            regions = InlineArray(repeating: 0)
            isEmpty = true
        }
    }
#endif
