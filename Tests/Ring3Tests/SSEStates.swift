#if arch(x86_64)
    import X86

    @testable import Ring3

    /// Random SSE states, dense where the formats have edges.
    struct SSEStates {
        private var generator: SplitMix

        init(seed: UInt64) { generator = SplitMix(state: seed) }

        /// A whole state, with no x87 exception pending.
        mutating func image() -> NativeSSE.Image {
            var image = NativeSSE.Image()
            image.control = 0x37F
            image.status = UInt16(next(0x8000)) & 0x7F3F
            image.occupied = UInt8(next(256))
            image.mxcsr = control()
            for n in 0..<8 {
                image.setST(n, X87Register(significand: register().x, signExponent: UInt16(next(0x10000))))
                image.setXMM(n, register())
            }
            return image
        }

        mutating func general() -> NativeSSE.General {
            NativeSSE.General(
                eax: register().x & 0xFFFF_FFFF, ecx: register().x & 0xFFFF_FFFF, flags: generator.next() & 0x8D5)
        }

        mutating func operand() -> [UInt8] {
            (0..<2).flatMap { _ in withUnsafeBytes(of: register()) { [UInt8]($0) } }
        }

        /// Every rounding, DAZ and FZ on or off, any flags; one state in four with unmasked exceptions.
        private mutating func control() -> UInt32 {
            let masks: UInt32 = chance(4) ? UInt32(next(64)) : 0x3F
            let rounding = UInt32(next(4)) << 13
            let denormals = UInt32(next(2)) << 15 | UInt32(next(2)) << 6
            return masks << 7 | rounding | denormals | UInt32(next(64))
        }

        private mutating func register() -> XMMRegister {
            switch next(6) {
            case 0: XMMRegister(generator.next(), generator.next())
            case 1: XMMRegister(integers(), integers())
            // Small numbers, as shift counts are.
            case 2: XMMRegister(UInt64(next(80)), UInt64(next(80)))
            case 3: XMMRegister(double(), double())
            default: XMMRegister(single() | single() << 32, single() | single() << 32)
            }
        }

        /// Lanes of one size with extreme values.
        private mutating func integers() -> UInt64 {
            let width = 8 << next(3)
            let (sign, all) = (UInt64(1) << UInt64(width - 1), UInt64.max >> UInt64(64 - width))
            let extremes: [UInt64] = [0, 1, sign, all, all ^ sign]
            var lanes: UInt64 = 0
            for _ in 0..<64 / width { lanes = lanes << UInt64(width) | extremes[next(5)] }
            return lanes
        }

        private mutating func single() -> UInt64 { number(exponentBits: 8, fractionBits: 23) }
        private mutating func double() -> UInt64 { number(exponentBits: 11, fractionBits: 52) }

        /// Any class of number, or something in the range of small numbers, 32-bit integers and the limits of singles.
        private mutating func number(exponentBits: Int, fractionBits: Int) -> UInt64 {
            let top = 1 << exponentBits - 1
            let bias = top / 2
            let exponent: Int
            switch next(6) {
            case 0: exponent = [0, 0, top, 1][next(4)]
            case 1: exponent = [1, 2, top - 1, top - 2, fractionBits, bias / 2, bias / 2 * 3][next(7)]
            case 2: exponent = min(max(bias + next(3) - 1 + [-149, -126, 126, 127, 30, 31, 23][next(7)], 0), top)
            case 3: exponent = next(top + 1)
            default: exponent = bias + next(8) - 4
            }
            let sign = UInt64(next(2)) << UInt64(exponentBits + fractionBits)
            let fraction = fraction() >> UInt64(64 - fractionBits)
            return sign | UInt64(exponent) << UInt64(fractionBits) | fraction
        }

        /// 64 bits: none, all, one, a run from the top, or anything.
        private mutating func fraction() -> UInt64 {
            switch next(7) {
            case 0, 1: 0
            case 2: .max
            case 3: 1 << UInt64(next(64))
            case 4: ~(UInt64.max >> UInt64(next(64)))
            case 5: UInt64(1) << 63
            default: generator.next()
            }
        }

        private mutating func next(_ bound: Int) -> Int { Int(generator.next() % UInt64(bound)) }
        private mutating func chance(_ oneIn: Int) -> Bool { next(oneIn) == 0 }
    }

    extension SSEStates {
        /// Zero, denormals, the smallest and largest normal numbers, one and its neighbours, halfway cases, infinity, QNaN
        /// and SNaN, of either sign.
        static let singles: [UInt64] =
            ([
                0, 1, 0x40_0000, 0x7F_FFFF, 0x80_0000, 0x80_0001, 0xFF_FFFF, 0x100_0000, 0x7F7F_FFFF, 0x7F00_0000,
                0x3F80_0000, 0x3F80_0001, 0x3F7F_FFFF, 0x3F00_0000, 0x3F00_0001, 0x4000_0000, 0x4040_0000, 0x3380_0000,
                0x3380_0001, 0x4B00_0001, 0x4F00_0000, 0x4EFF_FFFF, 0x7F80_0000, 0x7F80_0001, 0x7FC0_0000, 0x7FC0_1234,
            ] as [UInt64]).flatMap { [$0, $0 | 0x8000_0000] }

        static let doubles: [UInt64] =
            ([
                0, 1, 0x0008_0000_0000_0000, 0x000F_FFFF_FFFF_FFFF, 0x0010_0000_0000_0000, 0x0010_0000_0000_0001,
                0x001F_FFFF_FFFF_FFFF, 0x0020_0000_0000_0000, 0x7FEF_FFFF_FFFF_FFFF, 0x7FE0_0000_0000_0000,
                0x3FF0_0000_0000_0000, 0x3FF0_0000_0000_0001, 0x3FEF_FFFF_FFFF_FFFF,
                0x3FE0_0000_0000_0000, 0x3FE0_0000_0000_0001, 0x4000_0000_0000_0000, 0x3CA0_0000_0000_0000,
                0x3CA0_0000_0000_0001, 0x36A0_0000_0000_0000, 0x3690_0000_0000_0001, 0x380F_FFFF_FFFF_FFFF,
                0x47EF_FFFF_F000_0000, 0x41DF_FFFF_FFC0_0000, 0x41DF_FFFF_FFE0_0000, 0x7FF0_0000_0000_0000,
                0x7FF0_0000_0000_0001, 0x7FF8_0000_0000_0000, 0x7FF8_0000_0000_1234,
            ] as [UInt64]).flatMap { [$0, $0 | 1 << 63] }
    }
#endif
