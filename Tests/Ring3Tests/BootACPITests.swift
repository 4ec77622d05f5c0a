import Testing

@testable import Hardware
@testable import Ring3

/// The tables as a guest finds them: by search, signature, length and checksum.
@Suite struct BootACPITests {
    private let guest: Booted
    private let root: UInt32

    init() throws {
        let guest = try Booted(TestImage.bzImage())
        self.guest = guest
        // ACPI 5.2.5.1: on a 16-byte boundary between 0E0000h and 0FFFFFh.
        let candidates = stride(from: UInt32(0xF_0000), to: 0x10_0000, by: 16)
        root = try #require(candidates.first { guest.bytes($0, 8) == Array("RSD PTR ".utf8) })
    }

    private func sum(_ address: UInt32, _ count: Int) -> UInt8 { guest.bytes(address, count).reduce(0, &+) }

    /// The table at `address`, its checksum verified.
    private func table(_ address: UInt32, _ signature: String) -> ImageBytes {
        let length = Int(guest.long(address + 4))
        #expect(guest.bytes(address, 4) == Array(signature.utf8))
        #expect(sum(address, length) == 0)
        return ImageBytes(bytes: guest.bytes(address, length))
    }

    @Test func bothRootsLeadToTheSameTables() throws {
        #expect(sum(root, 20) == 0)
        #expect(sum(root, 36) == 0)
        let rsdt = table(guest.long(root + 16), "RSDT")
        let xsdt = table(UInt32(guest.quad(root + 24)), "XSDT")
        #expect([rsdt.count, xsdt.count] == [40, 44])
        #expect(rsdt.long(36).map(UInt64.init) == xsdt.read(36, as: UInt64.self))
    }

    @Test func fixedTableNamesTheHardware() throws {
        let fadt = table(guest.long(guest.long(root + 16) + 36), "FACP")
        #expect(fadt.count == 244)
        #expect(fadt.word(46) == 9)
        #expect(fadt.long(48) == 0xB2)
        #expect([fadt.byte(52), fadt.byte(53)] == [0xF1, 0xF0])
        #expect([fadt.long(56), fadt.long(64), fadt.long(76)] == [0x600, 0x604, 0x608])
        #expect([fadt.byte(88), fadt.byte(89), fadt.byte(91)] == [4, 2, 4])
        // Generic addresses: I/O space, width in bits, offset 0, undefined access size, port.
        #expect(Array(fadt.bytes[116..<129]) == [1, 8, 0, 0, 0xF9, 0x0C, 0, 0, 0, 0, 0, 0, 6])
        #expect(Array(fadt.bytes[148..<160]) == [1, 32, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0])
        #expect(Array(fadt.bytes[172..<184]) == [1, 16, 0, 0, 4, 6, 0, 0, 0, 0, 0, 0])
        #expect(Array(fadt.bytes[208..<220]) == [1, 32, 0, 0, 8, 6, 0, 0, 0, 0, 0, 0])
        let facs = try #require(fadt.long(36))
        #expect(facs % 64 == 0)
        #expect(guest.bytes(facs, 8) == Array("FACS".utf8) + [64, 0, 0, 0])
        let dsdt = try #require(fadt.long(40))
        #expect(table(dsdt, "DSDT").byte(8) == 1)
        #expect([fadt.read(132, as: UInt64.self), fadt.read(140, as: UInt64.self)] == [0, UInt64(dsdt)])
    }

    /// As `iasl` (20200925) disassembles it: Name (_S5, Package (0x04) { 0x05, 0x05, 0x00, 0x00 }), then
    /// Scope (\_SB) with three devices.
    @Test func definitionBlockIsWellFormed() throws {
        let fadt = table(guest.long(guest.long(root + 16) + 36), "FACP")
        let dsdt = table(try #require(fadt.long(40)), "DSDT").bytes
        let softOff: [UInt8] = [0x08] + Array("_S5_".utf8) + [0x12, 10, 4, 0x0A, 5, 0x0A, 5, 0x0A, 0, 0x0A, 0]
        #expect(Array(dsdt[36..<36 + softOff.count]) == softOff)
        let serialPort: [UInt8] =
            [0x5B, 0x82, 0x25] + Array("COM1".utf8) + [0x08] + Array("_HID".utf8) + [0x0C, 0x41, 0xD0, 0x05, 0x01]
            + [0x08] + Array("_CRS".utf8) + [0x11, 0x10, 0x0A, 13]
            + [0x47, 1, 0xF8, 0x03, 0xF8, 0x03, 1, 8, 0x22, 0x10, 0, 0x79, 0]
        #expect(dsdt.indices.contains { dsdt[$0...].starts(with: serialPort) })
    }
}
