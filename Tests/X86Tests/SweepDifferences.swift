@testable import X86

/// Where we and objdump shall disagree, each with the reason.
///
/// objdump knows every x86 there ever was and shows what an assembler would have to write; we are a Pentium 4 without
/// SSE3 and show what it would do. Nothing else is allowed to differ.
struct SweepDifference: Sendable {
    let reason: String
    let ours: Set<String>
    let theirs: Set<String>
    var condition: @Sendable (SweepCase) -> Bool = { _ in true }

    /// Whatever the names, two instructions must be of one length.
    func covers(_ difference: SweepCase) -> Bool {
        let bothDefined = difference.ours.mnemonic != "(bad)" && difference.theirs.mnemonic != "(bad)"
        guard !bothDefined || difference.theirLength == Int(difference.instruction.length) else { return false }
        return ours.contains(difference.ours.mnemonic) && theirs.contains(difference.theirs.mnemonic)
            && condition(difference)
    }

    static let all: [SweepDifference] = laterExtensions + reservedEncodings + targets + undocumented

    private static func words(_ list: String) -> Set<String> { Set(list.split(separator: " ").map(String.init)) }

    private static func missing(_ reason: String, _ theirs: String) -> SweepDifference {
        SweepDifference(reason: reason, ours: ["(bad)"], theirs: words(theirs))
    }

    private static let laterExtensions: [SweepDifference] = [
        missing(
            "SSE3 (SDM 1 5.7)",
            "addsubpd addsubps fisttp haddpd haddps hsubpd hsubps lddqu movddup movshdup movsldup mwait"),
        missing(
            "SSSE3 and SSE4 (SDM 1 5.8 to 5.11)",
            "crc32 packusdw phaddsw phaddw pminud pmovsxwd pmovzxwd pmulhrsw popcnt pshufb psignd roundsd roundss"),
        missing("SSE4a (AMD manual 4)", "extrq insertq movntsd movntss"),
        missing("3DNow! and its prefetches (AMD manual 3)", "femms prefetch prefetchw prefetchwt1"),
        missing("AVX: C5 with mod = 3 is LDS with a register operand (SDM 2A 2.3.5, \"LDS\")", "vpsllw"),
        missing("SHA extensions (SDM 2B)", "sha1msg1"),
        missing("long-mode system calls, #UD before it (SDM 2B, AMD manual 3)", "syscall sysret"),
        missing(
            "VMX, SMX and SVM (SDM 3C, 2D, AMD manual 3)",
            "getsec vmcall vmclear vmgexit vmmcall vmptrld vmptrst vmread vmwrite vmxon"),
        missing("XSAVE (SDM 1 13)", "xrstor xrstors xsave xsavec xsaveopt xsaves xsetbv"),
        missing(
            "later system instructions in groups 7, 9 and 15 (SDM 2D, table A-6)",
            """
            clflushopt clrssbsy clwb incsspd ptwrite rdfsbase rdgsbase rdpid rdrand rdseed rdtscp rstorssp tpause \
            umonitor umwait wrfsbase wrgsbase xresldtrk
            """),
        SweepDifference(
            reason: "MPX, CET and CLDEMOTE live in hint space, NOP before them (SDM 2D, table A-3, 0F 18 to 0F 1F)",
            ours: ["nop"], theirs: words("(bad) bndcl bndcn bndcu bndldx bndmk bndmov bndstx cldemote rdsspd")
        ) { (OpcodeMap.twoByte(0x18)...OpcodeMap.twoByte(0x1F)).contains($0.opcode) },
        SweepDifference(
            reason: "BSF and BSR ignore F3 before LZCNT and TZCNT (SDM 2A, \"LZCNT\"), and F2", ours: ["bsf", "bsr"],
            theirs: ["tzcnt", "lzcnt", "(bad)"]
        ) { $0.theirs.mnemonic == "(bad)" || $0.ours.operands == $0.theirs.operands },
        SweepDifference(
            reason: "WBINVD ignores F3 before WBNOINVD (SDM 2D, \"WBNOINVD\"), and 66", ours: ["wbinvd"],
            theirs: ["wbnoinvd", "(bad)"]),
    ]

    private static let reservedEncodings: [SweepDifference] = [
        SweepDifference(
            reason: "MOV to CS, and MOV of CR1, CR5 to CR7 and test registers, raise #UD (SDM 2B, \"MOV\")",
            ours: ["(bad)"], theirs: ["mov"]
        ) { difference in
            let operands = difference.theirs.operands
            return operands.first == "cs"
                || operands.contains { ["cr1", "cr5", "cr6", "cr7"].contains($0) || $0.hasPrefix("tr") }
        },
        missing("\"NP\": 66, F2 and F3 raise #UD (SDM 2A 3.1.1.1)", "fxrstor fxsave ldmxcsr pmovmskb stmxcsr"),
        missing("FRSTPM, reserved since the 387 (SDM 2D, table A-10)", "frstpm"),
    ]

    private static let targets: [SweepDifference] = [
        SweepDifference(
            reason: "16-bit branches clear the upper half of EIP (SDM 2A, \"Jcc\"); objdump keeps it",
            ours: jumps, theirs: jumps
        ) { difference in
            let target = difference.theirs.operands.first.flatMap(UInt32.init) ?? 0
            return difference.ours.mnemonic == difference.theirs.mnemonic
                && difference.instruction.operandSize == 2 && difference.ours.operands == ["\(target & 0xFFFF)"]
        }
    ]

    private static let jumps = words("call jcxz jecxz jmp loop loope loopne")
        .union(Condition.allCases.map { "j" + $0.suffix })

    private static let undocumented: [SweepDifference] = [
        SweepDifference(
            reason: "SALC (D6 does not raise #UD: SDM 3A 6.15, \"Interrupt 6\")", ours: ["salc"], theirs: ["(bad)"]),
        SweepDifference(
            reason: "aliases that x87 units execute, but the SDM leaves blank (SDM 2D, tables A-8 to A-22)",
            ours: words("fcom fcomp fstp fxch"), theirs: ["(bad)"]),
        SweepDifference(
            reason: "FENI, FDISI, FSETPM do nothing (SDM 1 8.3, \"Unsupported x87 FPU Instructions\")", ours: ["nop"],
            theirs: words("fndisi fneni fnsetpm")),
        SweepDifference(
            reason: "the r/m field of fences is ignored (SDM 2A, \"LFENCE\")", ours: words("lfence mfence sfence"),
            theirs: ["(bad)"]),
        SweepDifference(
            reason: "MOVDQ2Q and MOVQ2DQ with 66: objdump mistakes the register file", ours: words("movdq2q movq2dq"),
            theirs: words("movdq2q movq2dq")),
    ]
}
