#if !arch(x86_64)
    /// The arithmetic of the SSE unit on hosts without one.
    ///
    /// Limits: rounding control applies to conversions to integers only, everything else rounds to nearest; DAZ and FZ
    /// are ignored; of the exceptions there are invalid operation and division by zero; RCPPS and RSQRTPS give all bits
    /// of their format, not twelve. NaNs propagate as SDM 1 table 4-7 has it.
    enum SSEUnit {
        /// There is no unit whose flags could be mistaken for the guest's.
        static func settle(_ mxcsr: UInt32) {}

        static func arithmeticAsIs(
            _ operation: SSEArithmetic, _ format: SSEFormat, _ a: inout XMMRegister, _ b: XMMRegister
        ) -> UInt32 { arithmetic(operation, format, &a, b, MXCSR.masks) }

        static func arithmetic(
            _ operation: SSEArithmetic, _ format: SSEFormat, _ a: inout XMMRegister, _ b: XMMRegister,
            _ control: UInt32
        ) -> UInt32 {
            format.isDouble
                ? lanes(format, &a, b, SIMD2<UInt64>.self) {
                    compute(operation, Double(bitPattern: $0), Double(bitPattern: $1))
                }
                : lanes(format, &a, b, SIMD4<UInt32>.self) {
                    compute(operation, Float(bitPattern: $0), Float(bitPattern: $1))
                }
        }

        static func compare(
            _ predicate: Int32, _ format: SSEFormat, _ a: inout XMMRegister, _ b: XMMRegister, _ control: UInt32
        ) -> UInt32 {
            format.isDouble
                ? lanes(format, &a, b, SIMD2<UInt64>.self) {
                    let (holds, report) = holds(predicate, Double(bitPattern: $0), Double(bitPattern: $1))
                    return (holds ? .max : 0, report)
                }
                : lanes(format, &a, b, SIMD4<UInt32>.self) {
                    let (holds, report) = holds(predicate, Float(bitPattern: $0), Float(bitPattern: $1))
                    return (holds ? .max : 0, report)
                }
        }

        static func compareToFlags(
            isQuiet: Bool, isDouble: Bool, _ a: XMMRegister, _ b: XMMRegister, _ control: UInt32
        ) -> (eflags: UInt32, report: UInt32) {
            func single(_ value: XMMRegister) -> Float { Float(bitPattern: UInt32(truncatingIfNeeded: value.x)) }
            return isDouble
                ? order(Double(bitPattern: a.x), Double(bitPattern: b.x), isQuiet: isQuiet)
                : order(single(a), single(b), isQuiet: isQuiet)
        }

        static func convert(
            _ conversion: SSEConversion, _ source: XMMRegister, _ control: UInt32
        ) -> (value: XMMRegister, report: UInt32) {
            let words = unsafeBitCast(source, to: SIMD4<UInt32>.self)
            var result = SIMD4<UInt32>.zero
            var report: UInt32 = 0
            let rule: FloatingPointRoundingRule = conversion.isTruncating ? .towardZero : rounding(control)
            switch conversion {
            case .int32ToSingle:
                for n in 0..<4 { result[n] = Float(Int32(bitPattern: words[n])).bitPattern }
            case .singleToInt32, .singleToInt32Truncating:
                for n in 0..<4 { result[n] = integer(Float(bitPattern: words[n]), rule, &report) }
            case .doubleToInt32, .doubleToInt32Truncating:
                for n in 0..<2 { result[n] = integer(Double(bitPattern: source[n]), rule, &report) }
            case .doubleToSingle:
                for n in 0..<2 {
                    let value = Double(bitPattern: source[n])
                    if value.isSignalingNaN { report |= MXCSR.invalid }
                    result[n] = Float(value).bitPattern
                }
            case .int32ToDouble:
                return (words.lowHalf.bits { Double(Int32(bitPattern: $0)) }, 0)
            case .singleToDouble:
                let values = words.lowHalf
                for n in 0..<2 where Float(bitPattern: values[n]).isSignalingNaN { report |= MXCSR.invalid }
                return (values.bits { Double(Float(bitPattern: $0)) }, report)
            }
            return (unsafeBitCast(result, to: XMMRegister.self), report)
        }

        /// There is no overflow and no underflow here that this could tell more of.
        static func isInexact(
            _ operation: X87Arithmetic, isDouble: Bool, toSingle: Bool, _ a: UInt64, _ b: UInt64, _ control: UInt32
        ) -> Bool { false }

        /// Replaces the lanes of `a` that the format has by those that `body` makes of both registers' lanes.
        private static func lanes<V: SIMD>(
            _ format: SSEFormat, _ a: inout XMMRegister, _ b: XMMRegister, _ type: V.Type,
            _ body: (V.Scalar, V.Scalar) -> (value: V.Scalar, report: UInt32)
        ) -> UInt32 {
            var x = unsafeBitCast(a, to: V.self)
            let y = unsafeBitCast(b, to: V.self)
            var sum: UInt32 = 0
            for n in 0..<format.lanes {
                let (value, report) = body(x[n], y[n])
                x[n] = value
                sum |= report
            }
            a = unsafeBitCast(x, to: XMMRegister.self)
            return sum
        }

        private static func compute<Real: SSEReal>(
            _ operation: SSEArithmetic, _ x: Real, _ y: Real
        ) -> (value: Real.Bits, report: UInt32) {
            let report = x.isSignalingNaN || y.isSignalingNaN ? MXCSR.invalid : 0
            let quiet = Real.Bits(1) << Real.Bits(Real.significandBitCount - 1)
            switch operation {
            case .reciprocal: return y.isNaN ? (y.bitPattern | quiet, 0) : ((1 / y).bitPattern, 0)
            case .reciprocalSquareRoot:
                if y.isNaN { return (y.bitPattern | quiet, 0) }
                return y < 0 ? ((-Real.nan).bitPattern, 0) : ((1 / y.squareRoot()).bitPattern, 0)
            case .squareRoot:
                if y.isNaN { return (y.bitPattern | quiet, y.isSignalingNaN ? MXCSR.invalid : 0) }
                return y < 0 ? ((-Real.nan).bitPattern, MXCSR.invalid) : (y.squareRoot().bitPattern, 0)
            case .minimum: return (x < y ? x.bitPattern : y.bitPattern, x.isNaN || y.isNaN ? MXCSR.invalid : 0)
            case .maximum: return (x > y ? x.bitPattern : y.bitPattern, x.isNaN || y.isNaN ? MXCSR.invalid : 0)
            case .add, .subtract, .multiply, .divide: break
            }
            if x.isNaN { return (x.bitPattern | quiet, report) }
            if y.isNaN { return (y.bitPattern | quiet, report) }
            let result =
                switch operation {
                case .add: x + y
                case .subtract: x - y
                case .multiply: x * y
                default: x / y
                }
            if result.isNaN { return ((-Real.nan).bitPattern, MXCSR.invalid) }
            let dividesByZero = operation == .divide && y == 0 && x.isFinite
            return (result.bitPattern, dividesByZero ? MXCSR.zeroDivide : 0)
        }

        /// The predicates of CMPPS (SDM 2A table 3-7): bit 2 negates.
        private static func holds<Real: SSEReal>(
            _ predicate: Int32, _ x: Real, _ y: Real
        ) -> (holds: Bool, report: UInt32) {
            let isUnordered = x.isNaN || y.isNaN
            let isOrdering = predicate & 3 == 1 || predicate & 3 == 2
            let isInvalid = x.isSignalingNaN || y.isSignalingNaN || isUnordered && isOrdering
            let holds =
                switch predicate & 3 {
                case 0: x == y
                case 1: x < y
                case 2: x <= y
                default: isUnordered
                }
            return (holds != (predicate & 4 != 0), isInvalid ? MXCSR.invalid : 0)
        }

        private static func order<Real: SSEReal>(
            _ x: Real, _ y: Real, isQuiet: Bool
        ) -> (eflags: UInt32, report: UInt32) {
            guard !x.isNaN, !y.isNaN else {
                let isInvalid = !isQuiet || x.isSignalingNaN || y.isSignalingNaN
                return (0x45, isInvalid ? MXCSR.invalid : 0)  // ZF, PF and CF
            }
            return (x == y ? 0x40 : x < y ? 0x01 : 0, 0)
        }

        private static func rounding(_ control: UInt32) -> FloatingPointRoundingRule {
            switch control >> 13 & 3 {
            case 0: .toNearestOrEven
            case 1: .down
            case 2: .up
            default: .towardZero
            }
        }

        /// A 32-bit integer, or the integer indefinite.
        private static func integer<Real: SSEReal>(
            _ value: Real, _ rule: FloatingPointRoundingRule, _ report: inout UInt32
        ) -> UInt32 {
            if let integer = Int32(exactly: value.rounded(rule)) { return UInt32(bitPattern: integer) }
            report |= MXCSR.invalid
            return 0x8000_0000
        }
    }

    extension SSEConversion {
        fileprivate var isTruncating: Bool { self == .singleToInt32Truncating || self == .doubleToInt32Truncating }
    }

    extension SIMD2<UInt32> {
        fileprivate func bits(_ convert: (UInt32) -> Double) -> SIMD2<UInt64> {
            SIMD2<UInt64>(convert(x).bitPattern, convert(y).bitPattern)
        }
    }

    /// `Float` and `Double` as bits.
    private protocol SSEReal: BinaryFloatingPoint {
        associatedtype Bits: FixedWidthInteger
        var bitPattern: Bits { get }
    }
    extension Float: SSEReal {}
    extension Double: SSEReal {}
#endif
