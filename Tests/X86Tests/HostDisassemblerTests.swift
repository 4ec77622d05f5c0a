import Testing

@testable import X86

@Suite struct HostDisassemblerTests {
    private func decode(_ bytes: [UInt8]) throws -> HostInstruction? {
        let disassembler = try HostDisassembler()
        return bytes.withUnsafeBytes { disassembler.decode($0, address: 0x1000) }
    }

    @Test(
        arguments: [
            ([0x65, 0x67, 0x41, 0x8B, 0x44, 0x24, 0x08], "mov eax, dword ptr gs:[r12d + 8]"),
            ([0xE9, 0xFB, 0xFF, 0xFF, 0xFF], "jmp 0x1000"), ([0x06], "(bad)"), ([], "(bad)"), ([0x0F], "(bad)"),
            // The order of prefixes means nothing.
            ([0x66, 0x65, 0x67, 0x0F, 0x6F, 0x03], "movdqa xmm0, xmmword ptr gs:[ebx]"),
            ([0x65, 0x67, 0x66, 0x0F, 0x6F, 0x03], "movdqa xmm0, xmmword ptr gs:[ebx]"),
            ([0x66, 0x65, 0x67, 0x0F, 0xD6, 0x42, 0xF4], "movq qword ptr gs:[edx - 0xc], xmm0"),
            ([0xF3, 0x65, 0x67, 0x41, 0x0F, 0x10, 0x04, 0x24], "movss xmm0, dword ptr gs:[r12d]"),
        ] as [([UInt8], String)])
    func lines(bytes: [UInt8], line: String) throws {
        let disassembler = try HostDisassembler()
        #expect(bytes.withUnsafeBytes { disassembler.line($0, address: 0x1000) } == line)
    }

    @Test func operandsAndPrefixes() throws {
        let i = try #require(try decode([0xF0, 0x65, 0x67, 0x41, 0x81, 0x84, 0x0C, 0, 0, 0, 0x10, 1, 2, 3, 4]))
        #expect(i.length == 15 && i.end == 0x100F && i.modRM == 0x84)
        #expect(
            i.prefixes.isLocked && i.prefixes.segment == 0x65 && i.prefixes.hasAddressSize && i.prefixes.isCanonical)
        let memory = try #require(i.memory)
        #expect(memory.segment == .gs && memory.base == HostOperandRegister(.general, 12, size: 4))
        #expect(memory.index == HostOperandRegister(.general, 1, size: 4) && memory.displacement == 0x1000_0000)
        #expect(i.operands.last == .immediate(0x0403_0201))
        // REX in front of other prefixes is none to the processor.
        #expect(try #require(try decode([0x48, 0x65, 0x8B, 0x03])).prefixes.isCanonical == false)
        #expect(try #require(try decode([0x65, 0x65, 0x8B, 0x03])).prefixes.isCanonical == false)
    }
}
