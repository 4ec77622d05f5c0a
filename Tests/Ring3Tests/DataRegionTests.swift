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
                // mov al, 15; add al, 1; shl edx, 3; mov, adc [ebx], edx; pushfd; pop ebp: AF is to be cleared
                [0xB0, 0x0F, 0x04, 0x01, 0xC1, 0xE2, 0x03, 0x89, 0x13, 0x9C, 0x5D],
                [0xB0, 0x0F, 0x04, 0x01, 0xC1, 0xE2, 0x03, 0x11, 0x13, 0x9C, 0x5D],
                [0x0F, 0xAF, 0xD1, 0x89, 0x13, 0x9C, 0x5D],  // imul edx, ecx; mov [ebx], edx; pushfd; pop ebp
                // mov, not aligned; add ebx, 4; mov [ebx], ecx
                [0x89, 0x4C, 0x4B, 0x01], [0x89, 0x4B, 0x01], [0x83, 0xC3, 0x04, 0x89, 0x0B],
            ] as [[UInt8]])
        func storesBesideCodeAreTheInterpreters(store: [UInt8]) throws {
            var random = SeededGenerator(seed: 3)
            let pair = try NativePair()
            pair.start(Self.loop(300, store)) { ($0.pointee.ebx, $0.pointee.edx) = (Self.code + 0x800, 0x1234_5678) }
            #expect(pair.runToHalt { UInt64.random(in: 1...60, using: &random) } == [])
            pair.start(Self.loop(300, store)) { ($0.pointee.ebx, $0.pointee.edx) = (Self.code + 0x800, 0x1234_5678) }
            #expect(pair.run() == [])
        }

        /// A store that the monitor is left with faults, with flags that a shift by CL has perhaps left alone.
        @Test func faultsFindTheFlagsOfAShift() throws {
            for count in 100...140 as ClosedRange<UInt32> {
                let pair = try NativePair()
                pair.map([(Self.code >> 12) + 1: 0])
                // add ebx, 64; mov al, 15; add al, 1; shl edx, cl; mov [ebx], edx; add al, 1
                let body: [UInt8] = [0x83, 0xC3, 0x40, 0xB0, 0x0F, 0x04, 0x01, 0xD3, 0xE2, 0x89, 0x13, 0x04, 0x01]
                pair.start(Self.loop(count, body)) { $0.pointee.ebx = Self.code }
                #expect(pair.run() == [])
                #expect(pair.native.faultVector == UInt32(Vector.pageFault))
            }
        }

        /// Where a store begins in a region and ends in the next page, or in code.
        @Test func storesAcrossTheEndOfARegionAreTheMonitors() throws {
            let pair = try NativePair()
            // mov [ebx], ecx; inc ebx
            pair.start(Self.loop(300, [0x89, 0x0B, 0x43])) { $0.pointee.ebx = Self.code + 0xF80 }
            #expect(pair.run() == [])

            // mov eax, ecx; shl eax, 24; or eax, 0x00B00000; inc dword [function - 32], twice; mov [function - 2], eax;
            // call function; add edx, eax: of "mov al, cl; ret", CL is stored
            let function = Self.code + 0x840
            let count = [0xFF, 0x05] + Self.longs(function - 32)
            let body: [UInt8] =
                [0x89, 0xC8, 0xC1, 0xE0, 24, 0x0D] + Self.longs(0x00B0_0000) + count + count + [0xA3]
                + Self.longs(function - 2) + [0xE8]
            let call = Self.code + 5 + UInt32(body.count) + 4
            let start = Self.loop(200, body + Self.longs(function &- call) + [0x01, 0xC2]) + [0xF4]
            let gap = [UInt8](repeating: 0, count: 0x840 - start.count)
            pair.start(start + gap + [0xB0, 0, 0xC3]) { $0.pointee.edx = 0 }
            #expect(pair.runToHalt { 41 } == [])
            #expect(pair.native.cpu.pointee.edx & 0xFF == 200 * 201 / 2 & 0xFF)
        }

        /// In another part of the page, aligned or not, and right behind the code, in the same chunk.
        @Test(arguments: [data, data + 3, code + 12]) func theMonitorIsNotNeededForThem(data: UInt32) throws {
            let pair = try NativePair()
            pair.start(Self.loop(5000, [0xFF, 0x03])) { $0.pointee.ebx = data }  // inc dword [ebx]
            #expect(pair.run(20_000) == [])
            #expect(pair.interpreted.cpu.pointee.witnessed >= 5000)
            #expect(pair.native.cpu.pointee.witnessed < 100)
        }

        /// A routine that is written anew before each call, as a run-time compiler does.
        @Test func theMonitorIsNotNeededForCodeThatIsRewritten() throws {
            let pair = try NativePair()
            let function = Self.code + 0x800
            // mov edi, function; mov edx, 10; mov [edi], NOPs; add edi, 4; dec edx; jnz; mov byte [edi], RET; call function
            let write: [UInt8] = [0xC7, 0x07, 0x90, 0x90, 0x90, 0x90, 0x83, 0xC7, 0x04, 0x4A, 0x75, 0xF4]
            let head = [0xBF] + Self.longs(function) + [0xBA] + Self.longs(10) + write + [0xC6, 0x07, 0xC3]
            let call = Self.code + 5 + UInt32(head.count)
            pair.start(Self.loop(100, head + [0xE8] + Self.longs(function &- (call + 5))))
            #expect(pair.run(100_000) == [])
            #expect(pair.interpreted.cpu.pointee.witnessed >= 1100)
            #expect(pair.native.cpu.pointee.witnessed < 400)
        }

        /// A region ends where code is executed in it, and begins where code is overwritten that is no code any more.
        @Test func codeInARegionIsFollowed() throws {
            let pair = try NativePair()
            // In a loop, with EBX going through the page's chunks: mov [ebx], value of "mov al, cl; ret"; call ebx;
            // add edx, eax; mov [ebx + 1], value; lea ebx, [ebx + 36]
            let body: [UInt8] =
                [0xB8] + Self.longs(0x00C3_C888) + [0x89, 0x03, 0xFF, 0xD3, 0x01, 0xC2]
                + [0xC7, 0x43, 0x01] + Self.longs(0x1122_3344) + [0x8D, 0x5B, 0x24]
            for round in 1...3 {
                pair.start(Self.loop(90, body)) { ($0.pointee.ebx, $0.pointee.edx) = (Self.code + 0x100, 0) }
                for _ in 0..<40 { #expect(pair.run(23) == [], "\(round)") }
            }
        }

        /// Two routines in neighbouring chunks, written anew by one store: what there is behind the first one is freed only if it
        /// is nobody's code any more.
        @Test(arguments: 1...4 as ClosedRange<UInt64>) func theNextChunkIsCodeAsLongAsItIs(seed: UInt64) throws {
            var random = SeededGenerator(seed: seed)
            let pair = try NativePair()
            let (first, second) = (Self.code + 0x800, Self.code + 0x840)
            var code = [0xB9] + Self.longs(200)
            func call(_ target: UInt32) {
                code += [0xE8] + Self.longs(target &- (Self.code + UInt32(code.count) + 5))
            }
            let store = Self.code + 0x600
            // mov eax, ecx; shl eax, 8; or al, 0xB8; mov edi, first
            code += [0x89, 0xC8, 0xC1, 0xE0, 8, 0x0C, 0xB8, 0xBF] + Self.longs(first)
            call(store)
            code += [0xB8] + Self.longs(0x9090_C300) + [0xBF] + Self.longs(first + 4)
            call(store)
            code += [0x89, 0xC8, 0xBF] + Self.longs(second + 1)
            call(store)
            for routine in [first, second] {
                call(routine)
                code += [0x01, 0xC2]  // add edx, eax
            }
            code += [0x49, 0x0F, 0x85] + Self.longs(5 &- UInt32(code.count + 7)) + [0xF4]
            code += [UInt8](repeating: 0, count: 0x600 - code.count) + [0x89, 0x07, 0xC3]  // mov [edi], eax; ret
            code += [UInt8](repeating: 0, count: 0x840 - code.count) + [0xB8, 0, 0, 0, 0, 0xC3]
            pair.start(code) { $0.pointee.edx = 0 }
            #expect(pair.runToHalt { UInt64.random(in: 1...90, using: &random) } == [])
            #expect(pair.native.cpu.pointee.edx == 200 * 201)
        }

        /// The same instruction patched, and data beside it written, over and over: in the next chunk, in its own, and in its
        /// own four bytes.
        @Test(arguments: [0x40, 8, 4] as [UInt8]) func whatIsPatchedIsExecuted(distance: UInt8) throws {
            let pair = try NativePair()
            let function = Self.code + 0x800
            let call = Self.code + 5 + 6 + 6
            // mov [function + 1], ecx; inc dword [ebx + distance], twice; call function; add edx, eax; mov [data], edx
            let body: [UInt8] =
                [0x89, 0x0D] + Self.longs(function + 1) + [0xFF, 0x43, distance, 0xFF, 0x43, distance, 0xE8]
                + Self.longs(function &- (call + 5))
                + [0x01, 0xC2, 0x89, 0x15] + Self.longs(Self.data)
            let start = Self.loop(300, body) + [0xF4]
            let gap = [UInt8](repeating: 0, count: 0x800 - start.count)
            pair.start(start + gap + [0xB8, 0, 0, 0, 0, 0xC3]) { ($0.pointee.ebx, $0.pointee.edx) = (function, 0) }
            #expect(pair.runToHalt { 37 } == [])
            // The last four bytes hold the operand's highest one, and RET.
            if distance > 4 { #expect(pair.native.cpu.pointee.edx == 300 * 301 / 2) }
        }

        /// To another page, read-only, or not at all: by INVLPG, and by a load of CR3.
        @Test(
            arguments: [0x5_0063, 0x1_0061, 0x1_0062] as [UInt32],
            [
                ([0x0F, 0x01, 0x3D, 0, 0, 4, 0], false), ([0x0F, 0x20, 0xD8, 0x0F, 0x22, 0xD8], false),
                ([0x0F, 0x20, 0xD8, 0x0F, 0x22, 0xD8], true),
            ] as [([UInt8], Bool)])
        func regionsEndWithTheirMapping(entry: UInt32, how: (flush: [UInt8], keepsTranslations: Bool)) throws {
            let pair = try NativePair(keepsTranslations: how.keepsTranslations)
            pair.map([0x40: Self.code | 0x63])
            // inc dword [0x40F00], 50 times; cmp edi, 2; cmove ebp, esi; mov [0x29100], ebp; flush; dec edi; jnz to the start.
            // All blocks are there by the time the entry changes.
            let inner = Self.loop(50, [0xFF, 0x05] + Self.longs(0x4_0F00))
            let outer = inner + [0x83, 0xFF, 2, 0x0F, 0x44, 0xEE, 0x89, 0x2D] + Self.longs(0x2_9100) + how.flush
            pair.start(outer + [0x4F, 0x75, UInt8(truncatingIfNeeded: -(outer.count + 3))]) {
                ($0.pointee.edi, $0.pointee.esi, $0.pointee.ebp) = (6, entry, Self.code | 0x63)
            }
            #expect(pair.run() == [])
            #expect(pair.native.faultVector == (entry & 3 == 3 ? nil : UInt32(Vector.pageFault)))
        }

        /// A system call takes no region along: a user's store to the supervisor's page faults.
        @Test func regionsEndWithTheirPrivilege() throws {
            let pair = try NativePair()
            pair.map([Self.code >> 12: Self.code | 0x63])
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
            #expect(pair.run(1000) == [])
            // The system calls themselves are not the monitor's.
            #expect(pair.engine.cache.statistics.pointee.entries < 60)
            #expect(pair.native.memory.read(Self.data, as: UInt32.self) == 60)
        }

        /// Nor do IRET and INT.
        @Test func regionsEndWithTheirRing() throws {
            let pair = try NativePair()
            pair.map([Self.code >> 12: Self.code | 0x63])
            let user = 0x3_0000 as UInt32
            for runner in pair.runners {
                runner.memory.write(user, bytes: [0xFF, 0x03, 0xCD, 0x80])  // inc dword [ebx]; int 0x80
                runner.memory.write(0x1018, UInt64(0x00CF_FB00_0000_FFFF))
                runner.memory.write(0x1020, UInt64(0x00CF_F300_0000_FFFF))
                runner.memory.write(0x2000 + 0x80 * 8, UInt64(Self.code & 0xFFFF | 8 << 16))
                runner.memory.write(0x2004 + 0x80 * 8, Self.code & 0xFFFF_0000 | 0xEE00)
                runner.memory.write(0x5004, CodeRunner.stackTop)
                runner.memory.write(0x5008, UInt32(0x10))
                runner.cpu.pointee.gdtr.limit = 0x27
                runner.cpu.pointee.tr = Segment(selector: 0x28, low: 0x5000_0067, high: 0x0000_8B00)
            }
            // mov eax, 0x23; mov ds, eax; mov es, eax (IRET would make it null); inc dword [data]; inc esi; cmp esi, 60;
            // cmove ebx, ebp; and, by PUSH, the user's SS, ESP, EFLAGS, CS, EIP; iretd
            let start: [UInt8] =
                [0xB8] + Self.longs(0x23) + [0x8E, 0xD8, 0x8E, 0xC0, 0xFF, 0x05] + Self.longs(Self.data)
            let frame = [0x6A, 0x23, 0x68] + Self.longs(0x7_0000) + [0x6A, 2, 0x6A, 0x1B, 0x68] + Self.longs(user)
            pair.start(start + [0x46, 0x83, 0xFE, 60, 0x0F, 0x44, 0xDD] + frame + [0xCF]) {
                ($0.pointee.ebx, $0.pointee.ebp, $0.pointee.esi) = (user + 0xF00, Self.data, 0)
            }
            #expect(pair.run(2000) == [])
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
            // mov r11d, mask: of a place beyond the page, or of something else.
            let isMask: ([UInt8]) -> Bool = { $0 == [0x41, 0xBB, 0xFF, 0x0F, 0, 0] }
            expect(where: isMask) { $0.dropLast(3) + [0x1F, 0, 0] }
            expect(where: isMask) { $0.dropLast(3) + [0x0F, 0, 0x80] }
            expect(where: isMask) { $0.prefix(2) + [0xFE] + $0.suffix(3) }
            // mov r9, [r13 + page]: of the window.
            expect(where: { $0 == [0x4D, 0x8B, 0x8D] + page }) { $0.prefix(3) + window }
            // mov [r9 + r11], ...: a scale, another base, a displacement, and by 32 bits.
            let isStore: ([UInt8]) -> Bool = { $0.count > 3 && $0[0] & 0xFB == 0x43 && $0[1] == 0x89 && $0[3] == 0x19 }
            expect(where: isStore) { $0.prefix(3) + [0x59] }
            expect(where: isStore) { $0.prefix(3) + [0x1A] }
            expect(where: isStore) { $0.prefix(2) + [$0[2] | 0x40, $0[3], 1] }
            expect(where: isStore) { [0x67] + $0 }
            // mov r9d, [r9 + r11]: into the monitor's hands.
            expect(where: isStore) { [$0[0], 0x8B] + $0.dropFirst(2) }
        }
    }
#endif
