/// One of the three counters of an 8254, as a function of time.
///
/// Nothing in here ticks. The state says since when the counter counts down from what; count and OUT at any CLK pulse
/// follow by arithmetic. Times are CLK pulses since power-on. Source: Intel 8254 data sheet (231164), "Mode Definitions".
struct IntervalTimerCounter {
    private enum Progress {
        /// No count was written since the control word, or (modes 1 and 5) no trigger came.
        case idle
        /// The count was, or will be, in the counting element at `origin`. In mode 3 a high half starts there.
        case running(origin: Int)
        /// GATE stopped it this many pulses after its origin.
        case paused(elapsed: Int)
    }

    /// A count that waits for the end of the period (modes 2 and 3; `due` is when) or for a trigger (modes 1 and 5).
    private struct Waiting {
        var count: Int
        var due: Int?
    }

    /// Bits 5–0 of the control word as written: RW, M, BCD.
    private var control: UInt8 = 0x30
    private var count = 0x10000
    private var progress = Progress.idle
    private var waiting: Waiting?
    /// OUT between the order to load a count and the pulse that loads it.
    private var outputBeforeLoad = true
    private(set) var gate: Bool

    /// First byte of a two-byte count.
    private var lowByte: UInt8?
    private var readsHighByte = false
    private var latchedCount: UInt16?
    private var latchedStatus: UInt8?

    init(gate: Bool) {
        self.gate = gate
    }

    private var access: UInt8 { control >> 4 & 3 }
    private var isBCD: Bool { control & 1 != 0 }
    /// 0–5; the codes 6 and 7 are modes 2 and 3 again.
    private var mode: Int {
        let code = Int(control >> 1 & 7)
        return code > 5 ? code - 4 : code
    }
    private var isPeriodic: Bool { mode == 2 || mode == 3 }
    private var isTriggered: Bool { mode == 1 || mode == 5 }
    /// Pulses of the high half in mode 3; an odd count gives its odd pulse to it.
    private var highHalf: Int { (count + 1) / 2 }
}

// MARK: Count and output at a given time

extension IntervalTimerCounter {
    /// The counter with a waiting count put in use if its time has come by `time`.
    private func settled(at time: Int) -> Self {
        guard let waiting, let due = waiting.due, due <= time, case .running(let origin) = progress else { return self }
        var settled = self
        settled.count = waiting.count
        settled.waiting = nil
        // In mode 3 a period may change at its middle: the low half then starts at `due`.
        let startsLowHalf = mode == 3 && (due - origin) % count != 0
        settled.progress = .running(origin: startsLowHalf ? due - settled.highHalf : due)
        return settled
    }

    /// Pulses since the count was loaded; negative before that, nil if nothing counts.
    private func elapsed(at time: Int) -> Int? {
        switch progress {
        case .idle: nil
        case .running(let origin): time - origin
        case .paused(let elapsed): elapsed
        }
    }

    /// OUT at `time`.
    func output(at time: Int) -> Bool {
        let now = settled(at: time)
        guard let elapsed = now.elapsed(at: time) else { return mode != 0 }
        guard elapsed >= 0 else { return outputBeforeLoad }
        switch mode {
        case 0, 1: return elapsed >= now.count
        case 2: return !gate || elapsed % now.count != now.count - 1
        case 3: return !gate || elapsed % now.count < now.highHalf
        default: return elapsed != now.count
        }
    }

    /// Next time after `time` at which OUT goes from low to high, if nobody interferes.
    func nextRise(after time: Int) -> Int? {
        let now = settled(at: time)
        guard case .running(let origin) = now.progress else { return nil }
        let end: Int
        switch mode {
        case 0, 1: end = origin + now.count
        case 4, 5: end = origin + now.count + 1
        default:
            guard now.count > 1 else { return nil }
            end = origin + (max(0, time - origin) / now.count + 1) * now.count
            if let waiting = now.waiting, let due = waiting.due, due < end { return due + waiting.count / 2 }
        }
        return end > time ? end : nil
    }

    /// The counting element, in the code (binary or BCD) that the guest chose.
    private func value(at time: Int) -> UInt16 {
        let now = settled(at: time)
        let elapsed = max(0, now.elapsed(at: time) ?? 0)
        let modulus = isBCD ? 10_000 : 0x10000
        var value: Int
        switch mode {
        case 2:
            value = now.count - elapsed % now.count
        case 3:
            // Counts by two from the even part of the count, in each half.
            let pulse = elapsed % now.count
            value = (now.count & ~1) - 2 * (pulse < now.highHalf ? pulse : pulse - now.highHalf)
        default:
            value = (now.count - elapsed) % modulus
        }
        value = (value + modulus) % modulus
        guard isBCD else { return UInt16(value) }
        return UInt16((value / 1000) << 12 | (value / 100 % 10) << 8 | (value / 10 % 10) << 4 | value % 10)
    }

    /// Read-back status: OUT, null count, and the control word.
    private func status(at time: Int) -> UInt8 {
        let now = settled(at: time)
        let isNull: Bool
        switch now.progress {
        case .idle: isNull = true
        case .running(let origin): isNull = now.waiting != nil || time < origin
        case .paused: isNull = now.waiting != nil
        }
        return (output(at: time) ? 0x80 : 0) | (isNull ? 0x40 : 0) | control
    }
}

// MARK: What the guest does

extension IntervalTimerCounter {
    /// A control word for this counter; a count must follow.
    mutating func program(_ word: UInt8) {
        control = word & 0x3F
        progress = .idle
        waiting = nil
        lowByte = nil
        readsHighByte = false
        latchedCount = nil
        latchedStatus = nil
    }

    mutating func write(_ byte: UInt8, at time: Int) {
        switch access {
        case 1: load(UInt16(byte), at: time)
        case 2: load(UInt16(byte) << 8, at: time)
        default:
            if let low = lowByte {
                lowByte = nil
                load(UInt16(byte) << 8 | UInt16(low), at: time)
            } else {
                lowByte = byte
                // "Writing the first byte disables counting. OUT is set low immediately": mode 0.
                if mode == 0 { progress = .idle }
            }
        }
    }

    private mutating func load(_ code: UInt16, at time: Int) {
        self = settled(at: time)
        var new = Int(code)
        if isBCD { new = (new >> 12) * 1000 + (new >> 8 & 15) * 100 + (new >> 4 & 15) * 10 + new & 15 }
        if new == 0 { new = isBCD ? 10_000 : 0x10000 }
        if isTriggered {
            waiting = Waiting(count: new, due: nil)
        } else if isPeriodic, case .running(let origin) = progress, time >= origin {
            waiting = Waiting(count: new, due: endOfPeriod(after: time, origin: origin))
        } else {
            outputBeforeLoad = mode != 0 && output(at: time)
            count = new
            waiting = nil
            progress = gate ? .running(origin: time + 1) : .paused(elapsed: 0)
        }
    }

    /// When a new count is taken over: the end of the period in mode 2, of the half in mode 3.
    private func endOfPeriod(after time: Int, origin: Int) -> Int {
        let pulse = (time - origin) % count
        return time - pulse + (mode == 3 && pulse < highHalf ? highHalf : count)
    }

    mutating func read(at time: Int) -> UInt8 {
        if let status = latchedStatus {
            latchedStatus = nil
            return status
        }
        let value = latchedCount ?? value(at: time)
        let high = access == 2 || access == 3 && readsHighByte
        if access == 3 { readsHighByte.toggle() }
        if access != 3 || high { latchedCount = nil }
        return UInt8(truncatingIfNeeded: high ? value >> 8 : value)
    }

    /// Holds the count for the next read; a second latch before that is ignored.
    mutating func latchCount(at time: Int) {
        latchedCount = latchedCount ?? value(at: time)
    }

    mutating func latchStatus(at time: Int) {
        latchedStatus = latchedStatus ?? status(at: time)
    }

    /// GATE: a level that permits counting in modes 0 and 4, a trigger in 1 and 5, both in 2 and 3.
    mutating func setGate(_ level: Bool, at time: Int) {
        guard level != gate else { return }
        self = settled(at: time)
        let output = output(at: time)
        gate = level
        switch (mode, progress) {
        case (1, _), (5, _):
            if level { trigger(at: time, output: output) }
        case (_, .running(let origin)):
            if !level { progress = .paused(elapsed: max(0, time - origin)) }
        case (0, .paused(let elapsed)), (4, .paused(let elapsed)):
            progress = .running(origin: time - elapsed)
        case (_, .paused):
            trigger(at: time, output: true)
        case (_, .idle):
            break
        }
    }

    private mutating func trigger(at time: Int, output: Bool) {
        guard let new = waiting?.count ?? (elapsed(at: time) == nil ? nil : count) else { return }
        outputBeforeLoad = output
        count = new
        waiting = nil
        progress = .running(origin: time + 1)
    }
}
