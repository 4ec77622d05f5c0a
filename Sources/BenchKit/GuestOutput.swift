/// What a guest under measurement prints, line by line; see Guests/compute/main.c and Guests/nano/main.c.
struct GuestOutput {
    enum Event: Equatable {
        case begin
        case end
        /// The summary line: nothing follows.
        case finished
    }

    private(set) var operations: Int?
    private(set) var checksum: UInt32?
    /// The first check that failed.
    private(set) var failure: String?
    /// What the guest could not do here, and why.
    private(set) var skipped: String?
    private(set) var isFinished = false
    private(set) var lastLine = ""
    private var partial: [UInt8] = []
    /// A guest that prints rubbish for ever must not fill the memory.
    private static let longestLine = 4096

    /// Takes what has arrived; tells what it meant for the measurement.
    mutating func take(_ bytes: some Sequence<UInt8>) -> [Event] {
        var events: [Event] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                if let event = line(String(decoding: partial, as: UTF8.self)) { events.append(event) }
                partial.removeAll(keepingCapacity: true)
            } else if byte != UInt8(ascii: "\r"), partial.count < Self.longestLine {
                partial.append(byte)
            }
        }
        return events
    }

    private mutating func line(_ text: String) -> Event? {
        if !text.isEmpty { lastLine = text }
        let words = text.split(separator: " ", maxSplits: 1).map(String.init)
        switch words.first {
        case "begin" where words.count == 1: return .begin
        case "end" where words.count == 1: return .end
        case "operations" where words.count == 2: operations = Int(words[1])
        case "checksum" where words.count == 2 && words[1].hasPrefix("0x"):
            checksum = UInt32(words[1].dropFirst(2), radix: 16)
        case "FAIL" where words.count == 2: failure = failure ?? words[1]
        case "skip" where words.count == 2: skipped = skipped ?? words[1]
        default:
            guard text.hasSuffix(" failed"), text.contains(" passed, ") else { return nil }
            isFinished = true
            return .finished
        }
        return nil
    }
}
