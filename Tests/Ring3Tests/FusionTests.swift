import Testing
import X86

@testable import Ring3

/// A comparison is done by the conditional jump that depends on it, also across instructions that concern neither.
@Suite struct FusionTests {
    /// mov eax, [0x20000]; mov [0x20004], eax
    private static let moves: [UInt8] = [0xA1, 0, 0, 2, 0, 0xA3, 4, 0, 2, 0]

    /// Runs COMPARISON, BETWEEN, jcc 1f, inc ecx, 1: on both engines for pairs of EDX and EBX.
    private static func run(
        _ comparison: [UInt8], _ between: [UInt8], condition: UInt8
    ) throws -> Set<MicroOpcode> {
        var opcodes: Set<MicroOpcode> = []
        let values: [UInt32] = [0, 0x40, 0x7FFF_FFFF, 0x8000_0000]
        for (edx, ebx) in values.flatMap({ edx in values.map { (edx, $0) } }) {
            let pair = try EnginePair()
            pair.place(comparison + between + [0x70 + condition, 1, 0x41])
            for runner in [pair.translated, pair.interpreted] {
                runner.cpu.pointee.edx = edx
                runner.cpu.pointee.ebx = ebx
            }
            #expect(pair.run() == [], "\(comparison), condition \(condition), \(edx), \(ebx)")
            opcodes.formUnion(pair.engine.cache.blocks.flatMap { $0.pointee.opBuffer.map(\.opcode) })
        }
        return opcodes
    }

    @Test(arguments: 0..<16 as Range<UInt8>) func comparisonsFuseAcrossMoves(condition: UInt8) throws {
        let name = try #require(Condition(rawValue: condition))
        // cmp edx, 0x40; cmp edx, ebx; test edx, ebx
        let comparisons: [([UInt8], MicroOpcode)] = [
            ([0x83, 0xFA, 0x40], .cmp32RI), ([0x39, 0xDA], .cmp32RR), ([0x85, 0xDA], .test32RR),
        ]
        for (code, opcode) in comparisons {
            let opcodes = try Self.run(code, Self.moves, condition: condition)
            let fused = opcode.fused(with: name)
            #expect(opcodes.contains(fused ?? opcode), "\(opcode) \(name)")
            #expect(opcodes.contains(opcode) == (fused == nil), "\(opcode) \(name)")
        }
    }

    @Test func comparisonsOfBytesFuseAcrossWhatCannotFault() throws {
        // cmp dl, 0x40; mov eax, ebx; lea esi, [ebx+1]; nop; jne
        let opcodes = try Self.run([0x80, 0xFA, 0x40], [0x89, 0xD8, 0x8D, 0x73, 1, 0x90], condition: 5)
        #expect(opcodes.contains(.cmp8RINotEqual) && !opcodes.contains(.cmp8RI))
        // Their flags cannot be recovered behind what can.
        let others = try Self.run([0x80, 0xFA, 0x40], Self.moves, condition: 5)
        #expect(others.contains(.cmp8RI) && !others.contains(.cmp8RINotEqual))
    }

    /// What stands in between needs the registers or the flags as they were.
    @Test func whatMustNotBeMovedIsNot() throws {
        let between: [[UInt8]] = [
            // mov edx, ebx; mov dh, 7; pop edx after push ebx; xchg edx, ebx
            [0x89, 0xDA], [0xB6, 7], [0x53, 0x5A], [0x87, 0xDA],
            // sete al; cmove esi, ebx; movs (shared semantics); cli (a callout)
            [0x0F, 0x94, 0xC0], [0x0F, 0x44, 0xF3], [0xA4], [0xFA],
        ]
        for code in between {
            let opcodes = try Self.run([0x39, 0xDA], code, condition: 4)
            #expect(opcodes.contains(.cmp32RR) && !opcodes.contains(.cmp32RREqual), "\(code)")
        }
        // inc eax changes all flags but CF, which JB tests.
        let opcodes = try Self.run([0x39, 0xDA], [0x40], condition: 2)
        #expect(opcodes.contains(.cmp32RR) && !opcodes.contains(.cmp32RRBelow))
        // sub edx, ebx stays in front of a move of its result.
        let others = try Self.run([0x29, 0xDA], [0x89, 0xD0], condition: 5)
        #expect(others.contains(.sub32RR))
    }

    /// A second jump on the same flags reads what the first one left.
    @Test func twoJumpsOnOneComparison() throws {
        for condition in UInt8(0)..<16 {
            // cmp edx, ebx; MOVES; jb 1f; jCONDITION 2f; inc ecx; 2: inc esi; 1:
            let code: [UInt8] = [0x39, 0xDA] + Self.moves + [0x72, 4, 0x70 + condition, 1, 0x41, 0x46]
            for (edx, ebx) in [(1, 2), (2, 1), (5, 5), (0x8000_0000, 1), (1, 0x8000_0000)] as [(UInt32, UInt32)] {
                let pair = try EnginePair()
                pair.place(code)
                for runner in [pair.translated, pair.interpreted] {
                    runner.cpu.pointee.edx = edx
                    runner.cpu.pointee.ebx = ebx
                }
                #expect(pair.run() == [], "condition \(condition), \(edx), \(ebx)")
            }
        }
    }

    /// A page fault between the comparison and the jump shows the comparison's flags.
    @Test func aFaultInBetweenSeesTheFlags() throws {
        // cmp edx, 0x40; cmp edx, ebx; test edx, ebx
        for comparison in [[0x83, 0xFA, 0x40], [0x39, 0xDA], [0x85, 0xDA]] as [[UInt8]] {
            for edx in [0, 0x40, 0x8000_0000] as [UInt32] {
                let pair = try EnginePair()
                // COMPARISON; nop; mov eax, [0x300000] (not mapped); je 1f; inc ecx; 1:
                pair.place(comparison + [0x90, 0xA1, 0, 0, 0x30, 0, 0x74, 1, 0x41])
                for runner in [pair.translated, pair.interpreted] {
                    TranslationTests.enablePaging(runner)
                    runner.cpu.pointee.edx = edx
                    runner.cpu.pointee.ebx = 0x40
                }
                #expect(pair.run() == [])
                #expect(pair.translated.faultVector == UInt32(Vector.pageFault))
                let opcodes = pair.engine.cache.blocks.flatMap { $0.pointee.opBuffer.map(\.opcode) }
                #expect(opcodes.contains { "\($0)".hasSuffix("32RIEqual") || "\($0)".hasSuffix("32RREqual") })
                // The frame's EFLAGS: error code, EIP, CS, then they.
                let place = pair.translated.cpu.pointee.esp + 12
                let pushed = try #require(pair.translated.memory.read(place, as: UInt32.self))
                #expect(pair.interpreted.memory.read(place, as: UInt32.self) == pushed, "\(comparison), \(edx)")
            }
        }
    }

    /// The jump as an instruction across pages is left to a guard, and so is done by itself.
    @Test func aJumpAcrossPagesIsNotFused() throws {
        let pair = try EnginePair()
        // 1: dec edx; cmp edx, ebx; mov eax, esi; jnz 1b (0F 85, two of its bytes in the next page); twice, so that the
        // second page is known.
        let start: UInt32 = 0x10FF7
        let code: [UInt8] = [0x4A, 0x39, 0xDA, 0x89, 0xF0, 0x0F, 0x85, 0xF5, 0xFF, 0xFF, 0xFF, 0x90]
        pair.place(code, at: start)
        #expect(pair.run(from: start + 11) == [])
        for runner in [pair.translated, pair.interpreted] { runner.cpu.pointee.edx = 5 }
        #expect(pair.run(from: start) == [])
        let opcodes = pair.engine.cache.blocks.flatMap { $0.pointee.opBuffer.map(\.opcode) }
        #expect(opcodes.contains(.jumpNotEqual) && opcodes.contains(.cmp32RR))
    }
}
