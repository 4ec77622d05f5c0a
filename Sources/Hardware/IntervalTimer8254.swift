/// The 8254 programmable interval timer: three 16-bit counters at 1.193182 MHz.
///
/// Offsets 0–2 are the counters, 3 the control word. Counter 0 drives an interrupt line, counter 2 has a gate and an
/// output for port 0x61; the gates of 0 and 1 are tied high. Counts are exact at any time, computed from the clock.
///
/// Two liberties on the interrupt line only: in mode 3 it falls just before it rises again instead of half a period
/// earlier, so that an interrupt taken late is not lost; and rising edges that follow within 20 us merge into one, as
/// they do at an 8259A whose CPU does not answer. Edges that the host ran past come late, not less often.
public final class IntervalTimer8254: BusDevice {
    /// CLK in Hz: 14.31818 MHz / 12.
    public static let frequency: UInt64 = 1_193_182
    /// Least distance in CLK pulses between two interrupts of one programming: bounds the work of absurd rates.
    private static let shortestInterval = 24

    /// CLK pulses between two interrupts that both are late: 200 us.
    private static let catchUpInterval = 240
    /// Edges longer ago than this many CLK pulses, a second, are given up.
    private static let longestDebt = Int(frequency)

    private let clock: Clock
    private let interrupt: InterruptLine
    private var counters = [
        IntervalTimerCounter(gate: true), IntervalTimerCounter(gate: true), IntervalTimerCounter(gate: false),
    ]
    private lazy var timer = clock.makeTimer { [unowned self] in outputRose() }

    /// When the edge that `timer` is armed for is due, in CLK pulses.
    private var nextRise = 0

    /// - Parameter interrupt: OUT of counter 0; low until a mode is programmed.
    public init(clock: Clock, interrupt: InterruptLine) {
        self.clock = clock
        self.interrupt = interrupt
    }

    /// OUT of counter 2, as the speaker and bit 5 of port 0x61 see it.
    public var speakerOutput: Bool { counters[2].output(at: time) }

    /// GATE of counter 2, bit 0 of port 0x61.
    public var speakerGate: Bool {
        get { counters[2].gate }
        set { counters[2].setGate(newValue, at: time) }
    }

    public func read(offset: UInt32, width: Int) -> UInt32 {
        let index = Int(offset & 3)
        // The control word cannot be read; the bus then floats.
        return index == 3 ? 0xFF : UInt32(counters[index].read(at: time))
    }

    public func write(offset: UInt32, value: UInt32, width: Int) {
        let value = UInt8(truncatingIfNeeded: value)
        let index = Int(offset & 3)
        // One moment for all that follows: the host's time may run on between two looks, past an edge that would then
        // be neither before nor after.
        let time = time
        if index == 3 {
            writeControl(value, at: time)
        } else {
            deliverDueEdge(of: index, at: time)
            counters[index].write(value, at: time)
            if index == 0 { updateInterrupt(at: time) }
        }
    }

    private var time: Int { Int(Clock.ticks(nanoseconds: clock.now, frequency: Self.frequency)) }

    private func writeControl(_ word: UInt8, at time: Int) {
        let index = Int(word >> 6)
        if index == 3 {
            readBack(word, at: time)
        } else if word & 0x30 == 0 {
            counters[index].latchCount(at: time)
        } else {
            deliverDueEdge(of: index, at: time)
            counters[index].program(word)
            if index == 0 { updateInterrupt(at: time) }
        }
    }

    /// The read-back command: bits 3–1 choose counters; bit 5 low latches counts, bit 4 low statuses.
    private func readBack(_ word: UInt8, at time: Int) {
        for index in 0..<3 where word & 2 << index != 0 {
            if word & 0x20 == 0 { counters[index].latchCount(at: time) }
            if word & 0x10 == 0 { counters[index].latchStatus(at: time) }
        }
    }

    // MARK: Interrupt

    /// An edge that is due must not be lost to new programming just because the run loop has not come round yet.
    private func deliverDueEdge(of index: Int, at time: Int) {
        if index == 0, timer.deadline != nil, nextRise <= time { outputRose() }
    }

    private func updateInterrupt(at time: Int) {
        interrupt.set(counters[0].output(at: time))
        arm(after: time)
    }

    private func outputRose() {
        interrupt.set(false)
        interrupt.set(true)
        arm(after: max(nextRise, time - Self.longestDebt) + Self.shortestInterval - 1)
    }

    /// Arms for the first ideal edge after `time`. If the host has already run past that one, it comes a little later, so
    /// that a guest which counts ticks loses none, and gets to answer each.
    private func arm(after time: Int) {
        guard let rise = counters[0].nextRise(after: time) else { return timer.cancel() }
        nextRise = rise
        let now = self.time
        let tick = rise >= now ? rise : now + Self.catchUpInterval
        timer.arm(at: Clock.nanoseconds(ticks: UInt64(tick), frequency: Self.frequency))
    }
}
