/// Repeatable random numbers (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
package struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
        // Seeds that differ by one must not have the same numbers, one place on.
        state = next()
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    mutating func next32() -> UInt32 { UInt32(truncatingIfNeeded: next()) }

    /// 0 ..< `bound`. The bias of the remainder does not matter here; speed does.
    mutating func below(_ bound: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: ((next() >> 32) &* UInt64(bound)) >> 32)
    }

    mutating func chance(_ times: UInt32, _ of: UInt32) -> Bool { below(of) < times }

    mutating func pick<T>(_ values: [T]) -> T { values[Int(below(UInt32(values.count)))] }
}
