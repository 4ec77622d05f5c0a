import Testing

@testable import Hardware
@testable import Ring3

@Suite struct BootMultiboot1Tests {
    private let header = TestImage.multiboot1Header(flags: 3)

    @Test func elfKernelStartsAsSpecified() throws {
        let guest = try Booted(TestImage.elf(header: header), commandLine: "one two")
        #expect(guest.state.eip == 0x10_000C)
        #expect(guest.state.eax == 0x2BAD_B002)
        #expect(guest.bytes(guest.state.eip, 3) == TestImage.halt)
        #expect(guest.bytes(0x10_0000, 12) == header)
        // Zeroed beyond the file's bytes, and no further.
        #expect(guest.bytes(0x10_000F, 0x2000).allSatisfy { $0 == 0 })
        #expect(guest.bytes(0x10_200F, 1) == [0xA5])
        let information = guest.state.ebx
        #expect(guest.long(information) == 0b1_0010_0110_1101)
        #expect(guest.string(guest.long(information + 16)) == "kernel one two")
        #expect(guest.string(guest.long(information + 64)) == "Ring3")
    }

    @Test func segmentsAreFlatAndTheirDescriptorsReserved() throws {
        let guest = try Booted(TestImage.elf(header: header))
        let expected = StartState.CPUMode.protectedFlat(gdtBase: 0xF_0000, gdtLimit: 31, code: 0x10, data: 0x18)
        #expect(guest.state.cpuMode == expected)
        // SDM 3A 3.4.5: P, DPL 0, S, code read accessed / data write accessed, G, D/B, limit 0xFFFFF, base 0.
        #expect(guest.quad(0xF_0010) == 0x00CF_9B00_0000_FFFF)
        #expect(guest.quad(0xF_0018) == 0x00CF_9300_0000_FFFF)
    }

    @Test func informationDescribesMemory() throws {
        let guest = try Booted(TestImage.elf(header: header))
        let information = guest.state.ebx
        #expect(guest.long(information + 4) == 639)
        #expect(guest.long(information + 8) == 31 * 1024)
        #expect(guest.long(information + 44) == 4 * 24)
        let map = guest.long(information + 48)
        var regions: [[UInt64]] = []
        for entry in stride(from: map, to: map + 4 * 24, by: 24) {
            #expect(guest.long(entry) == 20)
            regions.append([guest.quad(entry + 4), guest.quad(entry + 12), UInt64(guest.long(entry + 20))])
        }
        #expect(
            regions == [
                [0, 0x9_FC00, 1], [0x9_FC00, 0x400, 2], [0xF_0000, 0x1_0000, 2], [0x10_0000, 0x1F0_0000, 1],
            ])
    }

    @Test func informationDescribesTheTextScreen() throws {
        let guest = try Booted(TestImage.elf(header: header))
        let information = guest.state.ebx
        #expect(guest.quad(information + 88) == 0xB_8000)
        #expect((0..<3).map { guest.long(information + 96 + 4 * $0) } == [160, 80, 25])
        #expect(guest.bytes(information + 108, 2) == [16, 2])
    }

    @Test func modulesLieOnPagesAboveTheKernel() throws {
        let first = BootRequest.Module(arguments: "first a", bytes: [1, 2, 3])
        let second = BootRequest.Module(arguments: "second", bytes: Array(repeating: 7, count: 5000))
        let guest = try Booted(
            BootRequest(
                image: TestImage.elf(header: header), imageName: "kernel", initrd: [9], initrdName: "disk",
                modules: [first, second]))
        #expect(guest.long(guest.state.ebx + 20) == 3)
        let list = guest.long(guest.state.ebx + 24)
        let modules = (0..<3).map { index in
            (0..<4).map { guest.long(list + 16 * UInt32(index) + 4 * $0) }
        }
        #expect(modules.map { $0[0] } == [0x10_3000, 0x10_4000, 0x10_5000])
        #expect(modules.map { $0[1] - $0[0] } == [1, 3, 5000])
        #expect(modules.map { guest.string($0[2]) } == ["disk", "first a", "second"])
        #expect(modules.map { guest.bytes($0[0], Int($0[1] - $0[0])) } == [[9], first.bytes, second.bytes])
    }

    @Test func sectionHeadersSayWhereEverySectionIs() throws {
        let guest = try Booted(TestImage.elf(header: header))
        let information = guest.state.ebx
        #expect(guest.long(information + 28) == 3)
        #expect(guest.long(information + 32) == 40)
        #expect(guest.long(information + 40) == 2)
        let table = guest.long(information + 36)
        #expect(guest.long(table + 40 + 12) == 0xC010_0000)
        let symbols = guest.long(table + 80 + 12)
        #expect(symbols != 0)
        #expect(guest.bytes(symbols, 4) == [1, 2, 3, 4])
    }

    @Test func addressFieldsLoadAnyFormat() throws {
        let guest = try Booted([0, 0, 0, 0] + TestImage.flatMultiboot1(at: 0x20_0000) + [1, 2, 3])
        #expect(guest.state.eip == 0x20_0020)
        #expect(guest.bytes(0x20_0020, 3) == TestImage.halt)
        // load_end_addr ends the file's part, bss_end_addr the zeroed one.
        #expect(guest.bytes(0x20_0023, 0x1000).allSatisfy { $0 == 0 })
        #expect(guest.bytes(0x20_1023, 1) == [0xA5])
        // No ELF, no section headers.
        #expect(guest.long(guest.state.ebx) & (1 << 5) == 0)
    }

    @Test func addressFieldsMayLoadTheWholeFile() throws {
        let fields = TestImage.longs(0x10_0010, 0x10_0000, 0, 0, 0x10_0030)
        let image =
            Array(repeating: 0x11, count: 16) + TestImage.multiboot1Header(flags: 1 << 16, fields: fields)
            + TestImage.halt
        let guest = try Booted(image)
        #expect(guest.bytes(0x10_0000, image.count) == image)
        #expect(guest.bytes(0x10_0000 + UInt32(image.count), 1) == [0xA5])
    }

    @Test func entryMayBePhysical() throws {
        let guest = try Booted(TestImage.elf(header: header, entry: 0x10_000D))
        #expect(guest.state.eip == 0x10_000D)
    }

    @Test func kernelsMayLieLow() throws {
        let low = TestImage.Segment(virtual: 0x1_0000, physical: 0x1_0000, bytes: [5], memorySize: 0x8_0000)
        let guest = try Booted(TestImage.elf(header: header, more: [low]))
        #expect(guest.bytes(0x1_0000, 2) == [5, 0])
        #expect(guest.state.ebx >= 0x9_0000)
    }

    @Test func unfitImagesAreRefused() throws {
        let cases: [([UInt8], String)] = [
            (
                TestImage.elf(header: TestImage.multiboot1Header(flags: 0x48)),
                "its Multiboot header requires unknown features (flags 0x48)"
            ),
            (
                TestImage.multiboot1Header(flags: 0),
                "its Multiboot header has no address fields, and it is no ELF image"
            ),
            (
                TestImage.multiboot1Header(flags: 1 << 16),
                "truncated: its Multiboot header's address fields are missing"
            ),
            (TestImage.elf(header: header, elfClass: 2), "a 64-bit kernel; Ring3 runs 32-bit guests"),
            (TestImage.elf(header: header, machine: 40), "an ELF image for another CPU (machine 40)"),
            (
                TestImage.elf(header: header, at: 0xB_8000),
                "segment 0 at 0xb8000–0xba00e overlaps video memory and firmware"
            ),
            (
                TestImage.elf(header: header, at: 0xFFFF_F000), "reaches past 4 GiB"
            ),
            (
                TestImage.elf(header: header, at: 0x200_0000),
                "segment 0 at 0x2000000–0x200200e does not fit into 32 MiB of RAM"
            ),
            (
                TestImage.elf(header: header, entry: 0x1234), "entry point 0x1234 lies in nothing that is loaded"
            ),
            (
                TestImage.elf(
                    header: header, more: [.init(virtual: 0, physical: 0x10_1000, bytes: [1], memorySize: 1)]),
                "segment 1 at 0x101000–0x101000 overlaps segment 0"
            ),
            (
                TestImage.elf(
                    header: header, more: [.init(virtual: 0, physical: 0x80_0000, bytes: [1, 2], memorySize: 1)]),
                "segment 1 has more bytes in the file than in memory"
            ),
        ]
        for (image, reason) in cases { #expect(try refusal(image) == "k: \(reason)") }
    }

    @Test func contradictoryAddressFieldsAreRefused() throws {
        func image(_ fields: UInt32...) -> [UInt8] {
            TestImage.multiboot1Header(flags: 1 << 16, fields: fields.flatMap { TestImage.longs($0) }) + [0xF4]
        }
        #expect(
            try refusal(image(0x10_0000, 0x10_1000, 0, 0, 0))
                == "k: its header's load address 0x101000 does not fit header address 0x100000")
        #expect(
            try refusal(image(0x10_0000, 0x10_0000, 1, 0, 0))
                == "k: its header ends loading at 0x1, before it starts at 0x100000")
        #expect(
            try refusal(image(0x10_0000, 0x10_0000, .max, 0, 0))
                == "k: truncated: 4293918719 bytes are to be loaded from offset 0, 33 are there")
        #expect(
            try refusal(image(0x10_0000, 0x10_0000, 0, 0x10_0001, 0))
                == "k: its header ends zeroed memory at 0x100001, inside what is loaded")
        #expect(
            try refusal(image(0x10_0000, 0x10_0000, 0, .max, 0x10_0020))
                == "k: the image at 0x100000–0xfffffffe does not fit into 32 MiB of RAM")
    }

    @Test func modulesThatDoNotFitAreAUsageError() throws {
        let request = BootRequest(
            image: TestImage.elf(header: header), imageName: "k",
            modules: [.init(arguments: "big", bytes: Array(repeating: 0, count: 3 << 20))])
        let error = try #require(try refusal(request, mebibytes: 4))
        #expect(error.isUsage)
        #expect(
            error.description == "module big: no room above the kernel for its 3145728 bytes in 4 MiB of RAM")
    }
}
