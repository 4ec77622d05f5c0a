import Testing

@testable import X86

/// What a decoder has seen before must not change what it makes of bytes.
@Suite struct DecodeMemoTests {
    /// Opcodes with immediates of all kinds: the memo leaves those of some out of its comparison.
    private static let opcodes: [[UInt8]] =
        [
            0x04, 0x05, 0x0D, 0x35, 0x3D, 0x68, 0x69, 0x6A, 0x6B, 0x80, 0x81, 0x83, 0xA1, 0xA8, 0xA9, 0xB4, 0xB8, 0xBF,
            0xC0, 0xC1, 0xC2, 0xC6, 0xC7, 0xC8, 0xD1, 0xE8, 0xEA, 0xF6, 0xF7,
        ].map { [$0] } + [[0x0F, 0xA4], [0x0F, 0xBA], [0x0F, 0xC2], [0x0F, 0x84]]
    private static let prefixes: [[UInt8]] = [[], [], [], [0x66], [0x67], [0xF0], [0x2E, 0x66], [0xF3]]

    private static func bytes(_ random: inout SystemRandomNumberGenerator) -> [UInt8] {
        let start = (prefixes.randomElement(using: &random) ?? []) + (opcodes.randomElement(using: &random) ?? [])
        // Few values, so that many instructions begin alike; and at times too few bytes.
        let values: [UInt8] = [0, 0, 1, 5, 0x7F, 0x80, 0xC0, 0xC8, 0xFF]
        let count = Int.random(in: 0..<10, using: &random)
        return start + (0..<count).map { _ in values.randomElement(using: &random) ?? 0 }
    }

    @Test(arguments: [CodeSize.bits16, .bits32]) func makesNoDifference(size: CodeSize) throws {
        let used = try Decoder()
        var random = SystemRandomNumberGenerator()
        for _ in 0..<5000 {
            let bytes = Self.bytes(&random)
            let known = bytes.withUnsafeBytes { used.decode($0, size: size) }
            #expect(try decode(bytes, size) == known, "\(bytes)")
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
