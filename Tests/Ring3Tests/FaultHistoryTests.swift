#if arch(x86_64) && os(Linux)
    import Testing

    @testable import Ring3

    @Suite struct FaultHistoryTests {
        /// Many instructions that keep faulting, whose hashes are bound to meet, and more than are kept.
        @Test(arguments: [3_000, 16_384, 20_000]) func instructionsAreToldApart(count: Int) {
            var random = SeededGenerator(seed: 9)
            var history = FaultHistory()
            var places: Set<UInt32> = []
            while places.count < count { places.insert(.random(in: 0...UInt32.max, using: &random)) }
            for place in places.sorted() {
                for time in 0..<8 as Range<UInt64> {
                    let isMonitored = history.faulted(place, at: time, on: nil, .refused, isRepeated: false)
                    #expect(isMonitored == (time == 7))
                }
            }
            let numbers = places.compactMap { history.monitored($0) }
            #expect(numbers.count == (count > 16_384 ? count - 16_384 : count))
            #expect(Set(numbers).count == numbers.count)
            for _ in 0..<1_000 {
                let place = UInt32.random(in: 0...UInt32.max, using: &random)
                if !places.contains(place) {
                    #expect(history.monitored(place) == nil && history.recentFaults(place) == 0)
                }
            }
        }
    }
#endif
