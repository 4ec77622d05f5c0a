import X86

/// Decoded instructions that cross from one page into the next: at most one a page, kept with their bytes.
///
/// They cannot stand in the decode cache, because what follows the first page depends on the page tables; instead the
/// bytes are compared on every use, which is still a tenth of the price of decoding.
struct CrossingCache {
    private struct Entry {
        /// See `DecodeCache.tag`; of the instruction's first byte.
        var tag = DecodeCache.empty
        var instruction = Instruction(.invalid)
        var bytes: InlineArray<16, UInt8> = InlineArray(repeating: 0)
    }

    private var entries = [Entry](repeating: Entry(), count: 256)

    private static func index(_ tag: UInt64) -> Int { Int(tag >> 12 & 255) }

    mutating func insert(_ tag: UInt64, _ instruction: Instruction, bytes: InlineArray<16, UInt8>) {
        entries[Self.index(tag)] = Entry(tag: tag, instruction: instruction, bytes: bytes)
    }

    /// The instruction with that tag, if `fetch` yields the bytes it was decoded from: in their order, and none behind one
    /// that differs, as fetching what is not needed may fault.
    func lookup(_ tag: UInt64, fetch: (UInt32) throws(Fault) -> UInt8) throws(Fault) -> Instruction? {
        let entry = entries[Self.index(tag)]
        guard entry.tag == tag else { return nil }
        for index in 0..<UInt32(entry.instruction.length) {
            guard try fetch(index) == entry.bytes[Int(index)] else { return nil }
        }
        return entry.instruction
    }
}
