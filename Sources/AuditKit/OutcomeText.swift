import Ring3

/// Outcomes in words, by the form of the instruction, for people.
enum OutcomeText {
    static func text(_ outcome: Outcome, of form: String) -> String {
        switch outcome {
        case .answer(let words): answer(form, words.first ?? 0, words.count > 1 ? words[1] : 0)
        case .vector(let vector, let errorCode): exception(vector, errorCode)
        case .systemCall: "a system call of the host"
        case .lost(let reason): reason
        }
    }

    /// "#GP(0)"; "vector 80" for what is no exception.
    static func exception(_ vector: UInt8, _ errorCode: UInt32) -> String {
        guard let name = exceptionNames[vector] else { return "vector \(hexadecimal(vector, 2))" }
        guard [8, 10, 11, 12, 13, 14, 17].contains(vector) else { return name }
        return "\(name)(\(errorCode == 0 ? "0" : hexadecimal(errorCode, 4)))"
    }

    private static let exceptionNames: [UInt8: String] = [
        0: "#DE", 1: "#DB", 3: "#BP", 4: "#OF", 5: "#BR", 6: "#UD", 7: "#NM", 8: "#DF", 10: "#TS", 11: "#NP", 12: "#SS",
        13: "#GP", 14: "#PF", 16: "#MF", 17: "#AC", 19: "#XM",
    ]

    /// What Guests/audit leaves in EAX and EDX.
    private static func answer(_ form: String, _ eax: UInt32, _ edx: UInt32) -> String {
        switch form {
        case "SGDT", "SIDT", "LGDT", "LIDT": "base \(hexadecimal(eax, 8)) limit \(hexadecimal(edx, 4))"
        case "SLDT", "LLDT": "LDT \(hexadecimal(eax, 4))"
        case "STR", "LTR": "TR \(hexadecimal(eax, 4))"
        case "PUSHF", "POPF": flags(eax)
        case "CLI", "STI": "IF=\(eax >> 9 & 1)"
        case "IRET": "\(flags(eax)) CS=\(hexadecimal(edx, 4))"
        case "LAR": edx & 0xFF == 0 ? "not visible" : rights(eax)
        case "LSL": edx & 0xFF == 0 ? "not visible" : "limit \(hexadecimal(eax, 8))"
        case "VERR": eax & 0xFF == 0 ? "not readable" : "readable"
        case "VERW": eax & 0xFF == 0 ? "not writable" : "writable"
        case "MOV Sreg, r/m", "POP Sreg", "LES": "ES=\(hexadecimal(edx, 4)) \(rights(eax))"
        case "LDS": "DS=\(hexadecimal(edx, 4)) \(rights(eax))"
        case "LFS": "FS=\(hexadecimal(edx, 4)) \(rights(eax))"
        case "LGS": "GS=\(hexadecimal(edx, 4)) \(rights(eax))"
        case "LSS", "PUSH Sreg": "SS=\(hexadecimal(eax, 4))"
        case "MOV r/m, Sreg", "CALL far", "JMP far", "RET far", "SYSENTER", "SYSEXIT": "CS=\(hexadecimal(eax, 4))"
        default: systemAnswer(form, eax, edx)
        }
    }

    private static func systemAnswer(_ form: String, _ eax: UInt32, _ edx: UInt32) -> String {
        switch form {
        case "SMSW", "LMSW": "MSW=\(hexadecimal(eax, 4))"
        case "CLTS": "TS=\(eax >> 3 & 1)"
        case "MOV r, CRn": "CR2=\(hexadecimal(eax, 8))"
        case "MOV CRn, r": "CR3=\(hexadecimal(eax, 8))"
        case "MOV r, DRn", "MOV DRn, r": "DR0=\(hexadecimal(eax, 8))"
        case "INVLPG": eax == 0xBBBB_BBBB ? "the new page" : "the old page"
        case "INVD", "WBINVD": "executes"
        case "RDMSR", "WRMSR": "MSR 174=\(hexadecimal(eax, 4))"
        case "CPUID": "processor \(hexadecimal(eax, 5))"
        case "RDTSC": "1001 instructions: \(eax) ticks"
        case "HLT": eax == 1 ? "waits for the timer" : "does not wait"
        case "IN", "OUT", "INS", "OUTS": "port 21=\(hexadecimal(eax, 2))"
        default: edx == 0 ? hexadecimal(eax, 8) : "\(hexadecimal(eax, 8)) \(hexadecimal(edx, 8))"
        }
    }

    private static func flags(_ eflags: UInt32) -> String { "IF=\(eflags >> 9 & 1) IOPL=\(eflags >> 12 & 3)" }

    /// The high word of a segment's descriptor: type and DPL (SDM 3A 3.4.5).
    private static func rights(_ high: UInt32) -> String {
        "\(high & 0x800 == 0 ? "data" : "code") DPL \(high >> 13 & 3)"
    }
}
