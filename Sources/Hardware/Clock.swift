/// Virtual time, and what is to happen at which time.
///
/// Devices read `now` and arm `Timer`s; whoever runs the machine supplies the time source (host time, or a count of
/// executed instructions) and calls `fireDueTimers`. Nothing in here reads the host's clock.
public final class Clock {
    /// A one-shot alarm of one device. Re-arm from its handler for periodic events.
    public final class Timer {
        /// Virtual nanoseconds at which it fires; nil when not armed.
        public private(set) var deadline: UInt64?
        fileprivate let handler: () -> Void
        private unowned let clock: Clock

        fileprivate init(clock: Clock, handler: @escaping () -> Void) {
            self.clock = clock
            self.handler = handler
        }

        /// Arms for `deadline` (virtual ns; a past one fires at the next opportunity), replacing an earlier one.
        public func arm(at deadline: UInt64) {
            self.deadline = deadline
            clock.deadlinesChanged()
        }

        public func cancel() {
            guard deadline != nil else { return }
            deadline = nil
            clock.deadlinesChanged()
        }

        fileprivate func disarm() { deadline = nil }
    }

    private let source: () -> UInt64
    private var timers: [Timer] = []
    /// Earliest deadline of all timers; nil when none is armed.
    public private(set) var nextDeadline: UInt64?
    /// Called when `nextDeadline` changes, so that a run loop can shorten or lengthen its slice.
    public var onNextDeadlineChange: () -> Void = {}

    /// - Parameter source: virtual nanoseconds since power-on; never decreases.
    public init(source: @escaping () -> UInt64) {
        self.source = source
    }

    /// Virtual nanoseconds since power-on.
    public var now: UInt64 { source() }

    /// A new timer, not armed. The clock keeps it for the machine's lifetime.
    public func makeTimer(_ handler: @escaping () -> Void) -> Timer {
        let timer = Timer(clock: self, handler: handler)
        timers.append(timer)
        return timer
    }

    /// Fires, in order of deadline, every timer that is due at `now`.
    ///
    /// A timer that its handler arms again for the past fires again, at most `limit` times in one call, so that a guest
    /// which asks for an absurd rate cannot stop the run loop.
    public func fireDueTimers(limit: Int = 64) {
        for _ in 0..<limit {
            let now = now
            var due: Timer?
            for timer in timers {
                guard let deadline = timer.deadline, deadline <= now else { continue }
                if let other = due?.deadline, other <= deadline { continue }
                due = timer
            }
            guard let due else { break }
            due.disarm()
            due.handler()
        }
        deadlinesChanged()
    }

    private func deadlinesChanged() {
        var next: UInt64?
        for timer in timers {
            if let deadline = timer.deadline, deadline < next ?? .max { next = deadline }
        }
        guard next != nextDeadline else { return }
        nextDeadline = next
        onNextDeadlineChange()
    }

    /// `ticks` of a `frequency` Hz counter in nanoseconds, rounded up; saturates instead of overflowing.
    public static func nanoseconds(ticks: UInt64, frequency: UInt64) -> UInt64 {
        let (high, low) = ticks.multipliedFullWidth(by: 1_000_000_000)
        guard high < frequency else { return .max }
        let (quotient, remainder) = frequency.dividingFullWidth((high, low))
        return remainder == 0 || quotient == .max ? quotient : quotient + 1
    }

    /// Ticks of a `frequency` Hz counter after `nanoseconds`, rounded down; saturates.
    public static func ticks(nanoseconds: UInt64, frequency: UInt64) -> UInt64 {
        let (high, low) = nanoseconds.multipliedFullWidth(by: frequency)
        guard high < 1_000_000_000 else { return .max }
        return (1_000_000_000 as UInt64).dividingFullWidth((high, low)).quotient
    }
}
