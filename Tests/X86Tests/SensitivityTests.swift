import Testing

@testable import X86

@Suite struct SensitivityTests {
    /// Forms that an operation of the table can have.
    private func forms(of row: SensitivityTable.Row) -> [SensitivityTable.Direction] {
        row.direction == .any ? [.toSystemRegister, .fromSystemRegister] : [row.direction]
    }

    @Test func everyFormOfEveryOperationHasOneRow() {
        for operation in Operation.allCases {
            let found = SensitivityTable.rows.filter { $0.operations.contains(operation) }.flatMap(forms)
            #expect(found.count == 2 && found[0] != found[1], "\(operation) is in the rows for \(found)")
        }
    }

    @Test func operationsFindTheirRow() {
        for row in SensitivityTable.rows {
            for operation in row.operations {
                for form in forms(of: row) {
                    var instruction = Instruction(operation)
                    instruction.operands.0 = Operand(form == .toSystemRegister ? .segment : .register)
                    #expect(instruction.sensitivity.form == row.form.description)
                    #expect(instruction.sensitivity.kind == row.kind)
                }
            }
        }
    }

    @Test func rowsAreNumberedAndExplained() {
        for (index, row) in Sensitivity.table.enumerated() {
            #expect(Int(row.index) == index)
            #expect(row.reason.hasSuffix(".") && row.reason.count < 120, "\(row.form): \(row.reason)")
            #expect(row.source.hasPrefix("SDM "), "\(row.form): \(row.source)")
            #expect(row.isSensitive || !row.isPrivileged, "\(row.form): what nobody minds need not be forbidden")
        }
        #expect(Set(Sensitivity.table.map(\.form)).count == Sensitivity.table.count)
    }

    /// 29, of which Robin and Irvine name 18; see `Sensitivity.unprivilegedMnemonics`.
    @Test func sensitiveAndUnprivileged() {
        let named = [
            "SGDT", "SIDT", "SLDT", "STR", "SMSW", "PUSHF", "POPF", "LAR", "LSL", "VERR", "VERW", "MOV", "PUSH", "POP",
            "CALL", "JMP", "RET", "INT",
        ]
        let others = ["IRET", "INT3", "INTO", "INT1", "LDS", "LES", "LFS", "LGS", "LSS", "SYSENTER", "CPUID"]
        #expect(named.count == 18)
        #expect(Set(Sensitivity.unprivilegedMnemonics) == Set(named + others))
        #expect(Sensitivity.unprivilegedMnemonics.count == 29)
        let cited = Sensitivity.table.filter { $0.source.contains("R&I") }
        #expect(Set(cited.map(\.mnemonic)) == Set(named))
        #expect(cited.allSatisfy { $0.isSensitive && !$0.isPrivileged })
    }

    /// The list of SDM 3A 5.9, and SYSEXIT, which is of later date.
    @Test func privilegedInstructions() {
        let always = Sensitivity.table.filter { $0.privilege == .always }.map(\.form)
        #expect(
            Set(always) == [
                "LGDT", "LLDT", "LTR", "LIDT", "MOV r, CRn", "MOV CRn, r", "LMSW", "CLTS", "MOV r, DRn", "MOV DRn, r",
                "INVD", "WBINVD", "INVLPG", "HLT", "RDMSR", "WRMSR", "SYSEXIT",
            ])
    }

    @Test(arguments: [
        ("8c d8", "MOV r/m, Sreg"), ("8e d8", "MOV Sreg, r/m"), ("89 d8", "computation"), ("0f 20 c0", "MOV r, CRn"),
        ("0f 22 d8", "MOV CRn, r"), ("0f 21 c0", "MOV r, DRn"), ("0f 23 f8", "MOV DRn, r"), ("1e", "PUSH Sreg"),
        ("1f", "POP Sreg"), ("50", "computation"), ("e8 00 00 00 00", "near transfer"), ("c3", "near transfer"),
        ("9a 00 00 00 00 08 00", "CALL far"), ("ff 18", "CALL far"), ("cb", "RET far"), ("cd 80", "INT n"),
        ("cc", "INT3"), ("e4 60", "IN"), ("f3 6d", "INS"), ("9c", "PUSHF"), ("c5 00", "LDS"), ("0f 01 e0", "SMSW"),
        ("d9 c0", "x87"), ("9b", "x87"), ("0f 77", "MMX, SSE, SSE2"), ("0f ae f8", "hint"), ("0f c3 00", "computation"),
        ("0f 0b", "undefined"),
    ])
    func bytesFindTheirRow(_ code: String, _ form: String) throws {
        #expect(try decode(code).sensitivity.form == form)
    }

    @Test func lazilySwitchedStateIsInnocuous() {
        let lazy = Sensitivity.table.filter(\.isLazilySwitched)
        #expect(lazy.map(\.form) == ["x87", "MMX, SSE, SSE2"])
        #expect(lazy.allSatisfy { !$0.isSensitive })
    }
}
