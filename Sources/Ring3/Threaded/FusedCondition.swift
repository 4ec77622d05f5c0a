import X86

/// Conditions that follow from a comparison's operands directly, in the order of the fused opcodes.
enum FusedCondition: UInt16 {
    case below, aboveOrEqual, equal, notEqual, belowOrEqual, above, sign, notSign, less, greaterOrEqual
    case lessOrEqual, greater

    /// After CMP. Overflow and parity are too rare to be worth a micro-op.
    init?(comparison condition: Condition) {
        switch condition {
        case .below: self = .below
        case .aboveOrEqual: self = .aboveOrEqual
        case .equal: self = .equal
        case .notEqual: self = .notEqual
        case .belowOrEqual: self = .belowOrEqual
        case .above: self = .above
        case .sign: self = .sign
        case .notSign: self = .notSign
        case .less: self = .less
        case .greaterOrEqual: self = .greaterOrEqual
        case .lessOrEqual: self = .lessOrEqual
        case .greater: self = .greater
        case .overflow, .notOverflow, .parity, .notParity: return nil
        }
    }
}

extension MicroOpcode {
    /// This operation and a conditional exit on its result in one, where there is such a micro-op.
    func fused(with condition: Condition) -> MicroOpcode? {
        switch self {
        case .cmp32RR: FusedCondition(comparison: condition).map { .cmp32RRBelow.advanced(by: $0.rawValue) }
        case .cmp32RI: FusedCondition(comparison: condition).map { .cmp32RIBelow.advanced(by: $0.rawValue) }
        case .test32RR: .fusedTest(condition)
        case .add32RI: condition.pick(.add32RIEqual, .add32RINotEqual)
        case .sub32RI: condition.pick(.sub32RIEqual, .sub32RINotEqual)
        case .inc32R: condition.pick(.inc32REqual, .inc32RNotEqual)
        case .dec32R: condition.pick(.dec32REqual, .dec32RNotEqual)
        case .test8RR: condition.pick(.test8RREqual, .test8RRNotEqual)
        case .cmp8RI: condition.pick(.cmp8RIEqual, .cmp8RINotEqual)
        default: nil
        }
    }

    /// TEST fused with a condition: CF and OF are clear after it.
    private static func fusedTest(_ condition: Condition) -> MicroOpcode? {
        switch condition {
        case .equal, .belowOrEqual: .test32RREqual
        case .notEqual, .above: .test32RRNotEqual
        case .sign, .less: .test32RRSign
        case .notSign, .greaterOrEqual: .test32RRNotSign
        case .lessOrEqual: .test32RRLessOrEqual
        case .greater: .test32RRGreater
        case .overflow, .notOverflow, .below, .aboveOrEqual, .parity, .notParity: nil
        }
    }
}

extension Condition {
    fileprivate func pick(_ equal: MicroOpcode, _ notEqual: MicroOpcode) -> MicroOpcode? {
        switch self {
        case .equal: equal
        case .notEqual: notEqual
        default: nil
        }
    }
}
