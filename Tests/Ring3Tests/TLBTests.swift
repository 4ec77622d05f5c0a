import Testing
import X86

@testable import Ring3

/// The list of the TLB's filled entries, by which it is flushed unless there are too many.
@Suite struct TLBTests {
    private static let table: UInt32 = 0x2_1000

    /// A processor that pages, with the first 4 MiB where they are in RAM; every other page is global.
    private func runner() throws -> CodeRunner {
        let runner = try CodeRunner()
        runner.memory.write(0x2_0000, UInt32(Self.table | 0x67))
        for page in 0..<UInt32(1024) {
            runner.memory.write(Self.table + page * 4, page << 12 | 0x67 | (isGlobal(page) ? 0x100 : 0))
        }
        runner.cpu.pointee.cr3 = 0x2_0000
        runner.cpu.pointee.cr4 |= CR4.pge
        runner.cpu.pointee.cr0 |= CR0.pg
        runner.cpu.flushTLB(keepingGlobal: false)
        return runner
    }

    private func isGlobal(_ page: UInt32) -> Bool { page & 1 != 0 }

    private func fill(_ cpu: Processor, _ pages: Range<UInt32>) throws {
        for page in pages { _ = try cpu.translate(page << 12, .write, isUser: false) }
    }

    private func tags(_ cpu: Processor, _ page: UInt32) -> [UInt32] {
        let entry = cpu.pointee.tlbBanks[Int(page & TLB.mask)]
        return [entry.readTag, entry.writeTag, entry.dirtyTag, entry.executeTag]
    }

    /// Only global pages are left, or none.
    private func expectFlushed(_ cpu: Processor, _ pages: Range<UInt32>, keepingGlobal: Bool) {
        for page in pages {
            let stays = keepingGlobal && isGlobal(page)
            let tags = tags(cpu, page)
            #expect(stays ? tags[0] == page << 12 : tags.allSatisfy { $0 == TLB.noTag }, "page \(page)")
        }
    }

    @Test(arguments: [1, 255, 256, 257, 300, 512, 600], [false, true])
    func nothingStaleIsLeft(count: UInt32, keepingGlobal: Bool) throws {
        let runner = try runner()
        let pages = 0x100..<0x100 + count
        try fill(runner.cpu, pages)
        #expect(runner.cpu.pointee.tlbLocalCount == pages.filter { !isGlobal($0) }.count)
        runner.cpu.flushTLB(keepingGlobal: keepingGlobal)
        expectFlushed(runner.cpu, pages, keepingGlobal: keepingGlobal)
    }

    /// While there are no global pages, the list serves full flushes, too.
    @Test(arguments: [1, 200, 300])
    func nothingIsLeftWithoutGlobalPages(count: UInt32) throws {
        let runner = try runner()
        for round in 0..<3 as Range<UInt32> {
            let pages = (0x100 + round * 0x40..<0x100 + round * 0x40 + 2 * count).filter { !isGlobal($0) }
            for page in pages { try fill(runner.cpu, page..<page + 1) }
            #expect(!runner.cpu.pointee.tlbHasGlobal && runner.cpu.pointee.tlbLocalCount == pages.count)
            // Whether it is looked at tells whether all are.
            let unlisted = 0x40 as UInt32
            runner.cpu.pointee.tlbBanks[Int(unlisted)].readTag = unlisted << 12
            runner.cpu.flushTLB(keepingGlobal: false)
            for page in pages { #expect(tags(runner.cpu, page).allSatisfy { $0 == TLB.noTag }) }
            #expect((tags(runner.cpu, unlisted)[0] == unlisted << 12) == (pages.count <= TLB.listed))
        }
    }

    /// Entries that a flush leaves are found by the next, alone and with others, though no list holds them.
    @Test(arguments: [100, 256, 300, 500], [0, 1, 100, 250])
    func whatStaysIsFlushedLater(count: UInt32, more: UInt32) throws {
        let runner = try runner()
        let (pages, others) = (0x100..<0x100 + count, 0x100 + count..<0x100 + count + more)
        try fill(runner.cpu, pages)
        for _ in 0..<3 {
            runner.cpu.flushTLB(keepingGlobal: true)
            expectFlushed(runner.cpu, pages, keepingGlobal: true)
            #expect(runner.cpu.pointee.tlbLocalCount == 0)
        }
        try fill(runner.cpu, others)
        runner.cpu.flushTLB(keepingGlobal: false)
        expectFlushed(runner.cpu, 0x100..<others.upperBound, keepingGlobal: false)
        #expect(runner.cpu.pointee.tlbLocalCount == 0)
    }
}
