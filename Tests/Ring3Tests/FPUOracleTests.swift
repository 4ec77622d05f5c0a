#if arch(x86_64)
    import Glibc
    import Testing
    import X86

    @testable import Ring3

    /// Every x87 instruction against the host's, bit for bit: registers, tags, control and status word, pointers, EFLAGS,
    /// memory operand. Unmasked exceptions included.
    ///
    /// RING3_FPU_ROUNDS sets how many random states each encoding is tried on.
    @Suite struct FPUOracleTests {
        static let rounds = getenv("RING3_FPU_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 100

        @Test(arguments: UInt8(0xD8)...0xDF) func registerForms(opcode: UInt8) throws {
            let comparison = try FPUComparison(seed: UInt64(opcode))
            for modRM in UInt8(0xC0)...0xFF where !isOddity(opcode, modRM) {
                try comparison.run([opcode, modRM], rounds: Self.rounds, checksOpcode: !isAlias(opcode, modRM))
            }
        }

        /// Encodings that do not behave as the instruction they are decoded as: D9 D8 and so on, which the SDM reserves, are
        /// FSTP without the check for an empty register; DB E0, E1 and E4, of the 8087 and 287, are control instructions.
        private func isOddity(_ opcode: UInt8, _ modRM: UInt8) -> Bool {
            switch (opcode, modRM) {
            case (0xD9, 0xD8...0xDF), (0xDB, 0xE0), (0xDB, 0xE1), (0xDB, 0xE4): true
            default: false
            }
        }

        /// Second encodings of an instruction. FOP, which is worked out from the instruction, is that of the first.
        private func isAlias(_ opcode: UInt8, _ modRM: UInt8) -> Bool {
            switch (opcode, modRM) {
            case (0xDC, 0xD0...0xDF), (0xDD, 0xC8...0xCF), (0xDE, 0xD0...0xD7), (0xDF, 0xC8...0xDF): true
            case (0xDC, _): modRM & 7 == 0
            default: false
            }
        }

        @Test(arguments: UInt8(0xD8)...0xDF) func memoryForms(opcode: UInt8) throws {
            let comparison = try FPUComparison(seed: UInt64(opcode) << 8)
            for digit in UInt8(0)..<8 {
                try comparison.run([opcode, digit << 3 | 6], rounds: Self.rounds * 4)
                try comparison.run([0x66, opcode, digit << 3 | 6], rounds: Self.rounds / 2)
            }
        }

        @Test func extendedImages() throws {
            let comparison = try FPUComparison(seed: 0x0FAE)
            try comparison.run([0x0F, 0xAE, 0x06], rounds: Self.rounds)
            try comparison.run([0x0F, 0xAE, 0x0E], rounds: Self.rounds)
        }

        /// The six operations on all pairs of edge values, under every rounding and precision control.
        @Test(arguments: [UInt8(0xC1), 0xC9, 0xE1, 0xE9, 0xF1, 0xF9]) func edges(modRM: UInt8) throws {
            let comparison = try FPUComparison(seed: UInt64(modRM))
            try comparison.runEdges([0xD8, modRM])
        }
    }
#endif
