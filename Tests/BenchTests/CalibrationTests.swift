import Testing

@testable import BenchKit

@Suite struct CalibrationTests {
    private let calibration = Calibration(target: 300_000_000)

    @Test func longEnough() {
        #expect(calibration.next(after: 8, cpu: 300_000_000, wall: 300_000_000) == nil)
        #expect(calibration.next(after: 8, cpu: 220_000_000, wall: 220_000_000) == nil)
        #expect(calibration.next(after: 1, cpu: 9_000_000_000, wall: 9_000_000_000) == nil)
    }

    @Test func tooShort() {
        #expect(calibration.next(after: 8, cpu: 75_000_000, wall: 75_000_000) == 32)
        #expect(calibration.next(after: 1, cpu: 200_000_000, wall: 200_000_000) == 2)
        #expect(calibration.next(after: 4, cpu: 1000, wall: 1000) == 4 * 64, "one step at a time")
        #expect(calibration.next(after: 4, cpu: 0, wall: 0) == 32, "not even measured")
    }

    /// Two milliseconds a unit, from wherever: ends near the target, at a power of two.
    @Test func converges() {
        var units = 1
        var steps = 0
        while let next = calibration.next(after: units, cpu: UInt64(units) * 2_000_000, wall: UInt64(units) * 2_000_000)
        {
            units = next
            steps += 1
        }
        #expect(units == 128)
        #expect(steps <= 4)
    }

    @Test func waitingIsNotWork() {
        #expect(calibration.next(after: 64, cpu: 1_000_000, wall: 2_000_000_000) == nil)
        let next = calibration.next(after: 64, cpu: 1_000_000, wall: 900_000_000)
        #expect(next == 128, "64 times as much would last a minute")
    }

    @Test func neverEndless() {
        #expect(calibration.next(after: Calibration.mostUnits, cpu: 0, wall: 0) == nil)
        #expect(calibration.next(after: Calibration.mostUnits / 2, cpu: 0, wall: 0) == Calibration.mostUnits)
    }
}
