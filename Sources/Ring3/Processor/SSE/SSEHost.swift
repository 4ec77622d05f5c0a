#if arch(x86_64)
    import CHost

    /// The arithmetic of the SSE unit, done by the host's own: exact by construction, approximations included.
    ///
    /// `control` is the guest's rounding, DAZ and FZ, with all exceptions masked. Every function returns the exception
    /// flags that were raised, and those set in `control`.
    enum SSEUnit {
        /// Gives the host's unit the guest's PE and no other flags: whenever the guest's MXCSR has been loaded, and before
        /// a run, for whatever the host has computed in the meantime.
        @inline(__always)
        static func settle(_ mxcsr: UInt32) { ring3_sse_settle(mxcsr) }

        /// `a = a op b`, or `op b`, for a guest whose control is the host's (`Processor.isControlTheHosts`): nothing has to be
        /// loaded.
        @inline(__always)
        static func arithmeticAsIs(
            _ operation: SSEArithmetic, _ format: SSEFormat, _ a: inout XMMRegister, _ b: XMMRegister
        ) -> UInt32 {
            var b = b
            return ring3_sse_arithmetic_as_is(operation.rawValue * 4 + format.rawValue, &a, &b)
        }

        /// `a = a op b`, or `op b`.
        @inline(__always)
        static func arithmetic(
            _ operation: SSEArithmetic, _ format: SSEFormat, _ a: inout XMMRegister, _ b: XMMRegister,
            _ control: UInt32
        ) -> UInt32 {
            var b = b
            return ring3_sse_arithmetic(operation.rawValue, format.rawValue, &a, &b, control)
        }

        /// `a` becomes all ones in the lanes where the predicate (0...7) holds, and zeros elsewhere.
        @inline(__always)
        static func compare(
            _ predicate: Int32, _ format: SSEFormat, _ a: inout XMMRegister, _ b: XMMRegister, _ control: UInt32
        ) -> UInt32 {
            var b = b
            return ring3_sse_compare(predicate, format.rawValue, &a, &b, control)
        }

        /// ZF, PF and CF of a comparison of the lowest lanes, in their places in EFLAGS.
        @inline(__always)
        static func compareToFlags(
            isQuiet: Bool, isDouble: Bool, _ a: XMMRegister, _ b: XMMRegister, _ control: UInt32
        ) -> (eflags: UInt32, report: UInt32) {
            var (a, b) = (a, b)
            var eflags: UInt32 = 0
            let report = ring3_sse_compare_flags(isQuiet ? 1 : 0, isDouble ? 1 : 0, &a, &b, &eflags, control)
            return (eflags, report)
        }

        @inline(__always)
        static func convert(
            _ conversion: SSEConversion, _ source: XMMRegister, _ control: UInt32
        ) -> (value: XMMRegister, report: UInt32) {
            var source = source
            var value = XMMRegister.zero
            let report = ring3_sse_convert(ring3_sse_conversion(conversion.rawValue), &value, &source, control)
            return (value, report)
        }

        /// Whether `a op b` would be inexact if the exponent had no limits. Both lie in the low bytes.
        static func isInexact(
            _ operation: X87Arithmetic, isDouble: Bool, toSingle: Bool, _ a: UInt64, _ b: UInt64, _ control: UInt32
        ) -> Bool {
            var (a, b) = (a, b)
            return ring3_sse_is_inexact(
                operation.rawValue, isDouble ? 1 : 0, toSingle ? 1 : 0, &a, &b, control >> 13 & 3) != 0
        }
    }
#endif
