#if arch(x86_64) && os(Linux)
    import Testing
    import X86

    @testable import Ring3

    /// BT and the like, of a string of bits in memory, beside the interpreter.
    @Suite(.enabled(if: NativeEngine.isSupported)) struct BitStringTests {
        /// Opcodes after 0F: BT, BTS, BTR, BTC.
        @Test(arguments: [0xA3, 0xAB, 0xB3, 0xBB] as [UInt8], [[], [0xF0]] as [[UInt8]])
        func bitsAreTheInterpreters(opcode: UInt8, prefix: [UInt8]) throws {
            guard opcode != 0xA3 || prefix.isEmpty else { return }
            // Of [ebx], [ebx + esi*2 - 5], [esp + 4] and [0x6010], by ECX, ESP and EBX.
            let operands: [[UInt8]] = [
                [0x0B], [0x4C, 0x73, 0xFB], [0x4C, 0x24, 0x04], [0x0D, 0x10, 0x60, 0, 0], [0x24, 0x24], [0x1B],
            ]
            for operand in operands {
                let bit = prefix + [0x0F, opcode] + operand
                // bit; adc eax, eax; add ecx, 0x1234567; dec edx; jnz back
                let body = bit + [0x11, 0xC0, 0x81, 0xC1, 0x67, 0x45, 0x23, 0x01, 0x4A]
                let pair = try NativePair()
                for runner in pair.runners {
                    for address in stride(from: 0x5000, to: 0x9000, by: 4) as StrideTo<UInt32> {
                        runner.memory.write(address, address &* 0x9E37_79B1)
                    }
                }
                pair.start(body + [0x75, UInt8(bitPattern: -Int8(body.count + 2))]) {
                    ($0.pointee.ecx, $0.pointee.edx, $0.pointee.ebx) = (0xFFFF_FF80, 500, 0x7000)
                    ($0.pointee.esi, $0.pointee.esp) = (0x20, 0x8000)
                }
                // Numbers of bits lead all over the address space, and out of RAM.
                for count in [1, 2, 3, 50, 3000] as [UInt64] { #expect(pair.run(count) == [], "\(operand) \(count)") }
                #expect(pair.native.cpu.pointee.edx == 0)
            }
        }

        /// Within a page, the monitor is not asked.
        @Test func bitsOfABitmapStayOutOfTheMonitor() throws {
            let pair = try NativePair()
            // again: bts [0x6000], ecx; btr [0x6400], ecx; sbb eax, eax; dec ecx; jns again
            pair.start([
                0x0F, 0xAB, 0x0D, 0, 0x60, 0, 0, 0x0F, 0xB3, 0x0D, 0, 0x64, 0, 0, 0x19, 0xC0, 0x49, 0x79, 0xED,
            ]) { $0.pointee.ecx = 999 }
            #expect(pair.run(20_000) == [])
            #expect(pair.native.cpu.pointee.ecx == .max)
            #expect(pair.engine.cache.statistics.pointee.entries < 40)
            #expect(pair.engine.cache.statistics.pointee.slowPaths < 10)
        }
    }
#endif
