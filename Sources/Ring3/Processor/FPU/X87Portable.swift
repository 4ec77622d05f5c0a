#if !(arch(x86_64) || arch(i386))
    #if canImport(Darwin)
        import Darwin
    #elseif canImport(Musl)
        import Musl
    #else
        import Glibc
    #endif

    /// The arithmetic of the x87 unit on hosts without one, in double precision.
    ///
    /// Limits: results have 53 significant bits, not 64, and the exponents of double precision; precision control is
    /// ignored, rounding control applies to conversions to integers only; of the exceptions there are invalid operation
    /// and division by zero. Loads and stores of integers and extended values are exact.
    enum X87Unit {
        /// There is no unit whose flags could be mistaken for the guest's.
        static func settle() {}

        static func arithmetic(
            _ operation: X87Arithmetic, _ a: UnsafeMutablePointer<X87Register>, _ b: UnsafePointer<X87Register>,
            _ fpu: X87
        ) -> UInt16 {
            let (x, y) = (a.pointee.approximation, b.pointee.approximation)
            switch operation {
            case .add: return replace(a, x + y, from: x, y, fpu)
            case .multiply: return replace(a, x * y, from: x, y, fpu)
            case .subtract: return replace(a, x - y, from: x, y, fpu)
            case .subtractReversed: return replace(a, y - x, from: x, y, fpu)
            case .divide: return replace(a, x / y, from: x, y, fpu)
            case .divideReversed: return replace(a, y / x, from: x, y, fpu)
            case .compare, .compareUnordered:
                if x < y { return X87Status.c0 }
                if x > y { return 0 }
                if x == y { return X87Status.c3 }
                return X87Status.comparison | (operation == .compare ? X87Status.invalid : 0)
            }
        }

        static func arithmetic(
            _ operation: X87Arithmetic, _ a: UnsafeMutablePointer<X87Register>, _ format: X87Format, _ image: UInt64,
            _ fpu: X87
        ) -> UInt16 {
            var operand = load(format, X87Register(significand: image), fpu).value
            return arithmetic(operation, a, &operand, fpu)
        }

        static func load(
            _ format: X87Format, _ image: X87Register, _ fpu: X87
        ) -> (value: X87Register, report: UInt16) {
            let bits = image.significand
            switch format {
            case .single: return (X87Register(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))), 0)
            case .double: return (X87Register(Double(bitPattern: bits)), 0)
            case .extended: return (image, 0)
            case .int16: return (X87Register(integer: Int64(Int16(truncatingIfNeeded: bits))), 0)
            case .int32: return (X87Register(integer: Int64(Int32(truncatingIfNeeded: bits))), 0)
            case .int64: return (X87Register(integer: Int64(bitPattern: bits)), 0)
            case .decimal: return (X87Register(decimal: image), 0)
            }
        }

        static func store(
            _ format: X87Format, _ value: X87Register, _ fpu: X87
        ) -> (image: X87Register, report: UInt16) {
            let x = value.approximation
            switch format {
            case .single: return (X87Register(significand: UInt64(Float(x).bitPattern)), 0)
            case .double: return (X87Register(significand: x.bitPattern), 0)
            case .extended: return (value, 0)
            case .int16: return integer(x, within: -0x8000...0x7FFF, fpu)
            case .int32: return integer(x, within: -0x8000_0000...0x7FFF_FFFF, fpu)
            case .int64: return integer(x, within: .min ... .max, fpu)
            case .decimal: return decimal(x, fpu)
            }
        }

        static func constant(_ constant: X87Constant, _ fpu: X87) -> X87Register {
            switch constant {
            case .one: X87Register(1)
            case .log2of10: X87Register(log2(10))
            case .log2ofE: X87Register(1 / log(2))
            case .pi: X87Register(Double.pi)
            case .log10of2: X87Register(log10(2))
            case .lnOf2: X87Register(log(2))
            case .zero: X87Register()
            }
        }

        static func function(
            _ function: X87Function, _ a: UnsafeMutablePointer<X87Register>, _ b: UnsafeMutablePointer<X87Register>,
            _ fpu: X87
        ) -> UInt16 {
            let (x, y) = (a.pointee.approximation, b.pointee.approximation)
            switch function {
            case .f2xm1: return replace(a, exp2(x) - 1, from: x, x, fpu)
            case .fsqrt: return replace(a, x.squareRoot(), from: x, x, fpu)
            case .frndint: return replace(a, x.rounded(fpu.rounding), from: x, x, fpu)
            case .fsin: return replace(a, sin(x), from: x, x, fpu)
            case .fcos: return replace(a, cos(x), from: x, x, fpu)
            case .fscale:
                // Far beyond every exponent, and in reach of Int; a NaN scales to a NaN.
                let scale = y.isNaN ? 0 : Int(max(-0x10000, min(0x10000, y.rounded(.towardZero))))
                return replace(
                    a, Double(sign: .plus, exponent: scale, significand: x) + (y.isNaN ? y : 0), from: x, y, fpu)
            case .fyl2x: return replace(b, y * log2(x), from: x, y, fpu)
            case .fyl2xp1: return replace(b, y * log1p(x) / log(2), from: x, y, fpu)
            case .fpatan: return replace(b, atan2(y, x), from: x, y, fpu)
            case .fprem: return remainder(a, x, y, .towardZero, fpu)
            case .fprem1: return remainder(a, x, y, .toNearestOrEven, fpu)
            case .fptan:
                b.pointee = X87Register(1)
                return replace(a, tan(x), from: x, x, fpu)
            case .fsincos:
                b.pointee = X87Register(cos(x))
                return replace(a, sin(x), from: x, x, fpu)
            case .fxtract:
                b.pointee = X87Register(x.significand * (x.sign == .minus ? -1 : 1))
                return replace(a, logb(x), from: x, x, fpu)
            }
        }

        /// Stores `result`, unless an exception prevents it, and says which.
        private static func replace(
            _ place: UnsafeMutablePointer<X87Register>, _ result: Double, from x: Double, _ y: Double, _ fpu: X87
        ) -> UInt16 {
            var report: UInt16 = 0
            if result.isNaN && !x.isNaN && !y.isNaN { report = X87Status.invalid }
            if result.isInfinite && x.isFinite && y.isFinite && (x == 0 || y == 0) { report = X87Status.zeroDivide }
            if !fpu.isUnmasked(report) { place.pointee = X87Register(result) }
            return report
        }

        private static func remainder(
            _ a: UnsafeMutablePointer<X87Register>, _ x: Double, _ y: Double, _ rule: FloatingPointRoundingRule,
            _ fpu: X87
        ) -> UInt16 {
            let result =
                rule == .towardZero ? x.truncatingRemainder(dividingBy: y) : x.remainder(dividingBy: y)
            let quotient = Int64(truncatingIfNeeded: Int(exactly: ((x - result) / y).remainder(dividingBy: 8)) ?? 0) & 7
            let bits =
                (quotient & 1 != 0 ? X87Status.c1 : 0) | (quotient & 2 != 0 ? X87Status.c3 : 0)
                | (quotient & 4 != 0 ? X87Status.c0 : 0)
            return replace(a, result, from: x, y, fpu) | bits
        }

        private static func integer(
            _ x: Double, within range: ClosedRange<Int64>, _ fpu: X87
        ) -> (image: X87Register, report: UInt16) {
            guard let value = Int64(exactly: x.rounded(fpu.rounding)), range.contains(value) else {
                // The integer indefinite: the most negative one.
                return (X87Register(significand: UInt64(bitPattern: range.lowerBound)), X87Status.invalid)
            }
            return (X87Register(significand: UInt64(bitPattern: value)), 0)
        }

        private static func decimal(_ x: Double, _ fpu: X87) -> (image: X87Register, report: UInt16) {
            guard let value = Int64(exactly: x.rounded(fpu.rounding)), value.magnitude < 1_000_000_000_000_000_000
            else {
                return (X87Register(significand: 0xC000_0000_0000_0000, signExponent: 0xFFFF), X87Status.invalid)
            }
            var rest = value.magnitude
            var image = X87Register(signExponent: x.sign == .minus ? 0x8000 : 0)
            for digit in UInt64(0)..<16 {
                image.significand |= (rest % 10) << (digit * 4)
                rest /= 10
            }
            image.signExponent |= UInt16(rest % 10 | (rest / 10) << 4)
            return (image, 0)
        }
    }

    extension X87 {
        /// Rounding control (SDM 1 table 4-8).
        fileprivate var rounding: FloatingPointRoundingRule {
            switch pointee.control >> 10 & 3 {
            case 0: .toNearestOrEven
            case 1: .down
            case 2: .up
            default: .towardZero
            }
        }
    }

    extension X87Register {
        /// The nearest double; a signalling NaN for what is no number at all.
        fileprivate var approximation: Double {
            let sign: Double = signExponent >> 15 == 0 ? 1 : -1
            let exponent = Int(signExponent & 0x7FFF)
            switch kind {
            case .zero: return sign * 0
            case .infinity: return sign * .infinity
            case .unsupported: return .signalingNaN
            case .nan:
                let fraction = (significand << 1) >> 12
                return Double(bitPattern: UInt64(signExponent >> 15) << 63 | 0x7FF << 52 | fraction)
            case .normal, .denormal:
                let unscaled = Double(significand)
                return sign * Double(sign: .plus, exponent: max(exponent, 1) - 16383 - 63, significand: unscaled)
            }
        }

        fileprivate init(_ value: Double) {
            let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
            if value.isNaN {
                self.init(significand: 3 << 62 | value.bitPattern << 11, signExponent: sign | 0x7FFF)
            } else if value.isInfinite {
                self.init(significand: 1 << 63, signExponent: sign | 0x7FFF)
            } else if value == 0 {
                self.init(signExponent: sign)
            } else {
                self.init(
                    significand: UInt64(value.significand * 0x1p63),
                    signExponent: sign | UInt16(Int(value.exponent) + 16383))
            }
        }

        fileprivate init(integer value: Int64) {
            let shift = value.magnitude.leadingZeroBitCount
            self.init(
                significand: value.magnitude << UInt64(shift),
                signExponent: value == 0 ? 0 : UInt16(16383 + 63 - shift) | (value < 0 ? 0x8000 : 0))
        }

        /// 18 digits in the low 72 bits, the sign in the top one (SDM 1 4.7).
        fileprivate init(decimal image: X87Register) {
            var value = Int64(image.signExponent >> 4 & 0xF) * 10 + Int64(image.signExponent & 0xF)
            for digit in (UInt64(0)..<16).reversed() {
                value = value * 10 + Int64(image.significand >> (digit * 4) & 0xF)
            }
            self.init(integer: value)
            signExponent |= image.signExponent & 0x8000
        }
    }
#endif
