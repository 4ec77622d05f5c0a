import Glibc

/// Virtual time: follows the host's monotonic clock, or counts instructions.
///
/// Counting makes runs repeatable: the same guest with the same input sees the same time at the same instruction. A
/// halted processor skips ahead to the next event.
final class VirtualTime {
    /// Virtual nanoseconds an instruction takes in deterministic mode: a processor of 100 million instructions a second.
    static let nanosecondsPerInstruction: UInt64 = 10
    /// Timestamp-counter ticks per second: 1 GHz, as a Pentium M of the slowest kind had.
    static let timestampFrequency: UInt64 = 1_000_000_000

    private let cpu: Processor
    let isDeterministic: Bool
    private let hostStart = VirtualTime.hostNow()
    /// Time skipped while halted.
    private var skipped: UInt64 = 0

    init(cpu: Processor, isDeterministic: Bool) {
        self.cpu = cpu
        self.isDeterministic = isDeterministic
    }

    /// Virtual nanoseconds since power-on.
    var now: UInt64 {
        isDeterministic
            ? cpu.pointee.instructions &* Self.nanosecondsPerInstruction &+ skipped : Self.hostNow() - hostStart
    }

    /// Lets time pass without instructions, up to `deadline`. Deterministic mode only.
    func skip(to deadline: UInt64) {
        let now = now
        if deadline > now { skipped += deadline - now }
    }

    /// Host nanoseconds, monotonic.
    static func hostNow() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
