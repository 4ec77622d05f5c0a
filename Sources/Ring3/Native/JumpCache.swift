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
        /// Of these, some that need not be looked for, by the low bits of their numbers.
        private var recent = [UInt32](repeating: noPage, count: recentPages)
        private static let recentPages = 256
        private static let noPage: UInt32 = 1
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

        /// The host's address for a block, by the jump cache whose entries are at an address; nil if there is no entry.
        static func find(_ eip: UInt32, in place: UInt64) -> UInt64? {
            guard let entries = UnsafePointer<UInt64>(bitPattern: UInt(place)) else { return nil }
            let index = Int(eip) & (count - 1)
            return entries[index] == UInt64(eip) ? entries[count + index] : nil
        }

        private func note(_ linear: UInt32, _ physical: UInt32) {
            let page = linear & 0xFFFF_F000
            let slot = Int(linear >> 12) & (Self.recentPages - 1)
            guard recent[slot] != page else { return }
            recent[slot] = page
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
            let slot = Int(page >> 12) & (Self.recentPages - 1)
            if recent[slot] == page { recent[slot] = Self.noPage }
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
            for slot in 0..<Self.recentPages { recent[slot] = Self.noPage }
            regions = 0
            isEmpty = true
        }
    }

    /// Code that looks into the jump cache, of which R15 has the address.
    ///
    /// Compares without a flag: tag + ~address + 1 is zero if they are equal, and JRCXZ knows. What is emitted between
    /// the two parts is for an address that is not there.
    struct JumpCacheLookup {
        /// The entry; nil if R9 has its number.
        private let index: Int?
        private let found: Int

        /// Of the address in R8D, which is lost.
        init(_ host: inout HostAssembler) {
            index = nil
            host.move(.r10, immediate: UInt32(32 - JumpCache.bits))
            host.bytes(0xC4, 0x42, 0x29, 0xF7, 0xC8)  // shlx r9d, r8d, r10d
            host.bytes(0xC4, 0x42, 0x2B, 0xF7, 0xC9)  // shrx r9d, r9d, r10d
            host.bytes(0x4F, 0x8B, 0x1C, 0xCF)  // mov r11, [r15 + r9*8]
            found = Self.emitComparison(&host)
        }

        /// Of a known address.
        init(of eip: UInt32, _ host: inout HostAssembler) {
            let index = Int(eip) & (JumpCache.count - 1)
            self.index = index
            host.move(.r8, immediate: eip)
            host.bytes(0x4D, 0x8B, 0x9F)  // mov r11, [r15 + place]
            host.dword(UInt32(index * 8))
            found = Self.emitComparison(&host)
        }

        private static func emitComparison(_ host: inout HostAssembler) -> Int {
            host.bytes(0x49, 0xF7, 0xD0)  // not r8
            host.move(.r10, .rcx)
            host.bytes(0x4B, 0x8D, 0x4C, 0x03, 0x01)  // lea rcx, [r11 + r8 + 1]
            let found = host.jumpIfZeroRCX()
            host.move(.rcx, .r10)
            return found
        }

        /// The jump to, or call of, what was found.
        func emitJump(_ host: inout HostAssembler, isCall: Bool) {
            host.patchShort(at: found, to: host.offset)
            host.move(.rcx, .r10)
            // FF /4 is JMP, FF /2 CALL.
            let operation: UInt8 = isCall ? 0x10 : 0x20
            if let index {
                host.bytes(0x41, 0xFF, 0x87 | operation)  // jmp [r15 + place]
                host.dword(UInt32((JumpCache.count + index) * 8))
            } else {
                host.bytes(0x43, 0xFF, 0x84 | operation, 0xCF)  // jmp [r15 + r9*8 + addresses]
                host.dword(UInt32(JumpCache.count * 8))
            }
        }
    }
#endif
