#if arch(x86_64) && os(Linux)
    import Testing
    import X86

    @testable import Ring3

    /// What is remembered of instructions by their heads, and code that is written anew.
    @Suite(.enabled(if: NativeEngine.isSupported)) struct NativeFormsTests {
        private static func decoded(_ bytes: [UInt8]) throws -> Instruction {
            let decoder = try Decoder()
            return bytes.withUnsafeBytes { decoder.decode($0, size: .bits32) }
        }

        @Test(
            arguments: [
                [0x0F, 0xBA, 0x60, 8, 8], [0x8B, 0x44, 0x24, 8], [0x05, 1, 2, 3, 4], [0x81, 0x43, 8, 1, 2, 3, 4],
                [0xA1, 1, 2, 3, 4],
            ] as [[UInt8]])
        func valuesAreCopied(bytes: [UInt8]) throws {
            let rewriter = InstructionRewriter(mode: [.openFS, .openGS])
            #expect(rewriter.copiesTail(try Self.decoded(bytes)))
            // What comes from FS or GS has its displacement where the address is made.
            guard bytes[0] != 0x05 else { return }
            for prefix in [0x64, 0x65] as [UInt8] { #expect(!rewriter.copiesTail(try Self.decoded([prefix] + bytes))) }
        }

        /// Of code at one address: the same instructions with other displacements and immediates, and the same bytes behind
        /// other heads.
        @Test(
            arguments: [
                // bt dword fs:[eax + 8], 8, and 16, 8: the ModR/M byte of the host's is followed by a SIB byte of 8
                [[0x64, 0x0F, 0xBA, 0x60, 8, 8], [0x64, 0x0F, 0xBA, 0x60, 16, 8]],
                [[0x68, 0x45, 0x8D, 0x64, 0x24], [0x68, 0xFC, 0x45, 0x8D, 0x64]],  // push
                [[0x6B, 0xC3, 5], [0x6B, 0xC3, 0xFB], [0x69, 0xC3, 1, 0, 0, 0x80]],  // imul eax, ebx
                [
                    [0xC1, 0xE0, 0], [0xC1, 0xE0, 1], [0xC1, 0xE0, 31], [0x0F, 0xA4, 0xD8, 3], [0x0F, 0xA4, 0xD8, 0],
                ],
                [[0xA1, 0, 0, 4, 0], [0x8B, 0x05, 4, 0, 4, 0], [0x8B, 0x43, 0x7C], [0x8B, 0x83, 0, 1, 0, 0]],
                [
                    [0xC7, 0x43, 4, 1, 0, 0, 0], [0xC6, 0x43, 4, 7], [0x83, 0x43, 4, 0xFE],
                    [0x66, 0x81, 0x43, 8, 1, 2],
                ],
            ] as [[[UInt8]]])
        func formsDependOnNoValue(instructions: [[UInt8]]) throws {
            let pair = try NativePair()
            for round in 0..<3 as Range<UInt32> {
                for bytes in instructions {
                    // Twice, with the flags between; pushfd; pop ecx
                    pair.start(bytes + [0x9C, 0x59] + bytes + [0x9C, 0x5A]) {
                        ($0.pointee.eax, $0.pointee.ebx) = (0x4_0000 + round, 0x4_0100)
                        $0.pointee.fs = $0.pointee.ds
                        $0.pointee.esp = CodeRunner.stackTop
                    }
                    #expect(pair.run(100) == [])
                }
            }
        }

        /// Heads that share a slot take it from each other: what was known of the first is not taken for the second, nor the
        /// other way round. Sums and the like define all flags, of which a product leaves most undefined.
        @Test func formsGiveWay() throws {
            let heads = InstructionHeads()
            func slot(_ bytes: [UInt8]) throws -> Int {
                let word = bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
                let head = heads.head(of: word, size: .bits32)
                return try #require(head).hash(bits: NativeForms.slotBits)
            }
            let registers = (0xC0...0xFF as ClosedRange<UInt8>).filter { $0 >> 3 & 7 != 4 && $0 & 7 != 4 }
            let products = registers.flatMap { [[0x69, $0, 3, 0, 0, 0], [0x6B, $0, 3]] as [[UInt8]] }
            let opcodes = (0..<0x40 as Range<UInt8>).filter { $0 & 7 < 4 }
            let sums = registers.flatMap { byte in opcodes.map { [$0, byte] } }
            let pair = try NativePair()
            var tried = 0
            for product in products {
                for sum in try sums.filter({ try slot($0) == slot(product) }) {
                    tried += 1
                    for bytes in [product, sum, product, sum] {
                        // cmp eax, eax; it; pushfd; pop ecx; and the same again, with no flags known before
                        pair.start([0x39, 0xC0] + bytes + [0x9C, 0x59] + bytes + [0x9C, 0x5A]) {
                            ($0.pointee.eax, $0.pointee.ebx, $0.pointee.edi) = (0x8000_0001, 5, 0xFFFF_FFFF)
                            $0.pointee.esp = CodeRunner.stackTop
                        }
                        #expect(pair.run(100) == [])
                    }
                }
            }
            #expect(tried > 0)
        }

        /// A routine is patched so often that nearly all blocks are stale: they go, and what they were is translated again.
        @Test func staleBlocksGo() throws {
            let pair = try NativePair()
            let function = CodeRunner.codeAddress + 0x800
            // mov ecx, 4000; mov [function + 2], ecx; call function; add edx, eax; dec ecx; jnz; HLT; function: lea eax, [0]; ret
            let start: [UInt8] = [
                0xB9, 0xA0, 0x0F, 0, 0, 0x89, 0x0D, 0x02, 0x08, 0x01, 0, 0xE8, 0xF0, 0x07, 0, 0, 0x01, 0xC2, 0x49, 0x75,
                0xF0, 0xF4,
            ]
            let gap = [UInt8](repeating: 0, count: Int(function - CodeRunner.codeAddress) - start.count)
            pair.start(start + gap + [0x8D, 0x05, 0, 0, 0, 0, 0xC3]) { $0.pointee.edx = 0 }
            #expect(pair.runToHalt { 5003 } == [])
            #expect(pair.native.cpu.pointee.edx == 4000 * 4001 / 2)
            #expect(pair.engine.cache.statistics.pointee.evictions > 0)
            #expect(pair.engine.cache.instructionCount < 20_000)
        }
    }
#endif
