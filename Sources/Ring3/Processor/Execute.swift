import X86

extension Processor {
    /// Executes one decoded instruction. EIP already points past it; counters are the caller's business.
    ///
    /// The commonest operations come first; what is rare goes through `executeRare`, which keeps this function small
    /// enough for the optimiser.
    @inline(__always)
    func execute(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operation {
        case .mov: try mov(i)
        case .add: try binary(i, Add.self)
        case .sub: try binary(i, Sub.self)
        case .and: try binary(i, And.self)
        case .or: try binary(i, Or.self)
        case .xor: try binary(i, Xor.self)
        case .adc: try binary(i, Adc.self)
        case .sbb: try binary(i, Sbb.self)
        case .cmp: try compare(i, Sub.self)
        case .test: try compare(i, And.self)
        case .inc: try unary(i, Inc.self)
        case .dec: try unary(i, Dec.self)
        case .neg: try unary(i, Neg.self)
        case .not: try unary(i, Not.self)
        case .jcc: if holds(i.pointee.condition) { try jumpRelative(i) }
        case .jmp: try jump(i)
        case .call: try call(i)
        case .ret: try ret(i)
        case .push: try push(i)
        case .pop: try pop(i)
        case .lea: setRegisterOperand(i, effectiveAddress(i))
        case .movzx: try movExtended(i, isSigned: false)
        case .movsx: try movExtended(i, isSigned: true)
        case .shl: try shift(i, Shl.self)
        case .shr: try shift(i, Shr.self)
        case .sar: try shift(i, Sar.self)
        case .rol: try shift(i, Rol.self)
        case .ror: try shift(i, Ror.self)
        case .rcl: try shift(i, Rcl.self)
        case .rcr: try shift(i, Rcr.self)
        case .shld: try doubleShift(i, left: true)
        case .shrd: try doubleShift(i, left: false)
        case .imul: try imul(i)
        case .mul: try mul(i)
        case .div: try div(i)
        case .idiv: try idiv(i)
        case .cmovcc: try cmov(i)
        case .setcc: try store(i, i.pointee.operands.0, UInt8(holds(i.pointee.condition) ? 1 : 0))
        case .nop, .pause, .prefetch: break
        case .loop: try loop(i, while: true)
        case .leave: try leave(i)
        case .movs, .cmps, .scas, .lods, .stos, .ins, .outs: try string(i)
        case .in: try portInput(i)
        case .out: try portOutput(i)
        default: try executeRare(i)
        }
    }

    /// Everything that is not on the hot path.
    @inline(never)
    private func executeRare(_ i: InstructionPointer) throws(Fault) {
        if i.pointee.operation.isX87 { return try executeX87(i) }
        if i.pointee.operation.isSIMD { return try executeSIMD(i) }
        let size = UInt32(i.pointee.operandSize)
        switch i.pointee.operation {
        case .xchg: try xchg(i)
        case .xadd: try xadd(i)
        case .cmpxchg: try cmpxchg(i)
        case .cmpxchg8b: try cmpxchg8b(i)
        case .bswap: setRegisterOperand(i, register(i.pointee.operands.0.register, as: UInt32.self).byteSwapped)
        case .pusha: try pusha(size: size)
        case .popa: try popa(size: size)
        case .pushf: try pushf(i)
        case .popf: try popf(i)
        case .enter: try enter(i)
        case .lds: try loadFarPointer(i, .ds)
        case .les: try loadFarPointer(i, .es)
        case .lfs: try loadFarPointer(i, .fs)
        case .lgs: try loadFarPointer(i, .gs)
        case .lss: try loadFarPointer(i, .ss)
        case .xlat: try xlat(i)
        case .lahf: lahf()
        case .sahf: sahf()
        case .cbw: setRegister(0, UInt16(truncatingIfNeeded: register(0, as: UInt8.self).signExtended))
        case .cwde: pointee.eax = register(0, as: UInt16.self).signExtended
        case .cwd: setRegister(8, register(0, as: UInt16.self).isNegative ? UInt16.max : 0)
        case .cdq: pointee.edx = pointee.eax.isNegative ? .max : 0
        case .salc: setRegister(0, pointee.status.cf ? UInt8.max : 0)
        case .aaa: aaa()
        case .aas: aas()
        case .aam: try aam(i)
        case .aad: aad(i)
        case .daa: daa()
        case .das: das()
        case .bt: try bitOperation(i, .test)
        case .bts: try bitOperation(i, .set)
        case .btr: try bitOperation(i, .reset)
        case .btc: try bitOperation(i, .complement)
        case .bsf: try bitScan(i, forward: true)
        case .bsr: try bitScan(i, forward: false)
        case .jcxz: try jcxz(i)
        case .loope: try loop(i, while: pointee.status.zf)
        case .loopne: try loop(i, while: !pointee.status.zf)
        case .bound: try bound(i)
        case .clc: pointee.status.setCarry(false)
        case .stc: pointee.status.setCarry(true)
        case .cmc: pointee.status.setCarry(!pointee.status.cf)
        case .cld: pointee.systemFlags &= ~Flags.df
        case .std: pointee.systemFlags |= Flags.df
        default: try executeSystem(i)
        }
    }

    /// Transfers between segments, and what concerns privilege, tables and the processor as a whole.
    @inline(never)
    private func executeSystem(_ i: InstructionPointer) throws(Fault) {
        let size = UInt32(i.pointee.operandSize)
        switch i.pointee.operation {
        case .jmpFar: try jmpFar(i)
        case .callFar: try callFar(i)
        case .retFar: try returnFar(size: size, extra: i.pointee.immediate)
        case .iret: try interruptReturn(size: size)
        case .int: try int(i)
        case .int1: try interrupt(Vector.debug, .exception)
        case .int3: try interrupt(Vector.breakpoint, .softwareException)
        case .into: try into()
        case .cli: try setInterruptFlag(false)
        case .sti: try setInterruptFlag(true)
        case .movSegment: try movSegment(i)
        case .pushSegment: try pushSegment(i)
        case .popSegment: try popSegment(i)
        case .lgdt:
            pointee.gdtr = try loadDescriptorTable(i)
            forgetDescriptors()
        case .lidt: pointee.idtr = try loadDescriptorTable(i)
        case .sgdt: try storeDescriptorTable(i, pointee.gdtr)
        case .sidt: try storeDescriptorTable(i, pointee.idtr)
        case .lldt: try lldt(i)
        case .ltr: try ltr(i)
        case .sldt: try storeSystemSelector(i, pointee.ldtr.selector)
        case .str: try storeSystemSelector(i, pointee.tr.selector)
        case .lmsw: try lmsw(i)
        case .smsw: try smsw(i)
        case .lar: try lar(i)
        case .lsl: try lsl(i)
        case .verr: try verify(i, forWriting: false)
        case .verw: try verify(i, forWriting: true)
        case .arpl: try arpl(i)
        case .movControl: try movControl(i)
        case .movDebug: try movDebug(i)
        case .clts:
            try requirePrivilege()
            pointee.cr0 &= ~CR0.ts
        case .invlpg:
            try requirePrivilege()
            pointee.statistics.pageInvalidations &+= 1
            flushPage(segment(i.pointee.memory.segment).pointee.base &+ effectiveAddress(i))
        case .invd, .wbinvd: try requirePrivilege()  // There is no cache to invalidate.
        case .hlt: try halt()
        case .cpuid: cpuid()
        case .rdtsc: try rdtsc()
        case .rdmsr: try rdmsr()
        case .wrmsr: try wrmsr()
        case .rdpmc: throw .generalProtection()  // No performance counters: every index is invalid.
        case .sysenter: try sysenter()
        case .sysexit: try sysexit()
        case .overlong: throw .generalProtection()
        default: throw .invalidOpcode
        }
    }
}

extension Operation {
    /// x87, FXSAVE and FXRSTOR.
    @inline(__always)
    var isX87: Bool { rawValue >= Operation.wait.rawValue && rawValue <= Operation.fxrstor.rawValue }
}
