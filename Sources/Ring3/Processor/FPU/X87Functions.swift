// Square root, remainder, scaling and the transcendental instructions (SDM 1 8.3.5 to 8.3.9).
//
// In the functions that can leave their work undone, C2 says so: an argument out of range, a reduction incomplete. They
// clear it in every other case, faults included.
extension X87 {
    /// FSQRT, FRNDINT, F2XM1, FSIN and FCOS: ST(0) = f(ST(0)).
    func unary(_ function: X87Function) {
        let conditions = function == .fsin || function == .fcos ? X87Status.c1 | X87Status.c2 : X87Status.c1
        guard !isEmpty(0) else {
            pointee.status &= ~conditions
            return underflow(destination: 0, pops: false)
        }
        var unused = X87Register()
        record(X87Unit.function(function, st(0), &unused, self), conditions: conditions)
    }

    /// FSCALE, FPREM and FPREM1: ST(0) = f(ST(0), ST(1)).
    func binary(_ function: X87Function) {
        let isRemainder = function != .fscale
        guard !isEmpty(0), !isEmpty(1) else {
            if isRemainder { pointee.status &= ~X87Status.c2 }
            return underflow(destination: 0, pops: false)
        }
        let report = X87Unit.function(function, st(0), st(1), self)
        var conditions = X87Status.c1
        if isRemainder {
            // C0, C3 and C1 are the low bits of the quotient, if there is one.
            let hasQuotient = st(0).pointee.kind != .nan && !isUnmasked(report, X87Status.beforeOperation)
            conditions |= hasQuotient ? X87Status.conditions : X87Status.c2
        }
        record(report, conditions: conditions)
    }

    /// FYL2X, FYL2XP1 and FPATAN: ST(1) = f(ST(0), ST(1)), then pop.
    func popping(_ function: X87Function) {
        guard !isEmpty(0), !isEmpty(1) else { return underflow(destination: 1, pops: true) }
        var a = st(0).pointee
        let report = X87Unit.function(function, &a, st(1), self)
        record(report)
        if !isUnmasked(report, X87Status.beforeOperation) { pop() }
    }

    /// FPTAN, FSINCOS and FXTRACT: ST(0) = f(ST(0)), then push g(ST(0)).
    func pushing(_ function: X87Function) {
        let hasRange = function != .fxtract
        guard !isEmpty(0), hasRoom else {
            if hasRange { pointee.status &= ~X87Status.c2 }
            guard stackFault(overflow: !isEmpty(0)) else { return }
            set(0, .indefinite)
            return push(.indefinite)
        }
        var second = X87Register()
        let report = X87Unit.function(function, st(0), &second, self)
        record(report, conditions: hasRange ? X87Status.c1 | X87Status.c2 : X87Status.c1)
        let isIncomplete = hasRange && report & X87Status.c2 != 0
        if !isIncomplete && !isUnmasked(report, X87Status.beforeOperation) { push(second) }
    }
}
