import Glibc

/// Counters of the translation cache and of the engine that runs from it.
public struct TranslationStatistics: Sendable {
    public var blocksTranslated: UInt64 = 0
    public var instructionsTranslated: UInt64 = 0
    public var microOps: UInt64 = 0
    /// Blocks whose code was written to.
    public var blocksInvalidated: UInt64 = 0
    /// Writes to code that a block took over as it was; always 0 for `ThreadedEngine`.
    public var blocksRepaired: UInt64 = 0
    /// Times the whole cache was emptied because it was full, or full of blocks that had been overwritten.
    public var evictions: UInt64 = 0
    /// Exits bound to the block they lead to.
    public var links: UInt64 = 0
    /// Times the executor was entered, and instructions that were interpreted in between.
    public var entries: UInt64 = 0
    public var interpreted: UInt64 = 0
    /// Micro-ops that went the slow way: TLB misses, devices, watched pages, page crossings.
    public var slowPaths: UInt64 = 0
    /// Bytes of the arena in use.
    public var bytes: UInt64 = 0
}

/// Translated blocks by guest-physical address and mode: an arena, a direct-mapped lookup table, and a list for each
/// page of RAM, which is the complete index and tells what a write invalidates.
///
/// Blocks are never freed one by one, so that whoever executes in one may keep his pointer: an invalidated block is
/// marked stale and leaves table and list. When the arena is full, or what is in use of it is mostly stale, everything
/// goes, between two blocks: no order has to be kept, and what is still needed is translated again. How often that was,
/// `evictions` in the statistics tells.
final class TranslationCache {
    struct Entry {
        var key: UInt64
        var block: BlockPointer
    }

    /// Slots of the lookup table; a power of two.
    static let tableSize = 1 << 15
    static let tableMask = UInt64(tableSize - 1)

    let table: UnsafeMutablePointer<Entry>
    /// Where exits point that are not bound yet: a block that is always stale.
    let unlinked: BlockPointer
    var statistics = TranslationStatistics()
    /// What becomes of the blocks, if somebody wants to know.
    var profile: TranslationProfile?
    private let pages: UnsafeMutablePointer<BlockPointer?>
    private let arena: UnsafeMutableRawPointer
    private let arenaSize: Int
    private let mappings: [(UnsafeMutableRawPointer, Int)]
    private var used = 0
    /// Of these, in blocks that are not stale.
    private var live = 0
    /// Bytes from which on the cache is emptied when it holds hardly anything but stale blocks. Guests that keep rewriting
    /// their code then stay in memory that the host's caches have, and need no more of it.
    private static let recyclingSize = 2 << 20
    private let pageCount: Int

    /// The host refused the memory; `errno` says why.
    struct Failure: Error {
        let errno: Int32
    }

    /// - Parameters:
    ///   - ramSize: bytes of guest RAM.
    ///   - capacity: bytes for blocks; the longest one fits in any case.
    init(ramSize: Int, capacity: Int) throws(Failure) {
        pageCount = ramSize >> 12
        let capacity = max(capacity, Self.size(instructions: Translator.longest, ops: Translator.mostOps))
        let pageBytes = pageCount * MemoryLayout<BlockPointer?>.stride
        let tableBytes = Self.tableSize * MemoryLayout<Entry>.stride
        var mappings: [(UnsafeMutableRawPointer, Int)] = []
        for size in [pageBytes, tableBytes, capacity] {
            guard
                let base = mmap(
                    nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
                base != MAP_FAILED
            else {
                let error = errno
                for (base, size) in mappings { munmap(base, size) }
                throw Failure(errno: error)
            }
            mappings.append((base, size))
        }
        self.mappings = mappings
        // Untouched pages read as zero: nil lists, and keys that match nothing (see `key`).
        pages = mappings[0].0.bindMemory(to: BlockPointer?.self, capacity: pageCount)
        table = mappings[1].0.bindMemory(to: Entry.self, capacity: Self.tableSize)
        arena = mappings[2].0
        arenaSize = capacity
        // Hot blocks lie scattered over the arena. Advice only: may fail.
        madvise(arena, capacity, MADV_HUGEPAGE)
        unlinked = .allocate(capacity: 1)
        let ops = UnsafeMutablePointer<MicroOp>.allocate(capacity: 1)
        ops.initialize(to: MicroOp(opcode: .leave, index: 0))
        let instructions = UnsafeMutablePointer<BlockInstruction>.allocate(capacity: 1)
        unlinked.initialize(
            to: TranslatedBlock(
                key: 0, limit: TranslatedBlock.stale, physical: 0, end: 0, instructionCount: 0, opCount: 0, mode: [],
                instructions: instructions, ops: ops, nextOnPage: nil))
    }

    deinit {
        for (base, size) in mappings { munmap(base, size) }
        unlinked.pointee.ops.deallocate()
        unlinked.pointee.instructions.deallocate()
        unlinked.deallocate()
    }

    /// Lookup key: physical address and mode, never zero.
    @inline(__always)
    static func key(_ physical: UInt32, _ mode: BlockMode) -> UInt64 {
        UInt64(physical) | UInt64(mode.rawValue) << 32 | 1 << 63
    }

    @inline(__always)
    static func slot(_ key: UInt64) -> Int { Int(truncatingIfNeeded: (key ^ key >> 28) & tableMask) }

    /// The block with that key, found in the table or on its page.
    func find(_ key: UInt64) -> BlockPointer? {
        let entry = table + Self.slot(key)
        if entry.pointee.key == key { return entry.pointee.block }
        var candidate = pages[Int(UInt32(truncatingIfNeeded: key) >> 12)]
        while let block = candidate {
            if block.pointee.key == key {
                entry.pointee = Entry(key: key, block: block)
                return block
            }
            candidate = block.pointee.nextOnPage
        }
        return nil
    }

    /// Whether a block of that size can be had without emptying the cache, and should.
    func hasRoom(instructions: Int, ops: Int) -> Bool {
        let isMostlyStale = used >= Self.recyclingSize && live < used >> 3
        return !isMostlyStale && used + Self.size(instructions: instructions, ops: ops) <= arenaSize
    }

    private static func size(instructions: Int, ops: Int) -> Int {
        MemoryLayout<TranslatedBlock>.stride + instructions * MemoryLayout<BlockInstruction>.stride
            + ops * MemoryLayout<MicroOp>.stride
    }

    /// Puts a block into arena, table and page list. There must be room.
    ///
    /// - Parameter bytes: guest-physical addresses of its code, in one page.
    func insert(
        bytes: Range<UInt32>, mode: BlockMode, instructions: UnsafeBufferPointer<BlockInstruction>,
        ops: UnsafeBufferPointer<MicroOp>
    ) -> BlockPointer {
        let key = Self.key(bytes.lowerBound, mode)
        let block = (arena + used).bindMemory(to: TranslatedBlock.self, capacity: 1)
        let opPlace = UnsafeMutableRawPointer(block + 1).bindMemory(to: MicroOp.self, capacity: ops.count)
        let instructionPlace = UnsafeMutableRawPointer(opPlace + ops.count).bindMemory(
            to: BlockInstruction.self, capacity: instructions.count)
        if let base = ops.baseAddress { opPlace.initialize(from: base, count: ops.count) }
        if let base = instructions.baseAddress {
            instructionPlace.initialize(from: base, count: instructions.count)
        }
        let page = Int(bytes.lowerBound >> 12)
        block.initialize(
            to: TranslatedBlock(
                key: key, limit: UInt64(instructions.count), physical: bytes.lowerBound, end: bytes.upperBound,
                instructionCount: UInt16(truncatingIfNeeded: instructions.count),
                opCount: UInt16(truncatingIfNeeded: ops.count), mode: mode, instructions: instructionPlace,
                ops: opPlace, nextOnPage: pages[page]))
        pages[page] = block
        table[Self.slot(key)] = Entry(key: key, block: block)
        used += Self.size(instructions: instructions.count, ops: ops.count)
        live += Self.size(instructions: instructions.count, ops: ops.count)
        statistics.blocksTranslated &+= 1
        statistics.instructionsTranslated &+= UInt64(instructions.count)
        statistics.microOps &+= UInt64(ops.count)
        statistics.bytes = UInt64(used)
        return block
    }

    /// Makes every block stale that holds one of the `count` bytes at `physical`, which lie in one page.
    func invalidate(_ physical: UInt32, count: UInt32) {
        let page = Int(physical >> 12)
        var previous: BlockPointer?
        var candidate = pages[page]
        while let block = candidate {
            let next = block.pointee.nextOnPage
            if block.pointee.physical < physical &+ count, block.pointee.end > physical {
                block.pointee.limit = TranslatedBlock.stale
                if let previous { previous.pointee.nextOnPage = next } else { pages[page] = next }
                let entry = table + Self.slot(block.pointee.key)
                if entry.pointee.key == block.pointee.key { entry.pointee.key = 0 }
                live -= Self.size(
                    instructions: Int(block.pointee.instructionCount), ops: Int(block.pointee.opCount))
                statistics.blocksInvalidated &+= 1
                profile?.invalidated(block, byWritingTo: physical, count: count)
            } else {
                previous = block
            }
            candidate = next
        }
    }

    /// Whether a block holds one of the `count` bytes at `physical`.
    func holdsCode(_ physical: UInt32, count: UInt32) -> Bool {
        var candidate = pages[Int(physical >> 12)]
        while let block = candidate {
            if block.pointee.physical < physical &+ count, block.pointee.end > physical { return true }
            candidate = block.pointee.nextOnPage
        }
        return false
    }

    /// Forgets everything. Nobody may be executing in a block, or keep a pointer to one.
    func removeAll() {
        profile?.evicted(blocks)
        for (base, size) in mappings.prefix(2) { madvise(base, size, MADV_DONTNEED) }
        used = 0
        live = 0
        statistics.bytes = 0
    }

    /// Every block, page by page.
    var blocks: [BlockPointer] {
        var all: [BlockPointer] = []
        for page in 0..<pageCount {
            var candidate = pages[page]
            while let block = candidate {
                all.append(block)
                candidate = block.pointee.nextOnPage
            }
        }
        return all
    }
}
