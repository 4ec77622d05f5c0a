#if arch(x86_64) && os(Linux)
    import Testing

    @testable import Ring3

    /// Constants that a guest patches into its code.
    @Suite(.enabled(if: NativeEngine.isSupported)) struct CodeRepairTests {
        /// What is patched, and the offsets of its constants of four bytes, and of one.
        private static let routine: [UInt8] = [
            0xBB, 0x11, 0x22, 0x33, 0x44,  // mov ebx, 0x44332211
            0x05, 0x78, 0x56, 0x34, 0x12,  // add eax, 0x12345678
            0x69, 0xC0, 0x0D, 0x66, 0x19, 0x00,  // imul eax, eax, 1664525
            0x9C, 0x5A, 0x31, 0xD3,  // pushfd; pop edx; xor ebx, edx
            0x81, 0xF3, 0x01, 0x02, 0x03, 0x04,  // xor ebx, 0x04030201
            0xC1, 0xC0, 0x05,  // rol eax, 5
            0x3D, 0x00, 0x00, 0x00, 0x80,  // cmp eax, 0x80000000
            0x9C, 0x5A, 0x01, 0xD3,  // pushfd; pop edx; add ebx, edx
            0xC3,  // ret
        ]
        private static let constants: [Range<Int>] = [1..<5, 6..<10, 12..<16, 22..<26, 30..<34]
        private static let count = 28
        private static let routineAddress = CodeRunner.codeAddress + 0x400

        /// XOR of `size` bytes in memory with a mask.
        private static func xor(_ address: UInt32, size: Int, _ mask: [UInt8]) -> [UInt8] {
            let opcode: [UInt8] = size == 1 ? [0x80] : size == 2 ? [0x66, 0x81] : [0x81]
            return opcode + [0x35] + (0..<4).map { UInt8(truncatingIfNeeded: address >> UInt32($0 * 8)) } + mask
        }

        /// Every byte of a routine, alone and with those behind it, is written before each call, so that constants change and
        /// nothing else does. Emitted code is repaired if and only if all that was written is of one constant.
        @Test(arguments: [1, 2, 4]) func constantsArePatched(size: Int) throws {
            let pair = try NativePair()
            for place in 0...Self.routine.count - size {
                let written = place..<place + size
                let mask = written.map { byte -> UInt8 in
                    byte == Self.count ? 0x1F : Self.constants.contains { $0.contains(byte) } ? 0xA5 : 0
                }
                // mov ecx, 40; again: xor [routine + place], mask; call routine; dec ecx; jnz again
                let patch = Self.xor(Self.routineAddress + UInt32(place), size: size, mask)
                let distance = 0x400 - UInt32(5 + patch.count + 5)
                var code = [0xB9, 40, 0, 0, 0] + patch
                code += [0xE8, UInt8(distance & 0xFF), UInt8(distance >> 8), 0, 0]
                code += [0x49, 0x75, UInt8(truncatingIfNeeded: -(patch.count + 8))]
                code += [0xF4] + [UInt8](repeating: 0, count: 0x400 - code.count - 1) + Self.routine
                pair.start(code) { $0.pointee.esp = CodeRunner.stackTop }
                let repaired = pair.engine.cache.statistics.pointee.blocksRepaired
                #expect(pair.run() == [], "\(written)")
                let isOfOne = Self.constants.contains { $0.lowerBound <= place && written.upperBound <= $0.upperBound }
                let repairs = pair.engine.cache.statistics.pointee.blocksRepaired - repaired
                #expect(isOfOne ? repairs > 20 : repairs == 0, "\(written): \(repairs)")
            }
        }

        /// A block that patches what comes next in it.
        @Test func blocksPatchThemselves() throws {
            let pair = try NativePair()
            // mov ecx, 60; again: xor dword [next + 1], mask; next: add eax, 0; dec ecx; jnz again
            let patch = Self.xor(CodeRunner.codeAddress + 16, size: 4, [0x21, 0x43, 0x65, 0x87])
            pair.start([0xB9, 60, 0, 0, 0] + patch + [0x05, 0, 0, 0, 0, 0x49, 0x75, 0xEE])
            #expect(pair.run() == [])
            #expect(pair.engine.cache.statistics.pointee.blocksRepaired > 30)
        }
    }
#endif
