#if arch(x86_64) && os(Linux)
    import CHost
    import Glibc
    import Hardware

    /// A guest address space in the host's page tables: 4 GiB of host addresses, in which pages of guest RAM appear as the
    /// guest accesses them.
    ///
    /// What is mapped is what a TLB may hold (SDM 3A 4.10.2): a page enters when a walk of the guest's tables, A and D
    /// bits and all, allowed the access, and leaves when the guest flushes it. Everything else faults.
    final class ShadowWindow {
        /// One call to the host: pages that lie in a row in both address spaces.
        private struct Run {
            var linear: UInt64
            var physical: UInt64
            var count: UInt64
            var isGlobal: Bool
            var isWritable: Bool
            /// Of a large page of the guest's.
            var isLarge: Bool
        }

        private static let size = 1 << 32
        /// Instructions reach up to 16 bytes beyond the last address.
        private static let guardSize = 1 << 16
        /// The host allows a process 65,530 mappings; a run may need three.
        private static let mostRuns = 8192

        let base: UInt64
        private let place: UnsafeMutableRawPointer
        private let memory: PhysicalMemory
        private let isUser: Bool
        private var runs: [Run] = []

        init(_ memory: PhysicalMemory, isUser: Bool) throws(CodeArena.Failure) {
            self.memory = memory
            self.isUser = isUser
            guard
                let place = mmap(
                    nil, Self.size + Self.guardSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
                place != MAP_FAILED
            else { throw CodeArena.Failure(errno: errno) }
            self.place = place
            base = UInt64(UInt(bitPattern: place))
        }

        /// What emitted code can reach by way of it.
        var addresses: Range<UInt64> { base..<base + UInt64(Self.size + Self.guardSize) }

        deinit { munmap(place, Self.size + Self.guardSize) }

        /// The guest's linear address behind a host address; nil outside the window.
        func linear(_ address: UInt64) -> UInt32? { UInt32(exactly: address &- base) }

        /// Lets the guest access `linear`, if its page tables allow it and nobody has to see the access. False if the
        /// monitor must do it: it faults, concerns a device, or changes code.
        func fill(_ cpu: Processor, _ linear: UInt32, isWrite: Bool) -> Bool {
            var page: PageTranslation
            do throws(Fault) {
                page = try cpu.walk(linear, isWrite ? .write : .read, isUser: isUser)
            } catch {
                return false
            }
            page.page &= UInt64(cpu.pointee.a20Mask) | 0xFFFF_FFFF_0000_0000
            guard cpu.isRAM(page.page) else { return false }
            let mayWrite = page.isWritable && page.isDirty
            let isCode = cpu.pointee.codeMap[Int(page.page >> 12)] != 0
            if isWrite, isCode || !mayWrite { return false }
            let isWritable = mayWrite && !isCode
            let run = stretch(page, UInt64(linear) & ~0xFFF, isWritable: isWritable, cpu)
            if runs.count >= Self.mostRuns { flush(keepingGlobal: false) }
            return map(run)
        }

        /// As many pages round one as are mapped by the same entry of the guest's tables and of the same kind.
        private func stretch(_ page: PageTranslation, _ linear: UInt64, isWritable: Bool, _ cpu: Processor) -> Run {
            let single = Run(
                linear: linear, physical: page.page, count: 1, isGlobal: page.isGlobal, isWritable: isWritable,
                isLarge: page.isLarge)
            let hasPaging = cpu.pointee.cr0 & CR0.pg != 0
            guard !hasPaging || page.isLarge, cpu.pointee.a20Mask == .max, isWritable else { return single }
            let largeSize: UInt64 = cpu.pointee.cr4 & CR4.pae != 0 ? 2 << 20 : 4 << 20
            let first = hasPaging ? page.page & ~(largeSize - 1) : 0
            let end = hasPaging ? first + largeSize : UInt64(cpu.pointee.ramSize)
            func isPlain(_ physical: UInt64) -> Bool {
                cpu.isRAM(physical) && cpu.pointee.codeMap[Int(physical >> 12)] == 0
            }
            var (low, high) = (page.page, page.page + 4096)
            while low > first, isPlain(low - 4096) { low -= 4096 }
            while high < end, isPlain(high) { high += 4096 }
            return Run(
                linear: linear - (page.page - low), physical: low, count: (high - low) >> 12, isGlobal: page.isGlobal,
                isWritable: true, isLarge: page.isLarge)
        }

        private func map(_ run: Run) -> Bool {
            let protection = run.isWritable ? PROT_READ | PROT_WRITE : PROT_READ
            let there = mmap(
                place + Int(run.linear), Int(run.count) << 12, protection, MAP_SHARED | MAP_FIXED | MAP_NORESERVE,
                memory.fileDescriptor, Int(run.physical))
            guard there != MAP_FAILED else { return false }
            runs.append(run)
            return true
        }

        /// Makes writes to the page at `physical` fault from now on: it holds code.
        func protect(_ physical: UInt32) {
            let page = UInt64(physical) & ~0xFFF
            for run in runs where run.isWritable && page >= run.physical && page - run.physical < run.count << 12 {
                guard mprotect(place + Int(run.linear + (page - run.physical)), 4096, PROT_READ) == 0 else {
                    return dropAll()
                }
            }
        }

        /// Forgets everything, or everything that is not global.
        func flush(keepingGlobal: Bool) {
            drop { !(keepingGlobal && $0.isGlobal) }
        }

        /// Forgets the page at `linear`, and all of the large page that it is or was part of.
        func flushPage(_ linear: UInt32) {
            let page = UInt64(linear) & ~0xFFF
            drop {
                page >= $0.linear && page - $0.linear < $0.count << 12 || $0.isLarge && $0.linear >> 22 == page >> 22
            }
        }

        private func drop(where shallGo: (Run) -> Bool) {
            var kept: [Run] = []
            for run in runs {
                guard shallGo(run) else {
                    kept.append(run)
                    continue
                }
                guard unmap(Int(run.linear), Int(run.count) << 12) else { return dropAll() }
            }
            runs = kept
        }

        /// One call for everything, which needs no more mappings than there are.
        private func dropAll() {
            precondition(unmap(0, Self.size), "the host does not take back its pages")
            runs = []
        }

        private func unmap(_ linear: Int, _ size: Int) -> Bool {
            mmap(
                place + linear, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0)
                != MAP_FAILED
        }
    }
#endif
