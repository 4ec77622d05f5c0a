import Testing

@testable import X86

/// Random bytes: no trap, no length out of range, and truncation that is consistent.
struct FuzzTests {
    /// xorshift64*, so that a failure can be had again.
    struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state ^= state >> 12
            state ^= state << 25
            state ^= state >> 27
            return state &* 0x2545_F491_4F6C_DD1D
        }
    }

    /// Prefixes and 0F are made frequent: uniformly random bytes seldom get far.
    static func bytes(_ random: inout Random) -> [UInt8] {
        let common: [UInt8] = [0x0F, 0x66, 0x67, 0xF0, 0xF2, 0xF3, 0x2E, 0x64]
        var bytes = (0..<15).map { _ in UInt8(truncatingIfNeeded: random.next() >> 32) }
        for index in 0..<Int(random.next() >> 32 & 3) { bytes[index] = common[Int(random.next() >> 40 & 7)] }
        return bytes
    }

    @Test func millionStrings() throws {
        let decoder = try Decoder()
        var random = Random(state: 0x9E37_79B9_7F4A_7C15)
        for round in 0..<1_000_000 {
            let bytes = FuzzTests.bytes(&random)
            let instruction = bytes.withUnsafeBytes { decoder.decode($0, size: round & 1 == 0 ? .bits32 : .bits16) }
            if !(1...15).contains(instruction.length) || instruction.operation == .truncated {
                Issue.record("\(bytes): \(instruction)")
            }
        }
    }

    /// A prefix of an instruction's bytes is truncated; more bytes behind it change nothing.
    @Test func truncation() throws {
        let decoder = try Decoder()
        var random = Random(state: 42)
        for round in 0..<20_000 {
            let bytes = FuzzTests.bytes(&random)
            let size: CodeSize = round & 1 == 0 ? .bits32 : .bits16
            bytes.withUnsafeBytes { all in
                let whole = decoder.decode(all, size: size)
                for count in 1...15 {
                    let part = decoder.decode(UnsafeRawBufferPointer(rebasing: all.prefix(count)), size: size)
                    if count < whole.length {
                        #expect(part.operation == .truncated && part.length == count, "\(bytes) \(count)")
                    } else if count >= whole.length {
                        #expect(part == whole || whole.operation == .overlong, "\(bytes) \(count)")
                    }
                }
            }
        }
    }

    @Test func lengthLimit() throws {
        let prefixes = [UInt8](repeating: 0x2E, count: 15)
        #expect(try decode(prefixes).operation == .overlong)
        #expect(try decode(prefixes.dropLast() + [0x90]).length == 15)
        #expect(try decode(prefixes.dropLast() + [0x90]).operation == .nop)
        #expect(try decode(Array(prefixes.dropLast()) + [0x8B]).operation == .overlong)
        #expect(try decode(prefixes.dropLast()).operation == .truncated)
        #expect(try decode(Array(prefixes.prefix(10)) + [0x05, 1, 2, 3, 4]).length == 15)
        #expect(try decode(Array(prefixes.prefix(11)) + [0x05, 1, 2, 3]).operation == .overlong)
        #expect(try decode([]).operation == .truncated)
    }
}
