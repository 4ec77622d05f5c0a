import Testing
import X86

@testable import Ring3

/// Regression: an instruction in a block's last bytes that goes on in the next page was executed although the limit of
/// CS, or the end of EIP's 4 GiB, lies inside it.
@Suite struct CrossingLimitTests {
    /// mov ebx, 1 (at 0x10FF8); add eax, 0x01010101, which is 3 bytes in one page and 2 in the next; inc ebx.
    private static let code: [UInt8] = [0xBB, 1, 0, 0, 0, 0x05, 1, 1, 1, 1, 0x43]
    private static let linear: UInt32 = 0x10FF8
    private static let lastByteOfPage: UInt32 = 0x10FFF
    private static let lastByte: UInt32 = 0x11001

    /// Both machines with the code, and the translating one with the next page in its TLB, so that a block of that code
    /// reaches into it.
    private static func pair() throws -> EnginePair {
        let pair = try EnginePair()
        pair.place(code, at: linear)
        // HLT, in the page behind.
        #expect(pair.run(from: linear + UInt32(code.count)) == [])
        return pair
    }

    /// Flat but for base and limit.
    private static func setCode(_ pair: EnginePair, base: UInt32, limit: UInt32) {
        for runner in [pair.translated, pair.interpreted] {
            var segment = runner.cpu.pointee.cs
            segment.base = base
            segment.limit = limit
            segment.updateEnds()
            runner.cpu.setSegment(.cs, segment)
            runner.cpu.pointee.eax = 0
            runner.cpu.pointee.ebx = 0
        }
    }

    private static func hasCrossingBlock(_ pair: EnginePair) -> Bool {
        pair.engine.cache.blocks.contains { block in
            (0..<Int(block.pointee.opCount)).contains { block.pointee.ops[$0].opcode == .crossing }
        }
    }

    @Test func aLimitInsideTheInstructionIsAProtectionFault() throws {
        for limit in Self.lastByteOfPage..<Self.lastByte {
            let pair = try Self.pair()
            Self.setCode(pair, base: 0, limit: limit)
            #expect(pair.run(from: Self.linear) == [], "limit \(limit)")
            #expect(Self.hasCrossingBlock(pair))
            #expect(pair.translated.faultVector == UInt32(Vector.generalProtection), "limit \(limit)")
            // The instruction in front of it was executed, it itself was not.
            #expect(pair.translated.cpu.pointee.ebx == 1 && pair.translated.cpu.pointee.eax == 0)
        }
    }

    @Test func aLimitAtTheInstructionsLastByteIsNone() throws {
        let pair = try Self.pair()
        Self.setCode(pair, base: 0, limit: Self.lastByte)
        #expect(pair.run(from: Self.linear) == [])
        #expect(Self.hasCrossingBlock(pair))
        // It is the next one that lies beyond.
        #expect(pair.translated.faultVector == UInt32(Vector.generalProtection))
        #expect(pair.translated.cpu.pointee.ebx == 1 && pair.translated.cpu.pointee.eax == 0x0101_0101)
    }

    /// EIP 0 inside the instruction, at a page's start and elsewhere.
    @Test(arguments: [0x11000, 0x11001, 0x10FFF, 0x10FFE] as [UInt32])
    func anInstructionAroundFourGiBIsAProtectionFault(base: UInt32) throws {
        let pair = try Self.pair()
        Self.setCode(pair, base: base, limit: .max)
        #expect(pair.run(from: Self.linear &- base) == [])
        #expect(pair.translated.faultVector == UInt32(Vector.generalProtection))
        #expect(pair.translated.cpu.pointee.ebx == 1 && pair.translated.cpu.pointee.eax == 0)
    }

    /// The same inside one page.
    @Test func anInstructionAroundFourGiBInOnePageIsAProtectionFault() throws {
        let pair = try EnginePair()
        pair.place(Self.code, at: 0x10100)
        Self.setCode(pair, base: 0x10107, limit: .max)
        #expect(pair.run(from: 0x10100 &- 0x10107) == [])
        #expect(pair.translated.faultVector == UInt32(Vector.generalProtection))
        #expect(pair.translated.cpu.pointee.ebx == 1 && pair.translated.cpu.pointee.eax == 0)
    }

    /// EIP goes on at 0 behind an instruction that ends with 4 GiB.
    @Test(arguments: [0x11002, 0x10FFD] as [UInt32])
    func anInstructionThatEndsAtFourGiBIsExecuted(base: UInt32) throws {
        let pair = try Self.pair()
        Self.setCode(pair, base: base, limit: .max)
        #expect(pair.run(from: Self.linear &- base) == [])
        #expect(pair.translated.faultVector == nil)
        #expect(pair.translated.cpu.pointee.ebx == 2 && pair.translated.cpu.pointee.eax == 0x0101_0101)
    }

    /// Where an instruction had been that crossed into the next page, so many bytes were fetched for whatever was there
    /// later, however short.
    @Test func whatAnOlderInstructionNeededIsNotFetched() throws {
        let runner = try CodeRunner()
        runner.installHandlers()
        func run() {
            (runner.cpu.pointee.eip, runner.cpu.pointee.eax) = (Self.lastByteOfPage, 0)
            runner.cpu.pointee.fetch.count = 0
            runner.cpu.setAttention(.halted, false)
            _ = runner.interpreter.run(until: runner.cpu.pointee.instructions + 10)
        }
        runner.memory.write(Self.lastByteOfPage, bytes: [0xB8, 1, 2, 3, 4, 0xF4])  // mov eax, 0x04030201; hlt
        run()
        #expect(runner.cpu.pointee.eax == 0x0403_0201 && runner.faultVector == nil)
        runner.memory.write(Self.lastByteOfPage, UInt8(0x40))  // inc eax
        runner.interpreter.codeWritten(Self.lastByteOfPage, count: 1, isStillCode: { _ in false })
        var segment = runner.cpu.pointee.cs
        segment.limit = Self.lastByteOfPage
        segment.updateEnds()
        runner.cpu.setSegment(.cs, segment)
        run()
        // It is the next one that lies beyond the limit.
        #expect(runner.faultVector == UInt32(Vector.generalProtection))
        #expect(runner.cpu.pointee.eax == 1)
    }
}
