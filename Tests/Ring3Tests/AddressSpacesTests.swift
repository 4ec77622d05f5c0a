#if arch(x86_64) && os(Linux)
    import Glibc
    import Testing

    @testable import Ring3

    /// What stays in windows when address spaces change: two that share one page table.
    @Suite struct AddressSpacesTests {
        private static let (first, second, table): (UInt32, UInt32, UInt32) = (0x2_0000, 0x2_2000, 0x2_1000)
        private static let (local, global): (UInt32, UInt32) = (0x10_0000, 0x10_2000)

        private let runner: CodeRunner
        private let engine: NativeEngine
        private var cpu: Processor { runner.cpu }

        init() throws {
            runner = try CodeRunner()
            engine = try NativeEngine(
                cpu: runner.cpu, memory: runner.memory, interpreter: runner.interpreter, keepsTranslations: true)
            for directory in [Self.first, Self.second] { runner.memory.write(directory, Self.table | 0x67) }
            map(Self.local, to: 0x20_0000)
            map(Self.global, to: 0x20_2000, isGlobal: true)
            cpu.pointee.cr3 = Self.first
            cpu.pointee.cr4 |= CR4.pge
            cpu.pointee.cr0 |= CR0.pg
            cpu.flushTLB(keepingGlobal: false)
        }

        private func map(_ page: UInt32, to frame: UInt32, isGlobal: Bool = false) {
            runner.memory.write(Self.table + (page >> 12) * 4, frame | 0x67 | (isGlobal ? 0x100 : 0))
            runner.memory.write(frame, frame)
        }

        private func load(_ root: UInt32) throws { try cpu.writeCR3(root) }

        private func fill(_ page: UInt32) {
            #expect(engine.spaces.fill(cpu, page, isUser: false, isWrite: true) == .done)
        }

        private var window: ShadowWindow { engine.spaces.current.view(isUser: false).window }

        /// Pages in the current window.
        private var count: Int { window.mappingCount / 2 }

        /// What the guest's code would read there; nil if that would fault. The host's kernel reads it, into a pipe.
        private func read(_ linear: UInt32) -> UInt32? {
            var ends: [Int32] = [0, 0]
            guard pipe(&ends) == 0 else { return nil }
            defer { for end in ends { close(end) } }
            var value: UInt32 = 0
            guard write(ends[1], UnsafeRawPointer(bitPattern: UInt(window.base) + UInt(linear)), 4) == 4,
                Glibc.read(ends[0], &value, 4) == 4
            else { return nil }
            return value
        }

        @Test func aLoadOfCR3KeepsWhatHolds() throws {
            fill(Self.local)
            fill(Self.global)
            for _ in 0..<3 {
                try load(Self.first)
                #expect(count == 2)
            }
            map(Self.local, to: 0x20_4000)
            try load(Self.first)
            #expect(count == 1 && read(Self.global) == 0x20_2000)
            fill(Self.local)
            #expect(read(Self.local) == 0x20_4000)
        }

        /// As a processor's TLB may (SDM 3A 4.10.2.4): the guest has to flush it by itself.
        @Test func aGlobalPageStaysUntilItIsFlushed() throws {
            fill(Self.global)
            map(Self.global, to: 0x20_6000, isGlobal: true)
            try load(Self.first)
            #expect(read(Self.global) == 0x20_2000)
            cpu.flushPage(Self.global)
            #expect(count == 1 && read(Self.global) == 0x20_6000)
        }

        @Test(arguments: [false, true])
        func whatIsFlushedInOneAddressSpaceIsGoneFromAll(isByPage: Bool) throws {
            fill(Self.global)
            try load(Self.second)
            fill(Self.global)
            map(Self.global, to: 0x20_6000, isGlobal: true)
            if isByPage { cpu.flushPage(Self.global) } else { cpu.flushTLB(keepingGlobal: false) }
            try load(Self.first)
            #expect(count == 0)
            fill(Self.global)
            #expect(read(Self.global) == 0x20_6000)
        }

        /// From then on each load of CR3 has to look at it.
        @Test func aPageThatIsNoLongerGlobalIsLocal() throws {
            fill(Self.global)
            map(Self.global, to: 0x20_2000)
            cpu.flushPage(Self.global)
            fill(Self.global)
            map(Self.global, to: 0x20_6000)
            try load(Self.first)
            #expect(count == 0)
        }

        /// Pages come and go in any order; all are found again, and none that has gone.
        @Test func globalAndLocalPagesDoNotMixUp() throws {
            let pages = (0..<64 as Range<UInt32>).map { 0x10_0000 + $0 << 13 }
            func isGlobal(_ page: UInt32) -> Bool { page >> 13 % 3 == 0 }
            for page in pages { map(page, to: page + 0x10_0000, isGlobal: isGlobal(page)) }
            for page in pages { fill(page) }
            #expect(count == 64)
            let gone = Set(pages.filter { $0 >> 13 % 5 == 0 })
            for page in gone {
                runner.memory.write(Self.table + (page >> 12) * 4, UInt32(0))
                if isGlobal(page) { cpu.flushPage(page) }
            }
            try load(Self.first)
            #expect(count == 64 - gone.count)
            for page in pages where !gone.contains(page) { #expect(read(page) == page + 0x10_0000) }
            for page in gone { map(page, to: page + 0x10_0000, isGlobal: !isGlobal(page)) }
            for page in gone { fill(page) }
            for page in pages where !isGlobal(page) != gone.contains(page) { map(page, to: 0x30_0000) }
            try load(Self.first)
            #expect(count == pages.filter { isGlobal($0) != gone.contains($0) }.count)
        }

        @Test func entriesAreThoseOfTheTables() {
            var reader = TableReader(cpu)
            let directory = UInt64(Self.table | 0x67)
            #expect(reader.entries(of: Self.local) == TableEntries(directory: directory, table: 0x20_0067))
            #expect(reader.entries(of: Self.global + 0xFFF) == TableEntries(directory: directory, table: 0x20_2167))
            #expect(!reader.entries(of: 0x3F_F000).arePresent && !reader.entries(of: 0x40_0000).arePresent)
            cpu.pointee.cr4 |= CR4.pse
            runner.memory.write(Self.first + 4, UInt32(0x00C0_01E7))
            runner.memory.write(Self.first + 8, UInt32(0xF000_0067))
            reader = TableReader(cpu)
            #expect(reader.entries(of: 0x7F_F000) == TableEntries(directory: 0xC0_01E7))
            #expect(reader.entries(of: 0x7F_F000).areGlobal && !reader.entries(of: Self.local).areGlobal)
            // Its table would be a device's.
            #expect(!reader.entries(of: 0x80_0000).arePresent)
        }
    }
#endif
