/// What an instruction does: one case an operation of the i386–Pentium M instruction set, named as in the SDM.
///
/// Operand form, size and condition are not part of it; see `Instruction`.
public enum Operation: UInt16, CaseIterable, Sendable {
    // Decoder outcomes that are not instructions
    case invalid, truncated, overlong
    // Data transfer
    case mov, movsx, movzx, xchg, bswap, xadd, cmpxchg, cmpxchg8b, push, pop, pusha, popa, pushf, popf, lea, lds
    case les, lfs, lgs, lss, xlat, lahf, sahf, cmovcc, setcc, cbw, cwde, cwd, cdq, salc
    // Arithmetic and logic
    case add, adc, sub, sbb, and, or, xor, cmp, test, inc, dec, neg, not, mul, imul, div, idiv, aaa, aad, aam, aas
    case daa, das
    // Shifts and bits
    case rol, ror, rcl, rcr, shl, shr, sar, shld, shrd, bt, bts, btr, btc, bsf, bsr
    // Control transfer; `call` and `jmp` are near (relative or indirect), the `Far` ones direct or through memory
    case jcc, jcxz, jmp, jmpFar, call, callFar, ret, retFar, iret, loop, loope, loopne, int, int1, int3, into, bound
    case enter, leave
    // String and port instructions
    case movs, cmps, scas, lods, stos, ins, outs, `in`, out
    // Flags
    case clc, stc, cmc, cld, std, cli, sti
    // Segments, tables and control registers; `movSegment` covers MOV to and from Sreg, `movControl` and `movDebug` both ways
    case movSegment, pushSegment, popSegment, lgdt, sgdt, lidt, sidt, lldt, sldt, ltr, str, lmsw, smsw, lar, lsl
    case verr, verw, arpl, movControl, movDebug, clts, invlpg, invd, wbinvd
    // Processor
    case hlt, nop, pause, cpuid, rdtsc, rdmsr, wrmsr, rdpmc, sysenter, sysexit, rsm, ud0, ud1, ud2, prefetch
    case clflush
    // x87
    case wait, f2xm1, fabs, fadd, faddp, fiadd, fbld, fbstp, fchs, fnclex, fcmovcc, fcom, fcomp, fcompp, fcomi
    case fcomip, fucom, fucomp, fucompp, fucomi, fucomip, ficom, ficomp, fcos, fdecstp, fdiv, fdivp, fidiv, fdivr
    case fdivrp, fidivr, ffree, ffreep, fild, fincstp, fninit, fist, fistp, fld, fld1, fldl2t, fldl2e, fldpi, fldlg2
    case fldln2, fldz, fldcw, fldenv, fmul, fmulp, fimul, fnop, fpatan, fprem, fprem1, fptan, frndint, frstor
    case fnsave, fscale, fsin, fsincos, fsqrt, fst, fstp, fnstcw, fnstenv, fnstsw, fsub, fsubp, fisub, fsubr, fsubrp
    case fisubr, ftst, fxam, fxch, fxtract, fyl2x, fyl2xp1
    // Extended state
    case fxsave, fxrstor, ldmxcsr, stmxcsr, emms
    // MMX
    case movd, movq, packsswb, packssdw, packuswb, paddb, paddw, paddd, paddsb, paddsw, paddusb, paddusw, pand, pandn
    case pcmpeqb, pcmpeqw, pcmpeqd, pcmpgtb, pcmpgtw, pcmpgtd, pmaddwd, pmulhw, pmullw, por, psllw, pslld, psllq
    case psraw, psrad, psrlw, psrld, psrlq, psubb, psubw, psubd, psubsb, psubsw, psubusb, psubusw, punpckhbw
    case punpckhwd, punpckhdq, punpcklbw, punpcklwd, punpckldq, pxor
    // SSE
    case addps, addss, andnps, andps, cmpps, cmpss, comiss, cvtpi2ps, cvtps2pi, cvtsi2ss, cvtss2si, cvttps2pi
    case cvttss2si, divps, divss, maskmovq, maxps, maxss, minps, minss, movaps, movhlps, movhps, movlhps, movlps
    case movmskps, movntps, movntq, movss, movups, mulps, mulss, orps, pavgb, pavgw, pextrw, pinsrw, pmaxsw, pmaxub
    case pminsw, pminub, pmovmskb, pmulhuw, psadbw, pshufw, rcpps, rcpss, rsqrtps, rsqrtss, sfence, shufps, sqrtps
    case sqrtss, subps, subss, ucomiss, unpckhps, unpcklps, xorps
    // SSE2
    case addpd, addsd, andnpd, andpd, cmppd, cmpsd, comisd, cvtdq2pd, cvtdq2ps, cvtpd2dq, cvtpd2pi, cvtpd2ps
    case cvtpi2pd, cvtps2dq, cvtps2pd, cvtsd2si, cvtsd2ss, cvtsi2sd, cvtss2sd, cvttpd2dq, cvttpd2pi, cvttps2dq
    case cvttsd2si, divpd, divsd, lfence, maskmovdqu, maxpd, maxsd, mfence, minpd, minsd, movapd, movdq2q, movdqa
    case movdqu, movhpd, movlpd, movmskpd, movntdq, movnti, movntpd, movq2dq, movsd, movupd, mulpd, mulsd, orpd
    case paddq, pmuludq, pshufd, pshufhw, pshuflw, pslldq, psrldq, psubq, punpckhqdq, punpcklqdq, shufpd, sqrtpd
    case sqrtsd, subpd, subsd, ucomisd, unpckhpd, unpcklpd, xorpd
}
