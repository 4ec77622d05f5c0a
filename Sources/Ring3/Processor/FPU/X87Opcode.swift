import X86

// The opcode of an x87 instruction, worked out from what it does: FOP is needed so rarely that instructions do not carry
// it. Where an assembler has a choice of encodings (displacement longer than needed), this is the shortest one.
extension Instruction {
    /// FOP: the low three bits of the first opcode byte (D8 to DF), and the ModR/M byte.
    var x87Opcode: UInt16 {
        let opcode = operands.0.kind == .memory ? x87MemoryForm | addressingForm : x87RegisterForm
        return opcode & 0x7FF
    }

    /// First opcode byte and, as the ModR/M byte, the opcode's digit (SDM 2D B.17).
    private var x87MemoryForm: UInt16 {
        let size = operands.0.size
        func form(_ two: UInt16, _ four: UInt16, _ eight: UInt16, _ ten: UInt16) -> UInt16 {
            size == 2 ? two : size == 4 ? four : size == 8 ? eight : ten
        }
        switch operation {
        case .fadd, .fmul, .fcom, .fcomp, .fsub, .fsubr, .fdiv, .fdivr:
            return form(0, 0xD800, 0xDC00, 0) | x87ArithmeticDigit << 3
        case .fiadd, .fimul, .ficom, .ficomp, .fisub, .fisubr, .fidiv, .fidivr:
            return form(0xDE00, 0xDA00, 0, 0) | x87ArithmeticDigit << 3
        case .fld: return form(0, 0xD900, 0xDD00, 0xDB28)
        case .fst: return form(0, 0xD910, 0xDD10, 0)
        case .fstp: return form(0, 0xD918, 0xDD18, 0xDB38)
        case .fild: return form(0xDF00, 0xDB00, 0xDF28, 0)
        case .fist: return form(0xDF10, 0xDB10, 0, 0)
        case .fistp: return form(0xDF18, 0xDB18, 0xDF38, 0)
        case .fbld: return 0xDF20
        default: return 0xDF30  // FBSTP
        }
    }

    /// First opcode byte and ModR/M byte of the register forms.
    private var x87RegisterForm: UInt16 {
        let i = UInt16(stackOperand)
        switch operation {
        case .fadd, .fmul, .fsub, .fsubr, .fdiv, .fdivr:
            if operands.0.register == 0 { return 0xD8C0 | x87ArithmeticDigit << 3 | i }
            return 0xDCC0 | x87ReversedDigit << 3 | UInt16(operands.0.register)
        case .faddp, .fmulp, .fsubp, .fsubrp, .fdivp, .fdivrp:
            return 0xDEC0 | x87ReversedDigit << 3 | UInt16(operands.0.register)
        case .fcom, .fcomp: return 0xD8C0 | x87ArithmeticDigit << 3 | i
        case .fcompp: return 0xDED9
        case .fucom: return 0xDDE0 | i
        case .fucomp: return 0xDDE8 | i
        case .fucompp: return 0xDAE9
        case .fcomi: return 0xDBF0 | i
        case .fcomip: return 0xDFF0 | i
        case .fucomi: return 0xDBE8 | i
        case .fucomip: return 0xDFE8 | i
        case .fcmovcc:
            let digit: UInt16 = [.below: 0, .equal: 1, .belowOrEqual: 2][condition.positive] ?? 3
            return (condition == condition.positive ? 0xDAC0 : 0xDBC0) | digit << 3 | i
        case .fld: return 0xD9C0 | i
        case .fxch: return 0xD9C8 | i
        case .fst: return 0xDDD0 | i
        case .fstp: return 0xDDD8 | i
        case .ffree: return 0xDDC0 | i
        case .ffreep: return 0xDFC0 | i
        default: return x87ImpliedForm
        }
    }

    /// The instructions without operands, all D9.
    private var x87ImpliedForm: UInt16 {
        let order: [Operation?] = [
            .fchs, .fabs, nil, nil, .ftst, .fxam, nil, nil, .fld1, .fldl2t, .fldl2e, .fldpi, .fldlg2, .fldln2, .fldz,
            nil,
            .f2xm1, .fyl2x, .fptan, .fpatan, .fxtract, .fprem1, .fdecstp, .fincstp, .fprem, .fyl2xp1, .fsqrt, .fsincos,
            .frndint, .fscale, .fsin, .fcos,
        ]
        guard let index = order.firstIndex(of: operation) else { return 0xD9D0 }  // FNOP
        return 0xD9E0 + UInt16(index)
    }

    private var x87ArithmeticDigit: UInt16 {
        switch operation {
        case .fadd, .faddp, .fiadd: 0
        case .fmul, .fmulp, .fimul: 1
        case .fcom, .ficom: 2
        case .fcomp, .ficomp: 3
        case .fsub, .fsubp, .fisub: 4
        case .fsubr, .fsubrp, .fisubr: 5
        case .fdiv, .fdivp, .fidiv: 6
        default: 7
        }
    }

    /// Where the destination is ST(i), FSUB and FSUBR, FDIV and FDIVR have changed places (SDM 2A, "FSUB").
    private var x87ReversedDigit: UInt16 { x87ArithmeticDigit < 4 ? x87ArithmeticDigit : x87ArithmeticDigit ^ 1 }

    /// Mod and R/M of the memory operand (SDM 2A tables 2-1 and 2-2).
    private var addressingForm: UInt16 {
        addressSize == 2 ? addressingForm16 : addressingForm32
    }

    private var addressingForm16: UInt16 {
        let bx: UInt8 = 12, bp: UInt8 = 20, si: UInt8 = 24, di: UInt8 = 28
        let pairs: [Set<UInt8>] = [[bx, si], [bx, di], [bp, si], [bp, di], [si], [di], [bp], [bx]]
        let used = Set([memory.base, memory.index]).subtracting([RegisterFile.zero])
        guard let rm = pairs.firstIndex(of: used) else { return 6 }
        return displacementForm(mayBeAbsent: used != [bp]) | UInt16(rm)
    }

    private var addressingForm32: UInt16 {
        let none = RegisterFile.zero
        let esp: UInt8 = 16, ebp: UInt8 = 20
        let hasIndexByte = memory.index != none || memory.base == esp
        if memory.base == none { return hasIndexByte ? 4 : 5 }
        let rm = hasIndexByte ? 4 : UInt16(memory.base >> 2)
        return displacementForm(mayBeAbsent: memory.base != ebp) | rm
    }

    /// Mod: no displacement, 8 bits, or the full size.
    private func displacementForm(mayBeAbsent: Bool) -> UInt16 {
        if memory.displacement == 0 && mayBeAbsent { return 0x00 }
        return Int8(exactly: Int32(bitPattern: memory.displacement)) != nil ? 0x40 : 0x80
    }
}

extension Condition {
    /// The condition of which this is the negation, or itself.
    fileprivate var positive: Condition { Condition(rawValue: rawValue & ~1) ?? self }
}
