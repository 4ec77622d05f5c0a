#if arch(x86_64)
    import X86

    @testable import Ring3

    /// Random x87 states, dense where the format has edges.
    struct FPUStates {
        private var generator: SplitMix

        init(seed: UInt64) { generator = SplitMix(state: seed) }

        /// A whole state: mostly full stack, no exception pending.
        mutating func image() -> NativeFPU.Image {
            // One state in four has unmasked exceptions.
            let masks = chance(4) ? UInt16(next(64)) : 0x3F
            let conditions = UInt16(next(8)) << 8 | UInt16(next(2)) << 14
            let top = next(8)
            var tags: UInt16 = 0
            for n in 0..<8 where chance(5) { tags |= 3 << (n * 2) }
            // Every other stack has room for one more.
            if chance(2) { tags |= 3 << ((top + 7) % 8 * 2) }
            var image = NativeFPU.Image(
                control: masks | 0x40 | UInt16(next(16)) << 8,
                status: UInt16(next(64)) & masks | conditions | UInt16(top) << 11, tags: tags)
            image[12] = UInt32(truncatingIfNeeded: generator.next())
            image[18] = UInt16(next(0x800))
            image[20] = UInt32(truncatingIfNeeded: generator.next())
            for n in 0..<8 { image.setST(n, value()) }
            return image
        }

        /// Bytes for a memory operand, and some more behind it.
        mutating func operand(for instruction: Instruction) -> [UInt8] {
            guard instruction.operands.0.kind == .memory else { return [] }
            var bytes = [UInt8](repeating: 0, count: 16)
            switch instruction.operation {
            case .fldenv, .frstor, .fnstenv, .fnsave, .fldcw:
                bytes = randomBytes(128)
            case .fxsave, .fxrstor:
                bytes = randomBytes(512)
                // MXCSR at reset; reserved bits there would fault on the host.
                for (n, byte) in [0x80, 0x1F, 0, 0].enumerated() { bytes[24 + n] = UInt8(byte) }
            case .fbld:
                for n in 0..<9 { bytes[n] = UInt8(next(10) << 4 | next(10)) }
                bytes[9] = chance(2) ? 0x80 : 0
            default:
                let image = self.image(ofSize: instruction.operands.0.size)
                withUnsafeBytes(of: image.significand.littleEndian) { bytes.replaceSubrange(0..<8, with: $0) }
                withUnsafeBytes(of: image.signExponent.littleEndian) { bytes.replaceSubrange(8..<10, with: $0) }
            }
            return bytes
        }

        private mutating func randomBytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(next(256)) } }

        mutating func flags() -> UInt32 { UInt32(next(4096)) & 0x8D5 }

        private mutating func image(ofSize size: UInt8) -> X87Register {
            guard size == 4 || size == 8, !chance(4) else { return value() }
            let (exponentBits, fractionBits) = size == 4 ? (8, 23) : (11, 52)
            let limit = 1 << exponentBits
            let exponent = pick([0, 0, 1, 2, limit - 1, limit - 2, limit / 2])
            let fraction = self.fraction() >> UInt64(64 - fractionBits)
            let sign = UInt64(next(2)) << UInt64(exponentBits + fractionBits)
            return X87Register(significand: sign | UInt64(exponent) << UInt64(fractionBits) | fraction)
        }

        /// Zeros, denormals and pseudo-denormals, unnormals, pseudo-infinities, infinities, QNaNs and SNaNs, the smallest
        /// and largest numbers, and some whose sums, products and quotients lie halfway between two results.
        static let edges: [X87Register] = {
            let one: UInt64 = 1 << 63
            let positive: [(UInt16, UInt64)] = [
                (0, 0), (0, 1), (0, one - 1), (0, one), (0, .max), (1, one), (1, .max), (0x3FFE, one - 1), (0x3FFF, 0),
                (0x7FFF, 0), (0x7FFF, 1), (0x7FFF, one), (0x7FFF, one | 1), (0x7FFF, one | one >> 1),
                (0x7FFF, .max), (0x7FFE, .max), (0x7FFE, one), (0x3FFF, one), (0x3FFF, one | 1), (0x3FFF, .max),
                (0x3FFE, one), (0x3FBF, one), (0x3FC0, one), (0x3FC0, one | 1), (0x3FE7, one), (0x3FCA, one),
                (0x3FFF, one | 1 << 39), (0x3FFF, one | 3 << 39), (0x3FFF, one | 1 << 10), (0x3FFF, one | 3 << 10),
            ]
            return positive.flatMap { exponent, significand in
                [0, 0x8000].map { X87Register(significand: significand, signExponent: exponent | $0) }
            }
        }()

        /// Any of the classes of SDM 1 tables 4-3 and 8-3, or something in the range where integers, halfway cases and
        /// the limits of the memory formats are.
        mutating func value() -> X87Register {
            let sign = UInt16(next(2)) << 15
            var exponent: Int
            switch next(8) {
            case 0: exponent = pick([0, 0, 0x7FFF])
            case 1: exponent = pick([1, 2, 63, 64, 65, 0x7FFE, 0x7FFD])
            // Around the limits of single and double precision.
            case 2:
                exponent = 16382 + next(3) + pick([-149, -127, -126, 127, 128, -1074, -1023, -1022, 1023, 1024])
            // Around those of 16-, 32- and 64-bit integers.
            case 3: exponent = 16383 + pick([14, 15, 30, 31, 59, 60, 62, 63, 64])
            case 4: exponent = next(0x8000)
            default: exponent = 16383 + next(12) - 6
            }
            // Unnormals and their kin are rare; denormals have no integer bit.
            let integerBit: UInt64 = (exponent == 0) != chance(16) ? 0 : 1 << 63
            return X87Register(
                significand: integerBit | fraction() >> 1, signExponent: sign | UInt16(exponent & 0x7FFF))
        }

        /// 64 bits: none, all, one, a run from the top, or anything.
        private mutating func fraction() -> UInt64 {
            switch next(8) {
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
        private mutating func pick(_ values: [Int]) -> Int { values[next(values.count)] }
    }

    /// SplitMix64 (Steele, Lea, Flood, 2014): the same states on every run.
    struct SplitMix {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
            return z ^ z >> 31
        }
    }
#endif
