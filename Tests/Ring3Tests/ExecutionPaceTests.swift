import Testing

@testable import Ring3

@Suite struct ExecutionPaceTests {
    /// In slices of about `time` nanoseconds each, of a guest that executes so many instructions in a microsecond.
    private func run(_ pace: inout ExecutionPace, perMicrosecond speed: Double, time: UInt64, slices: Int) {
        for _ in 0..<slices {
            let count = pace.instructions(in: time)
            pace.executed(count, in: UInt64(Double(count) * 1000 / speed))
        }
    }

    @Test(arguments: [1, 30, 400, 4000] as [Double])
    func findsTheSpeedOfTheGuest(speed: Double) {
        var pace = ExecutionPace()
        run(&pace, perMicrosecond: speed, time: 100_000, slices: 200)
        let expected = speed * 1000
        #expect(abs(Double(pace.instructions(in: 1_000_000)) - expected) <= expected / 50 + 1000)
        #expect(pace.instructions(in: 250_000) == pace.instructions(in: 1_000_000) / 4)
    }

    /// Lateness is worse than a slice too many.
    @Test func slowsDownAtOnceAndSpeedsUpByTwo() {
        var pace = ExecutionPace()
        run(&pace, perMicrosecond: 4000, time: 100_000, slices: 200)
        pace.executed(100_000, in: 1_000_000)
        #expect(pace.instructions(in: 1000) == 100)
        pace.executed(4_000_000, in: 1_000_000)
        #expect(pace.instructions(in: 1000) == 200)
    }

    /// Of one or two microseconds a host that was elsewhere makes anything.
    @Test func shortTimesAreAddedUp() {
        var pace = ExecutionPace()
        let before = pace.instructions(in: 1_000_000)
        for _ in 0..<49 { pace.executed(10, in: 1000) }
        #expect(pace.instructions(in: 1_000_000) == before)
        pace.executed(10, in: 1000)
        #expect(pace.instructions(in: 1_000_000) == 10_000)
    }

    @Test func anythingIsAnAnswer() {
        var pace = ExecutionPace()
        #expect(pace.instructions(in: 0) == 1)
        pace.executed(0, in: .max)
        #expect(pace.instructions(in: .max) == 1_000_000)
        for _ in 0..<100 { pace.executed(.max, in: 60_000) }
        #expect(pace.instructions(in: .max) <= 1 << 40)
    }
}
