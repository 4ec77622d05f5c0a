import X86

// Execution of x87 instructions: what is checked before each, and which does what.
extension Processor {
    @inline(__always) var fpu: X87 {
        withUnsafeMutablePointer(to: &pointee.fpu) { $0 }
    }

    /// Before a run: of the flags of the host's floating-point units, which do the guest's arithmetic, none must be one
    /// that the guest does not have, whatever the host or another guest has computed in the meantime.
    @inline(__always)
    func settleUnits() {
        X87Unit.settle()
        SSEUnit.settle(pointee.sse.mxcsr)
    }

    /// Executes any of the x87 instructions, WAIT, FXSAVE or FXRSTOR.
    ///
    /// Operands are as in the SDM: arithmetic names both registers, destination first; everything else that works on
    /// some ST(i) names it last. Throws #NM, #MF, and what access to the memory operand throws; the unit's state is then
    /// as before.
    ///
    /// With CR0.NE clear, `ferr` follows ES. The real processor then stops before the next waiting instruction until
    /// the interrupt has come (SDM 1 8.7.2); this one executes it, as a processor does whose IGNNE# is asserted.
    func executeX87(_ i: InstructionPointer) throws(Fault) {
        if let (operation, pops) = i.pointee.operation.x87Arithmetic {
            try checkX87()
            try arithmeticX87(i, operation, pops: pops)
            return updateFloatingPointError()
        }
        switch i.pointee.operation {
        case .wait, .fninit, .fnclex, .fldcw, .fnstcw, .fnstsw, .fldenv, .fnstenv, .frstor, .fnsave, .fxsave, .fxrstor:
            try executeX87Control(i)
        default:
            try checkX87()
            try executeTransfer(i)
        }
        updateFloatingPointError()
    }

    /// Drives FERR#, which the chipset turns into IRQ 13: an unmasked exception is pending and CR0.NE is clear.
    @inline(__always)
    func updateFloatingPointError() {
        let isPending = fpu.pointee.status & X87Status.summary != 0 && pointee.cr0 & CR0.ne == 0
        guard isPending != pointee.ferr else { return }
        pointee.ferr = isPending
        pointee.platform.takeUnretainedValue().floatingPointError(isPending)
    }

    /// #NM if there is no unit or another task's state is in it (SDM 3A 2.5, table 2-2).
    @inline(__always)
    func checkX87Available() throws(Fault) {
        if pointee.cr0 & (CR0.em | CR0.ts) != 0 { throw .deviceNotAvailable }
    }

    /// The checks before every instruction that waits for pending exceptions: #NM, then #MF (SDM 1 8.6).
    @inline(__always)
    func checkX87() throws(Fault) {
        try checkX87Available()
        try checkX87Pending()
    }

    @inline(__always)
    func checkX87Pending() throws(Fault) {
        if fpu.pointee.status & X87Status.summary != 0, pointee.cr0 & CR0.ne != 0 { throw .floatingPoint }
    }

    /// Notes the instruction as the last one that was not a control instruction (SDM 1 8.1.8).
    @inline(__always)
    func noteX87(_ i: InstructionPointer) {
        fpu.pointee.lastInstruction = i.pointee
        fpu.pointee.instructionOffset = pointee.instructionStart
        fpu.pointee.instructionSelector = pointee.cs.selector
    }

    /// Notes the instruction and the address of its memory operand.
    @inline(__always)
    func noteX87(_ i: InstructionPointer, operand offset: UInt32) {
        noteX87(i)
        fpu.pointee.dataOffset = offset
        fpu.pointee.dataSelector = segment(i.pointee.memory.segment).pointee.selector
    }
}

// Which operation is which function.
extension Processor {
    /// Data transfer; everything else goes on to `executeArithmetic`.
    private func executeTransfer(_ i: InstructionPointer) throws(Fault) {
        let size = i.pointee.operands.0.size
        switch i.pointee.operation {
        case .fld where i.pointee.operands.0.kind == .memory: try loadX87(i, X87Format(realOfSize: size))
        case .fld: onStack(i) { $0.load($1) }
        case .fild: try loadX87(i, X87Format(integerOfSize: size))
        case .fbld: try loadX87(i, .decimal)
        case .fst where i.pointee.operands.0.kind == .memory: try storeX87(i, X87Format(realOfSize: size), pops: false)
        case .fstp where i.pointee.operands.0.kind == .memory: try storeX87(i, X87Format(realOfSize: size), pops: true)
        case .fst: onStack(i) { $0.store($1, pops: false) }
        case .fstp: onStack(i) { $0.store($1, pops: true) }
        case .fist: try storeX87(i, X87Format(integerOfSize: size), pops: false)
        case .fistp: try storeX87(i, X87Format(integerOfSize: size), pops: true)
        case .fbstp: try storeX87(i, .decimal, pops: true)
        case .fxch: onStack(i) { $0.exchange($1) }
        case .fcmovcc: onStack(i) { $0.move($1, if: holdsX87(i.pointee.condition)) }
        case .fld1: pushConstant(i, .one)
        case .fldl2t: pushConstant(i, .log2of10)
        case .fldl2e: pushConstant(i, .log2ofE)
        case .fldpi: pushConstant(i, .pi)
        case .fldlg2: pushConstant(i, .log10of2)
        case .fldln2: pushConstant(i, .lnOf2)
        case .fldz: pushConstant(i, .zero)
        default: try executeArithmetic(i)
        }
    }

    /// Integer arithmetic and comparison; everything else goes on to `executeFunction`.
    private func executeArithmetic(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operation {
        case .fiadd: try arithmeticX87(i, .add, isInteger: true)
        case .fimul: try arithmeticX87(i, .multiply, isInteger: true)
        case .fisub: try arithmeticX87(i, .subtract, isInteger: true)
        case .fisubr: try arithmeticX87(i, .subtractReversed, isInteger: true)
        case .fidiv: try arithmeticX87(i, .divide, isInteger: true)
        case .fidivr: try arithmeticX87(i, .divideReversed, isInteger: true)
        case .fcom: try compareX87(i, .compare, pops: 0)
        case .fcomp: try compareX87(i, .compare, pops: 1)
        case .ficom: try compareX87(i, .compare, pops: 0, isInteger: true)
        case .ficomp: try compareX87(i, .compare, pops: 1, isInteger: true)
        case .fucom: try compareX87(i, .compareUnordered, pops: 0)
        case .fucomp: try compareX87(i, .compareUnordered, pops: 1)
        case .fcompp: try compareX87(i, .compare, pops: 2)
        case .fucompp: try compareX87(i, .compareUnordered, pops: 2)
        case .fcomi: compareToFlags(i, .compare, pops: 0)
        case .fcomip: compareToFlags(i, .compare, pops: 1)
        case .fucomi: compareToFlags(i, .compareUnordered, pops: 0)
        case .fucomip: compareToFlags(i, .compareUnordered, pops: 1)
        case .ftst: onStack(i) { $0.setConditions($0.compareWithZero()) }
        case .fxam: onStack(i) { $0.examine() }
        case .fabs: onStack(i) { $0.changeSign { $0 & 0x7FFF } }
        case .fchs: onStack(i) { $0.changeSign { $0 ^ 0x8000 } }
        default: try executeFunction(i)
        }
    }

    /// Functions and stack management.
    private func executeFunction(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operation {
        case .fsqrt: onStack(i) { $0.unary(.fsqrt) }
        case .frndint: onStack(i) { $0.unary(.frndint) }
        case .f2xm1: onStack(i) { $0.unary(.f2xm1) }
        case .fsin: onStack(i) { $0.unary(.fsin) }
        case .fcos: onStack(i) { $0.unary(.fcos) }
        case .fscale: onStack(i) { $0.binary(.fscale) }
        case .fprem: onStack(i) { $0.binary(.fprem) }
        case .fprem1: onStack(i) { $0.binary(.fprem1) }
        case .fyl2x: onStack(i) { $0.popping(.fyl2x) }
        case .fyl2xp1: onStack(i) { $0.popping(.fyl2xp1) }
        case .fpatan: onStack(i) { $0.popping(.fpatan) }
        case .fptan: onStack(i) { $0.pushing(.fptan) }
        case .fsincos: onStack(i) { $0.pushing(.fsincos) }
        case .fxtract: onStack(i) { $0.pushing(.fxtract) }
        case .fincstp: onStack(i) { $0.turn(1) }
        case .fdecstp: onStack(i) { $0.turn(7) }
        case .ffree: onStack(i) { $0.free($1) }
        case .ffreep: onStack(i) { $0.freeAndPop($1) }
        case .fnop: noteX87(i)
        default: throw .invalidOpcode
        }
    }
}

extension Operation {
    /// Which arithmetic on reals, and whether it pops; nil if this is none.
    @inline(__always)
    var x87Arithmetic: (operation: X87Arithmetic, pops: Bool)? {
        switch self {
        case .fadd: (.add, false)
        case .fmul: (.multiply, false)
        case .fsub: (.subtract, false)
        case .fsubr: (.subtractReversed, false)
        case .fdiv: (.divide, false)
        case .fdivr: (.divideReversed, false)
        case .faddp: (.add, true)
        case .fmulp: (.multiply, true)
        case .fsubp: (.subtract, true)
        case .fsubrp: (.subtractReversed, true)
        case .fdivp: (.divide, true)
        case .fdivrp: (.divideReversed, true)
        default: nil
        }
    }
}
