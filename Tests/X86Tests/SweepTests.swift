import Testing

@testable import X86

/// One comparison of the sweep.
struct SweepCase {
    let bytes: [UInt8]
    let instruction: Instruction
    let ours: SweepText
    let theirs: SweepText
    let theirLength: Int

    init(_ bytes: [UInt8], at address: UInt32, _ size: CodeSize, _ decoder: Decoder, _ line: Objdump.Line) {
        self.bytes = bytes
        instruction = bytes.withUnsafeBytes {
            decoder.decode(UnsafeRawBufferPointer(rebasing: $0.prefix(Decoder.maximumLength)), size: size)
        }
        ours = SweepText(instruction.text(at: address))
        theirs = SweepText(line.text)
        theirLength = line.length
    }

    /// Both the same, or both undefined; how many bytes of something undefined objdump shows is of no interest.
    var agrees: Bool {
        guard SweepText.agree(ours, theirs) else { return false }
        if theirs.mnemonic == "(bad)" { return true }
        return theirLength == Int(instruction.length)
            && (theirs.operandSize ?? instruction.operandSize) == instruction.operandSize
    }

    var isLocked: Bool { bytes.prefix(while: SweepCases.legacyPrefixes.contains).contains(0xF0) }

    /// objdump shows LOCK everywhere. It is legal for these (SDM 2A, "LOCK"), with a memory operand as destination.
    var mayBeLocked: Bool {
        let operations: Set<String> = [
            "add", "adc", "and", "btc", "btr", "bts", "cmpxchg", "cmpxchg8b", "dec", "inc", "neg", "not", "or", "sbb",
            "sub", "xor", "xadd", "xchg",
        ]
        let destinations = theirs.mnemonic == "xchg" ? theirs.operands[...] : theirs.operands.prefix(1)
        return operations.contains(theirs.mnemonic) && destinations.contains { $0.hasSuffix("]") }
    }

    /// Index in the opcode map.
    var opcode: Int {
        bytes.withUnsafeBytes { Encoding($0, size: .bits32, forms: OpcodeMap.forms).opcode }
    }

    var description: String {
        let hex = bytes.prefix(12).map { String(0x100 + UInt16($0), radix: 16).dropFirst() }.joined(separator: " ")
        return "\(hex): \(ours.text) (\(instruction.length)), objdump \(theirs.text) (\(theirLength))"
    }
}

/// Our decoder against objdump, over the whole instruction set.
///
/// Skipped where there is no objdump: then nothing vouches for the decoder, and the skip says so.
@Suite(.enabled(if: Objdump.isInstalled, "objdump (binutils) is missing: the decoder is NOT verified"))
struct SweepTests {
    @Test(arguments: [CodeSize.bits32, .bits16], SweepCases.prefixes)
    func opcodes(_ size: CodeSize, _ prefix: [UInt8]) throws {
        try compare(SweepCases.opcodes(prefix), size)
    }

    @Test(arguments: [CodeSize.bits32, .bits16], [[], [0x67], [0x65], [0x36, 0x66]] as [[UInt8]])
    func addressing(_ size: CodeSize, _ prefix: [UInt8]) throws {
        try compare(SweepCases.addressing(prefix), size)
    }

    @Test(arguments: [CodeSize.bits32, .bits16], [[], [0x66]] as [[UInt8]])
    func coprocessor(_ size: CodeSize, _ prefix: [UInt8]) throws {
        try compare(SweepCases.coprocessor(prefix), size)
    }

    @Test(arguments: [CodeSize.bits32, .bits16])
    func prefixCombinations(_ size: CodeSize) throws {
        try compare(SweepCases.prefixCombinations, size)
    }

    private func compare(_ cases: [[UInt8]], _ size: CodeSize) throws {
        let decoder = try Decoder()
        let lines = try Objdump.disassemble(cases, size)
        for (index, line) in lines.enumerated() {
            let address = UInt32(index * Objdump.slot)
            guard let line else {
                Issue.record("objdump is out of step at case \(index): \(cases[index])")
                continue
            }
            let comparison = SweepCase(Objdump.padded(cases[index]), at: address, size, decoder, line)
            if comparison.isLocked, !comparison.mayBeLocked {
                #expect(comparison.ours.mnemonic == "(bad)", "\(comparison.description)")
            } else if !comparison.agrees, !SweepDifference.all.contains(where: { $0.covers(comparison) }) {
                Issue.record("\(comparison.description)")
            }
        }
    }
}
