/// System control port B, 0x61: gate of the speaker counter, speaker, and two signals to watch.
///
/// ```
///  bit  7 6   5      4         3 2        1        0
///       0 0   OUT2   refresh   (stored)   speaker  GATE2
/// ```
/// The parity and channel check enables (2, 3) are kept, the checks never fail. The refresh bit toggles every 15.085 us,
/// which old delay loops count. Source: IBM PC/AT Technical Reference; Intel 82371AB data sheet, "NMISC".
public final class SystemControlPortB: BusDevice {
    private let clock: Clock
    private let timer: IntervalTimer8254
    private var stored: UInt8 = 0

    public init(clock: Clock, timer: IntervalTimer8254) {
        self.clock = clock
        self.timer = timer
    }

    /// Whether the guest lets counter 2 reach the loudspeaker.
    public var isSpeakerOn: Bool { stored & 0x02 != 0 }

    public func read(offset: UInt32, width: Int) -> UInt32 {
        // Counter 1 of the timer requests a refresh every 18 CLK pulses; the bit follows its flip-flop.
        let refreshes = Clock.ticks(nanoseconds: clock.now, frequency: IntervalTimer8254.frequency) / 18
        return UInt32(stored) | (refreshes & 1 == 0 ? 0 : 0x10) | (timer.speakerOutput ? 0x20 : 0)
    }

    public func write(offset: UInt32, value: UInt32, width: Int) {
        stored = UInt8(value & 0x0F)
        timer.speakerGate = value & 0x01 != 0
    }
}

/// System control port A, 0x92: fast A20 gate (bit 1) and fast reset (bit 0).
///
/// Source: IBM PS/2 Hardware Interface Technical Reference, "System Control Port A".
public final class SystemControlPortA: BusDevice {
    /// Called with the new state when bit 1 changes.
    public var onA20Change: (Bool) -> Void = { _ in }
    /// Called when bit 0 goes from 0 to 1.
    public var onReset: () -> Void = {}
    private var stored: UInt8 = 0

    public init() {}

    /// Whether this port opens address line 20.
    public var isA20Enabled: Bool { stored & 0x02 != 0 }

    public func read(offset: UInt32, width: Int) -> UInt32 { UInt32(stored) }

    public func write(offset: UInt32, value: UInt32, width: Int) {
        let changes = stored ^ UInt8(truncatingIfNeeded: value)
        stored ^= changes
        if changes & 0x02 != 0 { onA20Change(isA20Enabled) }
        if changes & stored & 0x01 != 0 { onReset() }
    }
}
