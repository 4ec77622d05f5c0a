#if arch(x86_64) && os(Linux)
    import Testing

    @testable import Ring3

    /// Runs of PUSH and POP, behind which alone ESP moves.
    @Suite(.enabled(if: NativeEngine.isSupported)) struct StackDebtTests {
        private static let code = CodeRunner.codeAddress

        /// `body` so many times, counted in EDI.
        private static func loop(_ count: UInt8, _ body: [UInt8]) -> [UInt8] {
            [0xBF, count, 0, 0, 0] + body + [0x4F, 0x75, UInt8(truncatingIfNeeded: -(body.count + 3))]
        }

        @Test(
            arguments: [
                // push eax, ebx, 5, -2, 0x12345678; mov esi, ebx; add eax, ecx; pop edx, ecx, esi, ebx, eax
                [
                    0x50, 0x53, 0x6A, 5, 0x6A, 0xFE, 0x68, 0x78, 0x56, 0x34, 0x12, 0x89, 0xDE, 0x01, 0xC8, 0x5A, 0x59,
                    0x5E, 0x5B, 0x58,
                ],
                [0x50, 0x54, 0x53, 0x5E, 0x5C],  // push eax, esp, ebx; pop esi, esp
                // mov eax, [esp]; lea ecx, [esp + 4] in between
                [0x50, 0x8B, 0x04, 0x24, 0x53, 0x8D, 0x4C, 0x24, 4, 0x5E, 0x58],
                [0x50, 0x53, 0xFF, 0x74, 0x24, 4, 0x8F, 0x04, 0x24, 0x5B, 0x58],  // push [esp + 4]; pop [esp]
                [0x50, 0x66, 0x53, 0x53, 0x5E, 0x66, 0x5B, 0x58],  // push bx; pop bx in between
                [0x50, 0x9C, 0x53, 0x9D, 0x9C, 0x5E, 0x58],  // pushfd, popfd
                [0x50, 0x1E, 0x53, 0x5E, 0x1F, 0x58],  // push ds; pop ds
                [0x55, 0x89, 0xE5, 0x50, 0x53, 0xC9],  // push ebp; mov ebp, esp; push eax, ebx; leave
                [0x50, 0x53, 0x3B, 0xC3, 0x72, 1, 0x43, 0x5E, 0x58],  // cmp eax, ebx; jb over inc ebx
                [0x50, 0x53, 0xD9, 0xE8, 0xDD, 0x1C, 0x24, 0x5E, 0x58],  // fld1; fstp qword [esp]
                // push eax, 7; call over jmp to "mov esi, [esp + 4]; add ebx, esi; push ebx; pop ecx; ret 8"
                [
                    0x50, 0x6A, 7, 0xE8, 2, 0, 0, 0, 0xEB, 0x0B, 0x8B, 0x74, 0x24, 4, 0x01, 0xF3, 0x53, 0x59, 0xC2, 8,
                    0,
                ],
                [0xBE, 0x13, 0, 1, 0, 0x50, 0x53, 0xFF, 0xD6, 0x83, 0xC4, 8, 0xEB, 3, 0x50, 0x58, 0xC3],  // call esi
                [UInt8](repeating: 0x53, count: 45) + [UInt8](repeating: 0x5E, count: 45),
            ] as [[UInt8]])
        func theStackIsTheInterpreters(body: [UInt8]) throws {
            var random = SeededGenerator(seed: 5)
            let pair = try NativePair()
            pair.start(Self.loop(200, body)) { ($0.pointee.eax, $0.pointee.ebx, $0.pointee.ecx) = (11, 22, 33) }
            // Blocks are up to 48 instructions long, and not begun where fewer are left.
            #expect(pair.runToHalt { UInt64.random(in: 1...400, using: &random) } == [])
            #expect(pair.native.cpu.pointee.edi == 0)
        }

        /// Its pages come and go: host code is resumed in the middle of a run.
        @Test(arguments: [0, 2, 4, 8, 10, 12, 16, 20] as [UInt32]) func faultsInARunAreResumed(above: UInt32)
            throws
        {
            let pair = try NativePair()
            pair.map()
            // mov eax, cr3; mov cr3, eax; push eax, ebx, 9; inc dword [0x6xxxx]; push ecx; pop edx, ecx, esi, eax
            let body: [UInt8] = [
                0x0F, 0x20, 0xD8, 0x0F, 0x22, 0xD8, 0x50, 0x53, 0x6A, 9, 0xFF, 0x05, 0, 0, 6, 0, 0x51, 0x5A, 0x59, 0x5E,
                0x58,
            ]
            pair.start(Self.loop(30, body)) {
                ($0.pointee.ebx, $0.pointee.ecx, $0.pointee.esp) = (22, 33, 0x5_0000 + above)
            }
            #expect(pair.runToHalt { 71 } == [])
            #expect(pair.native.cpu.pointee.edi == 0)
            #expect(pair.engine.cache.statistics.pointee.slowPaths < 60)
        }

        /// The guest's handler finds ESP as it was before the instruction.
        @Test(arguments: 0...5) func faultsInARunAreTheGuests(pushes: Int) throws {
            let pair = try NativePair()
            pair.map([0x51: 0, 0x40: 0])
            // push ebx, as often; inc dword [0x40000], which is not there
            pair.start([UInt8](repeating: 0x53, count: pushes) + [0xFF, 0x05, 0, 0, 4, 0, 0x53])
            #expect(pair.run() == [])
            #expect(pair.native.faultVector == UInt32(Vector.pageFault))

            // pop esi, from the last words before a page that is not there
            let second = try NativePair()
            second.map([0x51: 0])
            second.start([UInt8](repeating: 0x5E, count: 8)) { $0.pointee.esp = 0x5_1000 - 4 * UInt32(pushes) }
            #expect(second.run() == [])
            #expect(second.native.faultVector == UInt32(Vector.pageFault))
        }

        /// Where there is no RAM, and round 4 GiB.
        @Test(arguments: [8, 6, 0xFFFF_FFF8, 0xA000_0000] as [UInt32]) func stacksLieAnywhere(stack: UInt32) throws {
            let pair = try NativePair()
            // push eax, ebx, ecx, edx; pop esi, edx, ecx, ebx
            pair.start(Self.loop(30, [0x50, 0x53, 0x51, 0x52, 0x5E, 0x5A, 0x59, 0x5B])) { $0.pointee.esp = stack }
            for _ in 0..<5 { #expect(pair.run(97) == []) }
        }

        @Test func aRunMovesESPOnce() throws {
            let pair = try NativePair()
            // push ebx, 5, esi; mov eax, edx; push ecx; call, to the next instruction
            pair.start([0x53, 0x6A, 5, 0x56, 0x89, 0xD0, 0x51, 0xE8, 0, 0, 0, 0])
            #expect(pair.run() == [])
            let block = try #require((0..<pair.engine.cache.blockCount).map { pair.engine.cache.blocks[$0] }.first)
            let code = UnsafeBufferPointer(
                start: pair.engine.cache.arena.writable + Int(block.entry), count: Int(block.end - block.entry))
            let moves = code.indices.filter { code[$0...].starts(with: [0x45, 0x8D, 0x64, 0x24]) }
            #expect(moves.map { Int8(bitPattern: code[$0 + 4]) } == [-20])
        }
    }
#endif
