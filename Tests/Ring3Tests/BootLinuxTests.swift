import Testing

@testable import Hardware
@testable import Ring3

@Suite struct BootLinuxTests {
    @Test func kernelStartsAsSpecified() throws {
        let guest = try Booted(TestImage.bzImage(), commandLine: "console=ttyS0")
        #expect(guest.state.eip == 0x10_0000)
        #expect(guest.bytes(0x10_0000, 3) == TestImage.halt)
        // "%ebp, %edi and %ebx must be zero": 32-bit boot protocol.
        #expect([guest.state.ebp, guest.state.edi, guest.state.ebx] == [0, 0, 0])
        let page = guest.state.esi
        #expect(guest.string(guest.long(page + 0x228)) == "console=ttyS0")
        #expect(guest.bytes(page + 0x210, 1) == [0xFF])
        #expect(guest.long(page + 0x214) == 0x10_0000)
        #expect(guest.long(page + 0x218) == 0)
        #expect(guest.long(page + 0x21C) == 0)
    }

    @Test func zeroPageHoldsTheSetupHeaderAndNothingStray() throws {
        let image = TestImage.bzImage()
        let guest = try Booted(image)
        let page = guest.bytes(guest.state.esi, 4096)
        #expect(Array(page[0x1F1..<0x210]) == Array(image[0x1F1..<0x210]))
        #expect(Array(page[0x22C..<0x26C]) == Array(image[0x22C..<0x26C]))
        // Past the header's end, up to the memory map; and the sentinel that tells a kernel whether to believe the rest.
        #expect(page[0x26C..<0x2D0].allSatisfy { $0 == 0 })
        #expect(page[0x1EF] == 0)
    }

    @Test func zeroPageDescribesTheMachine() throws {
        let guest = try Booted(TestImage.bzImage())
        let page = guest.state.esi
        #expect(guest.bytes(page + 6, 2) == [3, 80])
        #expect(guest.bytes(page + 0xA, 8) == [3, 0, 0, 0, 25, 1, 16, 0])
        #expect(guest.bytes(page + 0x1E8, 1) == [4])
        let map = (0..<4).map { index in
            let entry = page + 0x2D0 + 20 * UInt32(index)
            return [guest.quad(entry), guest.quad(entry + 8), UInt64(guest.long(entry + 16))]
        }
        #expect(
            map == [[0, 0x9_FC00, 1], [0x9_FC00, 0x400, 2], [0xF_0000, 0x1_0000, 2], [0x10_0000, 0x1F0_0000, 1]])
        let root = UInt32(guest.quad(page + 0x070))
        #expect(guest.bytes(root, 8) == Array("RSD PTR ".utf8))
    }

    @Test func initialRAMDiskGoesAsHighAsAllowed() throws {
        func disk(_ image: [UInt8]) throws -> (UInt32, [UInt8]) {
            let guest = try Booted(BootRequest(image: image, imageName: "k", initrd: Array(1...100)))
            let address = guest.long(guest.state.esi + 0x218)
            return (address, guest.bytes(address, Int(guest.long(guest.state.esi + 0x21C))))
        }
        #expect(try disk(TestImage.bzImage()) == (0x1FF_F000, Array(1...100)))
        #expect(try disk(TestImage.bzImage(ramdiskLimit: 0x180_0FFF)) == (0x180_0000, Array(1...100)))
        #expect(try disk(TestImage.bzImage(ramdiskLimit: .max)).0 == 0x1FF_F000)
    }

    @Test func oldProtocolsHaveTheirDefaults() throws {
        let long = String(repeating: "x", count: 256)
        let image = TestImage.bzImage(version: 0x0202, preferred: 0, initSize: .max, commandLineSize: 0)
        #expect(try Booted(image, commandLine: String(long.dropLast())).state.eip == 0x10_0000)
        #expect(try refusal(image, commandLine: long) == "k: the command line has 256 bytes; this kernel takes 255")
        // acpi_rsdp_addr is padding before 2.14.
        let guest = try Booted(TestImage.bzImage(version: 0x020D))
        #expect(guest.quad(guest.state.esi + 0x70) == 0)
    }

    @Test func unfitImagesAreRefused() throws {
        var truncated = TestImage.bzImage()
        truncated.store(UInt32(100), at: 0x1F4)
        let cases: [([UInt8], String)] = [
            (TestImage.bzImage(extendedLoadFlags: 1), "a 64-bit kernel; Ring3 runs 32-bit guests"),
            (TestImage.bzImage(loadFlags: 0), "a Linux zImage, to be loaded below 1 MiB; only bzImage is supported"),
            (
                TestImage.bzImage(version: 0x0201),
                "a Linux kernel with boot protocol 2.01; 2.02 is the oldest supported"
            ),
            (truncated, "truncated: 16 of the kernel's 1600 bytes are there"),
            (Array(TestImage.bzImage().prefix(2000)), "truncated: 0 of the kernel's 16 bytes are there"),
            (Array(TestImage.bzImage().prefix(0x210)), "truncated: its Linux setup header is cut short"),
            (TestImage.bzImage(preferred: .max), "wants to run at 0xffffffffffffffff, above 4 GiB"),
            (
                TestImage.bzImage(initSize: .max),
                "its run-time memory at 0x1000000–0x100fffffe does not fit into 32 MiB of RAM"
            ),
        ]
        for (image, reason) in cases { #expect(try refusal(image) == "k: \(reason)") }
    }

    @Test func unfitRequestsAreUsageErrors() throws {
        let image = TestImage.bzImage()
        let modules = BootRequest(image: image, imageName: "k", modules: [.init(arguments: "m", bytes: [])])
        let disk = BootRequest(
            image: image, imageName: "k", initrd: Array(repeating: 0, count: 16 << 20), initrdName: "disk.gz")
        let errors = try [refusal(modules), refusal(disk)].compactMap { $0 }
        #expect(errors.map(\.isUsage) == [true, true])
        #expect(
            errors.map(\.description) == [
                "k: Linux takes an initial RAM disk, not modules",
                "disk.gz: no room for its 16777216 bytes above the kernel, which needs the first 17 of 32 MiB of RAM",
            ])
    }
}
