import Glibc
import X86

/// Decoded instructions by guest-physical address: direct-mapped, one slot for each byte address modulo its size.
///
/// A slot's neighbours are the slots of neighbouring addresses, so that a write finds what it invalidates by looking at
/// the few slots an overlapping instruction could have.
final class DecodeCache {
    struct Slot {
        /// Physical address, and the code size above it; `empty` when there is nothing here.
        var tag: UInt64
        var instruction: Instruction
        /// Makes a slot one cache line of 64 bytes.
        var padding: (UInt64, UInt64, UInt64)
    }

    static let empty = UInt64.max
    /// Slots; a power of two. 1 MiB of code before addresses collide.
    static let count = 1 << 20
    static let mask = UInt32(count - 1)

    let slots: UnsafeMutablePointer<Slot>
    /// Slots behind the last, which stay empty: the interpreter's guess of the next slot may point there.
    private static let spare = 16
    private let mapping: UnsafeMutableRawPointer
    private let mappingSize: Int
    private let codeMap: UnsafeMutablePointer<UInt64>
    /// The same of chunks with instructions in here, or that had some: others are not looked through.
    private let ownMap: UnsafeMutablePointer<UInt64>
    /// Writes to code chunks that hit no instruction; every so often the chunk is looked at, and freed if empty.
    private var misses = 0

    /// The host refused the memory; `errno` says why.
    struct Failure: Error {
        let errno: Int32
    }

    /// - Parameters:
    ///   - codeMap: see `ProcessorState.codeMap`.
    ///   - pages: those of RAM.
    init(codeMap: UnsafeMutablePointer<UInt64>, pages: Int) throws(Failure) {
        let hugePage = 2 << 20
        mappingSize = (Self.count + Self.spare) * MemoryLayout<Slot>.stride + hugePage
        guard
            let base = mmap(
                nil, mappingSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
            base != MAP_FAILED
        else { throw Failure(errno: errno) }
        mapping = base
        self.codeMap = codeMap
        ownMap = .allocate(capacity: pages)
        ownMap.initialize(repeating: 0, count: pages)
        let aligned =
            UnsafeMutableRawPointer(
                bitPattern: (UInt(bitPattern: base) + UInt(hugePage - 1)) & ~UInt(hugePage - 1)) ?? base
        // Slots lie far apart; with 4 KiB host pages every one would cost a host TLB miss. Advice only: may fail.
        madvise(aligned, Self.count * MemoryLayout<Slot>.stride, MADV_HUGEPAGE)
        slots = aligned.bindMemory(to: Slot.self, capacity: Self.count + Self.spare)
        clear()
    }

    deinit {
        ownMap.deallocate()
        munmap(mapping, mappingSize)
    }

    @inline(__always)
    static func tag(_ physical: UInt32, is32Bit: Bool) -> UInt64 {
        // Bit 32 is set in every real tag, so that untouched (zero) slots are empty as well.
        UInt64(physical) | 1 << 32 | (is32Bit ? 1 << 33 : 0)
    }

    @inline(__always)
    func slot(_ physical: UInt32) -> UnsafeMutablePointer<Slot> { slots + Int(physical & Self.mask) }

    /// Puts an instruction in its slot and marks its bytes as code. All of it lies in one page of RAM.
    func insert(_ physical: UInt32, _ instruction: Instruction, is32Bit: Bool) {
        let slot = slot(physical)
        slot.pointee.tag = Self.tag(physical, is32Bit: is32Bit)
        slot.pointee.instruction = instruction
        mark(physical, count: UInt32(instruction.length))
        ownMap[Int(physical >> 12)] |= Self.chunks(physical, UInt32(instruction.length))
    }

    /// Marks `count` bytes, which lie in one page, as code.
    func mark(_ physical: UInt32, count: UInt32) { codeMap[Int(physical >> 12)] |= Self.chunks(physical, count) }

    /// The chunks of a page that have one of the `count` (1...4096) bytes at `physical`.
    @inline(__always)
    private static func chunks(_ physical: UInt32, _ count: UInt32) -> UInt64 {
        let first = UInt64(physical & 0xFFF) >> 6
        let last = Swift.min(UInt64(physical & 0xFFF) + UInt64(count) - 1, 0xFFF) >> 6
        return (UInt64.max >> (63 - (last - first))) << first
    }

    /// Forgets every instruction that overlaps the `count` (1...4096) bytes at `physical`, which lie in one page.
    ///
    /// - Parameter isStillCode: whether the 64 bytes at an address are code to somebody else too.
    func invalidate(_ physical: UInt32, count: UInt32, isStillCode: (_ chunk: UInt32) -> Bool) {
        guard !forget(physical, count: count) else { return }
        misses += 1
        let chunk = physical & ~63
        if misses & 15 == 0, !isStillCode(chunk), !holdsInstruction(chunk, count: 64) { unmark(chunk) }
    }

    /// Forgets every instruction that touches the 64 bytes at `chunk`, which are code to nobody any more, but may stay
    /// marked.
    func forgetChunk(_ chunk: UInt32, isMarked: Bool) {
        _ = forget(chunk, count: 64)
        ownMap[Int(chunk >> 12)] &= ~Self.chunks(chunk, 64)
        if !isMarked { unmark(chunk) }
    }

    /// Whether an instruction in the cache touches one of the `count` bytes at `physical`, which lie in one page.
    func holdsInstruction(_ physical: UInt32, count: UInt32) -> Bool {
        var isFound = false
        forEachSlot(touching: physical, count: count) { _ in
            isFound = true
            return false
        }
        return isFound
    }

    /// True if there were any.
    private func forget(_ physical: UInt32, count: UInt32) -> Bool {
        var isFound = false
        forEachSlot(touching: physical, count: count) { slot in
            slot.pointee.tag = 0
            isFound = true
            return true
        }
        return isFound
    }

    /// The slots of instructions that touch one of the `count` bytes at `physical`, as long as `body` wants more.
    @inline(__always)
    private func forEachSlot(
        touching physical: UInt32, count: UInt32, _ body: (UnsafeMutablePointer<Slot>) -> Bool
    ) {
        guard ownMap[Int(physical >> 12)] & Self.chunks(physical, count) != 0 else { return }
        for address in (physical >= 14 ? physical - 14 : 0)...(physical + (count - 1)) {
            let slot = slot(address)
            guard UInt32(truncatingIfNeeded: slot.pointee.tag) == address, slot.pointee.tag >> 32 != 0 else { continue }
            guard address + UInt32(slot.pointee.instruction.length) > physical else { continue }
            guard body(slot) else { return }
        }
    }

    private func unmark(_ chunk: UInt32) { codeMap[Int(chunk >> 12)] &= ~Self.chunks(chunk, 64) }

    func clear() {
        madvise(UnsafeMutableRawPointer(slots), Self.count * MemoryLayout<Slot>.stride, MADV_DONTNEED)
    }
}
