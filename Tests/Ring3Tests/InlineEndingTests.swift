#if arch(x86_64) && os(Linux)
    import Testing
    import X86

    @testable import Ring3

    /// Loads of FS and GS, VERW, RDTSC and transfers by way of FS, beside the interpreter.
    @Suite(.enabled(if: NativeEngine.isSupported)) struct InlineEndingTests {
        /// Descriptors at `gdt`: flat code at 8, data with a base for CPL 0 at 0x10 and for CPL 3 at 0x18, flat data at 0x20.
        private static let gdt: UInt32 = 0x5000
        private static let selectorPlace: UInt32 = 0x6000

        private static func pair() throws -> NativePair {
            let pair = try NativePair()
            for runner in pair.runners {
                runner.memory.write(gdt + 8, UInt64(0x00CF_9B00_0000_FFFF))
                runner.memory.write(gdt + 0x10, UInt64(0x00CF_9300_1000_FFFF))
                runner.memory.write(gdt + 0x18, UInt64(0x00CF_F300_2000_FFFF))
                runner.memory.write(gdt + 0x20, UInt64(0x00CF_9300_0000_FFFF))
                runner.cpu.pointee.gdtr = DescriptorTable(base: gdt, limit: 0x27)
                for address in stride(from: 0x2_0000, to: 0x2_4000, by: 4) as StrideTo<UInt32> {
                    runner.memory.write(address, address)
                }
            }
            return pair
        }

        /// ECX: MOV from a register and from memory, and POP.
        private static let loadsOfFS: [[UInt8]] = [
            [0x8E, 0xE1], [0x89, 0x0D, 0, 0x60, 0, 0, 0x8E, 0x25, 0, 0x60, 0, 0], [0x51, 0x0F, 0xA1],
        ]

        /// As kernels do on each way in and out. The last iteration is another one.
        @Test(
            arguments: [
                [0x90],  // nop
                [0xC7, 0x05, 0x10, 0x50, 0, 0, 0xFF, 0xFF, 0, 0x20],  // mov dword [descriptor], base 0x2000
                [0xC7, 0x05, 0x14, 0x50, 0, 0, 0, 0x13, 0xCF, 0],  // mov dword [descriptor + 4], not present
                [0xC7, 0x05, 0x14, 0x50, 0, 0, 0, 0x92, 0xCF, 0],  // ..., not accessed
                [0xC7, 0x05, 0x14, 0x50, 0, 0, 0, 0x93, 0x40, 0],  // ..., 64 KiB
                [0xB9, 0x18, 0, 0, 0],  // mov ecx, the other selector
                [0xB9, 0x11, 0, 0, 0],  // mov ecx, the same with another RPL
                [0xB9, 3, 0, 0, 0],  // mov ecx, null with an RPL
                [0xB9, 0x14, 0, 0, 0],  // mov ecx, a selector of the LDT
                [0x0F, 0x01, 0x15, 0, 0x40, 0, 0],  // lgdt [0x4000]: nothing in it
            ] as [[UInt8]], loadsOfFS)
        func fsIsWhatItsDescriptorSays(change: [UInt8], load: [UInt8]) throws {
            for isInUse in [true, false] {
                let pair = try Self.pair()
                // load; mov eax, fs:[ebx]; mov fs, esi (null); or the same with GS
                let access: [UInt8] = isInUse ? [0x64, 0x8B, 0x03] : []
                let body = load + access + [0x8E, 0xE6, 0x4A]
                let code = body + [0x75, UInt8(bitPattern: -Int8(body.count + 2))] + change + load + access
                pair.start(code) {
                    ($0.pointee.ecx, $0.pointee.edx, $0.pointee.ebx) = (0x10, 200, 0x20000)
                    ($0.pointee.esi, $0.pointee.esp) = (0, CodeRunner.stackTop)
                }
                #expect(pair.run(3000) == [], "\(isInUse)")
                #expect(pair.native.cpu.pointee.edx == 0)
                // The monitor is not asked each time.
                #expect(pair.engine.cache.statistics.pointee.entries < 60)
            }
        }

        /// Loads at CPL 3 and in real mode are the monitor's, null selectors at CPL 3 are not.
        @Test(arguments: [0, 3] as [UInt8], [0x10, 0x13, 0x18, 0x1B, 0, 2] as [UInt32])
        func loadsAreTheInterpretersAtEachLevel(cpl: UInt8, selector: UInt32) throws {
            for load in Self.loadsOfFS + [[0x8E, 0xE9], [0x51, 0x0F, 0xA9]] {
                let pair = try Self.pair()
                let body = load + [0x8C, 0xE0, 0x4A]  // mov eax, fs; dec edx
                pair.start(body + [0x75, UInt8(bitPattern: -Int8(body.count + 2))]) {
                    ($0.pointee.ecx, $0.pointee.edx, $0.pointee.esp) = (selector, 20, CodeRunner.stackTop)
                    $0.setCPL(cpl)
                }
                for count in [1, 2, 3, 5, 40] as [UInt64] { #expect(pair.run(count) == [], "\(load)") }
            }
        }

        /// A call that changes FS comes back to code that was made for another FS.
        @Test func aReturnAfterFSHasChangedFindsItChanged() throws {
            let pair = try Self.pair()
            // again: mov fs, ecx; call f; mov eax, fs:[ebx]; dec edx; jnz again; hlt; f: mov fs, esi; ret
            let code: [UInt8] = [
                0x8E, 0xE1, 0xE8, 7, 0, 0, 0, 0x64, 0x8B, 0x03, 0x4A, 0x75, 0xF3, 0xF4, 0x8E, 0xE6, 0xC3,
            ]
            pair.start(code) {
                ($0.pointee.ecx, $0.pointee.edx, $0.pointee.ebx) = (0x10, 50, 0x20000)
                ($0.pointee.esi, $0.pointee.esp) = (0x20, CodeRunner.stackTop)
            }
            #expect(pair.run(200) == [])
            #expect(pair.native.cpu.pointee.eax == 0x20000)
            // Null: the access faults.
            pair.start(code) { ($0.pointee.edx, $0.pointee.esi, $0.pointee.esp) = (50, 0, CodeRunner.stackTop) }
            #expect(pair.run(200) == [])
            #expect(pair.native.faultVector == UInt32(Vector.generalProtection))
        }

        /// What the supervisor has called does not come back to the user: to return there is to fetch from the supervisor's
        /// page.
        @Test func aUserCannotReturnToTheSupervisor() throws {
            let pair = try Self.pair()
            let (user, back) = (0x3_0000 as UInt32, CodeRunner.codeAddress + 5)
            // push back; ret
            let userBytes: [UInt8] = [0x68] + (0..<4).map { UInt8(truncatingIfNeeded: back >> UInt32($0 * 8)) } + [0xC3]
            for runner in pair.runners {
                runner.memory.write(user, bytes: userBytes)
                runner.memory.write(0x2_8000, UInt32(0x2_9007))
                for page in 0..<0x400 as Range<UInt32> {
                    runner.memory.write(0x2_9000 + page * 4, page << 12 | (page == back >> 12 ? 3 : 7))
                }
                runner.cpu.pointee.sysenterCS = 8
            }
            // call f; back: inc edi; hlt; f: sysexit
            pair.start([0xE8, 2, 0, 0, 0, 0x47, 0xF4, 0x0F, 0x35]) { cpu in
                (cpu.pointee.edx, cpu.pointee.ecx, cpu.pointee.cr3) = (user, 0x7_0000, 0x2_8000)
                (cpu.pointee.esp, cpu.pointee.edi) = (CodeRunner.stackTop, 0)
                cpu.pointee.cr0 |= CR0.pg
                cpu.flushTLB(keepingGlobal: false)
            }
            #expect(pair.run(4) == [])
            #expect(pair.native.cpu.pointee.cpl == 3 && pair.native.cpu.pointee.eip == back)
            #expect(pair.run(1) == [])
            #expect(pair.native.cpu.pointee.edi == 0)
        }

        /// Calls before and behind system calls return where they came from, on both levels.
        @Test func callsGoOnBehindSystemCalls() throws {
            let pair = try Self.pair()
            let user = CodeRunner.codeAddress + 0x100
            func bytes(_ value: UInt32) -> [UInt8] {
                (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32($0 * 8)) }
            }
            // again: call g; jmp again; g: call h; inc esi; ret; h: mov edx, exit; lea ecx, [esp]; sysenter; exit: ret
            let exit = user + 12 + 10
            let userBytes: [UInt8] =
                [0xE8, 2, 0, 0, 0, 0xEB, 0xF9, 0xE8, 2, 0, 0, 0, 0x46, 0xC3] + [0xBA] + bytes(exit + 2)
                + [0x8D, 0x0C, 0x24, 0x0F, 0x34, 0xC3]
            for runner in pair.runners {
                runner.memory.write(user, bytes: userBytes)
                runner.cpu.pointee.sysenterCS = 8
                runner.cpu.pointee.sysenterESP = CodeRunner.stackTop
                runner.cpu.pointee.sysenterEIP = CodeRunner.codeAddress
            }
            // call f; mov fs, ebx; sysexit; f: mov fs, ebp; ret
            pair.start([0xE8, 4, 0, 0, 0, 0x8E, 0xE3, 0x0F, 0x35, 0x8E, 0xE5, 0xC3]) {
                ($0.pointee.edx, $0.pointee.ecx, $0.pointee.ebx) = (user, 0x70000, 0)
                ($0.pointee.ebp, $0.pointee.esp) = (0x10, CodeRunner.stackTop)
            }
            for count in [5, 77, 1000, 5000] as [UInt64] { try #require(pair.run(count) == []) }
            #expect(pair.native.cpu.pointee.esi > 300)
            #expect(pair.engine.cache.statistics.pointee.entries < 60)
        }

        /// Room was kept for two ways out of an instruction; this one has three.
        @Test func waysOutOfABlockHaveRoom() throws {
            let pair = try Self.pair()
            let verify: [UInt8] = [0x2E, 0x0F, 0x00, 0x2D, 0, 0x60, 0, 0]
            pair.start(Array(repeatElement(verify, count: Translator.longest).joined()))
            let before = pair.engine.cache.siteCount
            #expect(pair.run(1) == [])
            let most = NativeSite.mostOfInstruction * Translator.longest + 8
            let ways = (before..<pair.engine.cache.siteCount).count { pair.engine.cache.sites[$0].block == 0 }
            #expect((3 * Translator.longest...most).contains(ways))
            #expect(pair.engine.cache.blocks[0].count == Translator.longest)
        }

        /// POP FS moves the stack by four bytes and reads two: it set the accessed bit of a page that it had no business in.
        @Test(arguments: [[0x0F, 0xA1], [0x0F, 0xA9], [0x07], [0x1F]] as [[UInt8]])
        func aPoppedSelectorIsTwoBytes(pop: [UInt8]) throws {
            let pair = try Self.pair()
            for runner in pair.runners {
                runner.memory.write(0x2_8000, UInt32(0x2_9007))
                for page in 0..<0x400 as Range<UInt32> {
                    runner.memory.write(0x2_9000 + page * 4, page << 12 | (page == 0x72 ? 3 : 0x67))
                }
                runner.memory.write(0x7_1FFC, UInt32(0x20 << 16))
            }
            pair.start(pop) { cpu in
                (cpu.pointee.esp, cpu.pointee.cr3) = (0x7_1FFE, 0x2_8000)
                cpu.pointee.cr0 |= CR0.pg
                cpu.flushTLB(keepingGlobal: false)
            }
            #expect(pair.run() == [])
            #expect(pair.native.cpu.pointee.esp == 0x7_2002)
        }

        /// Returns by either branch on zero, whichever is fast on this host.
        @Test(arguments: [false, true])
        func bothBranchesOnZeroAreRight(hasLoop: Bool) throws {
            let pair = try NativePair(branch: ZeroBranch(hasLoop: hasLoop))
            // f on another page: inc esi; ret; at 0x12000: returns to the address after next: pop eax; inc eax; push eax; ret
            for runner in pair.runners {
                runner.memory.write(0x1_1000, bytes: [0x46, 0xC3])
                runner.memory.write(0x1_2000, bytes: [0x58, 0x40, 0x50, 0xC3])
            }
            // again: call f; call ecx (f); call 0x12000; nop; dec edx; jnz again
            let code: [UInt8] = [
                0xE8, 0xFB, 0x0F, 0, 0, 0xFF, 0xD1, 0xE8, 0xF4, 0x1F, 0, 0, 0x90, 0x4A, 0x75, 0xF0,
            ]
            pair.start(code) {
                ($0.pointee.ecx, $0.pointee.edx, $0.pointee.esp) = (0x1_1000, 100, CodeRunner.stackTop)
                $0.pointee.esi = 0
            }
            #expect(pair.run() == [])
            #expect(pair.native.cpu.pointee.esi == 200 && pair.native.cpu.pointee.ecx == 0x1_1000)
            #expect(pair.engine.cache.statistics.pointee.entries < 30)
        }

        /// VERW of a register, of memory, and of memory in CS.
        @Test(
            arguments: [
                [0x90], [0xC7, 0x05, 0x14, 0x50, 0, 0, 0, 0x91, 0xCF, 0],  // nop; descriptor: read only
                [0xC7, 0x05, 0x14, 0x50, 0, 0, 0, 0x12, 0xCF, 0],  // not present
                [0xB9, 0x18, 0, 0, 0], [0xB9, 0, 0, 0, 0], [0xB9, 8, 0, 0, 0],  // mov ecx, other selectors
            ] as [[UInt8]],
            [
                [0x0F, 0x00, 0xE9], [0x0F, 0x00, 0x2D, 0, 0x60, 0, 0], [0x2E, 0x0F, 0x00, 0x2D, 0, 0x60, 0, 0],
            ] as [[UInt8]])
        func verificationIsTheInterpreters(change: [UInt8], verify: [UInt8]) throws {
            for cpl in [0, 3] as [UInt8] {
                let pair = try Self.pair()
                // mov [0x6000], ecx; shl eax, 7; verw; pushfd; pop ebx; jnz on; add edi, ebx; on: dec edx
                let body: [UInt8] =
                    [0x89, 0x0D, 0, 0x60, 0, 0, 0xC1, 0xE0, 7] + verify + [0x9C, 0x5B, 0x75, 2, 0x01, 0xDF, 0x4A]
                pair.start(
                    body + [0x75, UInt8(bitPattern: -Int8(body.count + 2))] + change + body
                ) {
                    ($0.pointee.ecx, $0.pointee.edx, $0.pointee.eax) = (0x10, 100, 0xFFFF_FFFF)
                    $0.pointee.esp = CodeRunner.stackTop
                    $0.setCPL(cpl)
                }
                #expect(pair.run(3000) == [])
            }
        }

        /// What the monitor executes stands in the history, by its number modulo 16: a loop of three instructions comes by all.
        @Test(arguments: [0, 3] as [UInt8])
        func verificationIsEmittedAtCPL0(cpl: UInt8) throws {
            let pair = try Self.pair()
            // again: verw cx; dec edx; jnz again
            pair.start([0x0F, 0x00, 0xE9, 0x4A, 0x75, 0xFA]) {
                ($0.pointee.ecx, $0.pointee.edx) = (0x10, 100)
                $0.setCPL(cpl)
            }
            #expect(pair.run(200) == [])
            let history = pair.native.cpu.pointee.history
            let times = history.indices.count { history[$0] == CodeRunner.codeAddress }
            #expect(cpl == 0 ? times < 4 : times > 8, "\(times)")
        }

        /// Calls and jumps to where a word in FS says.
        @Test func transfersByWayOfFS() throws {
            let pair = try Self.pair()
            let target = CodeRunner.codeAddress + 0x20
            for runner in pair.runners {
                // inc esi; ret
                runner.memory.write(target, bytes: [0x46, 0xC3])
                runner.memory.write(0x2_1000, target)
                runner.memory.write(0x2_1004, CodeRunner.codeAddress)
            }
            // call fs:[0x20000]; dec edx; jz end; jmp fs:[0x20004]; end:
            pair.start([0x64, 0xFF, 0x15, 0, 0, 2, 0, 0x4A, 0x74, 7, 0x64, 0xFF, 0x25, 4, 0, 2, 0]) {
                ($0.pointee.edx, $0.pointee.esp) = (100, CodeRunner.stackTop)
                $0.setSegment(.fs, Segment(selector: 0x10, low: 0x1000_FFFF, high: 0x00CF_9300))
            }
            #expect(pair.run() == [])
            #expect(pair.native.cpu.pointee.esi == 100)
            #expect(pair.engine.cache.statistics.pointee.entries < 20)
        }

        /// CMPXCHG8B, equal and not, on a page that is new, and across two.
        @Test func wideComparisonIsTheInterpreters() throws {
            for address in [0x2_0008, 0x2_1004, 0x2_0FFC] as [UInt32] {
                for isEqual in [true, false] {
                    let pair = try Self.pair()
                    // lock cmpxchg8b [esi]; pushfd
                    pair.start([0xF0, 0x0F, 0xC7, 0x0E, 0x9C]) {
                        ($0.pointee.eax, $0.pointee.edx) = (isEqual ? address : 1, address + 4)
                        ($0.pointee.ebx, $0.pointee.ecx, $0.pointee.esi) = (0x1111, 0x2222, address)
                        $0.pointee.esp = CodeRunner.stackTop
                    }
                    #expect(pair.run() == [])
                    let cache = pair.engine.cache
                    let records = (0..<cache.instructionCount).map { cache.instructions[$0] }
                    #expect(records.contains { $0.instruction.operation == .cmpxchg8b && !$0.isMonitored })
                }
            }
        }

        /// What has been called is still known behind a callout, and no longer where page tables have changed.
        @Test(arguments: [[0x0F, 0xA2], [0x0F, 0x20, 0xD8, 0x0F, 0x22, 0xD8]] as [[UInt8]])
        func callsAreKnownBehindACallout(callout: [UInt8]) throws {
            let pair = try Self.pair()
            // call f; nop; f: cpuid, or mov eax, cr3 and mov cr3, eax; hlt
            pair.start([0xE8, 1, 0, 0, 0, 0x90] + callout) { $0.pointee.esp = CodeRunner.stackTop }
            #expect(pair.run() == [])
            let calls = pair.native.cpu.pointee.native.calls
            #expect(calls.bottom - calls.stack == (callout.count == 2 ? 8 : 0))
        }

        /// A slice's end in an unrolled loop: where blocks began in the midst of it, each led back to one that was too long,
        /// by an exception.
        @Test func theTailOfASliceIsNotEntered() throws {
            let pair = try Self.pair()
            // again: inc eax, seven times; dec ecx; jnz again
            pair.start(Array(repeating: 0x40, count: 7) + [0x49, 0x75, 0xF6]) { $0.pointee.ecx = 100_000 }
            // A slice from everywhere in the loop.
            for _ in 0..<20 { #expect(pair.run(100) == []) }
            let entries = pair.engine.cache.statistics.pointee.entries
            for _ in 0..<100 { #expect(pair.run(100) == []) }
            #expect(pair.engine.cache.statistics.pointee.entries - entries <= 100)
        }

        /// A stub that relies on another mode, or on the units, is no way out of a block.
        @Test func stubsAreForBlocksOfTheirMode() throws {
            let pair = try Self.pair()
            pair.start([0x8E, 0xE1]) { $0.pointee.ecx = 0x10 }  // mov fs, ecx
            #expect(pair.run() == [])
            let engine = pair.engine
            let verification = try #require(engine.cache.verification)
            let wasOpen = engine.cache.blocks[0].mode.contains(.openFS)
            let block = verification.blocks[0]
            let code = engine.cache.arena.writable
            func jump(to target: Int) -> Int? {
                (block.entry..<block.end - 4).first { place in
                    let distance = UnsafeRawPointer(code + place + 1).loadUnaligned(as: Int32.self)
                    return code[place] == 0xE9 && place + 5 + Int(distance) == target
                }
            }
            let stubs = engine.stubs
            try verification.verifier.verify(block)
            for (right, wrong) in [
                (stubs.load(.fs, wasOpen: wasOpen), stubs.load(.fs, wasOpen: !wasOpen)),
                (stubs.loadNull(.fs, wasOpen: wasOpen), stubs.loadNull(.fs, wasOpen: !wasOpen)),
                (stubs.load(.fs, wasOpen: wasOpen), stubs.loadControl),
            ] {
                let place = try #require(jump(to: right))
                let host = HostAssembler(code, at: place)
                host.patch(at: place + 1, to: wrong)
                let found = #expect(throws: EmittedCodeFinding.self) { try verification.verifier.verify(block) }
                #expect(found?.rule == .target)
                host.patch(at: place + 1, to: right)
            }
        }

        /// RDTSC in real time: by emitted code once the clock is known, never back, and as the clock goes.
        @Test func timestampsFollowTheClock() throws {
            let pair = try NativePair(keepsTranslations: true)
            let cpu = pair.native.cpu
            cpu.pointee.platform.takeUnretainedValue().timestamp = { VirtualTime.hostNow() }
            cpu.pointee.timestampOffset = 1 << 40
            // again: rdtsc; mov [edi], eax; mov [edi + 4], edx; add edi, 8; dec ecx; jnz again
            let code: [UInt8] = [0x0F, 0x31, 0x89, 0x07, 0x89, 0x57, 4, 0x83, 0xC7, 8, 0x49, 0x75, 0xF3]
            var last: UInt64 = 0
            var wasEmitted = false
            for _ in 0..<100 where !wasEmitted {
                let start = VirtualTime.hostNow()
                while VirtualTime.hostNow() &- start < 5_000_000 {}
                let before = VirtualTime.hostNow()
                pair.start(code) { ($0.pointee.edi, $0.pointee.ecx) = (0x10_0000, 1000) }
                let reads = cpu.pointee.statistics.timestampReads
                let entries = pair.engine.cache.statistics.pointee.entries
                _ = pair.engine.run(until: cpu.pointee.instructions + 100_000)
                let after = VirtualTime.hostNow()
                wasEmitted = pair.engine.cache.statistics.pointee.entries - entries < 500
                #expect(cpu.pointee.statistics.timestampReads - reads == 1000)
                for index in 0..<1000 {
                    let value = (pair.native.memory.base + 0x10_0000 + index * 8).load(as: UInt64.self) &- (1 << 40)
                    #expect(value >= last)
                    // The host's clock is slewed, by a thousandth at most.
                    #expect(value &+ 100_000 >= before && value <= after &+ 100_000)
                    last = value
                }
            }
            #expect(wasEmitted == HostClockComparison.isPossible)
        }
    }
#endif
