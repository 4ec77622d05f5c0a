import Hardware

/// The ACPI tables of a PC with ISA devices, one 8259 pair and no APIC (ACPI 5.0, chapter 5; FADT of ACPI 2.0).
///
/// ```
/// RSDP ─┬▶ RSDT ─┬▶ FADT ─┬▶ FACS
///       └▶ XSDT ─┘        └▶ DSDT
/// ```
struct ACPITables {
    struct Table {
        let address: UInt32
        let bytes: [UInt8]
    }

    /// All tables, the RSDP first. Guests find that by searching the firmware segment on 16-byte boundaries (5.2.5.1).
    let tables: [Table]

    /// The root pointer.
    var rsdp: Table { tables[0] }

    /// Builds the tables for consecutive addresses from `base`.
    init(at base: UInt32) {
        let dsdt = Self.dsdt
        let facsAddress = base.roundedUp(to: 64)
        let rsdpAddress = facsAddress + UInt32(Self.facs.count)
        let rsdtAddress = (rsdpAddress + 36).roundedUp(to: 16)
        let xsdtAddress = (rsdtAddress + 36 + 4).roundedUp(to: 16)
        let fadtAddress = (xsdtAddress + 36 + 8).roundedUp(to: 16)
        let fadt = Self.fadt(facs: facsAddress, dsdt: (fadtAddress + 244).roundedUp(to: 16))
        var rsdtEntries: [UInt8] = []
        rsdtEntries.append(little: fadtAddress)
        var xsdtEntries: [UInt8] = []
        xsdtEntries.append(little: UInt64(fadtAddress))
        tables = [
            Table(address: rsdpAddress, bytes: Self.rsdp(rsdt: rsdtAddress, xsdt: xsdtAddress)),
            Table(address: rsdtAddress, bytes: Self.table("RSDT", revision: 1, rsdtEntries)),
            Table(address: xsdtAddress, bytes: Self.table("XSDT", revision: 1, xsdtEntries)),
            Table(address: fadtAddress, bytes: fadt),
            Table(address: facsAddress, bytes: Self.facs),
            Table(address: (fadtAddress + 244).roundedUp(to: 16), bytes: dsdt),
        ]
    }

    private static let oem = Array("RING3 ".utf8)

    /// The byte that makes all of `bytes` sum to zero.
    private static func checksum(_ bytes: some Sequence<UInt8>) -> UInt8 { 0 &- bytes.reduce(0, &+) }

    /// A table with the common header (5.2.6).
    private static func table(_ signature: String, revision: UInt8, _ body: [UInt8]) -> [UInt8] {
        var bytes = Array(signature.utf8)
        bytes.append(little: UInt32(36 + body.count))
        bytes += [revision, 0] + oem + Array("RING3PC ".utf8)
        bytes.append(little: UInt32(1))  // OEM revision
        bytes += Array("RNG3".utf8)  // creator
        bytes.append(little: UInt32(1))
        bytes += body
        bytes[9] = checksum(bytes)
        return bytes
    }

    /// Root System Description Pointer, revision 2 (5.2.5.3): the first 20 bytes are those of ACPI 1.0.
    private static func rsdp(rsdt: UInt32, xsdt: UInt32) -> [UInt8] {
        var bytes = Array("RSD PTR ".utf8) + [0] + oem + [2]
        bytes.append(little: rsdt)
        bytes[8] = checksum(bytes)
        bytes.append(little: UInt32(36))
        bytes.append(little: UInt64(xsdt))
        bytes += [0, 0, 0, 0]
        bytes[32] = checksum(bytes)
        return bytes
    }

    /// Firmware ACPI Control Structure (5.2.10), version 1: no waking vector, the global lock free.
    private static let facs: [UInt8] = {
        var bytes = Array("FACS".utf8)
        bytes.append(little: UInt32(64))
        bytes += repeatElement(0, count: 56)
        bytes[32] = 1
        return bytes
    }()

    /// Fixed ACPI Description Table, revision 3 (5.2.9): fixed hardware at the ports of `ACPIPorts`.
    private static func fadt(facs: UInt32, dsdt: UInt32) -> [UInt8] {
        /// Offsets are the whole table's, as the specification gives them.
        var body = [UInt8](repeating: 0, count: 244)
        body.store(facs, at: 36)
        body.store(dsdt, at: 40)
        body.store(UInt8(1), at: 45)  // preferred profile: desktop
        body.store(UInt16(ACPIPorts.sciInterrupt), at: 46)
        body.store(UInt32(ACPIPorts.smiCommand), at: 48)
        body.store(ACPIPorts.acpiEnable, at: 52)
        body.store(ACPIPorts.acpiDisable, at: 53)
        body.store(UInt16(0xFFF), at: 96)  // worst latency of C2 and
        body.store(UInt16(0xFFF), at: 98)  // C3: too long, so neither exists
        // Legacy devices on ISA, and an 8042 (5.2.9.3).
        body.store(UInt16(0b11), at: 109)
        // WBINVD works, C1 works, no fixed power or sleep button, no fixed RTC wake-up, reset register present (5.2.9).
        body.store([0, 2, 4, 5, 6, 10].reduce(UInt32(0)) { $0 | 1 << $1 }, at: 112)
        body.replaceSubrange(116..<128, with: portAddress(ACPIPorts.reset, bytes: 1))
        body.store(ACPIPorts.resetValue, at: 128)
        // X_DSDT. X_FIRMWARE_CTRL, for a FACS above 4 GiB, "must be zero" where FIRMWARE_CTRL is not (5.2.9).
        body.store(UInt64(dsdt), at: 140)
        let blocks = [
            // port, bytes, offsets of: 32-bit address, length, generic address
            (ACPIPorts.pm1aEvent, ACPIPorts.pm1aEventLength, 56, 88, 148),
            (ACPIPorts.pm1aControl, ACPIPorts.pm1aControlLength, 64, 89, 172),
            (ACPIPorts.pmTimer, ACPIPorts.pmTimerLength, 76, 91, 208),
        ]
        for (port, size, address, length, generic) in blocks {
            body.store(UInt32(port), at: address)
            body.store(size, at: length)
            body.replaceSubrange(generic..<generic + 12, with: portAddress(port, bytes: Int(size)))
        }
        return table("FACP", revision: 3, Array(body[36...]))
    }

    /// Generic Address Structure of an I/O port block (5.2.3.1).
    private static func portAddress(_ port: UInt16, bytes: Int) -> [UInt8] {
        let ioSpace: UInt8 = 1
        var address = [ioSpace, UInt8(bytes * 8), 0, 0]
        address.append(little: UInt64(port))
        return address
    }

    /// Differentiated System Description Table: how to switch off, and the devices that cannot be probed for.
    private static var dsdt: [UInt8] {
        let softOff = AML.byte(ACPIPorts.s5SleepType)
        let unused = AML.byte(0)
        let devices = [
            isaDevice("KBD_", "PNP0303", [AML.ports(0x60, count: 1), AML.ports(0x64, count: 1)], interrupt: 1),
            isaDevice("COM1", "PNP0501", [AML.ports(0x3F8, count: 8)], interrupt: 4),
            isaDevice("RTC_", "PNP0B00", [AML.ports(0x70, count: 2)], interrupt: 8),
        ]
        // Revision 1: integers have 32 bits.
        return table(
            "DSDT", revision: 1,
            AML.name("_S5_", AML.package([softOff, softOff, unused, unused])) + AML.scope(AML.systemBus, devices))
    }

    private static func isaDevice(
        _ name: String, _ id: String, _ ports: [[UInt8]], interrupt: UInt16
    ) -> [UInt8] {
        let resources = AML.resources(ports + [AML.interrupt(interrupt)])
        return AML.device(name, [AML.name("_HID", AML.eisaID(id)), AML.name("_CRS", resources)])
    }
}
