/// Regions of 4 MiB of linear addresses, each named by any address in it.
struct RegionSet {
    private var words = InlineArray<16, UInt64>(repeating: 0)
    /// Nothing was inserted.
    private(set) var isEmpty = true

    static var all: RegionSet {
        var all = RegionSet()
        (all.words, all.isEmpty) = (InlineArray(repeating: .max), false)
        return all
    }

    @inline(__always)
    func contains(_ linear: UInt32) -> Bool { words[Int(linear >> 28)] & 1 << UInt64(linear >> 22 & 63) != 0 }

    mutating func insert(_ linear: UInt32) {
        words[Int(linear >> 28)] |= 1 << UInt64(linear >> 22 & 63)
        isEmpty = false
    }
}
