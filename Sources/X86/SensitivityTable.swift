/// The one table of who is sensitive, and why; `Sensitivity` is how it is read.
///
/// "SDM 2" stands for the instruction's own page in volume 2. R&I is Robin and Irvine, "Analysis of the Intel Pentium's
/// Ability to Support a Secure Virtual Machine Monitor", USENIX Security 2000.
enum SensitivityTable {
    /// Which forms of an operation that moves to and from system registers a row is for.
    enum Direction: Equatable { case any, toSystemRegister, fromSystemRegister }

    struct Row {
        let operations: [Operation]
        let direction: Direction
        let form: StaticString
        let mnemonic: StaticString
        let kind: Sensitivity.Kind
        let privilege: Sensitivity.Privilege
        let isLazilySwitched: Bool
        let reason: StaticString
        let source: StaticString

        /// A sensitive instruction.
        init(
            _ operation: Operation, _ form: StaticString, of mnemonic: StaticString? = nil,
            moving direction: Direction = .any, _ kind: Sensitivity.Kind,
            needs privilege: Sensitivity.Privilege = .never, _ reason: StaticString, _ source: StaticString
        ) {
            operations = [operation]
            self.direction = direction
            self.form = form
            self.mnemonic = mnemonic ?? form
            self.kind = kind
            self.privilege = privilege
            isLazilySwitched = false
            self.reason = reason
            self.source = source
        }

        /// Innocuous instructions that have something in common.
        init(
            innocuous form: StaticString, _ operations: [Operation], isLazilySwitched: Bool = false,
            _ reason: StaticString, _ source: StaticString
        ) {
            self.operations = operations
            direction = .any
            self.form = form
            mnemonic = form
            kind = []
            privilege = .never
            self.isLazilySwitched = isLazilySwitched
            self.reason = reason
            self.source = source
        }
    }

    static let rows =
        tableRegisters + flags + descriptors + segmentRegisters + farPointers + transfers + identification + interrupts
        + ports + controlRegisters + processor + innocuous

    private static let both: Sensitivity.Kind = [.control, .behaviour]

    private static let tableRegisters = [
        Row(.sgdt, "SGDT", .behaviour, "Shows where the GDT in force is, at any CPL.", "SDM 2; 3A 2.4.1; R&I"),
        Row(.sidt, "SIDT", .behaviour, "Shows where the IDT in force is, at any CPL.", "SDM 2; 3A 2.4.3; R&I"),
        Row(.sldt, "SLDT", .behaviour, "Shows which LDT is in force, at any CPL.", "SDM 2; 3A 2.4.2; R&I"),
        Row(.str, "STR", .behaviour, "Shows which task is running, at any CPL.", "SDM 2; 3A 2.4.4; R&I"),
        Row(.smsw, "SMSW", .behaviour, "Shows the low half of CR0, at any CPL.", "SDM 2; 3A 2.5; R&I"),
        Row(
            .lgdt, "LGDT", .control, needs: .always, "Replaces the table that all selectors refer to.",
            "SDM 2; 3A 2.4.1, 5.9"),
        Row(
            .lidt, "LIDT", .control, needs: .always, "Replaces the table that all interrupts go through.",
            "SDM 2; 3A 2.4.3, 5.9"),
        Row(
            .lldt, "LLDT", .control, needs: .always, "Replaces the local half of the selectors' meaning.",
            "SDM 2; 3A 2.4.2, 5.9"),
        Row(
            .ltr, "LTR", .control, needs: .always, "Replaces the TSS, and so the inner stacks and the I/O permissions.",
            "SDM 2; 3A 2.4.4, 5.9"),
    ]

    private static let flags = [
        Row(
            .pushf, "PUSHF", .behaviour, "Shows IF and IOPL, which a monitor must keep for itself.",
            "SDM 2; 3A 2.3; R&I"),
        Row(
            .popf, "POPF", both,
            "Changes IOPL at CPL 0 and IF up to IOPL, and without that privilege keeps them and says nothing.",
            "SDM 2; 3A 2.3, 6.8.1; R&I"),
        Row(.cli, "CLI", .control, needs: .ioPrivilege, "Holds off interrupts.", "SDM 2; 3A 6.8.1"),
        Row(
            .sti, "STI", .control, needs: .ioPrivilege, "Lets interrupts in after the next instruction.",
            "SDM 2; 3A 6.8.1"),
    ]

    private static let descriptors = [
        Row(
            .lar, "LAR", .behaviour, "Reads a descriptor, if CPL and RPL may see it.", "SDM 2; 3A 5.10.1; R&I"),
        Row(
            .lsl, "LSL", .behaviour, "Reads a segment's limit, if CPL and RPL may see it.", "SDM 2; 3A 5.10.3; R&I"),
        Row(
            .verr, "VERR", .behaviour, "Answers for CPL whether a segment is readable.", "SDM 2; 3A 5.10.2; R&I"),
        Row(
            .verw, "VERW", .behaviour, "Answers for CPL whether a segment is writable.", "SDM 2; 3A 5.10.2; R&I"),
    ]

    private static let segmentRegisters = [
        Row(
            .movSegment, "MOV r/m, Sreg", of: "MOV", moving: .fromSystemRegister, .behaviour,
            "Shows the selector, of CS and SS with the CPL in it.", "SDM 2; 3A 3.4.3; R&I"),
        Row(
            .movSegment, "MOV Sreg, r/m", of: "MOV", moving: .toSystemRegister, both,
            "Takes base, limit and rights from the descriptor tables in force, after checks against CPL.",
            "SDM 2; 3A 5.6, 5.7; R&I"),
        Row(
            .pushSegment, "PUSH Sreg", of: "PUSH", .behaviour, "Shows the selector, of CS and SS with the CPL in it.",
            "SDM 2; 3A 3.4.3; R&I"),
        Row(
            .popSegment, "POP Sreg", of: "POP", both,
            "Takes base, limit and rights from the descriptor tables in force, after checks against CPL.",
            "SDM 2; 3A 5.6, 5.7; R&I"),
    ]

    private static let farPointers = [
        farPointer(.lds, "LDS"), farPointer(.les, "LES"), farPointer(.lss, "LSS"), farPointer(.lfs, "LFS"),
        farPointer(.lgs, "LGS"),
    ]

    private static func farPointer(_ operation: Operation, _ form: StaticString) -> Row {
        Row(
            operation, form, both, "Loads a segment register as MOV Sreg does.", "SDM 2 \"LDS/LES/LFS/LGS/LSS\"; 3A 5.6"
        )
    }

    private static let transfers = [
        Row(
            .callFar, "CALL far", of: "CALL", both,
            "Loads CS or goes through a gate, as the tables and CPL have it, and pushes the old CS with the CPL in it.",
            "SDM 2; 3A 5.8; R&I"),
        Row(
            .jmpFar, "JMP far", of: "JMP", both, "Loads CS or switches tasks, as the tables and CPL have it.",
            "SDM 2; 3A 5.8; R&I"),
        Row(
            .retFar, "RET far", of: "RET", both, "Loads CS, and with it possibly a higher CPL and another stack.",
            "SDM 2; 3A 5.8.6; R&I"),
        Row(
            .iret, "IRET", both,
            "Loads CS and EFLAGS; what becomes of IF and IOPL depends on CPL, and nothing is said if they stay.",
            "SDM 2; 3A 6.12.1"),
        Row(
            .int, "INT n", of: "INT", both,
            "Goes through the IDT in force if CPL may use the gate, and pushes CS and EFLAGS with CPL, IF and IOPL.",
            "SDM 2; 3A 6.12.1; R&I"),
        Row(.int3, "INT3", both, "Goes through the IDT as INT n does.", "SDM 2 \"INT n/INTO/INT3/INT1\"; 3A 6.12.1"),
        Row(
            .into, "INTO", both, "Goes through the IDT as INT n does, if OF is set.",
            "SDM 2 \"INT n/INTO/INT3/INT1\"; 3A 6.12.1"),
        Row(
            .int1, "INT1", both, "Goes through the IDT, and asks for no privilege at all.",
            "SDM 2 \"INT n/INTO/INT3/INT1\"; 3A 6.12.1"),
        Row(
            .sysenter, "SYSENTER", .control, "Enters CPL 0 where three MSRs say: in user mode, the host's kernel.",
            "SDM 2; 3A 5.8.7"),
        Row(
            .sysexit, "SYSEXIT", .control, needs: .always, "Enters CPL 3 with flat segments.", "SDM 2; 3A 5.8.7"),
    ]

    private static let identification = [
        Row(
            .cpuid, "CPUID", .behaviour,
            "Describes the host's processor, not the guest's; answers the same at every CPL.", "SDM 2; 1 20.1"),
        Row(
            .rdtsc, "RDTSC", .behaviour, needs: .timestampDisable, "Shows the host's time, not the guest's.",
            "SDM 2; 3A 2.5 (CR4.TSD)"),
        Row(
            .rdpmc, "RDPMC", .behaviour, needs: .performanceCounters, "Shows the host's performance counters.",
            "SDM 2; 3A 2.5 (CR4.PCE)"),
        Row(.rdmsr, "RDMSR", .behaviour, needs: .always, "Reads how the processor is set up.", "SDM 2; 3A 5.9; 4"),
        Row(.wrmsr, "WRMSR", .control, needs: .always, "Changes how the processor is set up.", "SDM 2; 3A 5.9; 4"),
    ]

    private static let interrupts = [
        Row(.hlt, "HLT", .control, needs: .always, "Stops the processor until an interrupt.", "SDM 2; 3A 5.9")
    ]

    private static let ports = [
        port(.in, "IN", "Reads from a device, which may change it."),
        port(.out, "OUT", "Gives a device orders."),
        port(.ins, "INS", "Reads from a device into memory, which may change it."),
        port(.outs, "OUTS", "Gives a device orders out of memory."),
    ]

    private static func port(_ operation: Operation, _ form: StaticString, _ reason: StaticString) -> Row {
        Row(operation, form, .control, needs: .ioPermission, reason, "SDM 2; 1 18.5")
    }

    private static let controlRegisters = [
        Row(
            .movControl, "MOV r, CRn", of: "MOV", moving: .fromSystemRegister, .behaviour, needs: .always,
            "Shows mode, page directory and the address of the last page fault.", "SDM 2; 3A 2.5, 5.9"),
        Row(
            .movControl, "MOV CRn, r", of: "MOV", moving: .toSystemRegister, .control, needs: .always,
            "Switches mode, paging, address space and extensions.", "SDM 2; 3A 2.5, 5.9"),
        Row(
            .movDebug, "MOV r, DRn", of: "MOV", moving: .fromSystemRegister, .behaviour, needs: .always,
            "Shows breakpoints.",
            "SDM 2; 3A 5.9; 3B 17.2"),
        Row(
            .movDebug, "MOV DRn, r", of: "MOV", moving: .toSystemRegister, .control, needs: .always,
            "Sets breakpoints.",
            "SDM 2; 3A 5.9; 3B 17.2"),
        Row(
            .lmsw, "LMSW", .control, needs: .always, "Changes PE, MP, EM and TS in CR0.", "SDM 2; 3A 2.5, 5.9"),
        Row(.clts, "CLTS", .control, needs: .always, "Clears TS in CR0.", "SDM 2; 3A 2.5, 5.9"),
    ]

    private static let processor = [
        Row(
            .invlpg, "INVLPG", .control, needs: .always, "Makes a change of the page tables effective.",
            "SDM 2; 3A 2.8.5, 5.9"),
        Row(
            .invd, "INVD", .control, needs: .always, "Drops caches, with what was not written back.",
            "SDM 2; 3A 2.8.5, 5.9"),
        Row(
            .wbinvd, "WBINVD", .control, needs: .always, "Writes all caches back and drops them.",
            "SDM 2; 3A 2.8.5, 5.9"),
    ]
}
