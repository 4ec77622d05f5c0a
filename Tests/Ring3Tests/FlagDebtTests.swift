#if arch(x86_64) && os(Linux)
    import Testing
    import X86

    @testable import Ring3

    /// Flags that the manual leaves undefined, where others overwrite some of them soon: nobody sees what the host makes of
    /// them.
    @Suite(.enabled(if: NativeEngine.isSupported)) struct FlagDebtTests {
        /// Leave flags undefined.
        private static let makers: [[UInt8]] = [
            [0x69, 0xC1, 3, 0, 1, 0],  // imul eax, ecx, 0x10003
            [0x66, 0x69, 0xC1, 3, 0],  // imul ax, cx, 3
            [0xF7, 0xE1],  // mul ecx
            [0xF7, 0xE9],  // imul ecx
            [0x0F, 0xBC, 0xC1],  // bsf eax, ecx
            [0x0F, 0xBD, 0xC1],  // bsr eax, ecx
            [0x0F, 0xA4, 0xD8, 5],  // shld eax, ebx, 5
            [0x0F, 0xA5, 0xD8],  // shld eax, ebx, cl
            [0xC1, 0xE0, 4],  // shl eax, 4
            [0xD3, 0xE8],  // shr eax, cl
        ]
        /// Read, change or keep some.
        private static let followers: [[UInt8]] = [
            [],
            [0xC1, 0xC0, 3],  // rol eax, 3
            [0xC1, 0xC0, 0],  // rol eax, 0
            [0xD1, 0xC9],  // ror ecx, 1
            [0xC1, 0x03, 3],  // rol dword [ebx], 3
            [0xD3, 0xC8],  // ror eax, cl
            [0xD1, 0xD0],  // rcl eax, 1
            [0x69, 0xC0, 7, 0, 0, 0x10],  // imul eax, eax, 0x10000007
            [0x0F, 0xAF, 0xC3],  // imul eax, ebx
            [0x83, 0xD2, 0],  // adc edx, 0
            [0x40],  // inc eax
            [0x83, 0xC2, 1],  // add edx, 1
            [0x89, 0xC2],  // mov edx, eax
        ]

        @Test(arguments: makers.indices) func nobodySeesWhatTheHostMakesOfThem(maker: Int) throws {
            let pair = try NativePair()
            for first in Self.followers {
                for second in Self.followers {
                    // stc or clc; the three; pushfd; pop esi; so often that emitted code does it
                    let code = Self.makers[maker] + first + second + [0x9C, 0x5E]
                    for (ecx, start) in [(0, 0xF9), (0x8000_0005, 0xF8), (7, 0xF9)] as [(UInt32, UInt8)] {
                        pair.start((0..<16).flatMap { _ in [start] + code + [0x01, 0xF7] }) {
                            ($0.pointee.eax, $0.pointee.ecx, $0.pointee.ebx) = (0x8001_2345, ecx, 0x4_0100)
                            $0.pointee.esp = CodeRunner.stackTop
                        }
                        #expect(pair.run(100) == [], "\(code)")
                    }
                }
            }
        }

        /// What POPFD loads is not made good for something before it, neither where the block is left nor by the monitor.
        @Test(arguments: makers.indices, [[0xEB, 0x00], [0x0F, 0xA2]] as [[UInt8]])
        func loadedFlagsStay(maker: Int, way: [UInt8]) throws {
            let pair = try NativePair()
            // nops; it; push image; popfd; jmp to what follows, or cpuid; pushfd; pop esi
            let code = Self.makers[maker] + [0x68, 0xD7, 0x08, 0, 0, 0x9D, 0x90] + way + [0x9C, 0x5E]
            pair.start([UInt8](repeating: 0x90, count: 60) + code) {
                ($0.pointee.eax, $0.pointee.ecx, $0.pointee.ebx) = (0x8001_2345, 7, 5)
                $0.pointee.esp = CodeRunner.stackTop
            }
            #expect(pair.run(100) == [])
            #expect(pair.native.cpu.pointee.esi & 0x8D5 == 0x8D5)
        }

        /// Behind a rotation CF and OF are its own: what a fault pushes is not what the product before it had.
        @Test func faultsBehindRotationsSeeTheirFlags() throws {
            let pair = try NativePair()
            for rotation in [[0xD1, 0xC3], [0xD1, 0x07], [0xC1, 0xC3, 2]] as [[UInt8]] {
                // nops; imul eax, ecx, 0x10003; rotation; div esi; add edx, 1
                let code = [0x69, 0xC1, 3, 0, 1, 0] + rotation + [0xF7, 0xF6, 0x83, 0xC2, 1]
                pair.start([UInt8](repeating: 0x90, count: 60) + code) {
                    ($0.pointee.ecx, $0.pointee.ebx, $0.pointee.esi, $0.pointee.edx) = (3, 0xC000_0000, 0, 0)
                    $0.pointee.edi = 0x4_0100
                    $0.pointee.esp = CodeRunner.stackTop
                }
                for runner in pair.runners { runner.memory.write(0x4_0100, UInt32(0xC000_0000)) }
                #expect(pair.run(100) == [])
                #expect(pair.interpreted.faultVector == 0)
            }
        }
    }
#endif
