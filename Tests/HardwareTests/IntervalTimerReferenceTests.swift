import Testing

@testable import Hardware

/// A counter that really counts: the data sheet's mode definitions, one CLK pulse after the other.
private struct TickingCounter {
    let mode: Int
    var out: Bool
    var gate: Bool
    /// Count register, and counting element (nil before it was ever loaded).
    var register = 0
    var element: Int?
    var loadsNext = false
    /// Parity of the count in use, for mode 3.
    var isOdd = false

    init(mode: Int, gate: Bool) {
        self.mode = mode
        self.gate = gate
        out = mode != 0
    }

    mutating func write(_ count: Int) {
        register = count
        switch mode {
        case 0:
            out = false
            loadsNext = true
        case 4: loadsNext = true
        case 2, 3: if element == nil { loadsNext = true }
        default: break
        }
    }

    mutating func setGate(_ level: Bool) {
        let rises = level && !gate
        gate = level
        if mode == 2 || mode == 3, !level { out = true }
        if rises, register != 0, ![0, 4].contains(mode) { loadsNext = true }
    }

    mutating func tick() {
        if loadsNext {
            loadsNext = false
            element = mode == 3 ? reload() : register
            if mode == 1 { out = false }
            if mode == 4 || mode == 5 { out = true }
            return
        }
        guard var value = element, gate || mode == 1 || mode == 5 else { return }
        switch mode {
        case 0, 1:
            value -= 1
            if value == 0 { out = true }
        case 2:
            value -= 1
            if value == 0 { value = register }
            out = value != 1
        case 3:
            value -= 2
            // The high half of an odd count spends a pulse at 0.
            if value < 0 || value == 0 && !(out && isOdd) { (out, value) = (!out, reload()) }
        default:
            value -= 1
            out = value != 0
        }
        element = value
    }

    private mutating func reload() -> Int {
        isOdd = register & 1 != 0
        return register & ~1
    }
}

@Suite struct IntervalTimerReferenceTests {
    /// Random counts and gates in every mode; OUT and, where it is defined, the count must agree at every pulse.
    @Test(arguments: 0..<6, 0..<20) func agreesWithTicking(mode: Int, seed: Int) {
        var random = Generator(state: UInt64(mode * 1000 + seed + 1))
        var counter = IntervalTimerCounter(gate: true)
        var reference = TickingCounter(mode: mode, gate: true)
        counter.program(UInt8(0x30 | mode << 1))
        for time in 0..<3000 {
            if time > 0 { reference.tick() }
            #expect(counter.output(at: time) == reference.out, "OUT at \(time)")
            if let element = reference.element, !reference.loadsNext, reference.gate {
                var copy = counter
                let read = Int(copy.read(at: time)) | Int(copy.read(at: time)) << 8
                #expect(read == element & 0xFFFF, "count at \(time)")
            }
            switch random.next() % 40 {
            case 0:
                let count = 2 + Int(random.next() % 90)
                counter.write(UInt8(count), at: time)
                counter.write(0, at: time)
                reference.write(count)
            case 1:
                counter.setGate(!reference.gate, at: time)
                reference.setGate(!reference.gate)
            default: break
            }
        }
    }
}

/// The same numbers in every run (xorshift64).
private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
