import Testing

@testable import BenchKit

@Suite struct StatisticsTests {
    @Test func medianAndSpread() throws {
        let odd = try #require(Distribution([5, 1, 3]))
        #expect(odd.median == 3 && odd.minimum == 1 && odd.maximum == 5 && odd.count == 3)
        #expect(odd.spread == 2.0 / 3)
        let even = try #require(Distribution([4, 1, 2, 9]))
        #expect(even.median == 3)
        #expect(Distribution([2])?.spread == 0)
        #expect(Distribution([]) == nil)
    }

    @Test func geometricMeans() throws {
        let mean = try #require(geometricMean([2, 8]))
        #expect(abs(mean - 4) < 1e-12)
        #expect(geometricMean([]) == nil)
        #expect(geometricMean([1, 0]) == nil)
        #expect(geometricMean([1, .infinity]) == nil)
    }

    @Test(arguments: [
        (0.0, "0"), (0.01234, "0.0123"), (1.234, "1.23"), (9.996, "10.0"), (99.96, "100"), (123.4, "123"),
        (999.6, "1,000"), (12_345.6, "12,346"), (1_234_567, "1,234,567"), (-2.5, "-2.50"),
        (1e300, "1.00e+300"), (1e-300, "1.00e-300"), (.infinity, "-"), (.nan, "-"),
    ])
    func shortNumbers(value: Double, text: String) {
        #expect(Format.short(value) == text)
    }

    @Test func durations() {
        #expect(Format.duration(nanoseconds: 12.3) == "12.3 ns")
        #expect(Format.duration(nanoseconds: 12_300) == "12.3 µs")
        #expect(Format.duration(nanoseconds: 1e6) == "1.00 ms")
        #expect(Format.duration(nanoseconds: 2e9) == "2.00 s")
        #expect(Format.percent(0.0049) == "<1%")
        #expect(Format.percent(0.042) == "4%")
        #expect(Format.percent(1e20) == "10000000000000000000000%")
    }

    @Test func logarithmicScale() throws {
        let scale = try #require(LogScale([1.5, 80], from: 100, length: 300))
        #expect(scale.lowest == 1 && scale.highest == 100)
        #expect(abs(scale(1) - 100) < 1e-9 && abs(scale(10) - 250) < 1e-9 && abs(scale(100) - 400) < 1e-9)
        #expect(scale(0) == 100, "off the scale, but on the paper")
        #expect(scale.ticks.map(\.value) == [1, 2, 5, 10, 20, 50, 100])
        #expect(LogScale([0, -1], from: 0, length: 1) == nil)
        let single = try #require(LogScale([10], from: 0, length: 1))
        #expect(single.lowest < 10 && single.highest > 10)
    }
}
