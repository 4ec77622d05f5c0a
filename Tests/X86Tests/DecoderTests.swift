import Testing

@testable import X86

/// Decodes bytes written in hexadecimal.
func decode(_ hex: String, _ size: CodeSize = .bits32) throws -> Instruction {
    try decode(bytes(hex), size)
}

func decode(_ bytes: [UInt8], _ size: CodeSize = .bits32) throws -> Instruction {
    let decoder = try Decoder()
    return bytes.withUnsafeBytes { decoder.decode($0, size: size) }
}

func text(_ hex: String, _ size: CodeSize = .bits32, at address: UInt32 = 0) throws -> String {
    try decode(hex, size).text(at: address)
}

func bytes(_ hex: String) -> [UInt8] {
    hex.split(separator: " ").compactMap { UInt8($0, radix: 16) }
}

struct DecoderTests {
    @Test(arguments: [
        ("8b 43 04", "mov eax, dword ptr [ebx + 4]"),
        ("66 8b 43 04", "mov ax, word ptr [ebx + 4]"),
        ("67 8b 43 fc", "mov eax, dword ptr [bp + di - 4]"),
        ("64 a1 10 00 00 00", "mov eax, dword ptr fs:[0x10]"),
        ("f0 0f b1 0d 78 56 34 12", "lock cmpxchg dword ptr [0x12345678], ecx"),
        ("8d 44 8d f0", "lea eax, [ebp + ecx*4 - 0x10]"),
        ("f3 a5", "rep movsd dword ptr es:[edi], dword ptr [esi]"),
        ("f2 66 2e a7", "repne cmpsw word ptr cs:[esi], word ptr es:[edi]"),
        ("c8 10 20 83", "enter 0x2010, 0x83"),
        ("ea 78 56 34 12 08 00", "jmp far 8:0x12345678"),
        ("66 ea 34 12 08 00", "jmp far 8:0x1234"),
        ("ff 2d 00 10 00 00", "jmp far fword ptr [0x1000]"),
        ("e8 fb ff ff ff", "call 0x1000"),
        ("66 e8 fc ff", "call 0x1000"),
        ("75 fe", "jne 0x1000"),
        ("6a ff", "push 0xffffffff"),
        ("66 6a ff", "push 0xffff"),
        ("83 c0 ff", "add eax, 0xffffffff"),
        ("80 c4 ff", "add ah, 0xff"),
        ("6b c1 f0", "imul eax, ecx, 0xfffffff0"),
        ("d3 e0", "shl eax, cl"),
        ("d1 e0", "shl eax, 1"),
        ("0f a4 d8 05", "shld eax, ebx, 5"),
        ("8e d8", "mov ds, ax"),
        ("8c d8", "mov eax, ds"),
        ("0f 20 c0", "mov eax, cr0"),
        ("0f 23 f8", "mov dr7, eax"),
        ("0f 01 15 00 10 00 00", "lgdt fword ptr [0x1000]"),
        ("0f c2 c1 02", "cmpps xmm0, xmm1, 2"),
        ("66 0f d6 00", "movq qword ptr [eax], xmm0"),
        ("d9 d8", "fstp st(0)"),
        ("de e9", "fsubp st(1), st(0)"),
        ("da c1", "fcmovb st(0), st(1)"),
    ])
    func text(_ hex: String, _ expected: String) throws {
        #expect(try X86Tests.text(hex, at: 0x1000) == expected)
    }

    @Test func stringInstructions() throws {
        let rep = try decode("f3 64 66 a5")
        #expect(rep.operation == .movs && rep.operandSize == 2 && rep.addressSize == 4)
        #expect(rep.prefixes == [.rep, .segment, .operandSize])
        #expect(rep.memory.segment == .fs && rep.operands == (.none, .none, .none))
        #expect(try decode("f2 ae").prefixes == .repne)
        #expect(try decode("ac").operandSize == 1)
        #expect(try decode("67 6d").addressSize == 2)
        // REP means nothing elsewhere.
        #expect(try decode("f3 01 c0").prefixes == [])
    }

    @Test func implicitAddresses() throws {
        let translate = try decode("2e d7")
        #expect(translate.memory == MemoryOperand(segment: .cs, base: 12))
        #expect(translate.operandSize == 1)
        #expect(try decode("0f f7 c1").memory == MemoryOperand(base: 28))
    }

    @Test func segments() throws {
        #expect(try decode("8b 45 00").memory.segment == .ss)
        #expect(try decode("8b 04 24").memory.segment == .ss)
        #expect(try decode("8b 04 2e").memory.segment == .ds)
        #expect(try decode("8b 04 6d 00 00 00 00").memory.segment == .ds)
        #expect(try decode("8b 02", .bits16).memory == MemoryOperand(segment: .ss, base: 20, index: 24))
        #expect(try decode("8b 46 fe", .bits16).memory.displacement == 0xFFFF_FFFE)
        #expect(try decode("3e 8b 45 00").memory.segment == .ds)
        #expect(try decode("2e 65 a1 00 00 00 00").memory.segment == .gs)
    }

    @Test func farPointersAndSecondImmediates() throws {
        let far = try decode("9a 78 56 34 12 10 00")
        #expect(far.operation == .callFar && far.selector == 0x10 && far.immediate == 0x1234_5678)
        #expect(far.operands.0 == Operand(.farPointer, size: 6))
        let enter = try decode("c8 10 00 1f")
        #expect(enter.operands.0 == Operand(.immediate, size: 2) && enter.immediate == 0x10)
        #expect(enter.operands.1 == Operand(.secondImmediate, size: 1) && enter.selector == 0x1F)
        #expect(try decode("ff 1b").operation == .callFar)
        #expect(try decode("ff 13").operation == .call)
        #expect(try decode("66 ca 04 00").operandSize == 2)
    }

    @Test func immediatesAndDisplacements() throws {
        #expect(try decode("66 83 c0 ff").immediate == 0xFFFF)
        #expect(try decode("66 6a ff").operands.0 == Operand(.immediate, size: 2))
        #expect(try decode("c1 e0 1f").operands.1 == Operand(.immediate, size: 1))
        #expect(try decode("d4 0a").operands.0 == Operand(.immediate, size: 1))
        #expect(try decode("cd 80").immediate == 0x80)
        #expect(try decode("eb fe").immediate == 0xFFFF_FFFE)
        #expect(try decode("e8 fe ff", .bits16).immediate == 0xFFFF_FFFE)
        #expect(try decode("e5 10").operands.0 == Operand(.register, size: 4))
        #expect(try decode("e6 10").operandSize == 1)
        #expect(try decode("ee").operands.0 == Operand(.register, size: 2, register: 8))
    }

    @Test func systemRegisters() throws {
        #expect(try decode("8e d8").operands.0 == Operand(.segment, size: 2, register: 3))
        #expect(try decode("66 8c d8").operands.0 == Operand(.register, size: 2))
        #expect(try decode("8c d8").operation == .movSegment)
        #expect(try decode("0f a0").operation == .pushSegment)
        #expect(try decode("66 1f").operation == .popSegment)
        #expect(try decode("0f 20 d8", .bits16).operands.0 == Operand(.register, size: 4))
        #expect(try decode("0f 22 d8").operands.0 == Operand(.control, size: 4, register: 3))
        #expect(try decode("0f 21 f8").operation == .movDebug)
        #expect(try decode("0f 02 c3").operands.1.size == 2)
    }

    @Test func lockNeedsAReadModifyWriteOnMemory() throws {
        #expect(try decode("f0 01 03").prefixes == .lock)
        #expect(try decode("f0 87 03").operation == .xchg)
        for hex in ["f0 01 c3", "f0 03 03", "f0 89 03", "f0 90", "f0 39 03", "f0 0f a3 03", "f0 a4", "f0 87 c3"] {
            #expect(try decode(hex).operation == .invalid, "\(hex)")
        }
    }

    @Test func conditions() throws {
        for condition in Condition.allCases {
            #expect(try decode([0x70 | condition.rawValue, 0]).condition == condition)
            #expect(try decode([0x0F, 0x80 | condition.rawValue, 0, 0, 0, 0]).condition == condition)
            #expect(try decode([0x0F, 0x90 | condition.rawValue, 0xC0]).condition == condition)
            #expect(try decode([0x0F, 0x40 | condition.rawValue, 0xC0]).condition == condition)
        }
    }

    @Test func disassembly() throws {
        let decoder = try Decoder()
        let (text, length) = bytes("65 8b 04 8d f0 ff ff ff").withUnsafeBytes {
            decoder.disassemble($0, size: .bits32, address: 0)
        }
        #expect(text == "mov eax, dword ptr gs:[ecx*4 - 0x10]" && length == 8)
        #expect(try X86Tests.text("0f 05") == "(bad)")
    }
}
