/// Where a processor wrote to RAM: kept for an engine that is compared with another.
///
/// A processor with a log never lets writes into its TLB, so that every one of them comes by here.
final class WriteLog {
    struct Entry {
        var physical: UInt32
        /// Bytes, 1...8, all in one page.
        var count: UInt32
    }

    /// Enough for one block; more only makes the comparison look at all of RAM.
    private static let capacity = 1 << 16
    private let entries = UnsafeMutablePointer<Entry>.allocate(capacity: capacity)
    private var count = 0
    /// More was written than could be kept.
    private(set) var isIncomplete = false

    deinit { entries.deallocate() }

    func append(_ physical: UInt32, count bytes: UInt32) {
        guard count < Self.capacity else {
            isIncomplete = true
            return
        }
        entries[count] = Entry(physical: physical, count: bytes)
        count += 1
    }

    var all: UnsafeBufferPointer<Entry> { UnsafeBufferPointer(start: entries, count: count) }

    func removeAll() {
        count = 0
        isIncomplete = false
    }
}
