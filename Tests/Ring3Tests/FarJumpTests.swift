#if arch(x86_64) && os(Linux)
    import Testing
    import X86

    @testable import Ring3

    /// Jumps and calls that lead to other pages, or where an instruction crosses into another one.
    @Suite(.enabled(if: NativeEngine.isSupported)) struct FarJumpTests {
        private static func pair(_ pieces: [(UInt32, [UInt8])]) throws -> NativePair {
            let pair = try NativePair()
            pair.start([0xE9] + Self.distance(from: CodeRunner.codeAddress + 5, to: pieces[0].0)) {
                ($0.pointee.ecx, $0.pointee.esp) = (1000, CodeRunner.stackTop)
            }
            for runner in pair.runners { for piece in pieces { runner.memory.write(piece.0, bytes: piece.1) } }
            return pair
        }

        private static func distance(from: UInt32, to: UInt32) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: (to &- from) >> UInt32($0 * 8)) }
        }

        /// A block that crosses pages is not linked to, as it may be another one soon; but the monitor is not asked each time.
        @Test func jumpsToAnInstructionThatCrossesPagesStayOutOfTheMonitor() throws {
            let (start, crossing) = (0x2_0F80, 0x2_0FFD) as (UInt32, UInt32)
            // again: dec ecx; jz end; jmp crossing; end: hlt
            let loop: [UInt8] = [0x49, 0x74, 0x05, 0xE9] + Self.distance(from: start + 8, to: crossing) + [0xF4]
            // add eax, 0x01020304; jmp again
            let body: [UInt8] = [0x05, 4, 3, 2, 1, 0xE9] + Self.distance(from: crossing + 10, to: start)
            let pair = try Self.pair([(start, loop), (crossing, body)])
            #expect(pair.run(20_000) == [])
            #expect(pair.native.cpu.pointee.ecx == 0)
            #expect(pair.engine.cache.statistics.pointee.entries < 40)
            #expect(pair.engine.cache.statistics.pointee.interpreted < 40)
        }

        /// A function on another page, called a thousand times.
        @Test func callsOfAnotherPageStayOutOfTheMonitor() throws {
            let (start, function) = (0x2_0080, 0x3_0080) as (UInt32, UInt32)
            // again: call function; dec ecx; jnz again; hlt
            let loop: [UInt8] = [0xE8] + Self.distance(from: start + 5, to: function) + [0x49, 0x75, 0xF8, 0xF4]
            // lea eax, [eax + ecx*4 + 1]; ret
            let pair = try Self.pair([(start, loop), (function, [0x8D, 0x44, 0x88, 0x01, 0xC3])])
            #expect(pair.run(20_000) == [])
            #expect(pair.native.cpu.pointee.ecx == 0)
            #expect(pair.engine.cache.statistics.pointee.entries < 40)
            // Once all blocks have gone, the number may be another one.
            pair.engine.removeAllBlocks()
            for runner in pair.runners {
                (runner.cpu.pointee.eip, runner.cpu.pointee.ecx) = (start, 100)
                runner.cpu.setAttention(.halted, false)
            }
            #expect(pair.run(20_000) == [])
            #expect(pair.native.cpu.pointee.ecx == 0)
        }

        /// What was called becomes another function, by a store to its code.
        @Test func aFunctionOfAnotherPageIsWhatWasWrittenLast() throws {
            let (start, function) = (0x2_0080, 0x3_0080) as (UInt32, UInt32)
            // again: call function; mov [function + 3], cl; dec ecx; jnz again; hlt
            let loop: [UInt8] =
                [0xE8] + Self.distance(from: start + 5, to: function) + [0x88, 0x0D, 0x83, 0, 3, 0]
                + [0x49, 0x75, 0xF2, 0xF4]
            let pair = try Self.pair([(start, loop), (function, [0x8D, 0x44, 0x88, 0x01, 0xC3])])
            #expect(pair.run(20_000) == [])
            #expect(pair.native.cpu.pointee.ecx == 0)
        }
    }
#endif
