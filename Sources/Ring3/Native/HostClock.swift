#if arch(x86_64) && os(Linux)
    import CHost
#endif

/// The guest's timestamp counter, without its offset, as a function of the host's: what emitted code needs to answer RDTSC.
///
/// ```
/// value = base + ((ticks + negatedTicks) * scale >> 64)
/// ```
struct HostClock {
    var negatedTicks: UInt64 = 0
    var scale: UInt64 = 0
    var base: UInt64 = 0
    /// What the guest was told last: whatever the clock does, it does not go back.
    var last: UInt64 = 0
    /// 1 while there is no such function: in deterministic runs, as long as the host's counter has not been compared with
    /// its clock, and till the end of a slice in which the clock itself was read.
    var isMissing: UInt32 = 1
}

#if arch(x86_64) && os(Linux)
    /// Compares the host's timestamp counter with its clock.
    struct HostClockComparison {
        private var first: (ticks: UInt64, time: UInt64)?
        private var scale: UInt64 = 0
        /// Nanoseconds over which they are compared: long enough to tell to a millionth, and short enough that what happened
        /// to either of them is soon forgotten.
        private static let times: ClosedRange<UInt64> = 10_000_000...1_000_000_000
        /// Processors may differ by so many ticks.
        private static let slack: UInt64 = 4096

        /// Whether the counter goes at one speed, whatever the processor does.
        static let isPossible = ring3_has_invariant_timestamp() != 0

        /// - Parameter now: the guest's clock. Read behind the counter: who is interrupted between the two is ahead then, and
        ///   not behind.
        mutating func update(_ clock: inout HostClock, now: () -> UInt64) {
            guard Self.isPossible else { return }
            let ticks = ring3_timestamp()
            let time = now()
            guard let first, time > first.time, ticks > first.ticks else {
                // At first, or the counter has begun anew.
                (first, scale, clock.isMissing) = ((ticks, time), 0, 1)
                return
            }
            let (elapsed, counted) = (time - first.time, ticks - first.ticks)
            // Below 1 GHz there would be more nanoseconds than ticks.
            if elapsed >= Self.times.lowerBound, elapsed < counted {
                scale = counted.dividingFullWidth((elapsed, 0)).quotient
                if elapsed > Self.times.upperBound { self.first = (ticks, time) }
            }
            guard scale != 0 else { return }
            clock.negatedTicks = 0 &- (ticks &- Self.slack)
            clock.base = Swift.max(time, clock.last) &- scale.multipliedFullWidth(by: Self.slack).high
            clock.scale = scale
            clock.isMissing = 0
        }
    }
#endif
