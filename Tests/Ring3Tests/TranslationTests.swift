import Hardware
import Testing
import X86

@testable import Ring3

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
        #expect(pair.engine.cache.statistics.interpreted == 0)
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
            // stc; mov eax, 0x7FFFFFF1; mov ebx, 0x80000123; SETTER; mov edx, [0x500000] (beyond RAM: no fault);
            // mov edx, fs:[0] (null selector: #GP); cmp eax, ebx
            pair.place(
                [0xF9, 0xB8, 0xF1, 0xFF, 0xFF, 0x7F, 0xBB, 0x23, 1, 0, 0x80] + setter
                    + [0x8B, 0x15, 0, 0, 0x50, 0, 0x64, 0x8B, 0x15, 0, 0, 0, 0, 0x39, 0xD8])
            for runner in [pair.translated, pair.interpreted] { runner.cpu.setSegment(.fs, Segment()) }
            #expect(pair.run() == [], "\(setter)")
            #expect(pair.translated.faultVector == UInt32(Vector.generalProtection))
            // What the shared semantics do in between might show them to a handler.
            #expect(try !pair.opcodes().contains(where: \.isPlain), "\(setter)")
            #expect(pair.engine.cache.statistics.interpreted == 0)
        }
    }

    @Test func flagsOfAnInstructionBeforeAPageFaultAreRecovered() throws {
        // The same with accesses that have micro-ops of their own: unmapped pages, found out in the TLB's slow path.
        // Comparisons have nothing left to do without flags, and adding a register to itself leaves no way back.
        let setters: [(code: [UInt8], isPlain: Bool)] = [
            ([0x01, 0xD8], true), ([0x29, 0xD8], true), ([0x05, 0xFF, 0xFF, 0xFF, 0x7F], true), ([0x21, 0xD8], true),
            ([0x39, 0xD8], false), ([0x85, 0xC3], false), ([0x83, 0xE8, 0x70], true),
            ([0x89, 0xD8, 0x01, 0xD8], true), ([0x89, 0xD8, 0x83, 0xC0, 5], true), ([0x01, 0xC0], false),
        ]
        for (setter, isPlain) in setters {
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
            #expect(try pair.opcodes().contains(where: \.isPlain) == isPlain, "\(setter)")
            let block = try pair.block()
            let load = Int(block.pointee.instructionCount) - 3
            #expect((block.pointee.instructions[load].recovery != 0) == isPlain, "\(setter)")
            #expect(pair.engine.cache.statistics.slowPaths == 1)
        }
    }

    @Test func flagsThatNobodySeesAreNotComputed() throws {
        let pair = try EnginePair()
        // add eax, ebx; and ecx, 15; inc esi; shl edi, 3; imul ebx, ecx; sub ebp, eax
        pair.place([0x01, 0xD8, 0x83, 0xE1, 15, 0x46, 0xC1, 0xE7, 3, 0x0F, 0xAF, 0xD9, 0x29, 0xC5])
        for runner in pair.runners {
            let cpu = runner.cpu
            (cpu.pointee.eax, cpu.pointee.ebx, cpu.pointee.ecx) = (5, 7, 0xFF)
            (cpu.pointee.esi, cpu.pointee.edi, cpu.pointee.ebp) = (.max, 0x8000_0001, 3)
        }
        #expect(pair.run() == [])
        // HLT shows the last ones.
        #expect(try pair.opcodes().map(\.isPlain) == [true, true, true, true, true, false, false])
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
        // At first the second page is not in the TLB, and the interpreter executes the instruction.
        #expect(try pair.opcodes(at: start + 5).contains(.crossing))
        #expect(pair.engine.cache.statistics.interpreted == 1)
    }

    @Test func anInstructionAcrossPagesMayChangeInTheSecondPage() throws {
        let pair = try EnginePair()
        // mov ecx, 5; 1: add eax, 1; inc byte [0x11000] (a byte of the immediate); dec ecx; jnz 1b
        let start: UInt32 = 0x10FF8
        pair.place(
            [0xB9, 5, 0, 0, 0, 0x05, 1, 0, 0, 0, 0xFE, 0x05, 0, 0x10, 1, 0, 0x49, 0x75, 0xF2], at: start)
        #expect(pair.run(from: start) == [])
        #expect(pair.translated.cpu.pointee.eax != 5)
        // The block is made in the second turn and expects its bytes; the interpreter executes all others.
        #expect(try pair.opcodes(at: start + 5).contains(.crossing))
        #expect(pair.engine.cache.statistics.interpreted == 4)
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
        let pair = try EnginePair(cacheSize: 1 << 16)
        // mov ecx, 20000; 1: inc byte [2f+1]; 2: add al, 0; dec ecx; jnz 1b
        pair.place([0xB9, 0x20, 0x4E, 0, 0, 0xFE, 0x05, 0x0C, 0, 1, 0, 0x04, 0, 0x49, 0x75, 0xF5])
        #expect(pair.run(limit: 200_000) == [])
        #expect(pair.translated.cpu.pointee.ecx == 0)
        #expect(pair.engine.cache.statistics.evictions > 0)
        #expect(pair.engine.cache.statistics.blocksInvalidated >= 19_999)
    }

    @Test func aCacheFullOfStaleBlocksIsEmptiedEarly() throws {
        let pair = try EnginePair()
        // The same, with room for all blocks.
        pair.place([0xB9, 0x20, 0x4E, 0, 0, 0xFE, 0x05, 0x0C, 0, 1, 0, 0x04, 0, 0x49, 0x75, 0xF5])
        #expect(pair.run(limit: 200_000) == [])
        #expect(pair.engine.cache.statistics.evictions > 0)
        #expect(pair.engine.cache.statistics.bytes < 4 << 20)
    }

    /// What is interpreted because its block is longer than the slice is not translated from each of its instructions.
    @Test func theEndOfASliceDoesNotTranslateInVain() throws {
        let pair = try EnginePair()
        pair.place([UInt8](repeating: 0x40, count: 40))  // inc eax
        #expect(pair.run(limit: 30) == [])
        #expect(pair.translated.cpu.pointee.eax == 30)
        #expect(pair.engine.cache.statistics.blocksTranslated == 1)
        #expect(pair.engine.cache.statistics.interpreted == 30)
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
        // Two constants, five operations, and the HLT.
        let opcodes = try pair.opcodes()
        #expect(!opcodes.contains(.mov32RR))
        #expect(opcodes.count == 8, "\(opcodes)")
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

extension MicroOpcode {
    /// Computes a result without its flags.
    fileprivate var isPlain: Bool { "\(self)".hasPrefix("plain") }
}
