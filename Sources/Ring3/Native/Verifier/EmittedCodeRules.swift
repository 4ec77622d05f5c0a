import X86

/// What an instruction is to the verifier. What is not named here may not be emitted.
enum EmittedInstructionKind: UInt8 {
    case forbidden
    /// Computes with general registers and at most one memory operand; no register it does not name but the
    /// accumulator, EDX and CL.
    case plain
    /// Plain, and may be locked.
    case lockable
    /// Plain, and writes its first operand without reading it.
    case load
    case move, lea, not, shift
    /// PEXT, which does that, too.
    case extract
    /// Addresses beyond its memory operand if the bit's number is in a register.
    case bitTest
    /// The same, and may be locked.
    case bitChange
    case x87, vector
    /// Repeated string instructions: their operands are where RSI and RDI say.
    case string
    case jump, conditional, jumpIfZeroRCX, loop, call, `return`
    // Of the stubs.
    case push, pop, pushFlags, popFlags, writeGSBase, stateImage

    /// The kind of an instruction. Capstone has one number for string instructions and SSE's that share their name.
    static func of(_ i: HostInstruction, _ table: [EmittedInstructionKind]) -> EmittedInstructionKind {
        guard !i.isTwoByte, i.length == i.prefixes.count + 1 else { return table[i.id] }
        return switch i.opcode {
        case 0xA4...0xA7, 0xAA, 0xAB, 0xAE, 0xAF: .string
        default: table[i.id]
        }
    }

    /// SDM 2A, "LOCK": others are undefined with it.
    var isLockable: Bool { self == .lockable || self == .not || self == .bitChange }

    /// Kinds by Capstone's number.
    static func table(_ disassembler: HostDisassembler) -> [EmittedInstructionKind] {
        var kinds: [String: EmittedInstructionKind] = [:]
        for (kind, names) in allowed {
            for name in names.split(separator: " ") { kinds[String(name)] = kind }
        }
        return (0..<HostDisassembler.idCount).map { kinds[disassembler.name(ofID: $0)] ?? .forbidden }
    }

    /// Not among them: what enters the host's kernel or faults on purpose (SYSCALL, INT, UD2, HLT), what needs ring 0,
    /// segment and control registers, IN and OUT, the flags that the host's code relies on (STD, POPF), and the
    /// stack; and of the x87 and SSE units what stores the host's
    /// instruction pointer in the guest's memory or a whole state (FSTENV, FSAVE, FXSAVE), what unmasks exceptions (FLDCW,
    /// LDMXCSR), and the MASKMOVs, whose operand is implied.
    private static let allowed: [(EmittedInstructionKind, String)] = [
        (
            .plain,
            """
            cmp test shl sal shr sar rol ror rcl rcr shld shrd bswap mul imul div idiv bsf bsr cbw cwde cwd cdq lahf \
            sahf clc stc cmc nop cmovo cmovno cmovb cmovae cmove cmovne cmovbe cmova cmovs cmovns cmovp cmovnp cmovl cmovge \
            cmovle cmovg
            """
        ),
        (.lockable, "add adc sub sbb and or xor inc dec neg xchg xadd cmpxchg cmpxchg8b"),
        (
            .load,
            """
            movzx movsx pdep seto setno setb setae sete setne setbe seta sets setns setp setnp setl setge \
            setle setg
            """
        ),
        (.move, "mov"), (.lea, "lea"), (.not, "not"), (.extract, "pext"), (.shift, "shlx shrx sarx rorx"),
        (.bitTest, "bt"), (.bitChange, "bts btr btc"),
        (.jump, "jmp"), (.call, "call"), (.return, "ret"), (.jumpIfZeroRCX, "jrcxz"), (.loop, "loop"),
        (.conditional, "jo jno jb jae je jne jbe ja js jns jp jnp jl jge jle jg"),
        (
            .x87,
            """
            fld fild fbld fst fstp fist fistp fisttp fbstp fadd faddp fiadd fsub fsubp fisub fsubr fsubrp fisubr fmul \
            fmulp fimul fdiv fdivp fidiv fdivr fdivrp fidivr fcom fcomp fcompp ficom ficomp fucom fucomp fucompp fcomi \
            fcomip fucomi fucomip ftst fxam fabs fchs fld1 fldl2t fldl2e fldpi fldlg2 fldln2 fldz f2xm1 fyl2x fptan \
            fpatan fxtract fprem1 fdecstp fincstp fprem fyl2xp1 fsqrt fsincos frndint fscale fsin fcos fxch ffree ffreep \
            fnop wait fnstcw fnstsw fnclex fninit fcmovb fcmove fcmovbe fcmovu fcmovnb fcmovne fcmovnbe fcmovnu \
            emms fstpnce feni8087_nop fdisi8087_nop fsetpm
            """
        ),
        (.vector, mmx + " " + sse + " " + comparisons),
        (.push, "push"), (.pop, "pop"), (.pushFlags, "pushfq"), (.popFlags, "popfq"), (.writeGSBase, "wrgsbase"),
        (.stateImage, "fxsave fxrstor fxsave64 fxrstor64"),
    ]

    private static let mmx = """
        movd movq packsswb packssdw packuswb punpckhbw punpckhwd punpckhdq punpcklbw punpcklwd punpckldq paddb paddw \
        paddd paddq paddsb paddsw paddusb paddusw psubb psubw psubd psubq psubsb psubsw psubusb psubusw pmulhw pmulhuw \
        pmullw pmuludq pmaddwd pcmpeqb pcmpeqw pcmpeqd pcmpgtb pcmpgtw pcmpgtd pand pandn por pxor psllw pslld psllq \
        psrlw psrld psrlq psraw psrad pavgb pavgw pextrw pinsrw pmaxsw pmaxub pminsw pminub pmovmskb psadbw pshufw \
        movntq
        """

    private static let sse = """
        movaps movups movapd movupd movss movsd movlps movhps movlpd movhpd movlhps movhlps movmskps movmskpd movdqa \
        movdqu movq2dq movdq2q movntps movntpd movntdq movnti addps addpd addss addsd subps subpd subss subsd mulps mulpd \
        mulss mulsd divps divpd divss divsd sqrtps sqrtpd sqrtss sqrtsd rcpps rcpss rsqrtps rsqrtss minps minpd minss \
        minsd maxps maxpd maxss maxsd andps andpd andnps andnpd orps orpd xorps xorpd cmpps cmppd cmpss cmpsd comiss \
        comisd ucomiss ucomisd shufps shufpd unpckhps unpckhpd unpcklps unpcklpd cvtpi2ps cvtpi2pd cvtps2pi cvtpd2pi \
        cvttps2pi cvttpd2pi cvtsi2ss cvtsi2sd cvtss2si cvtsd2si cvttss2si cvttsd2si cvtps2pd cvtpd2ps cvtss2sd cvtsd2ss \
        cvtdq2ps cvtdq2pd cvtps2dq cvtpd2dq cvttps2dq cvttpd2dq pshufd pshufhw pshuflw pslldq psrldq punpckhqdq \
        punpcklqdq stmxcsr
        """

    /// The names Capstone gives CMPPS and the like according to their immediate.
    private static let comparisons = ["ps", "pd", "ss", "sd"].flatMap { size in
        ["eq", "lt", "le", "unord", "neq", "nlt", "nle", "ord"].map { "cmp" + $0 + size }
    }.joined(separator: " ")
}

/// Offset and size of a field in the processor's state.
struct StateField: Hashable {
    let offset: Int
    let size: Int
}

/// What the verifier takes for granted: where things are. Everything else it reads from the bytes.
struct EmittedCodeLayout {
    /// What may be written to a field of the processor's state.
    enum Value {
        case any
        /// The number of one of the block's instructions, which the monitor will look up.
        case instruction
    }

    /// What blocks may write, and what they may read, of the processor's state. Nothing of the host's is there to be
    /// read, and nothing to be written that the monitor relies on to stay in the sandbox: whatever the guest's flags are,
    /// its code is emitted and executed under the same rules.
    var writable: [StateField: Value]
    var readable: Set<StateField>
    /// Zero while the guest's x87 and SSE state is in the units.
    var lacksUnits: StateField
    /// Where flags may be kept while an instruction is executed: on their way from and to the host's stack.
    var savedFlags: StateField
    /// The base of the window in use, a multiple of 4 GiB.
    var window: StateField
    /// The address of a page of RAM, or zero.
    var page: StateField
    /// How many far targets there are below the jump cache's entries: addresses of eight bytes, as these, of which there is
    /// one for each word of 32 bits.
    var farTargetCount: Int
    /// Where counters of eight bytes are, one for each site, as offsets; empty if blocks do not count.
    var counters = 0..<0
    /// Bytes below the instruction budget's end that fault.
    var budgetGuard: Int
    /// What a block must be sure of before it goes to a stub.
    enum Condition: Equatable {
        case none
        /// Its mode has these bits, or lacks them.
        case has(NativeMode), lacks(NativeMode)
        /// The guest's x87 and SSE state is in the units.
        case hasUnits
    }

    /// Offset of the stub that leads back to the monitor, of those that go on at the guest's address in R8D, and where
    /// blocks begin.
    var leave: Int
    var continuations: [Int: Condition]
    /// Offsets of those that go on at an address of their own, with the block at an end, unless they have to leave as the
    /// first does: by the site in R8D.
    var systemCalls: [Int]
    var firstBlock: Int

    static func of(
        farTargetCount: Int, leave: Int, continuations: [Int: Condition], systemCalls: [Int],
        firstBlock: Int
    ) -> EmittedCodeLayout {
        func field(_ path: PartialKeyPath<ProcessorState>, _ size: Int = 4) -> StateField {
            StateField(offset: MemoryLayout<ProcessorState>.offset(of: path) ?? -1, size: size)
        }
        let lacksUnits = field(\.native.lacksUnits)
        let systemFlags = field(\.systemFlags)
        let descriptors = field(\.native.descriptors, MemoryLayout<LoadedDescriptors>.size)
        let words = stride(from: descriptors.offset, to: descriptors.offset + descriptors.size, by: 4)
        return EmittedCodeLayout(
            writable: [
                field(\.native.x87Operand): .any, field(\.native.lastX87): .instruction,
                field(\.native.lastX87WithOperand): .instruction, systemFlags: .any,
                field(\.cr0): .any,
            ],
            readable: Set(
                [
                    field(\.fs.base), field(\.gs.base), lacksUnits, systemFlags, field(\.cr0), field(\.cpl, 1),
                    field(\.interruptLine, 1), field(\.isProtected, 1), field(\.cr4), field(\.native.clock.isMissing),
                    field(\.native.dataRegion.key), field(\.native.dataRegion.shift),
                    StateField(offset: field(\.cs.readEnd).offset + 4, size: 4),
                    field(\.es.selector, 2), field(\.cs.selector, 2), field(\.ss.selector, 2), field(\.ds.selector, 2),
                    field(\.fs.selector, 2), field(\.gs.selector, 2),
                ] + words.map { StateField(offset: $0, size: 4) }), lacksUnits: lacksUnits,
            savedFlags: field(\.native.savedFlags, 8), window: field(\.native.window, 8),
            page: field(\.native.dataRegion.page, 8),
            farTargetCount: farTargetCount, budgetGuard: 4096, leave: leave,
            continuations: continuations, systemCalls: systemCalls,
            firstBlock: firstBlock)
    }
}

/// What the monitor means to do with a block: what the proof is about, not what it rests on.
struct EmittedBlock {
    /// Offsets in the arena: first byte, where the entry leads once the block is stale, and the end.
    var entry: Int
    var staleExit: Int
    var end: Int
    /// What it is specialised on.
    var mode: NativeMode
    /// Instructions that the block counts, and tests for on entry.
    var count: Int
    /// Where the monitor goes on in the block after it has done something there, how many instructions it takes to have been
    /// counted there, and how many of them follow.
    var resumptions: [(offset: Int, counted: Int, ahead: Int)]
    /// Numbers of its instructions, and those by which the block may leave.
    var records: Range<UInt32>
    var sites: Range<UInt32>
    /// Offsets of the distances of jumps and calls that the monitor will overwrite, and where in the block each leads as
    /// long as it has not.
    var patches: [Int: Int]
}
