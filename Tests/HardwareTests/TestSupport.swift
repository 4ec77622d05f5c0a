@testable import Hardware

/// Virtual time that stands still until a test moves it.
final class ManualTime {
    /// Virtual nanoseconds since power-on.
    private(set) var now: UInt64 = 0
    private(set) lazy var clock = Clock { [unowned self] in now }

    /// Moves to `deadline` (ns), stopping at every timer on the way as a deterministic run loop does.
    ///
    /// - Parameter other: a clock that follows this time, when it is not `clock`.
    func advance(to deadline: UInt64, of other: Clock? = nil) {
        let clock = other ?? clock
        while let next = clock.nextDeadline, next <= deadline {
            now = max(now, next)
            clock.fireDueTimers()
        }
        now = deadline
    }

    func advance(by nanoseconds: UInt64, of other: Clock? = nil) { advance(to: now + nanoseconds, of: other) }

    /// Moves without firing timers, as when the host was busy elsewhere.
    func skip(to time: UInt64) { now = time }
}

/// An interrupt line that remembers each change.
final class LineProbe {
    private(set) var changes: [Bool] = []
    private(set) lazy var line = InterruptLine { [unowned self] in changes.append($0) }

    var isAsserted: Bool { line.isAsserted }
    /// Low-to-high transitions so far.
    var rises: Int { changes.count { $0 } }
}

extension BusDevice {
    func out(_ offset: UInt32, _ value: UInt32) { write(offset: offset, value: value, width: 1) }
    func inb(_ offset: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: read(offset: offset, width: 1)) }
}
