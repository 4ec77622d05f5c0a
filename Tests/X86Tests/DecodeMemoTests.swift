import Testing

@testable import X86

/// What a decoder has seen before must not change what it makes of bytes.
@Suite struct DecodeMemoTests {
    /// Opcodes with and without displacements and immediates of all kinds: the memo compares the values of none.
    private static let opcodes: [[UInt8]] =
        [
            0x00, 0x04, 0x05, 0x0D, 0x35, 0x3D, 0x68, 0x69, 0x6A, 0x6B, 0x72, 0x80, 0x81, 0x82, 0x83, 0x8B, 0x8D, 0x90,
            0xA1, 0xA2, 0xA4, 0xA8, 0xA9, 0xB4, 0xB8, 0xBF, 0xC0, 0xC1, 0xC2, 0xC6, 0xC7, 0xC8, 0xCD, 0xD1, 0xD4, 0xD9,
            0xE2, 0xE3, 0xE5, 0xE8, 0xE9, 0xEA, 0xEB, 0xF6, 0xF7, 0xFF,
        ].map { [$0] } + [0x12, 0x1F, 0x28, 0x70, 0x84, 0xA4, 0xAC, 0xB6, 0xBA, 0xC2, 0xC4, 0xF7].map { [0x0F, $0] }
    private static let prefixes: [[UInt8]] = [
        [], [], [], [0x66], [0x67], [0xF0], [0x2E, 0x66], [0xF3], [0x65], [0x66, 0x67], [0x26, 0x66, 0x67, 0xF2],
    ]

    private static func bytes(_ random: inout SystemRandomNumberGenerator) -> [UInt8] {
        let escape: [UInt8] = Bool.random(using: &random) ? [] : [0x0F]
        let any = escape + [.random(in: 0...0xFF, using: &random)]
        let opcode = Bool.random(using: &random) ? any : opcodes.randomElement(using: &random) ?? []
        let start = (prefixes.randomElement(using: &random) ?? []) + opcode
        // Few values, so that many instructions begin alike; and at times too few bytes.
        let values: [UInt8] = [0, 0, 1, 4, 5, 6, 0x25, 0x44, 0x46, 0x7F, 0x80, 0x84, 0x94, 0xC0, 0xC8, 0xFF]
        let count = Int.random(in: 0..<14, using: &random)
        return start + (0..<count).map { _ in values.randomElement(using: &random) ?? 0 }
    }

    @Test(arguments: [CodeSize.bits16, .bits32]) func makesNoDifference(size: CodeSize) throws {
        let (used, fresh) = (try Decoder(), try Decoder())
        fresh.remembers = false
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200_000 {
            let bytes = Self.bytes(&random)
            let known = bytes.withUnsafeBytes { used.decode($0, size: size) }
            let expected = bytes.withUnsafeBytes { fresh.decode($0, size: size) }
            guard known != expected else { continue }
            Issue.record("\(bytes): \(known) instead of \(expected)")
        }
    }

    @Test func immediatesAreThoseOfTheBytes() throws {
        let decoder = try Decoder()
        for value in [0x1234_5678, 0, 0xFFFF_FFFF, 0x80] as [UInt32] {
            let tail = (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
            for start in [[0x05], [0x69, 0xC0], [0x81, 0x05, 1, 2, 3, 4], [0xC7, 0x44, 0x24, 8]] as [[UInt8]] {
                let instruction = (start + tail).withUnsafeBytes { decoder.decode($0, size: .bits32) }
                #expect(instruction.immediate == value)
                #expect(Int(instruction.length) == start.count + 4)
            }
        }
    }
}
