import Testing

@testable import X86

/// One test for each thing Capstone 4.0.2 has to be helped with (`DecoderRepairs`), named after it.
struct RepairTests {
    @Test func redundantPrefixesDoNotReachCapstone() throws {
        // 4.0.2 gives up on, or misjudges, repeated and mixed prefixes.
        #expect(try text("66 66 66 64 2e 8b 03") == "mov ax, word ptr cs:[ebx]")
        #expect(try text("f2 f3 66 0f 58 c1") == "addss xmm0, xmm1")
        #expect(try text("f3 f2 a5") == "repne movsd dword ptr es:[edi], dword ptr [esi]")
    }

    @Test func targetsWithAddressSizePrefixKeepTheirUpperHalf() throws {
        #expect(try text("67 0f 84 00 00 10 00", at: 0x12340000) == "je 0x12440007")
        #expect(try text("67 e9 00 00 10 00", at: 0x12340000) == "jmp 0x12440006")
    }

    @Test func wideningsGoByOperandSize() throws {
        let operations: [(String, CodeSize, Operation)] = [
            ("98", .bits16, .cbw), ("66 98", .bits16, .cwde), ("98", .bits32, .cwde), ("66 98", .bits32, .cbw),
            ("99", .bits16, .cwd), ("66 99", .bits16, .cdq), ("99", .bits32, .cdq), ("66 99", .bits32, .cwd),
        ]
        for (hex, size, operation) in operations {
            #expect(try decode(hex, size).operation == operation, "\(hex)")
        }
    }

    @Test func stringAndSSE2OperationsOfOneName() throws {
        #expect(try decode("a5").operation == .movs)
        #expect(try decode("f2 0f 10 c1").operation == .movsd)
        #expect(try decode("a7").operation == .cmps)
        #expect(try decode("f2 0f c2 c1 00").operation == .cmpsd)
    }

    @Test func comparisonPredicatesStayOperands() throws {
        for predicate in [0, 1, 7, 8, 0xFF] {
            let instruction = try decode([0x0F, 0xC2, 0xC1, UInt8(predicate)])
            #expect(instruction.operation == .cmpps)
            #expect(instruction.operands.2 == Operand(.immediate, size: 1))
            #expect(instruction.immediate == UInt32(predicate))
        }
    }

    @Test func basesOfASCIIAdjustmentsStayOperands() throws {
        #expect(try text("d4 0a") == "aam 0xa")
        #expect(try text("d5 0a") == "aad 0xa")
        #expect(try text("d4 10") == "aam 0x10")
    }

    @Test func hintSpaceIsNop() throws {
        #expect(try text("0f 1f 44 00 00") == "nop [eax + eax*1]")
        #expect(try text("0f 1f c0") == "nop eax")
        #expect(try text("f3 0f 1e fa") == "nop edx")
        #expect(try text("0f 18 0b") == "prefetch [ebx]")
        #expect(try text("0f 18 23") == "nop [ebx]")
        #expect(try text("0f 18 c3") == "nop ebx")
    }

    @Test func undefinedInstructionsHaveModRM() throws {
        #expect(try decode("0f ff 43 04").length == 4)
        #expect(try decode("0f b9 05 00 00 00 00").operation == .ud1)
        #expect(try decode("0f b9 05 00 00 00 00").length == 7)
        #expect(try decode("0f 0b").operation == .ud2)
    }

    @Test func controlRegisterMovesIgnoreMod() throws {
        #expect(try text("0f 20 04") == "mov esp, cr0")
        #expect(try text("0f 22 44") == "mov cr0, esp")
        #expect(try text("66 0f 23 05") == "mov dr0, ebp")
        for row in [1, 5, 6, 7] as [UInt8] {
            #expect(try decode([0x0F, 0x20, 0xC0 | row << 3]).operation == .invalid)
            #expect(try decode([0x0F, 0x22, 0xC0 | row << 3]).operation == .invalid)
        }
    }

    @Test func fencesIgnoreTheirRM() throws {
        for rm in UInt8(0)..<8 {
            #expect(try decode([0x0F, 0xAE, 0xE8 | rm]).operation == .lfence)
            #expect(try decode([0x0F, 0xAE, 0xF0 | rm]).operation == .mfence)
            #expect(try decode([0x0F, 0xAE, 0xF8 | rm]).operation == .sfence)
        }
    }

    @Test func newerEncodingsAreUndefined() throws {
        let undefined = [
            "c5 f8 28 c1", "c4 e2 70 f2 c2", "62 f1 7c 48 28 c1", "8f e8 78 c0 c1 05", "0f 38 f0 03", "f3 0f b8 c1",
            "0f 05", "0f 0d 0b", "0f 01 c1", "0f c7 f0", "f2 0f f0 03", "f3 0f 12 c1", "66 0f 12 c1", "66 0f 16 c1",
            "db 0b", "66 0f ae 3b", "f3 0f ae c0", "0f 01 ca", "0f ae 23", "8e c8", "d9 d1", "0f a6 c1", "0f 24 c0",
        ]
        for hex in undefined { #expect(try decode(hex).operation == .invalid, "\(hex)") }
        #expect(try decode("f3 0f bc c1").operation == .bsf)
        #expect(try decode("f3 0f bd c1").operation == .bsr)
    }

    @Test func pauseIsSeen() throws {
        #expect(try decode("f3 90").operation == .pause)
        #expect(try decode("90").operation == .nop)
        #expect(try decode("66 90").operation == .nop)
    }

    @Test func stackOperandsAreExplicit() throws {
        let forms = [
            ("d8 c2", "fadd st(0), st(2)"), ("dc c2", "fadd st(2), st(0)"), ("de c2", "faddp st(2), st(0)"),
            ("d8 e2", "fsub st(0), st(2)"), ("d8 ea", "fsubr st(0), st(2)"), ("dc e2", "fsubr st(2), st(0)"),
            ("dc ea", "fsub st(2), st(0)"), ("dc f2", "fdivr st(2), st(0)"), ("dc fa", "fdiv st(2), st(0)"),
            ("de e2", "fsubrp st(2), st(0)"), ("de ea", "fsubp st(2), st(0)"), ("de f2", "fdivrp st(2), st(0)"),
            ("de fa", "fdivp st(2), st(0)"), ("d9 ca", "fxch st(2)"), ("dd c2", "ffree st(2)"),
            ("dd e2", "fucom st(2)"),
            ("db ca", "fcmovne st(0), st(2)"), ("db da", "fcmovnu st(0), st(2)"), ("df e0", "fnstsw ax"),
            ("da e9", "fucompp"), ("de d9", "fcompp"), ("db f2", "fcomi st(2)"), ("df ea", "fucomip st(2)"),
            // Aliases
            ("d9 da", "fstp st(2)"), ("dc d2", "fcom st(2)"), ("dc da", "fcomp st(2)"), ("dd ca", "fxch st(2)"),
            ("de d2", "fcomp st(2)"), ("df c2", "ffreep st(2)"), ("df ca", "fxch st(2)"), ("df d2", "fstp st(2)"),
            ("df da", "fstp st(2)"), ("db e0", "nop"), ("db e1", "nop"), ("db e4", "nop"),
        ]
        for (hex, expected) in forms { #expect(try text(hex) == expected) }
    }

    @Test func memorySizes() throws {
        let sizes: [(String, UInt8)] = [
            ("0f 00 03", 2), ("0f 01 03", 6), ("0f 01 23", 2), ("0f 01 3b", 0), ("0f 02 03", 2), ("62 03", 8),
            ("66 62 03", 4), ("c4 03", 6), ("66 c4 03", 4), ("0f b2 03", 6), ("ff 1b", 6), ("66 ff 2b", 4),
            ("8d 03", 0),
            ("8c 03", 2), ("8e 03", 2), ("d9 23", 28), ("66 d9 33", 14), ("dd 23", 108), ("66 dd 33", 94), ("dd 3b", 2),
            ("db 2b", 10), ("df 23", 10), ("0f c7 0b", 8), ("0f ae 03", 0), ("0f 2f 03", 4), ("66 0f 2e 03", 8),
            ("0f 60 03", 4), ("66 0f 60 03", 16), ("0f c4 03 00", 2), ("f3 0f 10 03", 4), ("0f 16 03", 8),
            ("0f 6e 03", 4),
        ]
        for (hex, size) in sizes {
            let instruction = try decode(hex)
            let operands = [instruction.operands.0, instruction.operands.1]
            #expect(operands.first { $0.kind == .memory }?.size == size, "\(hex)")
        }
    }
}
