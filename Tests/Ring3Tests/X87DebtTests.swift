#if arch(x86_64) && os(Linux)
    import Hardware
    import Testing
    import X86

    @testable import Ring3

    /// The last x87 instruction and its operand, of which emitted code notes what nothing overwrites.
    @Suite(.enabled(if: NativeEngine.isSupported)) struct X87DebtTests {
        private static let x87: [[UInt8]] = [
            [0xDD, 0x03], [0xDC, 0x0B], [0xDD, 0x44, 0x93, 0x08], [0xD9, 0x53, 0x04],  // fld, fmul, fld, fst: [ebx...]
            [0xDE, 0xC1], [0xD9, 0xE8], [0xDD, 0xD8], [0xD9, 0xC1], [0xD9, 0xC9],  // faddp, fld1, fstp, fld, fxch
            [0xDB, 0x05, 0x00, 0x90, 0, 0], [0xDD, 0x05, 0x00, 0, 0x50, 0],  // fild [0x9000]; fld [0x500000]: no RAM
        ]
        private static let others: [[UInt8]] = [
            // add ebx, 8; inc edx; mov ebx, [ebx]; mov [ebx], edx
            [0x83, 0xC3, 0x08], [0x42], [0x8B, 0x1B], [0x89, 0x13],
            [0xDF, 0xE0], [0xD9, 0x7B, 0x10], [0x8B, 0x0D, 0, 0, 0x50, 0],  // fnstsw ax; fnstcw; mov ecx, [0x500000]
            [0x74, 0x00], [0xEB, 0x00], [0x0F, 0x28, 0xC8], [0x90],  // jz, jmp to the next; movaps; nop
            [0xB9, 0x05, 0, 0, 0, 0xBF, 0, 0xA0, 0, 0, 0xF3, 0xAB],  // mov ecx, 5; mov edi, 0xA000; rep stosd
        ]

        private func machines(_ code: [UInt8]) throws -> NativePair {
            let pair = try NativePair()
            pair.start([0xDB, 0xE3] + code) {  // fninit
                $0.pointee.cr4 |= CR4.osfxsr
                ($0.pointee.ebx, $0.pointee.edx, $0.pointee.esi) = (0x9100, 0, 37)
            }
            return pair
        }

        /// Stopped wherever that may be, and at accesses that are the monitor's, on the way through loops and behind them.
        @Test(arguments: 1...60)
        func theLastInstructionIsKnownWhereverTheMonitorLooks(seed: UInt64) throws {
            var random = SeededGenerator(seed: seed)
            var code: [UInt8] = []
            for _ in 0..<Int.random(in: 1...14, using: &random) {
                let kind = Int.random(in: 0..<3, using: &random) < 2 ? Self.x87 : Self.others
                code += kind.randomElement(using: &random) ?? []
            }
            // dec esi; jnz to the start
            let loop = code + [0x4E, 0x75, UInt8(truncatingIfNeeded: -(code.count + 3))]
            for slice in [1...40, 100_000...100_000] as [ClosedRange<UInt64>] {
                let pair = try machines(loop)
                #expect(pair.runToHalt { UInt64.random(in: slice, using: &random) } == [])
            }
        }

        /// Between two of them, of which the second faults: the handler sees the first.
        @Test(arguments: [[0xDD, 0x05, 0, 0, 5, 0], [0x42, 0xDD, 0x05, 0, 0, 5, 0]] as [[UInt8]])
        func faultsFindTheLastInstruction(faulting: [UInt8]) throws {
            // fld1; fld [ebx + edx * 4 + 8]; inc edx, or not; fld [0x50000], which is not there
            let pair = try machines([0xD9, 0xE8, 0xDD, 0x44, 0x93, 0x08] + faulting)
            pair.map([0x50: 0])
            #expect(pair.run() == [])
            #expect(pair.native.faultVector == UInt32(Vector.pageFault))
            #expect(pair.native.cpu.fpu.pointee.dataOffset == 0x9108)
        }

        @Test func runsOfThemAreNotedOnce() throws {
            // fld, fmul, faddp; add ebx, 8; inc edx; fld1; hlt
            let code: [UInt8] = [0xDD, 0x03, 0xDC, 0x0B, 0xDE, 0xC1, 0x83, 0xC3, 0x08, 0x42, 0xD9, 0xE8]
            let pair = try machines(code)
            #expect(pair.run() == [])
            let cache = pair.engine.cache
            let block = cache.blocks[0]
            let host = UnsafeRawBufferPointer(
                start: cache.arena.writable + Int(block.entry), count: Int(block.end - block.entry))
            // The field's place is the displacement from R13, behind a ModR/M byte that says so.
            func stores(to field: PartialKeyPath<ProcessorState>) -> Int {
                let place = UInt32(ProcessorState.place(field))
                return (2..<host.count - 4).filter {
                    host.loadUnaligned(fromByteOffset: $0, as: UInt32.self) == place && host[$0 - 1] == 0x85
                }.count
            }
            #expect(stores(to: \.native.lastX87) == 1)
            #expect(stores(to: \.native.lastX87WithOperand) == 1)
            #expect(stores(to: \.native.x87Operand) == 1)
        }
    }
#endif
