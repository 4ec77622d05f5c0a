import X86

// Data transfer between registers, and the constants (SDM 1 8.3.1, 8.3.2 and 8.3.4).
extension X87 {
    /// Pushes `value`; or, if there is no room, signals overflow and pushes the indefinite value if that is masked.
    func pushChecked(_ value: X87Register) {
        guard hasRoom else {
            if stackFault(overflow: true) { push(.indefinite) }
            return
        }
        clearC1()
        push(value)
    }

    /// FLD, FILD, FBLD from memory: pushes the value of `image`.
    func load(_ format: X87Format, _ image: X87Register) {
        guard hasRoom else { return pushChecked(.indefinite) }
        if format == .double, let value = X87Register(normalDouble: image.significand) {
            clearC1()
            return push(value)
        }
        let (value, report) = X87Unit.load(format, image, self)
        record(report)
        // Not even an unmasked denormal exception prevents a load.
        if !isUnmasked(report, X87Status.invalid) { push(value) }
    }

    /// FLD ST(`i`).
    func load(_ i: UInt8) {
        guard !isEmpty(i) else {
            if stackFault(overflow: false) { push(.indefinite) }
            return
        }
        pushChecked(st(i).pointee)
    }

    /// FST and FSTP ST(`i`).
    func store(_ i: UInt8, pops: Bool) {
        guard !isEmpty(0) else { return underflow(destination: i, pops: pops) }
        set(i, st(0).pointee)
        clearC1()
        if pops { pop() }
    }

    /// FXCH ST(`i`).
    func exchange(_ i: UInt8) {
        clearC1()
        if isEmpty(0) || isEmpty(i) {
            guard stackFault(overflow: false) else { return }
            if isEmpty(0) { set(0, .indefinite) }
            if isEmpty(i) { set(i, .indefinite) }
        }
        let value = st(0).pointee
        st(0).pointee = st(i).pointee
        st(i).pointee = value
    }

    /// FCMOVcc ST(0), ST(`i`), the condition being `isTrue`.
    func move(_ i: UInt8, if isTrue: Bool) {
        guard !isEmpty(0), !isEmpty(i) else { return underflow(destination: 0, pops: false) }
        if isTrue { st(0).pointee = st(i).pointee }
    }

    /// FFREE ST(`i`).
    func free(_ i: UInt8) {
        setEmpty(i)
        clearC1()
    }

    /// FFREEP ST(`i`), which the SDM does not list but every processor since the 8087 has.
    func freeAndPop(_ i: UInt8) {
        free(i)
        pop()
    }

    /// FINCSTP and FDECSTP: moves TOP by `count`; tags stay with the physical registers.
    func turn(_ count: UInt8) {
        clearC1()
        rotate(count)
    }
}

extension X87Register {
    /// The value of a double that is normal or zero, for which the wider format has the same bits and no exception is
    /// possible; nil for others.
    @inline(__always)
    init?(normalDouble image: UInt64) {
        let exponent = UInt16(truncatingIfNeeded: image >> 52) & 0x7FF
        let sign = UInt16(truncatingIfNeeded: image >> 48) & 0x8000
        if exponent &- 1 < 0x7FE {
            // Exponents are biased by 1023 and 16383.
            self.init(significand: image << 11 | 1 << 63, signExponent: sign | (exponent + 15360))
        } else if image << 1 == 0 {
            self.init(significand: 0, signExponent: sign)
        } else {
            return nil
        }
    }
}
