import Hardware
import Testing
import X86

@testable import Ring3

/// A machine without devices whose code runs on an engine, and the same on the interpreter beside it.
final class EnginePair {
    let translated: CodeRunner
    let interpreted: CodeRunner
    let engine: ThreadedEngine

    init() throws {
        translated = try CodeRunner()
        interpreted = try CodeRunner()
        engine = try ThreadedEngine(cpu: translated.cpu, interpreter: translated.interpreter)
        translated.cpu.pointee.platform.takeUnretainedValue().codeWritten = { [unowned engine] in
            engine.codeWritten($0, count: $1)
        }
        for runner in [translated, interpreted] { runner.installHandlers() }
    }

    /// Puts code and a HLT at an address of both machines.
    func place(_ code: [UInt8], at address: UInt32 = CodeRunner.codeAddress) {
        for runner in [translated, interpreted] { runner.memory.write(address, bytes: code + [0xF4]) }
    }

    /// Runs both to the HLT; what differs afterwards.
    func run(from eip: UInt32 = CodeRunner.codeAddress, limit: UInt64 = 100_000) -> [StateDifference] {
        for runner in [translated, interpreted] {
            runner.cpu.pointee.eip = eip
            runner.cpu.pointee.fetch.count = 0
            runner.cpu.setAttention(.halted, false)
        }
        _ = engine.run(until: translated.cpu.pointee.instructions + limit)
        _ = interpreted.interpreter.run(until: interpreted.cpu.pointee.instructions + limit)
        return ProcessorComparison(tested: translated.cpu, reference: interpreted.cpu).differences
    }
}

@Suite struct TranslationTests {
    @Test func aBlockIsTranslatedOnce() throws {
        let pair = try EnginePair()
        // mov ecx, 1000; 1: add eax, ecx; dec ecx; jnz 1b
        pair.place([0xB9, 0xE8, 3, 0, 0, 0x01, 0xC8, 0x49, 0x75, 0xFB])
        #expect(pair.run() == [])
        #expect(pair.translated.cpu.pointee.eax == 500_500)
        // The whole, the loop, and what stands behind it.
        #expect(pair.engine.cache.statistics.blocksTranslated <= 3)
        #expect(pair.engine.cache.statistics.links >= 1)
    }

    @Test func flagsOfAnInstructionBeforeAFaultAreThoseOfTheProcessor() throws {
        // Flags that only a fault can show: by register, immediate, logic and comparison, then overwritten.
        let setters: [[UInt8]] = [
            [0x01, 0xD8], [0x29, 0xD8], [0x05, 0xFF, 0xFF, 0xFF, 0x7F], [0x31, 0xDB], [0x39, 0xD8], [0x85, 0xD8],
            [0x83, 0xC0, 0x70], [0x2D, 1, 0, 0, 0x80], [0x09, 0xD8], [0xF7, 0xD8], [0xC1, 0xE0, 3], [0x40], [0x4B],
            [0x0F, 0xAF, 0xC3],
        ]
        for setter in setters {
            let pair = try EnginePair()
            // stc; mov eax, 0x7FFFFFF1; mov ebx, 0x80000123; SETTER; mov ecx, [0x500000] (beyond RAM: no fault);
            // mov edx, fs:[0] (null selector: #GP); cmp eax, ebx
            pair.place(
                [0xF9, 0xB8, 0xF1, 0xFF, 0xFF, 0x7F, 0xBB, 0x23, 1, 0, 0x80] + setter
                    + [0x8B, 0x15, 0, 0, 0x50, 0, 0x64, 0x8B, 0x15, 0, 0, 0, 0, 0x39, 0xD8])
            for runner in [pair.translated, pair.interpreted] { runner.cpu.setSegment(.fs, Segment()) }
            #expect(pair.run() == [], "\(setter)")
            #expect(pair.translated.faultVector == UInt32(Vector.generalProtection))
        }
    }

    @Test func flagsOfAnInstructionBeforeAPageFaultAreRecovered() throws {
        // The same with accesses that have micro-ops of their own: unmapped pages, found out in the TLB's slow path.
        let setters: [[UInt8]] = [
            [0x01, 0xD8], [0x29, 0xD8], [0x05, 0xFF, 0xFF, 0xFF, 0x7F], [0x21, 0xD8], [0x39, 0xD8], [0x85, 0xC3],
            [0x83, 0xE8, 0x70], [0x89, 0xD8, 0x01, 0xD8], [0x89, 0xD8, 0x83, 0xC0, 5],
        ]
        for setter in setters {
            let pair = try EnginePair()
            pair.place(
                [0xB8, 0xF1, 0xFF, 0xFF, 0x7F, 0xBB, 0x23, 1, 0, 0x80] + setter
                    // mov edx, [0x300000]; cmp eax, ebx
                    + [0x8B, 0x15, 0, 0, 0x30, 0, 0x39, 0xD8])
            for runner in [pair.translated, pair.interpreted] { Self.enablePaging(runner) }
            #expect(pair.run() == [], "\(setter)")
            #expect(pair.translated.faultVector == UInt32(Vector.pageFault))
            let place = pair.translated.cpu.pointee.esp + 12
            let pushed = try #require(pair.translated.memory.read(place, as: UInt32.self))
            #expect(pair.interpreted.memory.read(place, as: UInt32.self) == pushed, "\(setter)")
        }
    }

    /// The first 2 MiB mapped to themselves, nothing else.
    static func enablePaging(_ runner: CodeRunner) {
        let (directory, table): (UInt32, UInt32) = (0x100000, 0x101000)
        runner.memory.write(directory, table | 7)
        for page in UInt32(0)..<512 { runner.memory.write(table + page * 4, page << 12 | 7) }
        runner.cpu.pointee.cr3 = directory
        runner.cpu.pointee.cr0 |= CR0.pg
        runner.cpu.flushTLB(keepingGlobal: false)
    }

    @Test func anInstructionAcrossPagesIsPartOfABlock() throws {
        let pair = try EnginePair()
        // mov ecx, 5; 1: add eax, 0x01010101 (across the page); dec ecx; jnz 1b
        let start: UInt32 = 0x10FF8
        pair.place([0xB9, 5, 0, 0, 0, 0x05, 1, 1, 1, 1, 0x49, 0x75, 0xF8], at: start)
        #expect(pair.run(from: start) == [])
        #expect(pair.translated.cpu.pointee.eax == 0x0505_0505)
    }

    @Test func anInstructionAcrossPagesMayChangeInTheSecondPage() throws {
        let pair = try EnginePair()
        // mov ecx, 5; 1: add eax, 1; inc byte [0x11000] (a byte of the immediate); dec ecx; jnz 1b
        let start: UInt32 = 0x10FF8
        pair.place(
            [0xB9, 5, 0, 0, 0, 0x05, 1, 0, 0, 0, 0xFE, 0x05, 0, 0x10, 1, 0, 0x49, 0x75, 0xF2], at: start)
        #expect(pair.run(from: start) == [])
        #expect(pair.translated.cpu.pointee.eax != 5)
    }

    @Test func aBlockThatOverwritesItselfGoesOnWithTheNewCode() throws {
        let pair = try EnginePair()
        // mov byte [code+8], 0x42 (turns inc ecx into inc edx); nop; inc ecx
        pair.place([0xC6, 0x05, 0x08, 0, 1, 0, 0x42, 0x90, 0x41])
        #expect(pair.run() == [])
        #expect(pair.translated.cpu.pointee.edx == 1)
        #expect(pair.engine.cache.statistics.blocksInvalidated >= 1)
    }

    @Test func aLoopThatRewritesItselfForEverStaysBounded() throws {
        let pair = try EnginePair()
        // mov ecx, 20000; 1: inc byte [2f+1]; 2: add al, 0; dec ecx; jnz 1b
        pair.place([0xB9, 0x20, 0x4E, 0, 0, 0xFE, 0x05, 0x0C, 0, 1, 0, 0x04, 0, 0x49, 0x75, 0xF5])
        #expect(pair.run(limit: 200_000) == [])
        #expect(pair.engine.cache.statistics.bytes <= UInt64(ThreadedEngine.cacheSize))
    }

    @Test func slicesEndExactlyWhereTheyShould() throws {
        let pair = try EnginePair()
        // 1: inc eax; add ebx, eax; xor edx, ebx; jmp 1b
        pair.place([0x40, 0x01, 0xC3, 0x31, 0xDA, 0xEB, 0xF9])
        for limit in UInt64(1)...40 {
            let before = pair.translated.cpu.pointee.instructions
            for runner in [pair.translated, pair.interpreted] { runner.cpu.setAttention(.halted, false) }
            #expect(pair.engine.run(until: before + limit) == .sliceEnd)
            #expect(pair.interpreted.interpreter.run(until: before + limit) == .sliceEnd)
            #expect(pair.translated.cpu.pointee.instructions == before + limit)
            #expect(ProcessorComparison(tested: pair.translated.cpu, reference: pair.interpreted.cpu).differences == [])
        }
    }

    @Test func movesAreAbsorbedByTheOperationBehindThem() throws {
        let pair = try EnginePair()
        // mov eax, 7; mov ebx, 9; mov ecx, eax; add ecx, ebx; mov edx, ebx; sub edx, edx; mov esi, eax; shl esi, 3;
        // mov edi, eax; add edi, edi; mov ebp, eax; imul ebp, ebx
        pair.place([
            0xB8, 7, 0, 0, 0, 0xBB, 9, 0, 0, 0, 0x89, 0xC1, 0x01, 0xD9, 0x89, 0xDA, 0x29, 0xD2, 0x89, 0xC6, 0xC1, 0xE6,
            3, 0x89, 0xC7, 0x01, 0xFF, 0x89, 0xC5, 0x0F, 0xAF, 0xEB,
        ])
        #expect(pair.run() == [])
        let cpu = pair.translated.cpu
        #expect(cpu.pointee.ecx == 16 && cpu.pointee.edx == 0 && cpu.pointee.esi == 56)
        #expect(cpu.pointee.edi == 14 && cpu.pointee.ebp == 63)
    }

    @Test func theCacheIsEmptiedWhenItIsFull() throws {
        let cache = try TranslationCache(ramSize: 4 << 20, capacity: 4096)
        var ops = [MicroOp](repeating: MicroOp(opcode: .leave, index: 0), count: 8)
        var count = 0
        while cache.hasRoom(instructions: 0, ops: ops.count) {
            let start = UInt32(0x1000 + count * 16)
            _ = ops.withUnsafeMutableBufferPointer { buffer in
                cache.insert(
                    bytes: start..<(start + 8), mode: .code32,
                    instructions: UnsafeBufferPointer(start: nil, count: 0), ops: UnsafeBufferPointer(buffer))
            }
            count += 1
        }
        #expect(count > 5 && cache.blocks.count == count)
        cache.invalidate(0x1000, count: 17)
        #expect(cache.blocks.count == count - 2)
        #expect(cache.find(TranslationCache.key(0x1000, .code32)) == nil)
        #expect(cache.find(TranslationCache.key(0x1020, .code32)) != nil)
        #expect(cache.find(TranslationCache.key(0x1020, [])) == nil)
        cache.removeAll()
        #expect(cache.blocks.isEmpty)
        #expect(cache.find(TranslationCache.key(0x1020, .code32)) == nil)
    }
}
