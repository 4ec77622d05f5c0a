// Arithmetic and comparison on the register stack (SDM 1 8.3.3 and 8.3.6).
extension X87 {
    /// ST(`d`) = ST(`d`) op ST(`s`); then pops, if the instruction does.
    @inline(__always)
    func arithmetic(_ operation: X87Arithmetic, destination d: UInt8, source s: UInt8, pops: Bool) {
        guard !isEmpty(d), !isEmpty(s) else { return underflow(destination: d, pops: pops) }
        let report = X87Unit.arithmetic(operation, st(d), st(s), self)
        record(report)
        if pops, !isUnmasked(report, X87Status.beforeOperation) { pop() }
    }

    /// ST(0) = ST(0) op the memory operand in the low bytes of `image`.
    @inline(__always)
    func arithmetic(_ operation: X87Arithmetic, _ format: X87Format, _ image: UInt64) {
        guard !isEmpty(0) else { return underflow(destination: 0, pops: false) }
        record(X87Unit.arithmetic(operation, st(0), format, image, self))
    }

    /// The response of arithmetic to an empty operand: if masked, the indefinite value as the result.
    func underflow(destination d: UInt8, pops: Bool) {
        guard stackFault(overflow: false) else { return }
        set(d, .indefinite)
        if pops { pop() }
    }

    /// Compares ST(0) with ST(`s`), then pops `pops` registers. Returns the result as C3, C2 and C0 give it.
    func compare(_ operation: X87Arithmetic, with s: UInt8, pops: UInt8) -> UInt16 {
        guard !isEmpty(0), !isEmpty(s) else { return unordered(pops: pops) }
        return finishComparison(X87Unit.arithmetic(operation, st(0), st(s), self), pops: pops)
    }

    /// Compares ST(0) with the memory operand in the low bytes of `image`.
    func compare(_ format: X87Format, _ image: UInt64, pops: UInt8) -> UInt16 {
        guard !isEmpty(0) else { return unordered(pops: pops) }
        return finishComparison(X87Unit.arithmetic(.compare, st(0), format, image, self), pops: pops)
    }

    /// FTST: compares ST(0) with zero.
    func compareWithZero() -> UInt16 {
        guard !isEmpty(0) else { return unordered(pops: 0) }
        var zero = X87Register()
        return finishComparison(X87Unit.arithmetic(.compare, st(0), &zero, self), pops: 0)
    }

    /// An unmasked exception keeps a comparison from popping, but not from delivering its result.
    private func finishComparison(_ report: UInt16, pops: UInt8) -> UInt16 {
        record(report, conditions: 0)
        if !isUnmasked(report, X87Status.beforeOperation) { for _ in 0..<pops { pop() } }
        return report & X87Status.comparison
    }

    /// With an empty register the result is "unordered".
    private func unordered(pops: UInt8) -> UInt16 {
        if stackFault(overflow: false) { for _ in 0..<pops { pop() } }
        return X87Status.comparison
    }

    /// Puts the result of a comparison into C3, C2 and C0, and clears C1.
    @inline(__always) func setConditions(_ result: UInt16) {
        pointee.status = pointee.status & ~X87Status.conditions | result
    }

    /// FXAM: classifies ST(0) in C3, C2 and C0, its sign in C1 (SDM 1 table 8-6). Empty registers have a sign, too.
    func examine() {
        let value = st(0).pointee
        var conditions: UInt16 = value.signExponent >> 15 != 0 ? X87Status.c1 : 0
        switch isEmpty(0) ? nil : value.kind {
        case nil: conditions |= X87Status.c3 | X87Status.c0
        case .unsupported: break
        case .nan: conditions |= X87Status.c0
        case .normal: conditions |= X87Status.c2
        case .infinity: conditions |= X87Status.c2 | X87Status.c0
        case .zero: conditions |= X87Status.c3
        case .denormal: conditions |= X87Status.c3 | X87Status.c2
        }
        setConditions(conditions)
    }

    /// FABS and FCHS: replaces the sign of ST(0). Neither looks at the value.
    func changeSign(_ change: (UInt16) -> UInt16) {
        guard !isEmpty(0) else { return underflow(destination: 0, pops: false) }
        st(0).pointee.signExponent = change(st(0).pointee.signExponent)
        clearC1()
    }
}

/// The classes of values that FXAM and the tag word tell apart.
enum X87Kind {
    case unsupported, nan, normal, infinity, zero, denormal
}

extension X87Register {
    var kind: X87Kind {
        let hasIntegerBit = significand >> 63 != 0
        switch signExponent & 0x7FFF {
        case 0: return significand == 0 ? .zero : .denormal
        // Pseudo-infinities, pseudo-NaNs and unnormals: no integer bit where there should be one (SDM 1 8.2.2).
        case _ where !hasIntegerBit: return .unsupported
        case 0x7FFF: return significand << 1 == 0 ? .infinity : .nan
        default: return .normal
        }
    }
}
