import Testing

@testable import Hardware
@testable import Ring3

@Suite struct BootLoaderTests {
    @Test func kindsAreRecognised() {
        let multiboot1 = TestImage.multiboot1Header(flags: 0)
        let multiboot2 = TestImage.multiboot2Header([])
        #expect(BootLoader.kind(of: TestImage.bzImage()) == .linux)
        #expect(BootLoader.kind(of: TestImage.elf(header: multiboot1)) == .multiboot1)
        #expect(BootLoader.kind(of: TestImage.elf(header: multiboot2)) == .multiboot2)
        #expect(BootLoader.kind(of: TestImage.elf(header: multiboot2 + multiboot1)) == .multiboot1)
        #expect(BootLoader.kind(of: TestImage.elf(header: [])) == nil)
        #expect(BootLoader.kind(of: []) == nil)
    }

    @Test func headersCountOnlyWithinTheirLimits() {
        func kind(_ header: [UInt8], at offset: Int) -> BootImage.Kind? {
            BootLoader.kind(of: Array(repeating: 0, count: offset) + header + Array(repeating: 0, count: 64))
        }
        let multiboot1 = TestImage.multiboot1Header(flags: 0)
        #expect(kind(multiboot1, at: 8192 - 12) == .multiboot1)
        #expect(kind(multiboot1, at: 8192 - 8) == nil)
        #expect(kind(multiboot1, at: 2) == nil)
        let multiboot2 = TestImage.multiboot2Header([])
        #expect(kind(multiboot2, at: 32768 - 24) == .multiboot2)
        #expect(kind(multiboot2, at: 32768) == nil)
        #expect(kind(multiboot2, at: 4) == nil)
    }

    @Test func otherFilesAreRefusedWithTheReason() throws {
        let text = BootRequest(image: Array("Hello".utf8), imageName: "hello.txt")
        let error = try #require(try refusal(text))
        #expect(
            error.description
                == "hello.txt: not a bootable image: no Multiboot header in the first 8 KiB, no Multiboot 2 header in the "
                + "first 32 KiB, not a Linux bzImage")
        #expect(!error.isUsage)
        #expect(
            try refusal(TestImage.elf(header: [], elfClass: 2)) == "k: a 64-bit kernel; Ring3 runs 32-bit guests")
    }

    @Test func littleMemoryIsAUsageError() throws {
        let error = try #require(
            try refusal(BootRequest(image: TestImage.bzImage(), imageName: "k"), mebibytes: 1))
        #expect(error.isUsage)
        #expect(error.description == "k: guests need at least 2 MiB of RAM")
    }

    @Test func biosDataAgreesWithTheMemoryMap() throws {
        let guest = try Booted(TestImage.bzImage())
        #expect(guest.memory.read(0x40E, as: UInt16.self) == 0x9FC0)
        #expect(guest.memory.read(0x413, as: UInt16.self) == 639)
        #expect(guest.memory.read(0x400, as: UInt16.self) == 0x3F8)
        #expect(guest.memory.read(0x9_FC00, as: UInt8.self) == 1)
    }
}

@Suite struct BootMemoryTests {
    @Test func lowestAndHighestRoomIsFound() throws {
        var memory = try BootMemory(PhysicalMemory(size: 4 << 20))
        try memory.claim(0x20_0000..<0x20_0100, for: "a")
        try memory.claim(0x30_0000..<0x30_0100, for: "b")
        let window: Range<UInt64> = 0x20_0000..<0x31_0000
        #expect(memory.find(0x100, alignment: 0x1000, in: window) == 0x20_1000)
        #expect(memory.find(0x100, alignment: 0x1000, in: window, preferring: .highest) == 0x30_F000)
        #expect(memory.find(0xFF80, alignment: 0x1000, in: window, preferring: .highest) == 0x2F_0000)
        #expect(memory.find(0xF_F000, alignment: 0x1000, in: window) == 0x20_1000)
        #expect(memory.find(0xF_F001, alignment: 0x1000, in: window) == nil)
        #expect(memory.find(0x20_0000, alignment: 1, in: window, preferring: .highest) == nil)
        // Past the end of RAM there is no room.
        #expect(memory.find(0x100, alignment: 1, in: 0x3F_FF80..<0x50_0000) == nil)
        #expect(memory.find(0x80, alignment: 1, in: 0x3F_FF80..<0x50_0000) == 0x3F_FF80)
    }

    @Test func everyByteHasOneOwner() throws {
        var memory = try BootMemory(PhysicalMemory(size: 4 << 20))
        try memory.claim(0x20_0000..<0x20_0100, for: "a")
        try memory.claim(0x20_0100..<0x20_0200, for: "b")
        #expect(throws: BootError("c at 0x2000ff–0x200100 overlaps a")) {
            try memory.claim(0x20_00FF..<0x20_0101, for: "c")
        }
        #expect(throws: BootError("d at 0x10ffff–0x200000 overlaps a")) {
            try memory.claim(0x10_FFFF..<0x20_0001, for: "d")
        }
        #expect(throws: BootError("e at 0x4ff–0x500 overlaps the BIOS data area")) {
            try memory.claim(0x4FF..<0x501, for: "e")
        }
    }
}
