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
    /// TEST fused with a condition: CF and OF are clear after it.
    static func fusedTest(_ condition: Condition) -> MicroOpcode? {
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
