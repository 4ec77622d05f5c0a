import Testing
import X86

@testable import Ring3

/// CMOV of memory has a micro-op of its own.
@Suite struct ConditionalMoveTests {
    /// cmp eax, ebx; cmovCONDITION ecx, [ADDRESS]
    private static func code(_ condition: UInt8, _ address: UInt32) -> [UInt8] {
        [0x39, 0xD8, 0x0F, 0x40 + condition, 0x0D] + (0..<4).map { UInt8(truncatingIfNeeded: address >> (8 * $0)) }
    }

    private static func run(_ condition: UInt8, at address: UInt32, _ eax: UInt32, _ ebx: UInt32) throws -> EnginePair {
        let pair = try EnginePair()
        pair.place(code(condition, address))
        for runner in pair.runners {
            TranslationTests.enablePaging(runner)
            runner.memory.write(0x20000, 0x1234_5678 as UInt32)
            (runner.cpu.pointee.eax, runner.cpu.pointee.ebx) = (eax, ebx)
        }
        #expect(pair.run() == [], "condition \(condition) of \(eax), \(ebx) at \(address)")
        #expect(try pair.opcodes().contains(.moveCondition32M))
        return pair
    }

    @Test(arguments: 0..<16 as Range<UInt8>) func movesIfTheConditionHolds(condition: UInt8) throws {
        var moved: Set<Bool> = []
        for (eax, ebx) in [(1, 2), (2, 1), (5, 5), (0x8000_0000, 1), (7, 4)] as [(UInt32, UInt32)] {
            let pair = try Self.run(condition, at: 0x20000, eax, ebx)
            moved.insert(pair.translated.cpu.pointee.ecx == 0x1234_5678)
        }
        #expect(moved == [false, true])
    }

    /// Memory is read, and may fault, whether or not the condition holds (SDM 2A, "CMOVcc").
    @Test(arguments: [4, 5] as [UInt8]) func faultsWhateverTheCondition(condition: UInt8) throws {
        let pair = try Self.run(condition, at: 0x30_0000, 5, 5)
        #expect(pair.translated.faultVector == UInt32(Vector.pageFault))
    }
}
