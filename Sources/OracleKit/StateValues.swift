import X86

/// Flags and floating-point state that cases start with.
enum StateValues {
    /// Status flags at will, DF now and then, AC and ID seldom; IF as programs have it.
    static func flags(_ random: inout SplitMix64) -> UInt32 {
        var flags = random.next32() & Flags.status | Flags.if | Flags.reserved1
        if random.chance(1, 4) { flags |= Flags.df }
        if random.chance(1, 32) { flags |= Flags.ac }
        if random.chance(1, 32) { flags |= Flags.id }
        return flags
    }

    static func extended(_ random: inout SplitMix64) -> ExtendedImage {
        var image = ExtendedImage()
        // Any precision and rounding; exceptions mostly masked.
        image.control = UInt16(random.below(16)) << 8 | 0x40 | (random.chance(2, 3) ? 0x3F : UInt16(random.below(0x40)))
        var status = UInt16(random.below(8)) << 11 | UInt16(random.below(16) & 7) << 8 | UInt16(random.below(2)) << 14
        if random.chance(1, 6) { status |= UInt16(random.below(0x80)) }
        // ES and B, where an exception is pending that is not masked (SDM 1 8.1.3.3).
        if status & ~image.control & 0x3F != 0 { status |= 0x8080 }
        image.status = status
        image.occupied = random.chance(3, 4) ? 0xFF : UInt8(truncatingIfNeeded: random.next32())
        for n in 0..<8 {
            let value = EdgeValues.extended(&random)
            image.setRegister(n, significand: value.significand, signExponent: value.signExponent)
        }
        image.mxcsr = UInt32(random.below(4)) << 13 | (random.chance(3, 4) ? 0x1F80 : random.below(0x40) << 7)
        if random.chance(1, 8) { image.mxcsr |= 1 << 15 }
        if random.chance(1, 8) { image.mxcsr |= 1 << 6 }
        if random.chance(1, 8) { image.mxcsr |= random.below(0x40) }
        for n in 0..<8 { image.setXMM(n, half(&random), half(&random)) }
        return image
    }

    /// Half an XMM register: integers, singles or a double.
    private static func half(_ random: inout SplitMix64) -> UInt64 {
        switch random.below(3) {
        case 0: UInt64(EdgeValues.integer(&random)) | UInt64(EdgeValues.integer(&random)) << 32
        case 1: UInt64(EdgeValues.single(&random)) | UInt64(EdgeValues.single(&random)) << 32
        default: EdgeValues.double(&random)
        }
    }
}
