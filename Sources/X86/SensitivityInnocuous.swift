extension SensitivityTable {
    /// What a guest may execute directly at any privilege level.
    static let innocuous = [
        Row(
            innocuous: "computation", computation,
            "Works on registers, status flags, DF and memory, and knows nothing of privilege.", "SDM 1 5.1"),
        Row(
            innocuous: "near transfer", [.jcc, .jcxz, .jmp, .call, .ret, .loop, .loope, .loopne],
            "Changes EIP within the code segment, and nothing else.", "SDM 1 6.4.1"),
        Row(
            innocuous: "ARPL", [.arpl],
            "Compares the RPLs of two selectors that it is given; looks neither at CPL nor at a table.",
            "SDM 2; 3A 5.10.4"),
        Row(
            innocuous: "hint", [.nop, .pause, .prefetch, .clflush, .sfence, .lfence, .mfence],
            "Orders or hints at accesses to memory, without effect on what they do.", "SDM 1 11.4.4"),
        Row(
            innocuous: "undefined", [.invalid, .truncated, .overlong, .ud0, .ud1, .ud2, .rsm],
            "Faults at every CPL alike (RSM: outside system-management mode, which guests do not have).",
            "SDM 2 \"UD\", \"RSM\"; 3A 6.15"),
        Row(
            innocuous: "x87", [.wait] + operations(.f2xm1, through: .fyl2xp1), isLazilySwitched: true,
            "Works on the x87 state, if CR0.TS and CR0.EM say that it is there.", "SDM 3A 2.5, 13.4.1"),
        Row(
            innocuous: "MMX, SSE, SSE2", vector, isLazilySwitched: true,
            "Works on the MMX or SSE state, if CR0.TS and CR0.EM say that it is there.", "SDM 3A 2.5, 13.4.1"),
    ]

    private static let computation: [Operation] =
        [
            // Data transfer
            .mov, .movsx, .movzx, .xchg, .bswap, .xadd, .cmpxchg, .cmpxchg8b, .push, .pop, .pusha, .popa, .lea, .xlat,
            .lahf, .sahf, .cmovcc, .setcc, .cbw, .cwde, .cwd, .cdq, .salc,
        ] + operations(.add, through: .das) + operations(.rol, through: .bsr) + [
            .bound, .enter, .leave, .movs, .cmps, .scas, .lods, .stos, .clc, .stc, .cmc, .cld, .std,
            // Goes past the caches, but through general registers: no #NM (SDM 2B, "MOVNTI").
            .movnti,
        ]

    /// FXSAVE to the end of SSE2, without the few that touch no such state.
    private static let vector = operations(.fxsave, through: .xorpd).filter {
        ![.sfence, .lfence, .mfence, .movnti].contains($0)
    }

    private static func operations(_ first: Operation, through last: Operation) -> [Operation] {
        (first.rawValue...last.rawValue).compactMap { Operation(rawValue: $0) }
    }
}
