import Hardware
import Testing
import X86

@testable import Ring3

/// Looking at guest memory finds what the processor finds, and changes nothing.
@Suite struct GuestMemoryViewTests {
    /// Not at an odd MiB, which is not to be had without address line 20.
    private static let tables: UInt64 = 0x200000

    /// Random page tables in RAM; some entries lead out of it, or have reserved bits set.
    private func fillTables(_ runner: CodeRunner, _ random: inout SeededGenerator) {
        for address in stride(from: UInt32(Self.tables), to: UInt32(Self.tables) + 0x8000, by: 8) {
            func entry() -> UInt64 {
                let target = Self.tables + random.next() & 0x7000
                let present = Int.random(in: 0..<8, using: &random) != 0
                let stray: UInt64 = Int.random(in: 0..<16, using: &random) == 0 ? 1 << 20 : 0
                return target ^ stray | random.next() & 0x86 | (present ? 1 : 0)
            }
            let (low, high) = (entry(), entry())
            let isPAE = runner.cpu.pointee.cr4 & CR4.pae != 0
            runner.memory.write(address, isPAE ? low | random.next() & random.next() & 1 << 63 : low | high << 32)
        }
    }

    @Test(arguments: [0, CR4.pse, CR4.pae], [UInt32.max, ~(1 << 20)])
    func theMappingIsThatOfAWalk(cr4: UInt32, a20Mask: UInt32) throws {
        var random = SeededGenerator(seed: UInt64(cr4))
        var mapped = 0
        var unmapped = 0
        for efer in [0, EFER.nxe] {
            let runner = try CodeRunner()
            let cpu = runner.cpu
            (cpu.pointee.cr4, cpu.pointee.efer, cpu.pointee.a20Mask) = (cr4, efer, a20Mask)
            fillTables(runner, &random)
            cpu.pointee.cr3 = UInt32(Self.tables)
            cpu.pointee.cr0 |= CR0.pg
            for index in [0, 1, 3] { cpu.pointee.pdpte[index] = Self.tables + 0x1001 + UInt64(index << 12) }
            for _ in 0..<2000 {
                let linear = UInt32(truncatingIfNeeded: random.next())
                let tables = try #require(runner.memory.bytes(UInt32(Self.tables), count: 0x8000))
                cpu.pointee.cr2 = 0x1234
                let found = cpu.inspectMapping(linear)
                #expect(cpu.pointee.cr2 == 0x1234)
                #expect(runner.memory.bytes(UInt32(Self.tables), count: 0x8000) == tables)
                // Fills the TLB, which is emptied so that every address is walked to.
                let expected = try? cpu.translate(linear, .read, isUser: false)
                cpu.flushTLB(keepingGlobal: false)
                #expect(found == expected)
                if found == nil { unmapped += 1 } else { mapped += 1 }
            }
        }
        #expect(mapped > 500 && unmapped > 500)
    }
}
