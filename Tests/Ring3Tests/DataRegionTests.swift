#if arch(x86_64) && os(Linux)
    import Hardware
    import Testing
    import X86

    @testable import Ring3

    /// Stores to pages with code, which emitted code does itself where there is none near.
    @Suite(.enabled(if: NativeEngine.isSupported)) struct DataRegionTests {
        private static let code = CodeRunner.codeAddress
        private static let data = code + 0xF00

        private static func longs(_ values: UInt32...) -> [UInt8] {
            values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32($0 * 8)) } }
        }

        /// `body` so many times, counted in ECX.
        private static func loop(_ count: UInt32, _ body: [UInt8]) -> [UInt8] {
            [0xB9] + longs(count) + body + [0x49, 0x75, UInt8(truncatingIfNeeded: -(body.count + 3))]
        }

        @Test func aRegionIsAsLargeAsTheCodeRoundItAllows() {
            func region(_ linear: UInt32, _ map: UInt64) -> [UInt32]? {
                DataRegion(around: linear, page: 4096, codeMap: map).map { [$0.shift, 0 &- $0.key] }
            }
            #expect(region(0xABCD_EF84, 0) == [12, 0xABCDE])
            #expect(region(0x1040, 1) == [6, 0x41])
            #expect(region(0x1080, 1) == [7, 0x21])
            #expect(region(0x1FFF, 1) == [11, 3])
            #expect(region(0xFFFF_FFFF, 1 << 62) == [6, 0x3FF_FFFF])
            #expect(region(0xFFFF_F000, 1 << 63) == [11, 0x1F_FFFE])
            #expect(region(0x1FFF, 1 << 63) == nil && region(0x1000, 1) == nil)
        }

        @Test(
            arguments: [
                // mov [ebx], ecx, cl, cx, ch; mov [...], immediate, eax
                [0x89, 0x0B], [0x88, 0x0B], [0x66, 0x89, 0x0B], [0x88, 0x2B],
                [0xC7, 0x03, 1, 2, 3, 4], [0x66, 0xC7, 0x03, 1, 2], [0xC6, 0x03, 9], [0xA3, 0, 0x0F, 1, 0],
                [0x01, 0x0B], [0x10, 0x0B], [0x66, 0x83, 0x1B, 0xF0], [0x31, 0x23],  // add, adc, sbb, xor [ebx], esp
                [0xFF, 0x03], [0xFE, 0x0B], [0xF7, 0x13], [0xF7, 0x1B],  // inc, dec, not, neg
                // shl edx, 3; mov [ebx], edx: AF is to be cleared
                [0xC1, 0xE2, 0x03, 0x89, 0x13], [0xC1, 0xE2, 0x03, 0x11, 0x13, 0x9C, 0x5D],
                [0x0F, 0xAF, 0xD1, 0x89, 0x13, 0x9C, 0x5D],  // imul edx, ecx; mov [ebx], edx; pushfd; pop ebp
                // mov, not aligned; add ebx, 4; mov [ebx], ecx
                [0x89, 0x4C, 0x4B, 0x01], [0x89, 0x4B, 0x01], [0x83, 0xC3, 0x04, 0x89, 0x0B],
            ] as [[UInt8]])
        func storesBesideCodeAreTheInterpreters(store: [UInt8]) throws {
            var random = SeededGenerator(seed: 3)
            let pair = try NativePair()
            pair.start(Self.loop(300, store)) { ($0.pointee.ebx, $0.pointee.edx) = (Self.code + 0x800, 0x1234_5678) }
            while !pair.native.cpu.pointee.attention.contains(.halted) {
                #expect(pair.run(UInt64.random(in: 1...60, using: &random)) == [])
            }
        }

        @Test func theMonitorIsNotNeededForThem() throws {
            let pair = try NativePair()
            pair.start(Self.loop(5000, [0xFF, 0x03])) { $0.pointee.ebx = Self.data }  // inc dword [ebx]
            #expect(pair.run(20_000) == [])
            #expect(pair.interpreted.cpu.pointee.witnessed >= 5000)
            #expect(pair.native.cpu.pointee.witnessed < 100)
        }

        /// A region ends where code is executed in it, and begins where code is overwritten that is no code any more.
        @Test func codeInARegionIsFollowed() throws {
            let pair = try NativePair()
            // In a loop, with EBX going through the page's lines: mov [ebx], value of "mov al, cl; ret"; call ebx;
            // add edx, eax; mov [ebx + 1], value; lea ebx, [ebx + 36]
            let body: [UInt8] =
                [0xB8] + Self.longs(0x00C3_C888) + [0x89, 0x03, 0xFF, 0xD3, 0x01, 0xC2]
                + [0xC7, 0x43, 0x01] + Self.longs(0x1122_3344) + [0x8D, 0x5B, 0x24]
            for round in 1...3 {
                pair.start(Self.loop(90, body)) { ($0.pointee.ebx, $0.pointee.edx) = (Self.code + 0x100, 0) }
                for _ in 0..<40 { #expect(pair.run(23) == [], "\(round)") }
            }
        }

        /// The same instruction patched, and data beside it written, over and over.
        @Test func whatIsPatchedIsExecuted() throws {
            let pair = try NativePair()
            let function = Self.code + 0x800
            let call = Self.code + 5 + 6 + 3
            // mov [function + 1], ecx; inc dword [ebx]; call function; add edx, eax; mov [data], edx
            let body: [UInt8] =
                [0x89, 0x0D] + Self.longs(function + 1) + [0xFF, 0x43, 0x40, 0xE8] + Self.longs(function &- (call + 5))
                + [0x01, 0xC2, 0x89, 0x15] + Self.longs(Self.data)
            let start = Self.loop(300, body) + [0xF4]
            let gap = [UInt8](repeating: 0, count: 0x800 - start.count)
            pair.start(start + gap + [0xB8, 0, 0, 0, 0, 0xC3]) { ($0.pointee.ebx, $0.pointee.edx) = (function, 0) }
            while !pair.native.cpu.pointee.attention.contains(.halted) { #expect(pair.run(37) == []) }
            #expect(pair.native.cpu.pointee.edx == 300 * 301 / 2)
        }

        /// Pages of the first 4 MiB where they are in RAM, the user's but for that of the code.
        private func map(_ pair: NativePair) {
            for runner in pair.runners {
                runner.memory.write(0x2_8000, UInt32(0x2_9067))
                for page in 0..<0x400 as Range<UInt32> {
                    runner.memory.write(0x2_9000 + page * 4, page << 12 | (page == Self.code >> 12 ? 0x63 : 0x67))
                }
                runner.memory.write(0x2_9100, Self.code | 0x63)
                runner.cpu.pointee.cr3 = 0x2_8000
                runner.cpu.pointee.cr0 |= CR0.pg | CR0.wp
                runner.cpu.flushTLB(keepingGlobal: false)
            }
        }

        /// To another page, read-only, or not at all: by INVLPG, by a load of CR3, and at once by nothing.
        @Test(
            arguments: [0x5_0063, 0x1_0061, 0x1_0062] as [UInt32],
            [[0x0F, 0x01, 0x3D, 0, 0, 4, 0], [0x0F, 0x20, 0xD8, 0x0F, 0x22, 0xD8]] as [[UInt8]])
        func regionsEndWithTheirMapping(entry: UInt32, flush: [UInt8]) throws {
            let pair = try NativePair()
            map(pair)
            // inc dword [0x40F00], 50 times; mov dword [0x29100], entry; flush; dec edi; jnz to the start
            let inner = Self.loop(50, [0xFF, 0x05] + Self.longs(0x4_0F00))
            let outer = inner + [0xC7, 0x05] + Self.longs(0x2_9100, entry) + flush
            pair.start(outer + [0x4F, 0x75, UInt8(truncatingIfNeeded: -(outer.count + 3))]) { $0.pointee.edi = 3 }
            while !pair.native.cpu.pointee.attention.contains(.halted) { #expect(pair.run(11) == []) }
            #expect(pair.native.faultVector == (entry & 3 == 3 ? nil : UInt32(Vector.pageFault)))
        }

        /// A system call takes no region along: a user's store to the supervisor's page faults.
        @Test func regionsEndWithTheirPrivilege() throws {
            let pair = try NativePair()
            map(pair)
            let user = 0x3_0000 as UInt32
            // inc dword [ebx]; mov edx, user; lea ecx, [esp + 64]; sysenter
            let userBytes = [0xFF, 0x03, 0xBA] + Self.longs(user) + [0x8D, 0x4C, 0x24, 0x40, 0x0F, 0x34]
            for runner in pair.runners {
                runner.memory.write(user, bytes: userBytes)
                runner.cpu.pointee.sysenterCS = 8
                runner.cpu.pointee.sysenterESP = CodeRunner.stackTop
                runner.cpu.pointee.sysenterEIP = Self.code
            }
            // inc dword [data]; inc esi; cmp esi, 60; jne to sysexit; mov ebx, data; sysexit
            pair.start(
                [0xFF, 0x05] + Self.longs(Self.data) + [0x46, 0x83, 0xFE, 60, 0x75, 5, 0xBB] + Self.longs(Self.data)
                    + [0x0F, 0x35]
            ) {
                ($0.pointee.edx, $0.pointee.ecx, $0.pointee.ebx) = (user, 0x7_0000, user + 0xF00)
                $0.pointee.esi = 0
            }
            while pair.native.cpu.pointee.esi < 60 { try #require(pair.run(13) == []) }
            #expect(pair.run(20) == [])
            #expect(pair.native.memory.read(Self.data, as: UInt32.self) == 60)
        }

        @Test func onlyPlacesInAPageAreAccepted() throws {
            let emitted = try EmittedBlocks(running: "compute-smc")
            func expect(
                where filter: @escaping ([UInt8]) -> Bool, breaking edit: ([UInt8]) -> [UInt8],
                sourceLocation: SourceLocation = #_sourceLocation
            ) {
                let found = emitted.find { filter($1) }
                #expect(!found.isEmpty, sourceLocation: sourceLocation)
                for (block, instruction) in found {
                    let rule = emitted.rule(block, replacing: instruction, by: edit(emitted.code(instruction)))
                    #expect(rule == .memory, sourceLocation: sourceLocation)
                }
            }
            let page = Self.longs(UInt32(ProcessorState.place(\.native.dataRegion.page)))
            let window = Self.longs(UInt32(ProcessorState.place(\.native.window)))
            // mov r11d, mask: of a place beyond the page, or not of one in units of the operand's size.
            let isMask: ([UInt8]) -> Bool = { $0.starts(with: [0x41, 0xBB]) && $0.suffix(3) == [0x0F, 0, 0] }
            expect(where: isMask) { $0.dropLast(3) + [0x1F, 0, 0] }
            expect(where: isMask) { $0.dropLast(3) + [0x0F, 0, 0x80] }
            expect(where: isMask) { $0.prefix(2) + [$0[2] ^ 1] + $0.suffix(3) }
            // mov r9, [r13 + page]: of the window.
            expect(where: { $0 == [0x4D, 0x8B, 0x8D] + page }) { $0.prefix(3) + window }
            // mov [r9 + r11 * 4], ...: another scale, another base, a displacement, and by 32 bits.
            let isStore: ([UInt8]) -> Bool = { $0.count > 3 && $0[0] & 0xFB == 0x43 && $0[1] == 0x89 && $0[3] == 0x99 }
            expect(where: isStore) { $0.prefix(3) + [0xD9] }
            expect(where: isStore) { $0.prefix(3) + [0x9A] }
            expect(where: isStore) { $0.prefix(3) + [0x89] }
            expect(where: isStore) { [0x67] + $0 }
            // mov r9d, [r9 + r11 * 4]: into the monitor's hands.
            expect(where: isStore) { [$0[0], 0x8B] + $0.dropFirst(2) }
        }
    }
#endif
