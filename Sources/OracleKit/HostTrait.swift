import Ring3
import X86

/// What one vendor's processors do and another's do not, where the manual leaves the choice, or where ours is Intel's
/// and the host is not: the host is asked before the first case. Without the trait the comparison is exact.
package enum HostTrait: CaseIterable, Sendable {
    case wholeSelectorMoved
    case pointerWithExceptionOnly
    case topKeptByFaultingMMXStore
    case flagsKeptByFaultingScan
    case sourceComparedFirst
    case storeCheckedBeforeException
    case breakpointTrapRestarts
    case farReturnReadsAhead
    case misalignedModeBit

    /// For the summary, with its source.
    package var description: String {
        switch self {
        case .wholeSelectorMoved:
            "PUSH and POP of a segment register access the upper half as well (SDM 2B, PUSH, leaves it open)"
        case .pointerWithExceptionOnly:
            "FXSAVE has an instruction pointer only while an x87 exception is pending (APM 2, 11.4.4)"
        case .topKeptByFaultingMMXStore: "an MMX store that faults leaves TOP alone"
        case .flagsKeptByFaultingScan:
            "a repeated CMPS or SCAS that faults keeps the flags of the last comparison (SDM 2B, REP, restores them)"
        case .sourceComparedFirst: "REPE CMPSB reads [ESI] before [EDI] (SDM 2A, CMPS, leaves the order open)"
        case .storeCheckedBeforeException:
            "an x87 store checks its operand's address before unmasked exceptions"
        case .breakpointTrapRestarts: "INT1's trap has the address of the INT1 (as some hypervisors reflect it)"
        case .farReturnReadsAhead: "far returns look at the stack in another order, and beyond what they pop"
        case .misalignedModeBit: "MXCSR has a bit 17 (APM 2, 11.3: MM)"
        }
    }

    /// The case that shows it.
    var probe: CaseRecord {
        let unmapped = UserLayout.data - 0x100
        var record: CaseRecord
        switch self {
        case .wholeSelectorMoved:
            record = CaseRecord(code: [0x6A, 0xFF, 0x58, 0x1E])  // push -1; pop eax; push ds
        case .pointerWithExceptionOnly:
            record = CaseRecord(code: [0xD9, 0xD0])  // fnop
        case .topKeptByFaultingMMXStore:
            record = CaseRecord(code: [0x0F, 0x7F, 0x05] + littleEndian(unmapped))  // movq [unmapped], mm0
            record.extended.status = Self.top3
        case .flagsKeptByFaultingScan:
            let last = UserLayout.stack + UserLayout.stackSize - 1
            // mov [last], 0; repne scasb
            record = CaseRecord(code: [0xC6, 0x05] + littleEndian(last) + [0, 0xF2, 0xAE])
            record.context.registers[0] = 1
            record.context.registers[1] = 100
            record.context.registers[7] = last
            record.context.eflags |= Flags.of
        case .sourceComparedFirst:
            record = CaseRecord(code: [0xF3, 0xA6])  // repe cmpsb
            record.context.registers[1] = 1
            record.context.registers[6] = unmapped
            record.context.registers[7] = unmapped + 1
        case .storeCheckedBeforeException:
            record = CaseRecord(code: [0xDB, 0x15] + littleEndian(unmapped))  // fist [unmapped], of an empty register
            record.extended.control = 0x37E
        case .breakpointTrapRestarts:
            record = CaseRecord(code: [0xF1])
        case .farReturnReadsAhead:
            // push 0xfff8; push 0; retf 0x8000
            record = CaseRecord(code: [0x68, 0xF8, 0xFF, 0, 0, 0x6A, 0, 0xCA, 0, 0x80])
        case .misalignedModeBit:
            // push 0x21f80; ldmxcsr [esp]
            record = CaseRecord(code: [0x68, 0x80, 0x1F, 2, 0, 0x0F, 0xAE, 0x14, 0x24])
        }
        record.context.registers[4] = UserLayout.stack + 0x800
        return record
    }

    private static let top3: UInt16 = 3 << 11

    /// Whether what became of the probe shows it.
    func isShown(by host: CaseRecord) -> Bool {
        switch self {
        case .wholeSelectorMoved:
            host.changes.words.contains { $0.value == UInt32(UserLayout.dataSelector) }
        case .pointerWithExceptionOnly: (host.extended[8] as UInt32) == 0
        case .topKeptByFaultingMMXStore: host.extended.status == Self.top3
        case .flagsKeptByFaultingScan: host.context.eflags & Flags.of == 0
        case .sourceComparedFirst: host.context.cr2 == UserLayout.data - 0x100
        case .storeCheckedBeforeException: host.context.vector == UInt32(Vector.pageFault)
        case .breakpointTrapRestarts: host.context.eip == UserLayout.code
        case .farReturnReadsAhead: host.context.vector == UInt32(Vector.pageFault)
        case .misalignedModeBit: host.context.vector == UserContext.ended
        }
    }
}
