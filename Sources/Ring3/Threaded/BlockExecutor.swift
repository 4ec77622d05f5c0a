import X86

extension ThreadedEngine {
    /// How a micro-op ends.
    private enum Tail {
        /// Done; the next one follows.
        case next
        /// Nothing done: the shared semantics must do the whole instruction.
        case slow
        /// A condition holds: leave by the exit that follows.
        case taken
        /// It does not: go on behind that exit.
        case notTaken
        /// Leave by the exit that this is.
        case exit
        /// Leave for the address in `target`.
        case indirect
    }

    /// Executes translated blocks, from `start` on and whatever they lead to, until something has to be looked at or a
    /// block is missing. EIP and the instruction count are exact on return.
    ///
    /// One flat loop, because function pointers and closures cost more in Swift. `Package.swift` has the compiler copy the
    /// jump of the `switch` to the end of each case. Then what a jump leads to follows from the micro-op it ends, and
    /// processors can predict it: 1.2 ns a micro-op on an AMD EPYC, where a single jump for all took 3 ns in a short loop,
    /// and 5 to 12 ns among hundreds of micro-ops. It is copied only while nothing but the end of the loop leads back to
    /// the `switch`: a `continue` undoes it. To ask for the commonest opcodes before the `switch` does not help: the
    /// compiler makes a second jump table of the questions. Everything rare is out of line.
    func execute(from start: BlockPointer) {
        let cpu = cpu
        let table = cache.table
        let modeKey = TranslationCache.key(0, start.pointee.mode)
        var block = start
        var pc = start.pointee.ops
        // EIP of the block's first byte.
        var entry = cpu.pointee.eip
        while true {
            var tail = Tail.next
            var target: UInt32 = 0
            switch pc.pointee.opcode {
            case .add32RR: cpu.rr(pc, Add.self, UInt32.self)
            case .add32RI: cpu.ri(pc, Add.self, UInt32.self)
            case .add32RM: if !cpu.rm(pc, cpu.address(pc), Add.self, UInt32.self) { tail = .slow }
            case .add32MR: if !cpu.mr(pc, Add.self, UInt32.self) { tail = .slow }
            case .add32MI: if !cpu.mi(pc, Add.self, UInt32.self) { tail = .slow }
            case .or32RR: cpu.rr(pc, Or.self, UInt32.self)
            case .or32RI: cpu.ri(pc, Or.self, UInt32.self)
            case .or32RM: if !cpu.rm(pc, cpu.address(pc), Or.self, UInt32.self) { tail = .slow }
            case .or32MR: if !cpu.mr(pc, Or.self, UInt32.self) { tail = .slow }
            case .or32MI: if !cpu.mi(pc, Or.self, UInt32.self) { tail = .slow }
            case .adc32RR: cpu.rr(pc, Adc.self, UInt32.self)
            case .adc32RI: cpu.ri(pc, Adc.self, UInt32.self)
            case .adc32RM: if !cpu.rm(pc, cpu.address(pc), Adc.self, UInt32.self) { tail = .slow }
            case .adc32MR: if !cpu.mr(pc, Adc.self, UInt32.self) { tail = .slow }
            case .adc32MI: if !cpu.mi(pc, Adc.self, UInt32.self) { tail = .slow }
            case .sbb32RR: cpu.rr(pc, Sbb.self, UInt32.self)
            case .sbb32RI: cpu.ri(pc, Sbb.self, UInt32.self)
            case .sbb32RM: if !cpu.rm(pc, cpu.address(pc), Sbb.self, UInt32.self) { tail = .slow }
            case .sbb32MR: if !cpu.mr(pc, Sbb.self, UInt32.self) { tail = .slow }
            case .sbb32MI: if !cpu.mi(pc, Sbb.self, UInt32.self) { tail = .slow }
            case .and32RR: cpu.rr(pc, And.self, UInt32.self)
            case .and32RI: cpu.ri(pc, And.self, UInt32.self)
            case .and32RM: if !cpu.rm(pc, cpu.address(pc), And.self, UInt32.self) { tail = .slow }
            case .and32MR: if !cpu.mr(pc, And.self, UInt32.self) { tail = .slow }
            case .and32MI: if !cpu.mi(pc, And.self, UInt32.self) { tail = .slow }
            case .sub32RR: cpu.rr(pc, Sub.self, UInt32.self)
            case .sub32RI: cpu.ri(pc, Sub.self, UInt32.self)
            case .sub32RM: if !cpu.rm(pc, cpu.address(pc), Sub.self, UInt32.self) { tail = .slow }
            case .sub32MR: if !cpu.mr(pc, Sub.self, UInt32.self) { tail = .slow }
            case .sub32MI: if !cpu.mi(pc, Sub.self, UInt32.self) { tail = .slow }
            case .xor32RR: cpu.rr(pc, Xor.self, UInt32.self)
            case .xor32RI: cpu.ri(pc, Xor.self, UInt32.self)
            case .xor32RM: if !cpu.rm(pc, cpu.address(pc), Xor.self, UInt32.self) { tail = .slow }
            case .xor32MR: if !cpu.mr(pc, Xor.self, UInt32.self) { tail = .slow }
            case .xor32MI: if !cpu.mi(pc, Xor.self, UInt32.self) { tail = .slow }
            case .cmp32RR: cpu.compareRR(pc, Sub.self, UInt32.self)
            case .cmp32RI: cpu.compareRI(pc, Sub.self, UInt32.self)
            case .cmp32RM: if !cpu.compareRM(pc, cpu.address(pc), Sub.self, UInt32.self) { tail = .slow }
            case .cmp32MR: if !cpu.compareMR(pc, Sub.self, UInt32.self) { tail = .slow }
            case .cmp32MI: if !cpu.compareMI(pc, cpu.address(pc), Sub.self, UInt32.self) { tail = .slow }
            case .test32RR: cpu.compareRR(pc, And.self, UInt32.self)
            case .test32RI: cpu.compareRI(pc, And.self, UInt32.self)
            case .test32RM: if !cpu.compareRM(pc, cpu.address(pc), And.self, UInt32.self) { tail = .slow }
            case .test32MR: if !cpu.compareMR(pc, And.self, UInt32.self) { tail = .slow }
            case .test32MI: if !cpu.compareMI(pc, cpu.address(pc), And.self, UInt32.self) { tail = .slow }
            case .add16RR: cpu.rr(pc, Add.self, UInt16.self)
            case .add16RI: cpu.ri(pc, Add.self, UInt16.self)
            case .add16RM: if !cpu.rm(pc, cpu.address(pc), Add.self, UInt16.self) { tail = .slow }
            case .add16MR: if !cpu.mr(pc, Add.self, UInt16.self) { tail = .slow }
            case .add16MI: if !cpu.mi(pc, Add.self, UInt16.self) { tail = .slow }
            case .or16RR: cpu.rr(pc, Or.self, UInt16.self)
            case .or16RI: cpu.ri(pc, Or.self, UInt16.self)
            case .or16RM: if !cpu.rm(pc, cpu.address(pc), Or.self, UInt16.self) { tail = .slow }
            case .or16MR: if !cpu.mr(pc, Or.self, UInt16.self) { tail = .slow }
            case .or16MI: if !cpu.mi(pc, Or.self, UInt16.self) { tail = .slow }
            case .adc16RR: cpu.rr(pc, Adc.self, UInt16.self)
            case .adc16RI: cpu.ri(pc, Adc.self, UInt16.self)
            case .adc16RM: if !cpu.rm(pc, cpu.address(pc), Adc.self, UInt16.self) { tail = .slow }
            case .adc16MR: if !cpu.mr(pc, Adc.self, UInt16.self) { tail = .slow }
            case .adc16MI: if !cpu.mi(pc, Adc.self, UInt16.self) { tail = .slow }
            case .sbb16RR: cpu.rr(pc, Sbb.self, UInt16.self)
            case .sbb16RI: cpu.ri(pc, Sbb.self, UInt16.self)
            case .sbb16RM: if !cpu.rm(pc, cpu.address(pc), Sbb.self, UInt16.self) { tail = .slow }
            case .sbb16MR: if !cpu.mr(pc, Sbb.self, UInt16.self) { tail = .slow }
            case .sbb16MI: if !cpu.mi(pc, Sbb.self, UInt16.self) { tail = .slow }
            case .and16RR: cpu.rr(pc, And.self, UInt16.self)
            case .and16RI: cpu.ri(pc, And.self, UInt16.self)
            case .and16RM: if !cpu.rm(pc, cpu.address(pc), And.self, UInt16.self) { tail = .slow }
            case .and16MR: if !cpu.mr(pc, And.self, UInt16.self) { tail = .slow }
            case .and16MI: if !cpu.mi(pc, And.self, UInt16.self) { tail = .slow }
            case .sub16RR: cpu.rr(pc, Sub.self, UInt16.self)
            case .sub16RI: cpu.ri(pc, Sub.self, UInt16.self)
            case .sub16RM: if !cpu.rm(pc, cpu.address(pc), Sub.self, UInt16.self) { tail = .slow }
            case .sub16MR: if !cpu.mr(pc, Sub.self, UInt16.self) { tail = .slow }
            case .sub16MI: if !cpu.mi(pc, Sub.self, UInt16.self) { tail = .slow }
            case .xor16RR: cpu.rr(pc, Xor.self, UInt16.self)
            case .xor16RI: cpu.ri(pc, Xor.self, UInt16.self)
            case .xor16RM: if !cpu.rm(pc, cpu.address(pc), Xor.self, UInt16.self) { tail = .slow }
            case .xor16MR: if !cpu.mr(pc, Xor.self, UInt16.self) { tail = .slow }
            case .xor16MI: if !cpu.mi(pc, Xor.self, UInt16.self) { tail = .slow }
            case .cmp16RR: cpu.compareRR(pc, Sub.self, UInt16.self)
            case .cmp16RI: cpu.compareRI(pc, Sub.self, UInt16.self)
            case .cmp16RM: if !cpu.compareRM(pc, cpu.address(pc), Sub.self, UInt16.self) { tail = .slow }
            case .cmp16MR: if !cpu.compareMR(pc, Sub.self, UInt16.self) { tail = .slow }
            case .cmp16MI: if !cpu.compareMI(pc, cpu.address(pc), Sub.self, UInt16.self) { tail = .slow }
            case .test16RR: cpu.compareRR(pc, And.self, UInt16.self)
            case .test16RI: cpu.compareRI(pc, And.self, UInt16.self)
            case .test16RM: if !cpu.compareRM(pc, cpu.address(pc), And.self, UInt16.self) { tail = .slow }
            case .test16MR: if !cpu.compareMR(pc, And.self, UInt16.self) { tail = .slow }
            case .test16MI: if !cpu.compareMI(pc, cpu.address(pc), And.self, UInt16.self) { tail = .slow }
            case .add8RR: cpu.rr(pc, Add.self, UInt8.self)
            case .add8RI: cpu.ri(pc, Add.self, UInt8.self)
            case .add8RM: if !cpu.rm(pc, cpu.address(pc), Add.self, UInt8.self) { tail = .slow }
            case .add8MR: if !cpu.mr(pc, Add.self, UInt8.self) { tail = .slow }
            case .add8MI: if !cpu.mi(pc, Add.self, UInt8.self) { tail = .slow }
            case .or8RR: cpu.rr(pc, Or.self, UInt8.self)
            case .or8RI: cpu.ri(pc, Or.self, UInt8.self)
            case .or8RM: if !cpu.rm(pc, cpu.address(pc), Or.self, UInt8.self) { tail = .slow }
            case .or8MR: if !cpu.mr(pc, Or.self, UInt8.self) { tail = .slow }
            case .or8MI: if !cpu.mi(pc, Or.self, UInt8.self) { tail = .slow }
            case .adc8RR: cpu.rr(pc, Adc.self, UInt8.self)
            case .adc8RI: cpu.ri(pc, Adc.self, UInt8.self)
            case .adc8RM: if !cpu.rm(pc, cpu.address(pc), Adc.self, UInt8.self) { tail = .slow }
            case .adc8MR: if !cpu.mr(pc, Adc.self, UInt8.self) { tail = .slow }
            case .adc8MI: if !cpu.mi(pc, Adc.self, UInt8.self) { tail = .slow }
            case .sbb8RR: cpu.rr(pc, Sbb.self, UInt8.self)
            case .sbb8RI: cpu.ri(pc, Sbb.self, UInt8.self)
            case .sbb8RM: if !cpu.rm(pc, cpu.address(pc), Sbb.self, UInt8.self) { tail = .slow }
            case .sbb8MR: if !cpu.mr(pc, Sbb.self, UInt8.self) { tail = .slow }
            case .sbb8MI: if !cpu.mi(pc, Sbb.self, UInt8.self) { tail = .slow }
            case .and8RR: cpu.rr(pc, And.self, UInt8.self)
            case .and8RI: cpu.ri(pc, And.self, UInt8.self)
            case .and8RM: if !cpu.rm(pc, cpu.address(pc), And.self, UInt8.self) { tail = .slow }
            case .and8MR: if !cpu.mr(pc, And.self, UInt8.self) { tail = .slow }
            case .and8MI: if !cpu.mi(pc, And.self, UInt8.self) { tail = .slow }
            case .sub8RR: cpu.rr(pc, Sub.self, UInt8.self)
            case .sub8RI: cpu.ri(pc, Sub.self, UInt8.self)
            case .sub8RM: if !cpu.rm(pc, cpu.address(pc), Sub.self, UInt8.self) { tail = .slow }
            case .sub8MR: if !cpu.mr(pc, Sub.self, UInt8.self) { tail = .slow }
            case .sub8MI: if !cpu.mi(pc, Sub.self, UInt8.self) { tail = .slow }
            case .xor8RR: cpu.rr(pc, Xor.self, UInt8.self)
            case .xor8RI: cpu.ri(pc, Xor.self, UInt8.self)
            case .xor8RM: if !cpu.rm(pc, cpu.address(pc), Xor.self, UInt8.self) { tail = .slow }
            case .xor8MR: if !cpu.mr(pc, Xor.self, UInt8.self) { tail = .slow }
            case .xor8MI: if !cpu.mi(pc, Xor.self, UInt8.self) { tail = .slow }
            case .cmp8RR: cpu.compareRR(pc, Sub.self, UInt8.self)
            case .cmp8RI: cpu.compareRI(pc, Sub.self, UInt8.self)
            case .cmp8RM: if !cpu.compareRM(pc, cpu.address(pc), Sub.self, UInt8.self) { tail = .slow }
            case .cmp8MR: if !cpu.compareMR(pc, Sub.self, UInt8.self) { tail = .slow }
            case .cmp8MI: if !cpu.compareMI(pc, cpu.address(pc), Sub.self, UInt8.self) { tail = .slow }
            case .test8RR: cpu.compareRR(pc, And.self, UInt8.self)
            case .test8RI: cpu.compareRI(pc, And.self, UInt8.self)
            case .test8RM: if !cpu.compareRM(pc, cpu.address(pc), And.self, UInt8.self) { tail = .slow }
            case .test8MR: if !cpu.compareMR(pc, And.self, UInt8.self) { tail = .slow }
            case .test8MI: if !cpu.compareMI(pc, cpu.address(pc), And.self, UInt8.self) { tail = .slow }
            case .plainAdd32RR: cpu.rr(pc, PlainAdd.self, UInt32.self)
            case .plainAdd32RI: cpu.ri(pc, PlainAdd.self, UInt32.self)
            case .plainAdd32RM: if !cpu.rm(pc, cpu.address(pc), PlainAdd.self, UInt32.self) { tail = .slow }
            case .plainAdd32MR: if !cpu.mr(pc, PlainAdd.self, UInt32.self) { tail = .slow }
            case .plainAdd32MI: if !cpu.mi(pc, PlainAdd.self, UInt32.self) { tail = .slow }
            case .plainOr32RR: cpu.rr(pc, PlainOr.self, UInt32.self)
            case .plainOr32RI: cpu.ri(pc, PlainOr.self, UInt32.self)
            case .plainOr32RM: if !cpu.rm(pc, cpu.address(pc), PlainOr.self, UInt32.self) { tail = .slow }
            case .plainOr32MR: if !cpu.mr(pc, PlainOr.self, UInt32.self) { tail = .slow }
            case .plainOr32MI: if !cpu.mi(pc, PlainOr.self, UInt32.self) { tail = .slow }
            case .plainAnd32RR: cpu.rr(pc, PlainAnd.self, UInt32.self)
            case .plainAnd32RI: cpu.ri(pc, PlainAnd.self, UInt32.self)
            case .plainAnd32RM: if !cpu.rm(pc, cpu.address(pc), PlainAnd.self, UInt32.self) { tail = .slow }
            case .plainAnd32MR: if !cpu.mr(pc, PlainAnd.self, UInt32.self) { tail = .slow }
            case .plainAnd32MI: if !cpu.mi(pc, PlainAnd.self, UInt32.self) { tail = .slow }
            case .plainSub32RR: cpu.rr(pc, PlainSub.self, UInt32.self)
            case .plainSub32RI: cpu.ri(pc, PlainSub.self, UInt32.self)
            case .plainSub32RM: if !cpu.rm(pc, cpu.address(pc), PlainSub.self, UInt32.self) { tail = .slow }
            case .plainSub32MR: if !cpu.mr(pc, PlainSub.self, UInt32.self) { tail = .slow }
            case .plainSub32MI: if !cpu.mi(pc, PlainSub.self, UInt32.self) { tail = .slow }
            case .plainXor32RR: cpu.rr(pc, PlainXor.self, UInt32.self)
            case .plainXor32RI: cpu.ri(pc, PlainXor.self, UInt32.self)
            case .plainXor32RM: if !cpu.rm(pc, cpu.address(pc), PlainXor.self, UInt32.self) { tail = .slow }
            case .plainXor32MR: if !cpu.mr(pc, PlainXor.self, UInt32.self) { tail = .slow }
            case .plainXor32MI: if !cpu.mi(pc, PlainXor.self, UInt32.self) { tail = .slow }
            case .mov32RR: cpu.moveR(pc, UInt32.self)
            case .mov32RI: cpu.moveI(pc, UInt32.self)
            case .mov32RM: if !cpu.load(pc, cpu.address(pc), UInt32.self) { tail = .slow }
            case .mov32MR: if !cpu.storeR(pc, cpu.address(pc), UInt32.self) { tail = .slow }
            case .mov32MI: if !cpu.storeI(pc, cpu.address(pc), UInt32.self) { tail = .slow }
            case .mov16RR: cpu.moveR(pc, UInt16.self)
            case .mov16RI: cpu.moveI(pc, UInt16.self)
            case .mov16RM: if !cpu.load(pc, cpu.address(pc), UInt16.self) { tail = .slow }
            case .mov16MR: if !cpu.storeR(pc, cpu.address(pc), UInt16.self) { tail = .slow }
            case .mov16MI: if !cpu.storeI(pc, cpu.address(pc), UInt16.self) { tail = .slow }
            case .mov8RR: cpu.moveR(pc, UInt8.self)
            case .mov8RI: cpu.moveI(pc, UInt8.self)
            case .mov8RM: if !cpu.load(pc, cpu.address(pc), UInt8.self) { tail = .slow }
            case .mov8MR: if !cpu.storeR(pc, cpu.address(pc), UInt8.self) { tail = .slow }
            case .mov8MI: if !cpu.storeI(pc, cpu.address(pc), UInt8.self) { tail = .slow }
            case .load32: if !cpu.load(pc, cpu.baseAddress(pc), UInt32.self) { tail = .slow }
            case .store32: if !cpu.storeR(pc, cpu.baseAddress(pc), UInt32.self) { tail = .slow }
            case .load8: if !cpu.load(pc, cpu.baseAddress(pc), UInt8.self) { tail = .slow }
            case .store8: if !cpu.storeR(pc, cpu.baseAddress(pc), UInt8.self) { tail = .slow }
            case .add32RMBase: if !cpu.rm(pc, cpu.baseAddress(pc), Add.self, UInt32.self) { tail = .slow }
            case .plainAdd32RMBase: if !cpu.rm(pc, cpu.baseAddress(pc), PlainAdd.self, UInt32.self) { tail = .slow }
            case .cmp32RMBase: if !cpu.compareRM(pc, cpu.baseAddress(pc), Sub.self, UInt32.self) { tail = .slow }
            case .cmp32MIBase: if !cpu.compareMI(pc, cpu.baseAddress(pc), Sub.self, UInt32.self) { tail = .slow }
            case .cmp8MIBase: if !cpu.compareMI(pc, cpu.baseAddress(pc), Sub.self, UInt8.self) { tail = .slow }
            case .zeroExtend8R: cpu.extend(pc, UInt8.self, isSigned: false)
            case .zeroExtend8M: if !cpu.loadExtended(pc, UInt8.self, isSigned: false) { tail = .slow }
            case .zeroExtend16R: cpu.extend(pc, UInt16.self, isSigned: false)
            case .zeroExtend16M: if !cpu.loadExtended(pc, UInt16.self, isSigned: false) { tail = .slow }
            case .signExtend8R: cpu.extend(pc, UInt8.self, isSigned: true)
            case .signExtend8M: if !cpu.loadExtended(pc, UInt8.self, isSigned: true) { tail = .slow }
            case .signExtend16R: cpu.extend(pc, UInt16.self, isSigned: true)
            case .signExtend16M: if !cpu.loadExtended(pc, UInt16.self, isSigned: true) { tail = .slow }
            case .lea: cpu.setRegister(pc.pointee.a, cpu.address(pc))
            case .leaBase: cpu.setRegister(pc.pointee.a, cpu.baseAddress(pc))
            case .exchange32: cpu.exchange(pc)
            case .inc32R: cpu.unaryR(pc, Inc.self, UInt32.self)
            case .inc32M: if !cpu.unaryM(pc, Inc.self) { tail = .slow }
            case .dec32R: cpu.unaryR(pc, Dec.self, UInt32.self)
            case .dec32M: if !cpu.unaryM(pc, Dec.self) { tail = .slow }
            case .neg32R: cpu.unaryR(pc, Neg.self, UInt32.self)
            case .neg32M: if !cpu.unaryM(pc, Neg.self) { tail = .slow }
            case .not32R: cpu.unaryR(pc, Not.self, UInt32.self)
            case .not32M: if !cpu.unaryM(pc, Not.self) { tail = .slow }
            case .plainNeg32R: cpu.setRegister(pc.pointee.a, 0 &- cpu.register(pc.pointee.b, as: UInt32.self))
            case .inc16R: cpu.unaryR(pc, Inc.self, UInt16.self)
            case .dec16R: cpu.unaryR(pc, Dec.self, UInt16.self)
            case .neg16R: cpu.unaryR(pc, Neg.self, UInt16.self)
            case .not16R: cpu.unaryR(pc, Not.self, UInt16.self)
            case .inc8R: cpu.unaryR(pc, Inc.self, UInt8.self)
            case .dec8R: cpu.unaryR(pc, Dec.self, UInt8.self)
            case .neg8R: cpu.unaryR(pc, Neg.self, UInt8.self)
            case .not8R: cpu.unaryR(pc, Not.self, UInt8.self)
            case .shl32I: cpu.shiftI(pc, Shl.self, UInt32.self)
            case .shr32I: cpu.shiftI(pc, Shr.self, UInt32.self)
            case .sar32I: cpu.shiftI(pc, Sar.self, UInt32.self)
            case .rol32I: cpu.shiftI(pc, Rol.self, UInt32.self)
            case .ror32I: cpu.shiftI(pc, Ror.self, UInt32.self)
            case .plainShl32I: cpu.shiftI(pc, PlainShl.self, UInt32.self)
            case .plainShr32I: cpu.shiftI(pc, PlainShr.self, UInt32.self)
            case .plainSar32I: cpu.shiftI(pc, PlainSar.self, UInt32.self)
            case .plainRol32I: cpu.shiftI(pc, PlainRol.self, UInt32.self)
            case .plainRor32I: cpu.shiftI(pc, PlainRor.self, UInt32.self)
            case .shl32C: cpu.shiftC(pc, Shl.self)
            case .shr32C: cpu.shiftC(pc, Shr.self)
            case .sar32C: cpu.shiftC(pc, Sar.self)
            case .plainShl32C: cpu.shiftC(pc, PlainShl.self)
            case .plainShr32C: cpu.shiftC(pc, PlainShr.self)
            case .plainSar32C: cpu.shiftC(pc, PlainSar.self)
            case .shl16I: cpu.shiftI(pc, Shl.self, UInt16.self)
            case .shr16I: cpu.shiftI(pc, Shr.self, UInt16.self)
            case .sar16I: cpu.shiftI(pc, Sar.self, UInt16.self)
            case .rol16I: cpu.shiftI(pc, Rol.self, UInt16.self)
            case .ror16I: cpu.shiftI(pc, Ror.self, UInt16.self)
            case .shl8I: cpu.shiftI(pc, Shl.self, UInt8.self)
            case .shr8I: cpu.shiftI(pc, Shr.self, UInt8.self)
            case .sar8I: cpu.shiftI(pc, Sar.self, UInt8.self)
            case .rol8I: cpu.shiftI(pc, Rol.self, UInt8.self)
            case .ror8I: cpu.shiftI(pc, Ror.self, UInt8.self)
            case .imul32RR: cpu.multiply(pc, cpu.register(pc.pointee.c, as: UInt32.self))
            case .imul32RRI: cpu.multiply(pc, pc.pointee.immediate)
            case .imul32RM: if !cpu.multiplyM(pc) { tail = .slow }
            case .plainImul32RR: cpu.rr(pc, PlainMultiply.self, UInt32.self)
            case .plainImul32RRI: cpu.ri(pc, PlainMultiply.self, UInt32.self)
            case .plainImul32RM: if !cpu.rm(pc, cpu.address(pc), PlainMultiply.self, UInt32.self) { tail = .slow }
            case .multiplyWide32R: cpu.multiplyWide(pc)
            case .shld32I: cpu.shiftDouble(pc, isLeft: true)
            case .shrd32I: cpu.shiftDouble(pc, isLeft: false)
            case .plainShld32I: cpu.plainShiftDouble(pc, isLeft: true)
            case .plainShrd32I: cpu.plainShiftDouble(pc, isLeft: false)
            case .convertDoubleToQuad: cpu.pointee.edx = cpu.pointee.eax.isNegative ? .max : 0
            case .convertWordToDouble: cpu.pointee.eax = cpu.register(0, as: UInt16.self).signExtended
            case .setCondition: cpu.setCondition(pc)
            case .moveCondition32: if cpu.holds(Condition(low: pc.pointee.d)) { cpu.moveR(pc, UInt32.self) }
            case .moveCondition32M: if !cpu.moveConditionM(pc) { tail = .slow }
            case .push32R: if !cpu.push(flat: cpu.register(pc.pointee.a, as: UInt32.self)) { tail = .slow }
            case .push32I: if !cpu.push(flat: pc.pointee.immediate) { tail = .slow }
            case .push32M: if !cpu.pushM(pc) { tail = .slow }
            case .pop32R: if !cpu.pop(flat: pc.pointee.a) { tail = .slow }
            case .leave32: if !cpu.leaveFrame() { tail = .slow }
            case .jumpOverflow: tail = cpu.holds(.overflow) ? .taken : .notTaken
            case .jumpNotOverflow: tail = cpu.holds(.notOverflow) ? .taken : .notTaken
            case .jumpBelow: tail = cpu.holds(.below) ? .taken : .notTaken
            case .jumpAboveOrEqual: tail = cpu.holds(.aboveOrEqual) ? .taken : .notTaken
            case .jumpEqual: tail = cpu.holds(.equal) ? .taken : .notTaken
            case .jumpNotEqual: tail = cpu.holds(.notEqual) ? .taken : .notTaken
            case .jumpBelowOrEqual: tail = cpu.holds(.belowOrEqual) ? .taken : .notTaken
            case .jumpAbove: tail = cpu.holds(.above) ? .taken : .notTaken
            case .jumpSign: tail = cpu.holds(.sign) ? .taken : .notTaken
            case .jumpNotSign: tail = cpu.holds(.notSign) ? .taken : .notTaken
            case .jumpParity: tail = cpu.holds(.parity) ? .taken : .notTaken
            case .jumpNotParity: tail = cpu.holds(.notParity) ? .taken : .notTaken
            case .jumpLess: tail = cpu.holds(.less) ? .taken : .notTaken
            case .jumpGreaterOrEqual: tail = cpu.holds(.greaterOrEqual) ? .taken : .notTaken
            case .jumpLessOrEqual: tail = cpu.holds(.lessOrEqual) ? .taken : .notTaken
            case .jumpGreater: tail = cpu.holds(.greater) ? .taken : .notTaken
            case .cmp32RRBelow: tail = cpu.fusedRR(pc) { a, b in a < b } ? .taken : .notTaken
            case .cmp32RRAboveOrEqual: tail = cpu.fusedRR(pc) { a, b in a >= b } ? .taken : .notTaken
            case .cmp32RREqual: tail = cpu.fusedRR(pc) { a, b in a == b } ? .taken : .notTaken
            case .cmp32RRNotEqual: tail = cpu.fusedRR(pc) { a, b in a != b } ? .taken : .notTaken
            case .cmp32RRBelowOrEqual: tail = cpu.fusedRR(pc) { a, b in a <= b } ? .taken : .notTaken
            case .cmp32RRAbove: tail = cpu.fusedRR(pc) { a, b in a > b } ? .taken : .notTaken
            case .cmp32RRSign: tail = cpu.fusedRR(pc) { a, b in (a &- b).isNegative } ? .taken : .notTaken
            case .cmp32RRNotSign: tail = cpu.fusedRR(pc) { a, b in !(a &- b).isNegative } ? .taken : .notTaken
            case .cmp32RRLess: tail = cpu.fusedRR(pc) { a, b in a.signed < b.signed } ? .taken : .notTaken
            case .cmp32RRGreaterOrEqual: tail = cpu.fusedRR(pc) { a, b in a.signed >= b.signed } ? .taken : .notTaken
            case .cmp32RRLessOrEqual: tail = cpu.fusedRR(pc) { a, b in a.signed <= b.signed } ? .taken : .notTaken
            case .cmp32RRGreater: tail = cpu.fusedRR(pc) { a, b in a.signed > b.signed } ? .taken : .notTaken
            case .cmp32RIBelow: tail = cpu.fusedRI(pc) { a, b in a < b } ? .taken : .notTaken
            case .cmp32RIAboveOrEqual: tail = cpu.fusedRI(pc) { a, b in a >= b } ? .taken : .notTaken
            case .cmp32RIEqual: tail = cpu.fusedRI(pc) { a, b in a == b } ? .taken : .notTaken
            case .cmp32RINotEqual: tail = cpu.fusedRI(pc) { a, b in a != b } ? .taken : .notTaken
            case .cmp32RIBelowOrEqual: tail = cpu.fusedRI(pc) { a, b in a <= b } ? .taken : .notTaken
            case .cmp32RIAbove: tail = cpu.fusedRI(pc) { a, b in a > b } ? .taken : .notTaken
            case .cmp32RISign: tail = cpu.fusedRI(pc) { a, b in (a &- b).isNegative } ? .taken : .notTaken
            case .cmp32RINotSign: tail = cpu.fusedRI(pc) { a, b in !(a &- b).isNegative } ? .taken : .notTaken
            case .cmp32RILess: tail = cpu.fusedRI(pc) { a, b in a.signed < b.signed } ? .taken : .notTaken
            case .cmp32RIGreaterOrEqual: tail = cpu.fusedRI(pc) { a, b in a.signed >= b.signed } ? .taken : .notTaken
            case .cmp32RILessOrEqual: tail = cpu.fusedRI(pc) { a, b in a.signed <= b.signed } ? .taken : .notTaken
            case .cmp32RIGreater: tail = cpu.fusedRI(pc) { a, b in a.signed > b.signed } ? .taken : .notTaken
            case .test32RREqual: tail = cpu.fusedTest(pc) { r in r == 0 } ? .taken : .notTaken
            case .test32RRNotEqual: tail = cpu.fusedTest(pc) { r in r != 0 } ? .taken : .notTaken
            case .test32RRSign: tail = cpu.fusedTest(pc) { r in r.isNegative } ? .taken : .notTaken
            case .test32RRNotSign: tail = cpu.fusedTest(pc) { r in !r.isNegative } ? .taken : .notTaken
            case .test32RRLessOrEqual: tail = cpu.fusedTest(pc) { r in r.signed <= 0 } ? .taken : .notTaken
            case .test32RRGreater: tail = cpu.fusedTest(pc) { r in r.signed > 0 } ? .taken : .notTaken
            case .add32RIEqual: tail = cpu.isZero { cpu.ri(pc, Add.self, UInt32.self) } ? .taken : .notTaken
            case .add32RINotEqual: tail = cpu.isZero { cpu.ri(pc, Add.self, UInt32.self) } ? .notTaken : .taken
            case .sub32RIEqual: tail = cpu.isZero { cpu.ri(pc, Sub.self, UInt32.self) } ? .taken : .notTaken
            case .sub32RINotEqual: tail = cpu.isZero { cpu.ri(pc, Sub.self, UInt32.self) } ? .notTaken : .taken
            case .inc32REqual: tail = cpu.isZero { cpu.unaryR(pc, Inc.self, UInt32.self) } ? .taken : .notTaken
            case .inc32RNotEqual: tail = cpu.isZero { cpu.unaryR(pc, Inc.self, UInt32.self) } ? .notTaken : .taken
            case .dec32REqual: tail = cpu.isZero { cpu.unaryR(pc, Dec.self, UInt32.self) } ? .taken : .notTaken
            case .dec32RNotEqual: tail = cpu.isZero { cpu.unaryR(pc, Dec.self, UInt32.self) } ? .notTaken : .taken
            case .test8RREqual: tail = cpu.isZero { cpu.compareRR(pc, And.self, UInt8.self) } ? .taken : .notTaken
            case .test8RRNotEqual: tail = cpu.isZero { cpu.compareRR(pc, And.self, UInt8.self) } ? .notTaken : .taken
            case .cmp8RIEqual: tail = cpu.isZero { cpu.compareRI(pc, Sub.self, UInt8.self) } ? .taken : .notTaken
            case .cmp8RINotEqual: tail = cpu.isZero { cpu.compareRI(pc, Sub.self, UInt8.self) } ? .notTaken : .taken
            case .call: tail = cpu.push(flat: pc.returnAddress(entry)) ? .taken : .slow
            case .callR: tail = cpu.callR(pc, entry, &target) ? .indirect : .slow
            case .callM: tail = cpu.callM(pc, entry, &target) ? .indirect : .slow
            case .ret: tail = cpu.return(pc, &target) ? .indirect : .slow
            case .jumpR: tail = cpu.jumpR(pc, &target) ? .indirect : .slow
            case .jumpM: tail = cpu.jumpM(pc, &target) ? .indirect : .slow
            case .jump: tail = .exit
            case .jumpAway:
                target = cpu.leave(pc, entry)
                tail = .indirect
            case .leave:
                cpu.pointee.eip = cpu.leave(pc, entry)
                return
            case .crossing:
                guard isUnchanged(crossing: pc, in: block, entry) else { return }
                tail = .notTaken
            case .x87: if !executeX87(pc, in: block, entry) { tail = .slow }
            case .x87LoadDouble: if !loadX87Double(pc, in: block, entry) { tail = .slow }
            case .x87ArithmeticDouble: if !calculateX87Double(pc, in: block, entry) { tail = .slow }
            case .x87ArithmeticRegisters: if !calculateX87Registers(pc, in: block, entry) { tail = .slow }
            case .sseLoad16: if !cpu.loadXMM(pc, isAligned: true) { tail = .slow }
            case .sseLoad16Unaligned: if !cpu.loadXMM(pc, isAligned: false) { tail = .slow }
            case .sseLoad8: if !cpu.loadXMM(pc, UInt64.self) { tail = .slow }
            case .sseLoad4: if !cpu.loadXMM(pc, UInt32.self) { tail = .slow }
            case .sseStore16: if !cpu.storeXMM(pc, isAligned: true) { tail = .slow }
            case .sseStore16Unaligned: if !cpu.storeXMM(pc, isAligned: false) { tail = .slow }
            case .sseStore8: if !cpu.storeXMM(pc, UInt64.self) { tail = .slow }
            case .sseStore4: if !cpu.storeXMM(pc, UInt32.self) { tail = .slow }
            case .sseMove: if !cpu.combineXMM(pc, { _, b in b }) { tail = .slow }
            case .sseAnd: if !cpu.combineXMM(pc, { a, b in a & b }) { tail = .slow }
            case .sseOr: if !cpu.combineXMM(pc, { a, b in a | b }) { tail = .slow }
            case .sseXor: if !cpu.combineXMM(pc, { a, b in a ^ b }) { tail = .slow }
            case .sseUnpackLow: if !cpu.combineXMM(pc, { a, b in XMMRegister(a.x, b.x) }) { tail = .slow }
            case .sseUnpackHigh: if !cpu.combineXMM(pc, { a, b in XMMRegister(a.y, b.y) }) { tail = .slow }
            case .sseShuffle: if !cpu.shuffleXMM(pc) { tail = .slow }
            case .sseArithmeticR: if !cpu.calculateXMM(pc) { tail = .slow }
            case .sseArithmetic16: if !cpu.calculateXMM16(pc) { tail = .slow }
            case .sseArithmetic8: if !cpu.calculateXMM(pc, UInt64.self) { tail = .slow }
            case .sseArithmetic4: if !cpu.calculateXMM(pc, UInt32.self) { tail = .slow }
            case .shared, .callout:
                guard executeShared(pc, in: block, entry) else { return }
            case .sharedEnd, .calloutEnd:
                _ = executeShared(pc, in: block, entry)
                return
            case .profile: guard executeProfiled(pc, in: block, entry) else { return }
            }
            switch tail {
            case .next: pc += 1
            case .notTaken: pc += 2
            case .slow:
                guard let next = executeSlowly(pc, in: block, entry) else { return }
                pc = next
            case .taken, .exit:
                if tail == .taken { pc += 1 }
                let exit = pc.exit
                let instructions = cpu.pointee.instructions &+ UInt64(exit.pointee.advance)
                var next = exit.pointee.link
                if instructions &+ next.pointee.limit > cpu.pointee.stopAt {
                    guard let resolved = resolve(exit, of: block, entry) else { return }
                    next = resolved
                }
                cpu.pointee.instructions = instructions
                entry = entry &+ exit.pointee.offset
                block = next
                pc = next.pointee.ops
            case .indirect:
                let linear = cpu.pointee.cs.base &+ target
                let page = cpu.pointee.tlb + Int(linear >> 12 & TLB.mask)
                let key = modeKey | UInt64(page.pointee.physicalPage | linear & 0xFFF)
                let found = table + TranslationCache.slot(key)
                guard page.pointee.executeTag == linear & 0xFFFF_F000, found.pointee.key == key,
                    cpu.pointee.instructions &+ found.pointee.block.pointee.limit <= cpu.pointee.stopAt
                else {
                    cpu.pointee.eip = target
                    return
                }
                entry = target
                block = found.pointee.block
                pc = block.pointee.ops
            }
        }
    }
}
