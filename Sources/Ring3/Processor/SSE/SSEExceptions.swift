// SIMD floating-point exceptions (SDM 1 11.5).
//
// The arithmetic unit runs with all exceptions masked; what it reports decides here whether the guest sees a result.
extension Processor {
    /// The guest's MXCSR as the arithmetic unit is to have it: exceptions masked, flags clear. PE alone may be set, where
    /// that is nothing new for the guest: most operations raise it, and raising what is raised already is faster.
    @inline(__always)
    var maskedControl: UInt32 {
        let control = pointee.sse.mxcsr
        return control & ~(MXCSR.flags & ~(control >> MXCSR.maskShift & MXCSR.precision)) | MXCSR.masks
    }

    /// MXCSR is as the host's but for flags: to nearest, denormals honoured, everything masked. Of the host's flags PE
    /// is then the guest's, and all others are clear.
    @inline(__always)
    var isControlTheHosts: Bool { pointee.sse.mxcsr & ~MXCSR.flags == MXCSR.masks }

    @inline(__always)
    private func isUnmasked(_ exceptions: UInt32) -> Bool {
        ~(pointee.sse.mxcsr >> MXCSR.maskShift) & exceptions != 0
    }

    /// Sets the flags in `report`. Throws #XM, or #UD if the system does not handle that, when one of them is unmasked:
    /// the instruction must not have changed anything yet.
    @inline(__always)
    func recordSIMD(_ report: UInt32) throws(Fault) {
        if isUnmasked(report) { try raiseSIMD(report) }
        pointee.sse.mxcsr |= report
    }

    @inline(never)
    private func raiseSIMD(_ report: UInt32) throws(Fault) {
        // An unmasked exception of this kind prevents the operation, and with it the other kind's (SDM 1 11.5.3).
        let isPrevented = isUnmasked(report & MXCSR.beforeOperation)
        pointee.sse.mxcsr |= isPrevented ? report & MXCSR.beforeOperation : report
        throw pointee.cr4 & CR4.osxmmexcpt != 0 ? Fault(Vector.simdFloatingPoint) : .invalidOpcode
    }

    /// Whether overflow or underflow is unmasked, so that the masked response does not tell the whole report.
    @inline(__always)
    var isRangeUnmasked: Bool { isUnmasked(MXCSR.overflow | MXCSR.underflow) }

    /// The control under which a lane reports unmasked underflow. That is raised by any tiny result, exact ones too,
    /// while the masked one is raised by inexact ones only; but by all if they are flushed to zero (SDM 1 4.9.1.5).
    private var tinyControl: UInt32 {
        isUnmasked(MXCSR.underflow) ? maskedControl | MXCSR.flushToZero : maskedControl
    }

    /// What a lane reports, corrected: PE goes with unmasked overflow and underflow if the significand had to be
    /// rounded, not because the result did not fit (SDM 1 4.9.1.4, 4.9.1.5).
    private func correctedReport(_ report: UInt32, isInexact: () -> Bool) -> UInt32 {
        guard isUnmasked(report & (MXCSR.overflow | MXCSR.underflow)) else { return report }
        return report & ~MXCSR.precision | (isInexact() ? MXCSR.precision : 0)
    }

    /// The report of `a op b` while overflow or underflow is unmasked.
    @inline(never)
    func rangeReport(
        _ operation: SSEArithmetic, _ x87: X87Arithmetic, _ format: SSEFormat, _ a: XMMRegister, _ b: XMMRegister
    ) -> UInt32 {
        let control = tinyControl
        let scalar: SSEFormat = format.isDouble ? .scalarDouble : .scalarSingle
        var sum: UInt32 = 0
        for n in 0..<format.lanes {
            let (x, y) = (lane(n, of: a, isDouble: format.isDouble), lane(n, of: b, isDouble: format.isDouble))
            var value = XMMRegister(x, 0)
            let report = SSEUnit.arithmetic(operation, scalar, &value, XMMRegister(y, 0), control)
            sum |= correctedReport(report) {
                SSEUnit.isInexact(x87, isDouble: format.isDouble, toSingle: false, x, y, control)
            }
        }
        return sum
    }

    /// The report of the conversion of one or two doubles to single precision while overflow or underflow is unmasked.
    @inline(never)
    func rangeReport(narrowing source: XMMRegister, lanes: Int) -> UInt32 {
        let control = tinyControl
        var sum: UInt32 = 0
        for n in 0..<lanes {
            let report = SSEUnit.convert(.doubleToSingle, XMMRegister(source[n], 0), control).report
            sum |= correctedReport(report) {
                SSEUnit.isInexact(
                    .multiply, isDouble: true, toSingle: true, source[n], (1.0 as Double).bitPattern, control)
            }
        }
        return sum
    }

    private func lane(_ n: Int, of value: XMMRegister, isDouble: Bool) -> UInt64 {
        isDouble ? value[n] : UInt64(unsafeBitCast(value, to: SIMD4<UInt32>.self)[n])
    }
}
