/// What Popek and Goldberg's theorem (CACM 17(7), 1974) asks about an instruction: may a guest execute it directly, and
/// if not, would the processor at least stop it?
///
/// Their condition for a monitor that lets everything else run is that all sensitive instructions be privileged. On x86
/// they are not: see `unprivilegedMnemonics`. The answers are those for protected mode on the processor that guests see
/// (a Pentium M: no CR4.UMIP, which would make SGDT, SIDT, SLDT, STR and SMSW privileged). In virtual-8086 mode PUSHF,
/// POPF, INT n and IRET are privileged as well, below IOPL 3 (SDM 3A 20.2).
///
/// Their "location sensitivity" of ordinary memory operands is not counted: who executes them directly has to arrange
/// the same address space anyway.
public struct Sensitivity: Sendable {
    /// Empty: innocuous.
    public struct Kind: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Changes, or tries to change, how the machine is set up: privilege, segments, paging, interrupts, devices.
        public static let control = Kind(rawValue: 1 << 0)
        /// What it does or answers depends on how the machine is set up, or on the privilege it runs at.
        public static let behaviour = Kind(rawValue: 1 << 1)
    }

    /// When it raises #GP(0) for lack of privilege, whatever its operands.
    public enum Privilege: UInt8, CaseIterable, Sendable {
        /// Never: it executes at every CPL, if with other results.
        case never
        /// Unless CPL is 0.
        case always
        /// If CPL > IOPL.
        case ioPrivilege
        /// If CPL > IOPL and the I/O permission bitmap of the TSS does not allow the port.
        case ioPermission
        /// If CPL > 0 and CR4.TSD is set.
        case timestampDisable
        /// If CPL > 0 and CR4.PCE is clear.
        case performanceCounters
    }

    public let kind: Kind
    public let privilege: Privilege
    /// Raises #NM (or #UD) while CR0.TS or CR0.EM says that the x87 or SSE state is not there; innocuous otherwise. An
    /// engine has to keep that check, and nothing else.
    public let isLazilySwitched: Bool
    /// Number of the row in `table`, to count by.
    public let index: UInt8
    private let texts: (form: StaticString, mnemonic: StaticString, reason: StaticString, source: StaticString)

    init(
        index: UInt8, kind: Kind, privilege: Privilege, isLazilySwitched: Bool,
        texts: (form: StaticString, mnemonic: StaticString, reason: StaticString, source: StaticString)
    ) {
        self.kind = kind
        self.privilege = privilege
        self.isLazilySwitched = isLazilySwitched
        self.index = index
        self.texts = texts
    }

    /// As in the SDM, with operands where there are other forms: "MOV r/m, Sreg".
    public var form: String { texts.form.description }
    /// The mnemonic alone, "MOV", or, of a row for many innocuous instructions, what they have in common.
    public var mnemonic: String { texts.mnemonic.description }
    /// One sentence.
    public var reason: String { texts.reason.description }
    /// Volume and section of the Intel SDM, and who else says so.
    public var source: String { texts.source.description }

    public var isSensitive: Bool { !kind.isEmpty }
    /// The processor stops user-mode code that uses it, always or depending on IOPL or CR4.
    public var isPrivileged: Bool { privilege != .never }
}

extension Sensitivity {
    /// Every row: first the sensitive instructions, by family, then classes of innocuous ones.
    public static let table: [Sensitivity] = SensitivityTable.rows.enumerated().map { index, row in
        Sensitivity(
            index: UInt8(index), kind: row.kind, privilege: row.privilege, isLazilySwitched: row.isLazilySwitched,
            texts: (row.form, row.mnemonic, row.reason, row.source))
    }

    /// Form of the row of near jumps, calls and returns: innocuous, but a translator has to follow them.
    public static let nearTransfers = "near transfer"

    /// Mnemonics of the sensitive instructions that no privilege check stops, in the order of the table.
    ///
    /// Counted by mnemonic, so that the forms of MOV, PUSH, POP, CALL, JMP, RET and INT that are sensitive count as one
    /// each, 29 come out of the manual. Robin and Irvine (USENIX Security 2000) name 18 of them, though they and those
    /// who quote them say 17: SGDT, SIDT, SLDT, STR, SMSW, PUSHF, POPF, LAR, LSL, VERR, VERW, MOV, PUSH, POP, CALL, JMP,
    /// RET, INT. The same arguments hold for IRET; for LDS, LES, LFS, LGS and LSS, which load segment registers like
    /// MOV; for INT3, INTO and INT1, which enter gates like INT; for SYSENTER; and for CPUID, if what the processor can
    /// do counts as part of how the machine is set up.
    public static let unprivilegedMnemonics: [String] = table.reduce(into: []) { names, row in
        if row.isSensitive, !row.isPrivileged, !names.contains(row.mnemonic) { names.append(row.mnemonic) }
    }

    /// Numbers of rows by operation: of forms that write a segment, control or debug register, and of all others.
    private static let byOperation: [(toSystemRegister: UInt8, other: UInt8)] = {
        var found = [(UInt8?, UInt8?)](repeating: (nil, nil), count: Operation.allCases.count)
        for (index, row) in SensitivityTable.rows.enumerated() {
            for operation in row.operations {
                let place = Int(operation.rawValue)
                if row.direction != .fromSystemRegister { found[place].0 = UInt8(index) }
                if row.direction != .toSystemRegister { found[place].1 = UInt8(index) }
            }
        }
        return zip(Operation.allCases, found).map { operation, rows in
            guard let write = rows.0, let other = rows.1 else { preconditionFailure("no row for \(operation)") }
            return (write, other)
        }
    }()

    /// The row of an instruction. Nothing is built: two loads and a comparison.
    fileprivate static func index(_ operation: Operation, writesSystemRegister: Bool) -> UInt8 {
        let rows = byOperation[Int(operation.rawValue)]
        return writesSystemRegister ? rows.toSystemRegister : rows.other
    }
}

extension Instruction {
    /// Whether it is sensitive, whether privileged, and why: by operation and direction.
    public var sensitivity: Sensitivity { Sensitivity.table[Int(sensitivityIndex)] }

    /// The number of its row in `Sensitivity.table`, for those who only count.
    public var sensitivityIndex: UInt8 {
        let kind = operands.0.kind
        let writes = kind == .segment || kind == .control || kind == .debug
        return Sensitivity.index(operation, writesSystemRegister: writes)
    }
}
