import CCapstone

/// What a Capstone instruction id means to us.
struct CapstoneMeaning {
    /// Nil for what is not in our instruction set: SSE3 and later, AVX, virtualisation and so on.
    var operation: Operation?
    var condition: Condition = .overflow
}

/// Capstone's numbering, turned into ours once.
enum CapstoneTables {
    /// The meaning of every instruction id, by the name Capstone gives it.
    static func meanings(_ handle: csh) -> [CapstoneMeaning] {
        var named: [String: CapstoneMeaning] = [:]
        for operation in Operation.allCases.dropFirst(3) {
            named[String(describing: operation)] = CapstoneMeaning(operation: operation)
        }
        for (operation, names) in otherNames {
            for name in names.split(separator: " ") { named[String(name)] = CapstoneMeaning(operation: operation) }
        }
        for condition in Condition.allCases {
            for (operation, prefix) in [(Operation.jcc, "j"), (.setcc, "set"), (.cmovcc, "cmov")] {
                named[prefix + condition.suffix] = CapstoneMeaning(operation: operation, condition: condition)
            }
        }
        for (suffix, condition) in moveConditions {
            named["fcmov" + suffix] = CapstoneMeaning(operation: .fcmovcc, condition: condition)
        }
        return (0..<X86_INS_ENDING.rawValue).map { id in
            cs_insn_name(handle, id).flatMap { named[String(cString: $0)] } ?? CapstoneMeaning()
        }
    }

    /// FCMOVcc conditions (SDM 2A, "FCMOVcc"): "unordered" is what Jcc calls parity.
    static let moveConditions: [(suffix: String, condition: Condition)] = [
        ("b", .below), ("e", .equal), ("be", .belowOrEqual), ("u", .parity),
        ("nb", .aboveOrEqual), ("ne", .notEqual), ("nbe", .above), ("nu", .notParity),
    ]

    /// Where Capstone names an operation otherwise, or names its sizes, hints and undocumented encodings apart.
    private static let otherNames: [(Operation, String)] = [
        (.callFar, "lcall"), (.jmpFar, "ljmp"), (.retFar, "retf"), (.iret, "iretd"), (.jcxz, "jecxz"),
        (.pusha, "pushaw pushal"), (.popa, "popaw popal"), (.pushf, "pushfd"), (.popf, "popfd"), (.xlat, "xlatb"),
        (.movs, "movsb movsw"), (.cmps, "cmpsb cmpsw"), (.scas, "scasb scasw scasd"), (.lods, "lodsb lodsw lodsd"),
        (.stos, "stosb stosw stosd"), (.ins, "insb insw insd"), (.outs, "outsb outsw outsd"), (.shl, "sal"),
        (.prefetch, "prefetchnta prefetcht0 prefetcht1 prefetcht2"), (.ud1, "ud2b"),
        // D9 D8+i, and the 8087's and 80287's FENI, FDISI, FSETPM, which later units ignore
        (.fstp, "fstpnce"), (.fnop, "feni8087_nop fdisi8087_nop fsetpm"),
        (.cmpps, comparisons("ps")), (.cmpss, comparisons("ss")), (.cmppd, comparisons("pd")),
        (.cmpsd, comparisons("sd")),
    ]

    /// The names Capstone gives CMPPS and the like according to their immediate.
    private static func comparisons(_ suffix: String) -> String {
        ["eq", "lt", "le", "unord", "neq", "nlt", "nle", "ord"].map { "cmp" + $0 + suffix }.joined(separator: " ")
    }

    /// Our operand for every Capstone register; `.none` for those a 32-bit guest has not.
    static let registers: [Operand] = {
        var table = [Operand](repeating: .none, count: Int(X86_REG_ENDING.rawValue))
        for (size, list) in generalRegisters {
            for (number, register) in list.enumerated() {
                let offset = RegisterFile.offset(ofRegister: UInt8(number), size: size)
                table[Int(register.rawValue)] = Operand(.register, size: size, register: offset)
            }
        }
        for (number, register) in [X86_REG_ES, X86_REG_CS, X86_REG_SS, X86_REG_DS, X86_REG_FS, X86_REG_GS].enumerated()
        {
            table[Int(register.rawValue)] = Operand(.segment, size: 2, register: UInt8(number))
        }
        let files: [(OperandKind, UInt8, x86_reg)] = [
            (.control, 4, X86_REG_CR0), (.debug, 4, X86_REG_DR0), (.x87, 10, X86_REG_ST0), (.mmx, 8, X86_REG_MM0),
            (.xmm, 16, X86_REG_XMM0),
        ]
        for (kind, size, first) in files {
            for number in 0..<8 {
                table[Int(first.rawValue) + number] = Operand(kind, size: size, register: UInt8(number))
            }
        }
        return table
    }()

    private static let generalRegisters: [(UInt8, [x86_reg])] = [
        (1, [X86_REG_AL, X86_REG_CL, X86_REG_DL, X86_REG_BL, X86_REG_AH, X86_REG_CH, X86_REG_DH, X86_REG_BH]),
        (2, [X86_REG_AX, X86_REG_CX, X86_REG_DX, X86_REG_BX, X86_REG_SP, X86_REG_BP, X86_REG_SI, X86_REG_DI]),
        (
            4,
            [
                X86_REG_EAX, X86_REG_ECX, X86_REG_EDX, X86_REG_EBX, X86_REG_ESP, X86_REG_EBP, X86_REG_ESI, X86_REG_EDI,
            ]
        ),
    ]
}
