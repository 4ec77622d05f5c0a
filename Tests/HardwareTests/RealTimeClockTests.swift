import Testing

@testable import Hardware

private let second: UInt64 = 1_000_000_000

private final class Bench {
    let time = ManualTime()
    let probe = LineProbe()
    let clock: RealTimeClock146818

    /// Starts on Thursday, 2024-02-29 23:59:58 UTC.
    init(startDate: Int = 1_709_251_198, memorySize: Int = 64 << 20) {
        clock = RealTimeClock146818(
            clock: time.clock, interrupt: probe.line, startDate: startDate, memorySize: memorySize)
    }

    subscript(register: UInt32) -> UInt8 {
        get {
            clock.out(0, register)
            return clock.inb(1)
        }
        set {
            clock.out(0, register)
            clock.out(1, UInt32(newValue))
        }
    }
    /// Century, year, month, day, weekday, hour, minute, second.
    var date: [UInt8] { [0x32, 9, 8, 7, 6, 4, 2, 0].map { self[$0] } }
}

@Suite struct RealTimeClockTests {
    @Test func leapDayEndsInMarch() {
        let bench = Bench()
        #expect(bench.date == [0x20, 0x24, 0x02, 0x29, 5, 0x23, 0x59, 0x58])
        bench.time.advance(by: 2 * second)
        #expect(bench.date == [0x20, 0x24, 0x03, 0x01, 6, 0x00, 0x00, 0x00])
    }

    @Test func binaryAndTwelveHours() {
        let bench = Bench()
        bench[0x0B] = 0x04
        #expect(bench.date == [20, 24, 2, 29, 5, 0x80 | 11, 59, 58])
        bench.time.advance(by: 2 * second)
        #expect(bench[4] == 12, "midnight is 12 AM")
        bench.time.advance(by: 12 * 3600 * second)
        #expect(bench[4] == 0x80 | 12)
        bench[0x0B] = 0x00
        #expect(bench[4] == 0x80 | 0x12)
    }

    @Test(arguments: [
        (0, [0x19, 0x70, 0x01, 0x01, 5]), (951_782_400, [0x20, 0x00, 0x02, 0x29, 3]),
        (4_107_542_400, [0x21, 0x00, 0x03, 0x01, 2]), (253_402_300_799, [0x99, 0x99, 0x12, 0x31, 6]),
    ]) func dates(start: Int, date: [UInt8]) {
        #expect(Array(Bench(startDate: start).date.prefix(5)) == date)
    }

    @Test func extremeStartDatesAreClamped() {
        #expect(Bench(startDate: .min).date.prefix(2) == [0x00, 0x01])
        #expect(Bench(startDate: .max).date.prefix(2) == [0x99, 0x99])
    }

    @Test func calendarRoundTrips() {
        for days in stride(from: 0, to: 3_650_000, by: 97) {
            let seconds = days * 86400 + days % 86400
            #expect(CalendarTime(seconds: seconds).seconds == seconds)
        }
    }

    @Test func setStopsTheRegistersAndStartsFromThem() {
        let bench = Bench()
        bench[0x0B] = 0x82
        bench.time.advance(by: 10 * second)
        #expect(bench[0] == 0x58)
        for (register, value) in [(0x32, 0x19), (9, 0x99), (8, 0x12), (7, 0x31), (4, 0x23), (2, 0x59), (0, 0x59)] {
            bench[UInt32(register)] = UInt8(value)
        }
        bench[0x0B] = 0x02
        #expect(bench.date == [0x19, 0x99, 0x12, 0x31, 6, 0x23, 0x59, 0x59])
        bench.time.advance(by: second)
        #expect(bench.date == [0x20, 0x00, 0x01, 0x01, 7, 0x00, 0x00, 0x00])
    }

    @Test func dividerResetRestartsHalfASecondBeforeTheUpdate() {
        let bench = Bench()
        bench.time.advance(by: second / 4)
        bench[0x0A] = 0x76
        bench.time.advance(by: 5 * second)
        #expect(bench[0] == 0x58)
        bench[0x0A] = 0x26
        bench.time.advance(by: second / 2 - 1)
        #expect(bench[0] == 0x58)
        bench.time.advance(by: 1)
        #expect(bench[0] == 0x59)
    }

    @Test func singleRegistersCanBeSetWhileRunning() {
        let bench = Bench()
        bench[4] = 0x05
        #expect(bench.date == [0x20, 0x24, 0x02, 0x29, 5, 0x05, 0x59, 0x58])
    }

    @Test func updateInProgressBeforeEachSecond() {
        let bench = Bench()
        #expect(bench[0x0A] == 0x26)
        bench.time.advance(to: second - 2_228_000)
        #expect(bench[0x0A] == 0xA6)
        #expect(bench[0] == 0x58)
        bench.time.advance(to: second)
        #expect(bench[0x0A] == 0x26)
        bench[0x0B] = 0x82
        bench.time.advance(to: 2 * second - 1)
        #expect(bench[0x0A] == 0x26, "no update while SET")
    }

    @Test func updateEndedInterrupt() {
        let bench = Bench()
        bench[0x0B] = 0x12
        bench.time.advance(to: second - 1)
        #expect(!bench.probe.isAsserted)
        bench.time.advance(to: second)
        #expect(bench.probe.isAsserted)
        #expect(bench[0x0C] == 0xD0, "the periodic flag is set as well, but not enabled")
        #expect(!bench.probe.isAsserted)
        #expect(bench[0x0C] == 0)
        bench.time.advance(to: 2 * second)
        #expect(bench.probe.rises == 2)
        bench[0x0B] = 0x92
        #expect(bench[0x0B] == 0x82, "SET clears UIE")
    }

    @Test func flagsAreSetWithoutBeingEnabled() {
        let bench = Bench()
        bench.time.advance(to: second)
        #expect(bench[0x0C] == 0x50)
        #expect(bench.probe.changes.isEmpty)
    }

    @Test func periodicInterruptKeepsItsPhase() {
        let bench = Bench()
        bench[0x0B] = 0x42
        var count = 0
        while bench.time.now < second {
            bench.time.advance(by: 100_000)
            if bench.probe.isAsserted {
                count += 1
                #expect(bench[0x0C] & 0xC0 == 0xC0)
            }
        }
        #expect((1023...1024).contains(count))
    }

    @Test func unansweredInterruptCostsNothing() {
        let bench = Bench()
        bench[0x0A] = 0x23
        bench[0x0B] = 0x72
        bench.time.advance(by: second)
        #expect(bench.time.clock.nextDeadline == nil)
        #expect(bench.probe.rises == 1)
    }

    @Test func alarmOnceADay() {
        let bench = Bench()
        (bench[1], bench[3], bench[5]) = (0x05, 0x00, 0x00)
        bench[0x0B] = 0x22
        bench.time.advance(to: 7 * second - 1)
        #expect(!bench.probe.isAsserted)
        bench.time.advance(to: 7 * second)
        #expect(bench.probe.isAsserted)
        #expect(bench[0x0C] & 0xA0 == 0xA0)
        bench.time.advance(to: (86400 + 7) * second - 1)
        #expect(!bench.probe.isAsserted)
        bench.time.advance(to: (86400 + 7) * second)
        #expect(bench.probe.isAsserted)
    }

    @Test func alarmWildcardsAndImpossibleAlarms() {
        let bench = Bench()
        (bench[1], bench[3], bench[5]) = (0x30, 0xFF, 0xC0)
        bench[0x0B] = 0x22
        bench.time.advance(to: 32 * second)
        #expect(bench[0x0C] & 0x20 != 0)
        bench.time.advance(to: 92 * second)
        #expect(bench[0x0C] & 0x20 != 0)
        bench[1] = 0x7F
        bench.time.advance(by: 200_000 * second)
        #expect(bench[0x0C] & 0x20 == 0)
    }

    @Test func memoryIsTold() {
        let bench = Bench(memorySize: 256 << 20)
        #expect(
            [0x15, 0x16, 0x17, 0x18, 0x30, 0x31, 0x34, 0x35].map { bench[$0] } == [0x80, 2, 255, 255, 255, 255, 0, 15])
        let small = Bench(memorySize: 512 << 10)
        #expect([0x15, 0x16, 0x17, 0x18, 0x34, 0x35].map { small[$0] } == [0, 2, 0, 0, 0, 0])
    }

    @Test func indexPortMasksNMIAndIsWriteOnly() {
        let bench = Bench()
        #expect(!bench.clock.isNMIMasked)
        bench.clock.out(0, 0x8D)
        #expect(bench.clock.isNMIMasked)
        #expect(bench.clock.inb(0) == 0xFF)
        #expect(bench.clock.inb(1) == 0x80)
        bench[0x7F] = 0x5A
        #expect(bench[0x7F] == 0x5A)
        #expect(!bench.clock.isNMIMasked)
    }

    @Test func nonsenseInEveryRegisterDoesNotTrap() {
        let bench = Bench()
        for value in [0x00, 0xFF, 0x7F, 0xAA] as [UInt8] {
            for register in 0..<128 as Range<UInt32> {
                bench[register] = value
                bench.time.advance(by: second / 3)
                _ = bench.date
            }
            bench[0x0A] = 0x2F
            bench[0x0B] = 0x72
            bench.time.advance(by: 3 * second)
            _ = bench[0x0C]
        }
    }
}
