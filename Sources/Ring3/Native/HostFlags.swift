import X86

/// How the host's flags may differ from the shared semantics' at some point of a block, where the manual leaves flags
/// undefined and processors differ (SDM 1 appendix A).
///
/// The guest must see the same on every engine, so the difference is made up for wherever somebody can look: by the
/// monitor where it takes over, by emitted code where a block is left.
enum HostFlagDebt: Equatable {
    /// Nothing: the flags are the guest's.
    case none
    /// AF must be clear: after a shift.
    case adjust
    /// The same, if CL, unchanged since, is a count that is not zero.
    case adjustIfCounted
    /// After a multiplication whose low half is in that register (offset in the register file), unchanged since: SF and PF
    /// follow it, ZF and AF are clear.
    case product(UInt8)
}

extension HostFlagDebt {
    /// The debt behind an emitted instruction of that effect that found this one.
    func after(_ effect: HostFlagEffect) -> HostFlagDebt {
        switch effect {
        case .none, .uses: self
        case .defines, .scan, .doubleShift(_?): .none
        // It may do nothing, by a count of zero. Whatever else can be lacking has been made good.
        case .doubleShift(nil): self
        case .shift: .adjust
        case .countedShift: self == .adjust ? .adjust : .adjustIfCounted
        case .multiply(let register): register.map { .product($0) } ?? .none
        }
    }
}

/// What an instruction does with the host's flags, as far as its values make no difference.
enum HostFlagUse: UInt8 {
    /// See `HostFlagEffect`.
    case none, defines, uses
    /// `HostFlagEffect.multiply`, a whole one.
    case product
    /// It depends on values, or is anything else.
    case varies

    init(_ i: Instruction) {
        switch i.operation {
        // CF stays behind INC and DEC, which is defined whatever came before.
        case .add, .adc, .sub, .sbb, .and, .or, .xor, .cmp, .test, .neg, .cmpxchg, .xadd, .inc, .dec, .fcomi, .fcomip,
            .fucomi, .fucomip, .comiss, .comisd, .ucomiss, .ucomisd:
            self = .defines
        case .rol, .ror, .rcl, .rcr, .cmpxchg8b, .bt, .bts, .btr, .btc, .clc, .stc, .cmc, .setcc, .cmovcc, .jcc,
            .fcmovcc:
            self = .uses
        case .mul, .imul: self = i.operandSize == 4 ? .product : .varies
        case .scas, .cmps, .shl, .shr, .sar, .bsf, .bsr, .shld, .shrd: self = .varies
        default: self = .none
        }
    }

    /// Whether what the flags lack before it, they may still lack behind.
    var mayPass: Bool { self == .none || self == .uses }
}

/// What an instruction does with the host's flags.
enum HostFlagEffect {
    /// Neither reads nor writes them.
    case none
    /// Defines all six, or AF in the way both agree on; what it reads is defined.
    case defines
    /// Reads or changes some, but not AF.
    case uses
    /// A shift by a constant that is not zero.
    case shift
    /// A shift by CL.
    case countedShift
    /// A multiplication with its low half in that register; nil if that is not a whole one.
    case multiply(UInt8?)
    /// BSF, BSR: no saying what any but ZF will be.
    case scan
    /// SHLD, SHRD, by that count if it is a constant within the size: no saying what AF will be, nor OF but for a count of one.
    case doubleShift(UInt32?)

    init(_ i: Instruction) {
        switch HostFlagUse(i) {
        case .none: self = .none
        case .defines: self = .defines
        case .uses: self = .uses
        case .product: self = .multiply(i.productRegister)
        case .varies: self.init(varying: i)
        }
    }

    private init(varying i: Instruction) {
        switch i.operation {
        case .scas, .cmps: self = i.isRepeated ? .uses : .defines
        case .shl, .shr, .sar:
            guard i.operands.1.kind == .register else {
                self = i.immediate & 31 == 0 ? .none : .shift
                return
            }
            self = .countedShift
        case .mul, .imul: self = .multiply(nil)
        case .bsf, .bsr: self = .scan
        case .shld, .shrd:
            let count = i.immediate & 31
            // CF is undefined, too, beyond the size.
            guard i.operands.2.kind == .immediate, i.operandSize == 4 || count <= 16 else {
                self = .doubleShift(nil)
                return
            }
            self = count == 0 ? .none : .doubleShift(count)
        default: self = .none
        }
    }
}

extension Instruction {
    /// Where in the register file the low half goes of what MUL and IMUL of 32 bits make.
    var productRegister: UInt8 { operation == .mul || operands.1.kind == .none ? 0 : operands.0.register }

    /// ROL or ROR by a constant: reads no flag, and changes CF and OF at most.
    var isConstantRotation: Bool { (operation == .rol || operation == .ror) && operands.1.kind == .immediate }
}

#if arch(x86_64) && os(Linux)
    extension NativeInstruction {
        /// Whether this leaves registers but its destination, and all flags, alone: a plain move.
        func isMove(sparing register: UInt8) -> Bool {
            switch instruction.operation {
            case .nop: return true
            case .push: return register != 16
            case .mov, .movzx, .movsx, .lea:
                let destination = instruction.operands.0
                return destination.kind == .memory
                    || destination.kind == .register && destination.register & 0x1C != register
            default: return false
            }
        }

        /// Whether the monitor takes over before this in any case, and makes good what the flags lack before it does anything.
        var paysDebts: Bool { isMonitored || role == .callout }

        /// Whether the monitor may take over before this, and look at flags and registers: it may fault, or is the monitor's
        /// anyway.
        var mayBeTheMonitors: Bool { isMonitored || role != .straight || instruction.mayFault }
    }
#endif

extension Processor {
    /// Pays a debt: makes the flags, just taken over from the host, the guest's.
    func settle(_ debt: HostFlagDebt) {
        switch debt {
        case .none: break
        case .adjust: pointee.status = StatusFlags(image: pointee.status.image & ~Flags.af)
        case .adjustIfCounted: if pointee.ecx & 31 != 0 { settle(.adjust) }
        case .product(let place):
            setProductFlags(low: register(place, as: UInt32.self), isWide: pointee.status.cf)
        }
    }
}
