import Testing
import X86

@testable import Ring3

/// The sensitivity table against the processor: what it calls privileged faults at CPL 3, IOPL 0, and nothing else does.
@Suite struct PrivilegeTests {
    /// Code for each row of sensitive instructions, by its form: such as would not fault for another reason.
    private static let samples: [String: [UInt8]] = [
        "SGDT": [0x0F, 0x01, 0x00], "SIDT": [0x0F, 0x01, 0x08], "SLDT": [0x0F, 0x00, 0xC2], "STR": [0x0F, 0x00, 0xCA],
        "SMSW": [0x0F, 0x01, 0xE2], "LGDT": [0x0F, 0x01, 0x10], "LIDT": [0x0F, 0x01, 0x18],
        "LLDT": [0x0F, 0x00, 0xD2], "LTR": [0x0F, 0x00, 0xDA], "PUSHF": [0x9C], "POPF": [0x52, 0x9D], "CLI": [0xFA],
        "STI": [0xFB], "LAR": [0x0F, 0x02, 0xD1], "LSL": [0x0F, 0x03, 0xD1], "VERR": [0x0F, 0x00, 0xE1],
        "VERW": [0x0F, 0x00, 0xE9], "MOV r/m, Sreg": [0x8C, 0xCA], "MOV Sreg, r/m": [0x8E, 0xC2], "PUSH Sreg": [0x0E],
        "POP Sreg": [0x52, 0x07], "LDS": [0xC5, 0x10], "LES": [0xC4, 0x10], "LSS": [0x0F, 0xB2, 0x20],
        "LFS": [0x0F, 0xB4, 0x10], "LGS": [0x0F, 0xB5, 0x10], "CALL far": [0xFF, 0x18], "JMP far": [0xFF, 0x28],
        "RET far": [0xFF, 0x70, 0x04, 0xFF, 0x30, 0xCB], "IRET": [0x9C, 0xFF, 0x70, 0x04, 0xFF, 0x30, 0xCF],
        "INT n": [0xCD, 0x03], "INT3": [0xCC], "INTO": [0xB2, 0x7F, 0x80, 0xC2, 0x01, 0xCE], "INT1": [0xF1],
        "SYSENTER": [0x0F, 0x34], "SYSEXIT": [0x0F, 0x35], "CPUID": [0x0F, 0xA2], "RDTSC": [0x0F, 0x31],
        "RDPMC": [0x0F, 0x33], "RDMSR": [0x0F, 0x32], "WRMSR": [0x0F, 0x30], "HLT": [0xF4], "IN": [0xE4, 0x80],
        "OUT": [0xE6, 0x80], "INS": [0x6C], "OUTS": [0x6E], "MOV r, CRn": [0x0F, 0x20, 0xC2],
        "MOV CRn, r": [0x0F, 0x22, 0xD2], "MOV r, DRn": [0x0F, 0x21, 0xC2], "MOV DRn, r": [0x0F, 0x23, 0xC2],
        "LMSW": [0x0F, 0x01, 0xF2], "CLTS": [0x0F, 0x06], "INVLPG": [0x0F, 0x01, 0x38], "INVD": [0x0F, 0x08],
        "WBINVD": [0x0F, 0x09],
    ]

    private static let sensitive = Sensitivity.table.filter(\.isSensitive).map(\.form)

    @Test(arguments: sensitive)
    func privilegedMeansFault(_ form: String) throws {
        let row = try #require(Sensitivity.table.first { $0.form == form })
        let code = try #require(Self.samples[form])
        let machine = try UserModeMachine(.interpret)
        // For far transfers and pointer loads: a pointer to the end of the code; CS or, for the others, a data segment.
        let isTransfer = ["CALL", "JMP", "RET", "IRET"].contains(row.mnemonic)
        let selector = isTransfer ? UserLayout.codeSelector : UserLayout.dataSelector
        let target = form == "LSS" ? UserLayout.stack + 0x800 : UserLayout.code + UInt32(code.count)
        machine.memory.write(UserLayout.data, target)
        machine.memory.write(UserLayout.data + 4, UInt32(selector))
        var context = UserContext()
        context.registers[0] = UserLayout.data
        context.registers[1] = UInt32(UserLayout.dataSelector)
        context.registers[2] = UInt32(UserLayout.dataSelector)
        context.registers[4] = UserLayout.stack + 0x800
        context.registers[6] = UserLayout.data
        context.registers[7] = UserLayout.data
        context.eip = UserLayout.code
        context.eflags = 0x202
        run(code, on: machine, &context)
        // Nothing has set CR4.TSD; no MSR says where SYSENTER should go.
        let expected: UInt32 =
            switch row.privilege {
            case .never where form == "INT n" || form == "INT3": 3
            case .never where form == "INTO": 4
            case .never where form == "INT1": 1
            case .never where form == "SYSENTER": 13
            case .never, .timestampDisable: UserContext.ended
            case .always, .ioPrivilege, .ioPermission, .performanceCounters: 13
            }
        #expect(context.vector == expected, "error code \(context.errorCode), EIP \(String(context.eip, radix: 16))")
        if row.isPrivileged, expected == 13 { #expect(context.errorCode == 0 && context.eip == UserLayout.code) }
    }

    private func run(_ code: [UInt8], on machine: UserModeMachine, _ context: inout UserContext) {
        var extended = [UInt8](repeating: 0, count: 512)
        extended[0] = 0x7F
        extended[1] = 0x03
        code.withUnsafeBytes { code in
            extended.withUnsafeMutableBytes { extended in
                machine.run(code, at: 0, context: &context, extended: extended.baseAddress.unsafelyUnwrapped)
            }
        }
    }
}
