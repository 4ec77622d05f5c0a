import Hardware

/// What firmware leaves in memory for the guest: the GDT it starts on, ACPI tables, and the BIOS data that operating
/// systems look at. The first two lie in the firmware segment, which the memory map keeps the guest from reusing.
struct FirmwareArea {
    /// ```
    /// 0x00, 0x08  null
    /// 0x10        code, 4 GiB from 0, ring 0   __BOOT_CS of the Linux/x86 boot protocol
    /// 0x18        data, 4 GiB from 0, ring 0   __BOOT_DS
    /// ```
    /// The accessed bits are set, so that loading a selector writes nothing (SDM 3A 3.4.5.1).
    private static let globalDescriptors: [UInt64] = [0, 0, 0x00CF_9B00_0000_FFFF, 0x00CF_9300_0000_FFFF]

    /// The mode in which a guest starts.
    let cpuMode: StartState.CPUMode
    let acpi: ACPITables

    init(writingTo memory: PhysicalMemory) {
        let gdt = UInt32(MemoryMap.firmwareBase)
        for (index, descriptor) in Self.globalDescriptors.enumerated() {
            memory.write(gdt + UInt32(index * 8), descriptor)
        }
        let gdtSize = Self.globalDescriptors.count * 8
        cpuMode = .protectedFlat(gdtBase: gdt, gdtLimit: UInt16(gdtSize - 1), code: 0x10, data: 0x18)
        acpi = ACPITables(at: gdt + UInt32(gdtSize))
        for table in acpi.tables { memory.write(table.address, bytes: table.bytes) }
        Self.writeBIOSData(to: memory)
    }

    /// The BIOS data area's answers to "what is there" (IBM PS/2 BIOS Interface Technical Reference, section 3), and
    /// the extended area it points to.
    private static func writeBIOSData(to memory: PhysicalMemory) {
        memory.write(0x400, UInt16(0x3F8))  // COM1
        memory.write(0x40E, UInt16(MemoryMap.lowEnd >> 4))  // segment of the extended area
        memory.write(0x410, UInt16(0x0222))  // equipment: x87, 80x25 colour text, one serial port
        memory.write(0x413, UInt16(MemoryMap.lowKiB))
        memory.write(0x449, UInt8(3))  // video mode: 80x25 colour text
        memory.write(0x44A, UInt16(80))
        memory.write(0x463, UInt16(0x3D4))  // CRT controller
        memory.write(0x484, UInt8(25 - 1))
        memory.write(0x485, UInt16(16))  // scan lines of a character
        memory.write(UInt32(MemoryMap.lowEnd), UInt8(1))  // size of the extended area in KiB
    }
}
