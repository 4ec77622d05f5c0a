import X86

/// What an instruction does with the six status flags.
struct FlagEffects {
    /// Flags it may read.
    var read: UInt32 = 0
    /// Flags that have a defined value after it whatever they were before, or that it may leave undefined.
    var written: UInt32 = 0
    /// Flags the manual leaves undefined.
    var undefined: UInt32 = 0
}

/// The table of undefined flags: SDM 1 appendix A, and the instructions' own pages in SDM 2.
///
/// It is the only thing that hides a difference in EFLAGS.
enum FlagTable {
    private static let (cf, pf, af) = (Flags.cf, Flags.pf, Flags.af)
    private static let (zf, sf, of) = (Flags.zf, Flags.sf, Flags.of)

    /// - Parameter cl: CL before the instruction, where it is known; otherwise any count is possible.
    static func effects(of i: Instruction, cl: UInt8?) -> FlagEffects {
        switch i.operation {
        case .add, .sub, .cmp, .neg, .xadd, .cmpxchg: FlagEffects(written: Flags.status)
        case .adc, .sbb: FlagEffects(read: cf, written: Flags.status)
        case .inc, .dec: FlagEffects(written: Flags.status & ~cf)
        case .and, .or, .xor, .test: FlagEffects(written: Flags.status, undefined: af)
        case .mul, .imul: FlagEffects(written: Flags.status, undefined: sf | zf | af | pf)
        case .div, .idiv: FlagEffects(written: Flags.status, undefined: Flags.status)
        case .aaa, .aas: FlagEffects(read: af, written: Flags.status, undefined: of | sf | zf | pf)
        case .aam, .aad: FlagEffects(written: Flags.status, undefined: of | af | cf)
        case .daa, .das: FlagEffects(read: af | cf, written: Flags.status, undefined: of)
        case .shl, .shr, .sar, .shld, .shrd, .rol, .ror, .rcl, .rcr: shift(i, count: count(i, cl: cl))
        case .bt, .bts, .btr, .btc: FlagEffects(written: Flags.status & ~zf, undefined: of | sf | af | pf)
        case .bsf, .bsr: FlagEffects(written: Flags.status, undefined: cf | of | sf | af | pf)
        case .cmpxchg8b, .arpl, .lar, .lsl, .verr, .verw: FlagEffects(written: zf)
        case .clc, .stc: FlagEffects(written: cf)
        case .cmc: FlagEffects(read: cf, written: cf)
        case .sahf: FlagEffects(written: Flags.status & ~of)
        case .popf: FlagEffects(written: Flags.status)
        case .lahf, .pushf, .int, .int1, .int3: FlagEffects(read: Flags.status)
        case .salc: FlagEffects(read: cf)
        case .into: FlagEffects(read: Flags.status)
        case .jcc, .setcc, .cmovcc, .fcmovcc: FlagEffects(read: read(by: i.condition))
        case .loope, .loopne: FlagEffects(read: zf)
        case .cmps, .scas:
            // With a count of zero, or a fault in the first repetition, nothing is written.
            FlagEffects(written: i.isRepeated ? 0 : Flags.status)
        case .fcomi, .fcomip, .fucomi, .fucomip, .comiss, .ucomiss, .comisd, .ucomisd:
            FlagEffects(written: Flags.status)
        default: FlagEffects()
        }
    }

    private static func read(by condition: Condition) -> UInt32 {
        switch condition {
        case .overflow, .notOverflow: of
        case .below, .aboveOrEqual: cf
        case .equal, .notEqual: zf
        case .belowOrEqual, .above: cf | zf
        case .sign, .notSign: sf
        case .parity, .notParity: pf
        case .less, .greaterOrEqual: sf | of
        case .lessOrEqual, .greater: sf | of | zf
        }
    }

    /// Shift count, as far as known: an immediate, one, or CL.
    private static func count(_ i: Instruction, cl: UInt8?) -> UInt32? {
        let operand = i.operation == .shld || i.operation == .shrd ? i.operands.2 : i.operands.1
        switch operand.kind {
        case .immediate: return i.immediate & 0x1F
        case .register: return cl.map { UInt32($0 & 0x1F) }
        default: return 1
        }
    }

    /// Nothing changes if the count is 0; an unknown one may be any.
    private static func shift(_ i: Instruction, count: UInt32?) -> FlagEffects {
        let bits = UInt32(i.operandSize) * 8
        let isRotate = [.rol, .ror, .rcl, .rcr].contains(i.operation)
        let read = i.operation == .rcl || i.operation == .rcr ? cf : 0
        guard count != 0 else { return FlagEffects(read: read) }
        let isOne = count == 1
        var undefined: UInt32 = isOne ? 0 : of
        if !isRotate { undefined |= af }
        // Shifted out beyond the operand: CF is undefined (SDM 2B, "SAL/SAR/SHL/SHR"), though not for SAR.
        let mayExceed = count.map { $0 >= bits } ?? (bits < 32)
        if mayExceed, i.operation == .shl || i.operation == .shr { undefined |= cf }
        if let count, count > bits, i.operation == .shld || i.operation == .shrd { undefined = Flags.status }
        let written = isRotate ? cf | of : Flags.status
        return FlagEffects(read: read, written: count == nil ? 0 : written, undefined: undefined)
    }
}
