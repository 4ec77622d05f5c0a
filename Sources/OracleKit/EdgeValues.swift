import Ring3

/// Values at which instructions go wrong: limits, sign bits, carries, special floating-point values.
enum EdgeValues {
    private static let integers: [UInt32] = {
        var values: [UInt32] = [0, 1, 2, 3, 5, 9, 10, 0x0F, 0x10, 0x1F, 0x20, 0x21, 0x3F, 0x40, 0x99, 0xFF, 0x100]
        for bits in [7, 8, 15, 16, 31] {
            let power = UInt32(1) << UInt32(bits)
            values += [power - 1, power, power + 1, 0 &- power, ~power]
        }
        values += [
            0xFFFF_FFFF, 0xFFFF_FFFE, 0x5555_5555, 0xAAAA_AAAA, 0x8000_8000, 0x0080_0080, 0x7FFF_8000, 0x00FF_00FF,
        ]
        return values
    }()

    /// One of the edges, a number with one run of ones, or just any.
    static func integer(_ random: inout SplitMix64) -> UInt32 {
        switch random.below(8) {
        case 0...3: random.pick(integers)
        case 4: random.below(256)
        case 5: (UInt32.max >> random.below(32)) << random.below(32)
        default: random.next32()
        }
    }

    /// Selectors of every kind that may be loaded, looked at or refused. Not those of the last GDT entry, in which Linux
    /// keeps the processor's number.
    static func selector(_ random: inout SplitMix64) -> UInt16 {
        random.pick([
            0, 1, 3, 0x2B, 0x2B, 0x2B, 0x63, 0x63, 0x63, 0x23, 0x33, 0x28, 0x2A, 0x60, 0x61, 0x08, 0x0B, 0x10, 0x18,
            0x1B,
            0x38, 0x40, 0x43, 0x6B, 0x73, 0x80, 0x83, 0x04, 0x07, 0x2C, 0x2F, 0x8000, 0xFFF8, 0xFFFF,
        ])
    }

    /// Selectors for CS: mostly the one of 32-bit programs. Never that of 64-bit ones, under which the host would execute
    /// another instruction set.
    static func codeSelector(_ random: inout SplitMix64) -> UInt16 {
        switch random.below(8) {
        case 0...4: return UserLayout.codeSelector
        case 5: return UserLayout.codeSelector & ~3 | UInt16(random.below(4))
        default: break
        }
        while true {
            let selector = selector(&random)
            if selector & ~3 != 0x30 { return selector }
        }
    }

    /// Where a far transfer may lead: the exit, the jump behind the transfer, HLT, or anywhere.
    static func farTarget(_ random: inout SplitMix64) -> UInt32 {
        switch random.below(8) {
        case 0, 1: UserLayout.exit
        case 2, 3, 4: UserLayout.code + farTransferEnd
        case 5: UserLayout.code + 0x1F00 + random.below(0x80)
        case 6: address(&random)
        default: integer(&random)
        }
    }

    /// Where in the code pages far transfers end, and the jump to the exit follows.
    static let farTransferEnd: UInt32 = 0x610

    /// An address where something is, or just beside.
    static func address(_ random: inout SplitMix64) -> UInt32 {
        switch random.below(32) {
        case 0...20:
            let address = UserLayout.data + random.below(UserLayout.dataSize - 32)
            return random.chance(1, 2) ? address & ~15 : address
        case 21...23: return UserLayout.data + 0x1000 &- random.below(20)
        case 24, 25: return UserLayout.constants &- random.below(20)
        case 26: return UserLayout.constants + random.below(UserLayout.constantsSize)
        case 27: return UserLayout.constants + UserLayout.constantsSize &- random.below(20)
        case 28: return UserLayout.data &- random.below(20)
        case 29, 30: return stack(&random)
        default: return random.pick([0, 4, 0xFFFE, 0x1F_FFF0, 0x7FFF_FFFC, 0x8000_0000, 0xC000_0000, 0xFFFF_0000])
        }
    }

    /// An address on the stack, seldom too near to its ends.
    static func stack(_ random: inout SplitMix64) -> UInt32 {
        let near = random.below(40)
        return switch random.below(32) {
        case 0: UserLayout.stack + near
        case 1: UserLayout.stack + UserLayout.stackSize - near
        case 2: UserLayout.stack + 0x800 + near
        default: UserLayout.stack + 0x200 + random.below(0xC00) & ~3
        }
    }

    /// 16 bytes of memory.
    static func chunk(_ random: inout SplitMix64) -> [UInt8] {
        var bytes: [UInt8] = []
        let kind = random.below(8)
        while bytes.count < 16 {
            switch kind {
            case 0, 1: bytes += littleEndian(integer(&random))
            case 2: bytes += littleEndian(address(&random))
            case 3: bytes += littleEndian(single(&random))
            case 4: bytes += littleEndian(double(&random))
            case 5:
                let value = extended(&random)
                bytes += littleEndian(value.significand) + littleEndian(UInt64(value.signExponent))
            case 6: bytes += (0..<16).map { _ in UInt8(random.below(10) << 4 | random.below(10)) }
            default: bytes += littleEndian(random.next())
            }
        }
        return bytes
    }

    /// Bits of a single-precision value.
    static func single(_ random: inout SplitMix64) -> UInt32 {
        let sign = random.below(2) << 31
        switch random.below(4) {
        case 0:
            return sign | random.pick([0, 1, 0x7F_FFFF, 0x80_0000, 0x7F7F_FFFF, 0x7F80_0000, 0x7F80_0001, 0x7FC0_0000])
        case 1:
            return sign | random.pick([0x3F80_0000, 0x4B00_0000, 0x4EFF_FFFF, 0x4F00_0000, 0x3F00_0000, 0x3FC0_0000])
        case 2: return sign | (0x7E + random.below(6)) << 23 | random.below(1 << 23)
        default: return random.next32()
        }
    }

    /// Bits of a double-precision value.
    static func double(_ random: inout SplitMix64) -> UInt64 {
        let sign = UInt64(random.below(2)) << 63
        let fraction = random.next() >> 12
        switch random.below(4) {
        case 0:
            return sign
                | random.pick([
                    0, 1, 0xF_FFFF_FFFF_FFFF, 0x10_0000_0000_0000, 0x7FEF_FFFF_FFFF_FFFF, 0x7FF0_0000_0000_0000,
                    0x7FF0_0000_0000_0001, 0x7FF8_0000_0000_0000,
                ])
        case 1:
            return sign
                | random.pick([
                    0x3FF0_0000_0000_0000, 0x3FE0_0000_0000_0000, 0x4330_0000_0000_0000, 0x41DF_FFFF_FFC0_0000,
                    0x41E0_0000_0000_0000, 0x3FF8_0000_0000_0000, 0x47EF_FFFF_F000_0000, 0x3690_0000_0000_0000,
                ])
        case 2: return sign | UInt64(0x3FE + random.below(6)) << 52 | fraction
        default: return random.next()
        }
    }

    /// A value of the x87's own format, unnormals and pseudo-denormals included (SDM 1 8.2.2).
    static func extended(_ random: inout SplitMix64) -> (significand: UInt64, signExponent: UInt16) {
        let sign = UInt16(random.below(2)) << 15
        let exponent: UInt16 = random.pick([
            0, 0, 1, 0x3C01, 0x3F81, 0x3FBE, 0x3FFE, 0x3FFF, 0x3FFF, 0x4000, 0x401E, 0x403E, 0x407E, 0x43FE, 0x7FFE,
            0x7FFF,
            0x7FFF, UInt16(0x3FF0 + random.below(0x60)), UInt16(random.below(0x8000)),
        ])
        let one: UInt64 = 1 << 63
        let fraction = random.next() >> 1
        let significand: UInt64 =
            switch random.below(16) {
            case 0: 0
            case 1: one
            case 2: one | 1
            case 3: .max
            case 4: one | 1 << 62
            case 5: 1
            case 6: 1 << 62
            case 7: fraction
            case 8: one | (fraction >> 40) << 40
            case 9: one | (fraction & 0xFF_FFFF) << 10
            default: one | fraction
            }
        return (significand, sign | exponent)
    }
}
