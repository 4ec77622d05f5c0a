import X86

/// What cannot be asked of the real processor, and why. Nothing else is left out.
enum Exclusions {
    static func reason(_ form: InstructionForm) -> String? {
        switch form.operation {
        case .cpuid: "names the processor, which the host's is not (SDM 2A, CPUID)"
        case .rdtsc: "reads the clock, which never shows the same twice"
        case .rdpmc: "depends on CR4.PCE, which follows how the host is profiled"
        case .sysenter: "enters the host's kernel (SDM 2B, SYSENTER)"
        case .sgdt, .sidt, .sldt, .str, .smsw:
            "raises #GP with CR4.UMIP (SDM 3A 2.5), and Linux answers in the processor's place"
        case .bswap where form.sample.operandSize == 2: "has an undefined result (SDM 2A, BSWAP)"
        case .fstp where isReserved(form):
            "is a reserved encoding that is nearly, but not quite, FSTP (SDM 2D, table A-10)"
        default: nil
        }
    }

    /// What single instructions do and longer cases do not, because what it leaves open would go on from there.
    static let fromSequences = [
        "TF: a sequence is never single-stepped (processors differ in what a traced repetition leaves in RF and flags)",
        "PUSH of a segment register by dwords: the upper half may not be written (SDM 2B, PUSH)",
        "SHLD and SHRD of words by CL: counts above 16 leave everything undefined (SDM 2B, SHLD)",
        "far transfers, MOV to segment registers: they need operands of their own",
        "in real code, F3 before BSF and BSR: TZCNT and LZCNT on hosts that have them (SDM 2B, TZCNT)",
        "far transfers to selector 33: 64-bit code",
    ]

    /// D9 D8 to DF.
    private static func isReserved(_ form: InstructionForm) -> Bool {
        guard form.opcode == [0xD9], case .fixed(let byte) = form.shape else { return false }
        return (0xD8...0xDF).contains(byte)
    }

    /// Bytes whose value would make a system call of the instruction.
    static func isSystemCall(_ instruction: Instruction) -> Bool {
        switch instruction.operation {
        case .int: instruction.immediate & 0xFF == 0x80
        case .sysenter: true
        default: false
        }
    }
}
