/// What is plugged into a port of the keyboard controller.
protocol PS2Device: AnyObject {
    /// Called when there is a byte to fetch where there was none.
    var onOutput: () -> Void { get set }
    var hasOutput: Bool { get }
    /// Next byte for the host; nil if there is none.
    func nextByte() -> UInt8?
    /// A byte from the host: a command, or the parameter of one.
    func receive(_ byte: UInt8)
}

/// The output side of a PS/2 device: answers to commands go before events, and neither grows without limit.
struct PS2OutputQueue {
    /// A host that never reads loses answers beyond this many.
    private static let replyLimit = 16

    private var replies: [UInt8] = []
    private var events: [UInt8] = []
    /// Bytes of events that can wait.
    private let eventLimit: Int
    /// For the "resend" command.
    private(set) var lastSent: UInt8 = 0

    init(eventLimit: Int) {
        self.eventLimit = eventLimit
    }

    var isEmpty: Bool { replies.isEmpty && events.isEmpty }

    mutating func reply(_ bytes: [UInt8]) {
        if replies.count + bytes.count <= Self.replyLimit { replies += bytes }
    }

    /// Queues the bytes of one event, all or none: half a scan code would be another key.
    mutating func addEvent(_ bytes: [UInt8]) -> Bool {
        guard events.count + bytes.count <= eventLimit else { return false }
        events += bytes
        return true
    }

    mutating func dropEvents() { events.removeAll() }

    mutating func next() -> UInt8? {
        guard !isEmpty else { return nil }
        lastSent = replies.isEmpty ? events.removeFirst() : replies.removeFirst()
        return lastSent
    }
}
