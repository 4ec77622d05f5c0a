#if arch(x86_64) && os(Linux)
    import Glibc
    import Testing

    @testable import Ring3

    @Suite final class JumpCacheTests {
        private static let (directory, table): (UInt32, UInt32) = (0x2_0000, 0x2_1000)

        /// What stand for no block.
        private static let (unknown, missing): (UInt64, UInt64) = (0xFFFF_0000, 0xFFFF_1000)
        private static let mode: NativeMode = [.openGS, .stringsGoUp]
        private let room: JumpRoom
        private let targets: FarTargets
        private let jumps: JumpCache

        init() throws {
            targets = try FarTargets(unknown: Self.unknown, missing: Self.missing)
            room = try JumpRoom(targets)
            jumps = JumpCache(in: room, Self.mode, targets)
        }

        /// Pages mapped to themselves, and accessed, by a table that the tests change.
        private func pagedProcessor() throws -> CodeRunner {
            let runner = try CodeRunner()
            runner.memory.write(Self.directory, Self.table | 0x27)
            for page in 0..<0x400 as Range<UInt32> { runner.memory.write(Self.table + page * 4, page << 12 | 0x27) }
            runner.cpu.pointee.cr3 = Self.directory
            runner.cpu.pointee.cr0 |= CR0.pg
            return runner
        }

        private func map(_ page: UInt32, _ entry: UInt32, _ runner: CodeRunner) {
            runner.memory.write(Self.table + (page >> 12) * 4, entry)
        }

        private func block(_ eip: UInt32, at physical: UInt32, secondPage: UInt32? = nil) -> NativeBlock {
            NativeBlock(
                physical: physical, eip: eip, length: 4, entry: 0, staleExit: 0, end: 0, first: 0, count: 1, mode: [],
                isStale: false, secondPage: secondPage)
        }

        private func find(_ eip: UInt32, _ jumps: JumpCache) -> UInt64? {
            JumpCache.find(eip, in: UInt64(UInt(bitPattern: jumps.entries)), unknown: Self.missing)
        }

        /// What a jump to a far target finds; nil for the way out.
        private func far(_ eip: UInt32) -> UInt64? {
            guard let number = targets.number(of: eip) else { return nil }
            let place = (room.place(of: Self.mode) + number * 8).load(as: UInt64.self)
            return place == Self.unknown ? nil : place
        }

        /// Whether the host provides memory for an entry.
        private func isProvided(_ eip: UInt32) throws -> Bool {
            let page = UnsafeMutableRawPointer(jumps.entries + (Int(eip) & -512))
            var resident: UInt8 = 0
            try #require(mincore(page, 4096, &resident) == 0)
            return resident & 1 != 0
        }

        /// Far targets go and come with their pages, as entries do, and need not have any.
        @Test(arguments: [false, true])
        func farTargetsComeAndGoWithTheirPage(areFar: Bool) throws {
            let runner = try pagedProcessor()
            let all = [0x3_0000, 0x3_0123, 0x3_0FF4, 0x3_1000, 0x3_2000] as [UInt32]
            for (number, eip) in all.enumerated() { #expect(targets.note(eip) == number) }
            for (number, eip) in all.enumerated() { #expect(targets.note(eip) == number && far(eip) == nil) }
            for eip in all.dropLast() { jumps.insert(block(eip, at: eip), UInt64(eip) << 8, isFar: areFar) }
            for eip in all.dropLast() {
                #expect(far(eip) == UInt64(eip) << 8)
                #expect(find(eip, jumps) == (areFar ? nil : UInt64(eip) << 8))
            }
            map(0x3_0000, 0, runner)
            jumps.revalidate(runner.cpu, isUser: false, flushed: RegionSet())
            #expect(far(0x3_0000) == nil && far(0x3_0123) == nil && far(0x3_0FF4) == nil)
            #expect(far(0x3_1000) == 0x310_0000)
            map(0x3_0000, 0x3_0027, runner)
            jumps.insert(block(0x3_0400, at: 0x3_0400), 77)
            #expect(far(0x3_0000) == 0x300_0000 && far(0x3_0123) == 0x301_2300 && far(0x3_0FF4) == nil)
            #expect(find(0x3_0123, jumps) == (areFar ? nil : 0x301_2300))
            jumps.removeAll()
            #expect(all.allSatisfy { far($0) == nil })
            targets.removeAll()
            #expect(targets.number(of: 0x3_0000) == nil && targets.note(0x3_2000) == 0 && far(0x3_2000) == nil)
        }

        /// A block that crosses into a page is no far target's any more once either page has gone.
        @Test(arguments: [0x3_0000, 0x3_1000] as [UInt32])
        func farTargetsThatCrossGoWithBothPages(gone: UInt32) throws {
            let runner = try pagedProcessor()
            for eip in [0x3_0FFE, 0x3_0FF0] as [UInt32] { _ = targets.note(eip) }
            jumps.insert(block(0x3_0FFE, at: 0x3_0FFE, secondPage: 0x3_1000), 5)
            jumps.insert(block(0x3_0FF0, at: 0x3_0FF0), 6)
            #expect(far(0x3_0FFE) == 5 && far(0x3_0FF0) == 6)
            map(gone, 0, runner)
            jumps.revalidate(runner.cpu, isUser: false, flushed: RegionSet())
            #expect(far(0x3_0FFE) == nil && far(0x3_0FF0) == (gone == 0x3_0000 ? nil : 6))
        }

        /// However many addresses a guest jumps to: with what they take, as much is given back from time to time.
        @Test func memoryIsGivenBack() throws {
            let many = stride(from: 0xC010_0000 as UInt32, to: 0xC110_0000, by: 4096).map { $0 + 0x10 }
            for eip in many {
                jumps.insert(block(eip, at: eip & 0xFF_FFFF), UInt64(eip))
                #expect(find(eip, jumps) == UInt64(eip))
            }
            let provided = try many.count { try isProvided($0) }
            #expect(many.count == 4096 && 1...1024 ~= provided)
            #expect(try many.filter { find($0, jumps) != nil }.allSatisfy { try isProvided($0) })
        }

        /// Addresses that are looked for in vain may take memory, too.
        @Test func memoryIsGivenBackBehindMisses() throws {
            _ = targets.note(0x3_0000)
            jumps.insert(block(0x3_0000, at: 0x3_0000), 5)
            #expect(try isProvided(0x3_0000))
            var misses = 0
            while try isProvided(0x3_0000), misses < 2000 {
                // Where there is an entry nearby, it has its memory already.
                jumps.noteMiss(of: 0x3_0010)
                jumps.noteMiss(of: 0x4_0000)
                misses += 1
            }
            #expect(100...1024 ~= misses && find(0x3_0000, jumps) == nil && far(0x3_0000) == nil)
            jumps.insert(block(0x3_0000, at: 0x3_0000), 6)
            #expect(find(0x3_0000, jumps) == 6 && far(0x3_0000) == 6)
        }

        /// Where one entry is, emitted code finds the way out by all others on the host's page, and a jump to 0 elsewhere.
        @Test func neighboursLeadOut() {
            jumps.insert(block(0x3_0200, at: 0x3_0200), 5)
            let near = (0x3_0200..<0x3_0400 as Range<Int>).map { jumps.entries[$0] }
            #expect(near == [5] + [UInt64](repeating: Self.missing, count: 511))
            #expect(jumps.entries[0x3_01FF] == 0 && jumps.entries[0x3_0400] == 0)
            jumps.removeAll()
            #expect(jumps.entries[0x3_0200] == Self.missing)
        }

        /// The entries of a page that was gone are back with the first one that is entered, if it is the same page of RAM.
        @Test(arguments: [0x3_0000, 0x7_0000] as [UInt32])
        func entriesComeBackWithTheirPage(physical: UInt32) throws {
            let runner = try pagedProcessor()
            for eip in [0x3_0000, 0x3_0123, 0x3_0FF4, 0x3_1000] as [UInt32] {
                jumps.insert(block(eip, at: eip), UInt64(eip) << 8)
            }
            map(0x3_0000, 0, runner)
            jumps.revalidate(runner.cpu, isUser: false, flushed: RegionSet())
            #expect(find(0x3_0000, jumps) == nil && find(0x3_0123, jumps) == nil && find(0x3_0FF4, jumps) == nil)
            #expect(find(0x3_1000, jumps) == 0x310_0000)
            map(0x3_0000, physical | 0x27, runner)
            jumps.insert(block(0x3_0400, at: physical + 0x400), 77)
            #expect(find(0x3_0400, jumps) == 77)
            let isSame = physical == 0x3_0000
            #expect(find(0x3_0000, jumps) == (isSame ? 0x300_0000 : nil))
            #expect(find(0x3_0123, jumps) == (isSame ? 0x301_2300 : nil))
            // It may cross into a page that has changed meanwhile.
            #expect(find(0x3_0FF4, jumps) == nil)
            jumps.removeAll()
            for eip in [0x3_0000, 0x3_0123, 0x3_0400, 0x3_1000] as [UInt32] { #expect(find(eip, jumps) == nil) }
        }

        /// INVLPG: a small page is looked at alone, as soon as it is known to be one, a large one as a whole.
        @Test func flushedPagesAreLookedAtAgain() throws {
            let runner = try pagedProcessor()
            for eip in [0x3_0010, 0x3_1010] as [UInt32] { jumps.insert(block(eip, at: eip), UInt64(eip)) }
            jumps.revalidate(runner.cpu, isUser: false, flushed: RegionSet())
            for page in [0x3_0000, 0x3_1000] as [UInt32] { map(page, 0x7_0027, runner) }
            jumps.revalidate(runner.cpu, isUser: false, page: 0x3_0000)
            #expect(find(0x3_0010, jumps) == nil && find(0x3_1010, jumps) == 0x3_1010)
            jumps.revalidate(runner.cpu, isUser: false, page: 0x3_1FFF)
            #expect(find(0x3_1010, jumps) == nil)

            runner.cpu.pointee.cr4 |= CR4.pse
            runner.memory.write(Self.directory, 0xA7)
            for eip in [0x3_0010, 0x3_1010] as [UInt32] { jumps.insert(block(eip, at: eip), UInt64(eip)) }
            jumps.revalidate(runner.cpu, isUser: false, flushed: RegionSet())
            #expect(find(0x3_0010, jumps) == 0x3_0010 && find(0x3_1010, jumps) == 0x3_1010)
            runner.memory.write(Self.directory, 0x40_00A7)
            jumps.revalidate(runner.cpu, isUser: false, page: 0x10_0000)
            #expect(find(0x3_0010, jumps) == nil && find(0x3_1010, jumps) == nil)
        }

        /// A block that crosses into a page is gone with either.
        @Test(arguments: [0x3_0000, 0x3_1000] as [UInt32])
        func blocksThatCrossGoWithBothPages(gone: UInt32) throws {
            let runner = try pagedProcessor()
            jumps.insert(block(0x3_0FFE, at: 0x3_0FFE, secondPage: 0x3_1000), 5)
            #expect(find(0x3_0FFE, jumps) == 5)
            map(gone, 0, runner)
            jumps.revalidate(runner.cpu, isUser: false, flushed: RegionSet())
            #expect(find(0x3_0FFE, jumps) == nil)
        }

        /// Global pages are looked at once, and then where something was flushed.
        @Test func globalPagesOutliveLoadsOfCR3() throws {
            let runner = try pagedProcessor()
            runner.cpu.pointee.cr4 |= CR4.pge
            map(0x3_0000, 0x3_0127, runner)
            jumps.insert(block(0x3_0010, at: 0x3_0010), 3)
            jumps.revalidate(runner.cpu, isUser: false, flushed: RegionSet())
            map(0x3_0000, 0x7_0127, runner)
            jumps.revalidate(runner.cpu, isUser: false, flushed: RegionSet())
            #expect(find(0x3_0010, jumps) == 3)
            var flushed = RegionSet()
            flushed.insert(0x40_0000)
            jumps.revalidate(runner.cpu, isUser: false, flushed: flushed)
            #expect(find(0x3_0010, jumps) == 3)
            flushed.insert(0x3_F000)
            jumps.revalidate(runner.cpu, isUser: false, flushed: flushed)
            #expect(find(0x3_0010, jumps) == nil)
        }

        /// The same of a guest that calls more functions than entries are kept of, twice, and comes back each time.
        @Test func guestsMayCallAnything() throws {
            let pair = try NativePair()
            let (first, count, distance): (UInt32, UInt32, UInt32) = (0x10_0000, 1200, 512)
            for runner in pair.runners {
                // inc esi; ret
                for number in 0..<count { runner.memory.write(first + number * distance, bytes: [0x46, 0xC3]) }
            }
            // again: mov ebx, first; next: call ebx; add ebx, 512; cmp ebx, end; jb next; dec edx; jnz again
            let end = first + count * distance
            let code: [UInt8] =
                [0xBB, 0, 0, 0x10, 0, 0xFF, 0xD3, 0x81, 0xC3, 0, 2, 0, 0, 0x81, 0xFB]
                + (0..<4).map { UInt8(truncatingIfNeeded: end >> ($0 * 8)) } + [0x72, 0xF0, 0x4A, 0x75, 0xE8]
            pair.start(code) {
                ($0.pointee.esi, $0.pointee.edx, $0.pointee.esp) = (0, 2, CodeRunner.stackTop)
            }
            #expect(pair.run(100_000) == [])
            #expect(pair.native.cpu.pointee.attention.contains(.halted))
            #expect(pair.native.cpu.pointee.esi == 2 * count && pair.engine.finding == nil)
        }

        /// A jump to 0 is one by an entry that is not there, but only in emitted code.
        @Test func jumpsToZeroOfOthersAreCrashes() async {
            await #expect(processExitsWith: .signal(SIGSEGV)) {
                let pair = try NativePair()
                pair.start([0xFF, 0xD0]) { $0.pointee.eax = 0x1_2000 }
                _ = pair.run(10)
                let nowhere = UInt(Int.random(in: 0...0))
                unsafeBitCast(nowhere, to: (@convention(c) () -> Void).self)()
                withExtendedLifetime(pair) {}
            }
        }

        @Test func everyAddressHasAnEntry() {
            let all = [0, 1, 0xFFFF, 0x8000_0000, 0xFFFF_FFFF] as [UInt32]
            for eip in all { #expect(find(eip, jumps) == nil) }
            for eip in all { jumps.insert(block(eip, at: 0x3_0000 | eip & 0xFFF), UInt64(eip) + 7) }
            for eip in all { #expect(find(eip, jumps) == UInt64(eip) + 7) }
            #expect(find(0xFFFF_FFFE, jumps) == nil && find(2, jumps) == nil)
        }
    }
#endif
