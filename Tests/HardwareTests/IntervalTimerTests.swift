import Testing

@testable import Hardware

/// A timer whose time is told in CLK pulses.
private final class Bench {
    let time = ManualTime()
    let probe = LineProbe()
    lazy var timer = IntervalTimer8254(clock: time.clock, interrupt: probe.line)

    /// Moves to CLK pulse `pulse` since power-on.
    func advance(to pulse: UInt64) { time.advance(to: nanoseconds(pulse)) }
    func nanoseconds(_ pulse: UInt64) -> UInt64 {
        Clock.nanoseconds(ticks: pulse, frequency: IntervalTimer8254.frequency)
    }
    /// Control word, then the count's two bytes.
    func program(_ control: UInt32, _ counter: UInt32, _ count: UInt32) {
        timer.out(3, control)
        timer.out(counter, count & 0xFF)
        timer.out(counter, count >> 8)
    }
    func latched(_ counter: UInt32) -> Int {
        timer.out(3, counter << 6)
        return Int(timer.inb(counter)) | Int(timer.inb(counter)) << 8
    }
    func status(_ counter: UInt32) -> UInt8 {
        timer.out(3, 0xE0 | 2 << counter)
        return timer.inb(counter)
    }
}

@Suite struct IntervalTimerTests {
    @Test func mode0RisesOnceAtTerminalCount() {
        let bench = Bench()
        bench.program(0x30, 0, 100)
        #expect(!bench.probe.isAsserted)
        bench.advance(to: 51)
        #expect(bench.latched(0) == 50)
        bench.advance(to: 100)
        #expect(!bench.probe.isAsserted)
        bench.advance(to: 101)
        #expect(bench.probe.isAsserted, "N + 1 pulses after the count was written")
        bench.advance(to: 103)
        #expect(bench.latched(0) == 0xFFFE, "it counts on")
        bench.advance(to: 200_000)
        #expect(bench.probe.changes == [true])
    }

    @Test func mode0FirstByteStopsCounting() {
        let bench = Bench()
        bench.program(0x30, 0, 10)
        bench.advance(to: 5)
        bench.timer.out(0, 10)
        bench.advance(to: 100)
        #expect(!bench.probe.isAsserted)
        bench.timer.out(0, 0)
        bench.advance(to: 111)
        #expect(bench.probe.isAsserted)
    }

    @Test func mode2InterruptsEachPeriodWithoutDrift() {
        let bench = Bench()
        bench.program(0x34, 0, 11932)
        #expect(bench.probe.isAsserted)
        bench.advance(to: 1 + 11932 * 50)
        #expect(bench.probe.rises == 51)
        #expect(bench.latched(0) == 11932)
        bench.advance(to: 1 + 11932 * 51 - 1)
        #expect(bench.probe.rises == 51)
        #expect(bench.latched(0) == 1)
        #expect(bench.status(0) & 0x80 == 0, "low for the last pulse")
    }

    @Test func mode2TakesANewCountAtTheEndOfThePeriod() {
        let bench = Bench()
        bench.program(0x34, 0, 100)
        bench.advance(to: 51)
        bench.timer.out(0, 200)
        bench.timer.out(0, 0)
        #expect(bench.status(0) & 0x40 != 0, "null count")
        #expect(bench.latched(0) == 50)
        bench.advance(to: 101)
        #expect(bench.status(0) & 0x40 == 0)
        #expect(bench.probe.rises == 2)
        #expect(bench.latched(0) == 200)
        bench.advance(to: 300)
        #expect(bench.probe.rises == 2)
        bench.advance(to: 301)
        #expect(bench.probe.rises == 3)
    }

    @Test(arguments: [(8, [8, 6, 4, 2, 8, 6, 4, 2], 4), (7, [6, 4, 2, 0, 6, 4, 2], 4)])
    func mode3CountsByTwo(count: UInt32, values: [Int], high: Int) {
        let bench = Bench()
        bench.program(0x36, 0, count)
        for (pulse, value) in (values + values).enumerated() {
            bench.advance(to: UInt64(1 + pulse))
            #expect(bench.latched(0) == value)
            #expect((bench.status(0) & 0x80 != 0) == (pulse % values.count < high))
        }
    }

    @Test func mode3ChangesItsCountAtTheMiddle() {
        let bench = Bench()
        bench.program(0x36, 0, 1000)
        bench.advance(to: 100)
        bench.timer.out(0, 200)
        bench.timer.out(0, 0)
        bench.advance(to: 501)
        #expect(bench.status(0) & 0x80 == 0)
        bench.advance(to: 600)
        #expect(bench.probe.rises == 1)
        bench.advance(to: 601)
        #expect(bench.probe.rises == 2, "a low half of 100, not 500")
        bench.advance(to: 801)
        #expect(bench.probe.rises == 3)
    }

    @Test func mode4StrobesOnce() {
        let bench = Bench()
        bench.program(0x38, 0, 50)
        bench.advance(to: 51)
        #expect(bench.status(0) & 0x80 == 0)
        #expect(bench.probe.rises == 1)
        bench.advance(to: 52)
        #expect(bench.probe.rises == 2)
        bench.advance(to: 200_000)
        #expect(bench.probe.rises == 2)
    }

    @Test func mode1IsAOneShotOfTheGate() {
        let bench = Bench()
        bench.program(0xB2, 2, 100)
        #expect(bench.timer.speakerOutput)
        #expect(bench.status(2) & 0x40 != 0)
        bench.timer.speakerGate = true
        bench.advance(to: 1)
        #expect(!bench.timer.speakerOutput)
        bench.advance(to: 50)
        bench.timer.speakerGate = false
        #expect(!bench.timer.speakerOutput, "the level has no effect")
        bench.timer.speakerGate = true
        bench.advance(to: 150)
        #expect(!bench.timer.speakerOutput, "triggered again")
        bench.advance(to: 151)
        #expect(bench.timer.speakerOutput)
    }

    @Test func mode5StrobesAfterATrigger() {
        let bench = Bench()
        bench.program(0xBA, 2, 100)
        bench.advance(to: 1000)
        #expect(bench.timer.speakerOutput)
        bench.timer.speakerGate = true
        for (pulse, level) in [(1100, true), (1101, false), (1102, true)] {
            bench.advance(to: UInt64(pulse))
            #expect(bench.timer.speakerOutput == level)
        }
    }

    @Test func gatePausesMode0() {
        // How Linux calibrates the TSC: counter 2, mode 0, gate and output at port 0x61.
        let bench = Bench()
        bench.program(0xB0, 2, 100)
        bench.advance(to: 500)
        #expect(!bench.timer.speakerOutput)
        bench.timer.speakerGate = true
        bench.advance(to: 540)
        bench.timer.speakerGate = false
        bench.advance(to: 900)
        #expect(bench.latched(2) == 60)
        bench.timer.speakerGate = true
        bench.advance(to: 959)
        #expect(!bench.timer.speakerOutput)
        bench.advance(to: 960)
        #expect(bench.timer.speakerOutput)
    }

    @Test func gateRestartsMode2AndForcesOutHigh() {
        let bench = Bench()
        bench.timer.speakerGate = true
        bench.program(0xB4, 2, 100)
        bench.advance(to: 100)
        #expect(!bench.timer.speakerOutput)
        bench.timer.speakerGate = false
        #expect(bench.timer.speakerOutput)
        bench.advance(to: 150)
        bench.timer.speakerGate = true
        bench.advance(to: 151)
        #expect(bench.latched(2) == 100)
    }

    @Test func bcdCountsInDecimal() {
        let bench = Bench()
        bench.program(0x31, 0, 0x1000)
        bench.advance(to: 2)
        #expect(bench.latched(0) == 0x0999)
        bench.advance(to: 1002)
        #expect(bench.latched(0) == 0x9999)
    }

    @Test func zeroIsTheLargestCount() {
        let bench = Bench()
        bench.program(0x34, 0, 0)
        bench.advance(to: 65536)
        #expect(bench.probe.rises == 1)
        bench.advance(to: 65537)
        #expect(bench.probe.rises == 2)
    }

    @Test func singleByteAccess() {
        let bench = Bench()
        bench.timer.out(3, 0x10)
        bench.timer.out(0, 0x80)
        bench.advance(to: 1)
        #expect(bench.timer.inb(0) == 0x80)
        #expect(bench.timer.inb(0) == 0x80)
        bench.timer.out(3, 0x20)
        bench.timer.out(0, 0x80)
        bench.advance(to: 2)
        #expect(bench.timer.inb(0) == 0x80)
    }

    @Test func latchHoldsUntilRead() {
        let bench = Bench()
        bench.program(0x34, 0, 1000)
        bench.advance(to: 101)
        bench.timer.out(3, 0x00)
        bench.advance(to: 301)
        bench.timer.out(3, 0x00)
        #expect(Int(bench.timer.inb(0)) | Int(bench.timer.inb(0)) << 8 == 900)
        #expect(Int(bench.timer.inb(0)) | Int(bench.timer.inb(0)) << 8 == 700, "live again")
    }

    @Test func readBackGivesStatusThenCount() {
        let bench = Bench()
        bench.program(0x36, 0, 1000)
        bench.program(0xB0, 2, 7)
        bench.advance(to: 1)
        bench.timer.out(3, 0xCA)
        bench.advance(to: 50)
        #expect(bench.timer.inb(0) == 0xB6)
        #expect(Int(bench.timer.inb(0)) | Int(bench.timer.inb(0)) << 8 == 1000)
        #expect(bench.timer.inb(2) == 0x30)
        #expect(bench.timer.inb(3) == 0xFF)
    }

    @Test func lateHostLosesNoInterruptAndKeepsThePhase() {
        let bench = Bench()
        bench.program(0x34, 0, 1000)
        bench.time.skip(to: bench.nanoseconds(10_500))
        bench.time.clock.fireDueTimers()
        #expect(bench.probe.rises == 2, "not all at once: the guest has to answer each")
        bench.advance(to: 13_500)
        #expect(bench.probe.rises == 14, "OUT going high, and the edges at 1001 to 13001")
        #expect(bench.time.clock.nextDeadline == bench.nanoseconds(14_001))
    }

    @Test func interruptsOlderThanASecondAreGivenUp() {
        let bench = Bench()
        bench.program(0x34, 0, 10_000)
        bench.time.skip(to: bench.nanoseconds(100 * 1_193_182))
        bench.advance(to: 101 * 1_193_182)
        // 119 edges a second: those of the last second before, and of the one since.
        #expect((230...245).contains(bench.probe.rises))
    }

    @Test(arguments: [UInt32(0x34), 0x36], [UInt32(1), 2, 3]) func absurdRatesAreBounded(control: UInt32, count: UInt32)
    {
        let bench = Bench()
        bench.program(control, 0, count)
        bench.advance(to: 11_932)
        #expect(bench.probe.rises <= 500, "10 ms at most every 20 us")
    }

    /// Host time runs on between two looks at it; a one-shot that ends meanwhile must still interrupt. (It once did not,
    /// and a Linux that had programmed the shortest interval slept for ever.)
    @Test func oneShotThatEndsWhileItIsProgrammedIsNotLost() {
        var now: UInt64 = 0
        let clock = Clock {
            now += 40_000
            return now
        }
        let probe = LineProbe()
        let timer = IntervalTimer8254(clock: clock, interrupt: probe.line)
        timer.out(3, 0x38)
        timer.out(0, 15)
        timer.out(0, 0)
        #expect(clock.nextDeadline != nil)
        let before = probe.rises
        for _ in 0..<50 { clock.fireDueTimers() }
        #expect(probe.rises == before + 1)
    }

    @Test func reprogrammingDeliversADueEdgeFirst() {
        let bench = Bench()
        bench.program(0x38, 0, 50)
        bench.time.skip(to: bench.nanoseconds(60))
        bench.program(0x38, 0, 50)
        #expect(bench.probe.rises == 2)
    }
}
