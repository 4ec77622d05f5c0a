import Hardware

/// The guest's view of physical memory, as every boot protocol reports it (ACPI 15.1, "INT 15h, E820h").
///
/// ```
/// 0000_0000  usable    interrupt vectors and BIOS data below 0x500: the guest may have them once it needs no BIOS
/// 0009_FC00  reserved  extended BIOS data area
/// 000A_0000            not memory: VGA, option ROMs
/// 000F_0000  reserved  firmware: ACPI tables, the boot GDT
/// 0010_0000  usable    up to the end of RAM
/// ```
enum MemoryMap {
    enum Kind: UInt32 {
        case usable = 1
        case reserved = 2
    }

    struct Region: Equatable {
        let base: UInt64
        let length: UInt64
        let kind: Kind
    }

    /// End of conventional memory.
    static let lowEnd: UInt64 = 0x9_FC00
    static let firmwareBase: UInt64 = 0xF_0000
    static let highBase: UInt64 = 0x10_0000
    /// Below this there is nothing left to put a kernel in.
    static let minimumRAM = 2 << 20

    static func regions(of memory: PhysicalMemory) -> [Region] {
        [
            Region(base: 0, length: lowEnd, kind: .usable),
            Region(base: lowEnd, length: 0xA_0000 - lowEnd, kind: .reserved),
            Region(base: firmwareBase, length: highBase - firmwareBase, kind: .reserved),
            Region(base: highBase, length: UInt64(memory.size) - highBase, kind: .usable),
        ]
    }

    /// KiB of conventional memory, which starts at 0.
    static let lowKiB = UInt32(lowEnd / 1024)

    /// KiB of memory from 1 MiB up.
    static func highKiB(of memory: PhysicalMemory) -> UInt32 {
        UInt32((UInt64(memory.size) - highBase) / 1024)
    }
}
