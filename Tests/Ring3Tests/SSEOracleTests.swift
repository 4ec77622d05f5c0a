#if arch(x86_64)
    import Glibc
    import Testing
    import X86

    @testable import Ring3

    /// Every MMX, SSE and SSE2 instruction against the host's, bit for bit: registers, MXCSR, x87 state, EFLAGS, memory
    /// operand, and whether #XM is raised.
    ///
    /// RING3_SSE_ROUNDS sets how many random states each encoding is tried on.
    @Suite struct SSEOracleTests {
        static let rounds = getenv("RING3_SSE_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 100

        /// All two-byte opcodes with all mandatory prefixes, but EMMS, which has no ModR/M byte. Opcodes 0F 71 to 0F 73 and
        /// 0F AE have rows instead of a register.
        @Test(arguments: [[], [0x66], [0xF3], [0xF2]]) func registerForms(prefix: [UInt8]) throws {
            let comparison = try SSEComparison(seed: UInt64(prefix.first ?? 0))
            for opcode in UInt8(0)...0xFF where opcode != 0x77 {
                let hasRows = (0x71...0x73).contains(opcode) || opcode == 0xAE
                let modRMs: [UInt8] = hasRows ? [UInt8](0xC0...0xFF) : [0xC8, 0xC1, 0xD1]
                for modRM in modRMs {
                    // Immediates, where there are any. Where there are none, their bytes must not be executed.
                    let bytes = prefix + [0x0F, opcode, modRM]
                    guard let instruction = comparison.instruction(bytes + [0]) else { continue }
                    guard Int(instruction.length) > bytes.count else {
                        try comparison.run(bytes, rounds: Self.rounds)
                        continue
                    }
                    for immediate in UInt8(0)...0xFF {
                        try comparison.run(bytes + [immediate], rounds: Self.rounds / 50 + 1)
                    }
                }
            }
        }

        @Test(arguments: [[], [0x66], [0xF3], [0xF2]]) func memoryForms(prefix: [UInt8]) throws {
            let comparison = try SSEComparison(seed: 0x100 | UInt64(prefix.first ?? 0))
            for opcode in UInt8(0)...0xFF where opcode != 0x77 {
                let bytes = prefix + [0x0F, opcode, opcode == 0xAE ? 0x1E : 0x0E]
                guard let instruction = comparison.instruction(bytes + [0]) else { continue }
                let whole = Int(instruction.length) > bytes.count ? bytes + [0x9C] : bytes
                try comparison.run(whole, rounds: Self.rounds)
                if !instruction.isAligned { try comparison.run(whole, rounds: Self.rounds / 4 + 1, offset: 7) }
            }
        }

        @Test func emms() throws {
            try SSEComparison(seed: 0x77).run([0x0F, 0x77], rounds: Self.rounds)
        }

        /// Arithmetic and comparison on all pairs of edge values.
        @Test(arguments: [UInt8(0x58), 0x59, 0x5C, 0x5D, 0x5E, 0x5F, 0x2F]) func binaryEdges(opcode: UInt8) throws {
            let comparison = try SSEComparison(seed: UInt64(opcode))
            for prefix: [UInt8] in [[], [0x66], [0xF3], [0xF2]] {
                let isDouble = prefix == [0x66] || prefix == [0xF2]
                try comparison.runEdges(prefix + [0x0F, opcode, 0xC8], isBinary: true, isDouble: isDouble)
            }
        }

        /// Roots and conversions of all edge values.
        @Test(arguments: [UInt8(0x2C), 0x2D, 0x51, 0x5A, 0x5B, 0xE6]) func unaryEdges(opcode: UInt8) throws {
            let comparison = try SSEComparison(seed: UInt64(opcode))
            for prefix: [UInt8] in [[], [0x66], [0xF3], [0xF2]] {
                for isDouble in [false, true] {
                    try comparison.runEdges(prefix + [0x0F, opcode, 0xC8], isBinary: false, isDouble: isDouble)
                }
            }
        }
    }

    extension Instruction {
        /// Whether a memory operand must be aligned to 16 bytes.
        fileprivate var isAligned: Bool {
            switch operation {
            case .movups, .movupd, .movdqu: false
            default: [operands.0, operands.1].contains { $0.size == 16 && $0.kind == .memory }
            }
        }
    }
#endif
