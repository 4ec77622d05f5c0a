import Testing

@testable import Hardware
@testable import Ring3

@Suite struct BootMultiboot2Tests {
    private let header = TestImage.multiboot2Header([])

    /// The information structure's tags after its size, in order: type and contents.
    private func tags(_ guest: Booted) -> [(type: UInt32, contents: [UInt8])] {
        let start = guest.state.ebx
        let end = start + guest.long(start)
        var tags: [(UInt32, [UInt8])] = []
        var tag = start + 8
        while tag < end {
            let size = guest.long(tag + 4)
            tags.append((guest.long(tag), guest.bytes(tag + 8, Int(size) - 8)))
            tag += size.roundedUp(to: 8)
        }
        #expect(tag == end)
        return tags
    }

    private func contents(_ type: UInt32, _ guest: Booted) -> [[UInt8]] {
        tags(guest).filter { $0.type == type }.map(\.contents)
    }

    @Test func elfKernelStartsAsSpecified() throws {
        let guest = try Booted(TestImage.elf(header: header), commandLine: "one two")
        #expect(guest.state.eax == 0x36D7_6289)
        #expect(guest.state.eip == 0x10_0000 + UInt32(header.count))
        #expect(guest.bytes(guest.state.eip, 3) == TestImage.halt)
        #expect(guest.state.ebx % 8 == 0)
        #expect(guest.long(guest.state.ebx + 4) == 0)
        #expect(tags(guest).map(\.type) == [1, 2, 4, 6, 8, 9, 14, 15, 0])
        #expect(contents(1, guest) == [Array("one two\0".utf8)])
        #expect(contents(2, guest) == [Array("Ring3\0".utf8)])
    }

    @Test func informationDescribesMemoryAndScreen() throws {
        let guest = try Booted(TestImage.elf(header: header))
        #expect(contents(4, guest) == [TestImage.longs(639, 31 * 1024)])
        let map =
            TestImage.longs(24, 0) + TestImage.longs(0, 0, 0x9_FC00, 0, 1, 0)
            + TestImage.longs(0x9_FC00, 0, 0x400, 0, 2, 0) + TestImage.longs(0xF_0000, 0, 0x1_0000, 0, 2, 0)
            + TestImage.longs(0x10_0000, 0, 0x1F0_0000, 0, 1, 0)
        #expect(contents(6, guest) == [map])
        #expect(contents(8, guest) == [TestImage.longs(0xB_8000, 0, 160, 80, 25) + [16, 2, 0, 0]])
    }

    @Test func informationHasModulesAndTheRootPointer() throws {
        let guest = try Booted(
            BootRequest(
                image: TestImage.elf(header: header), imageName: "k", modules: [.init(arguments: "m x", bytes: [4, 5])])
        )
        let module = try #require(contents(3, guest).first)
        let start = ImageBytes(bytes: module).long(0) ?? 0
        #expect(start % 4096 == 0)
        #expect(guest.bytes(start, 2) == [4, 5])
        #expect(module == TestImage.longs(start, start + 2) + Array("m x\0".utf8))
        let root = try #require(contents(15, guest).first)
        #expect(root.count == 36)
        #expect(contents(14, guest) == [Array(root.prefix(20))])
    }

    @Test func sectionHeadersSayWhereEverySectionIs() throws {
        let guest = try Booted(TestImage.elf(header: header))
        let sections = ImageBytes(bytes: try #require(contents(9, guest).first))
        #expect((0..<3).map { sections.long(4 * $0) } == [3, 40, 2])
        #expect(sections.long(12 + 40 + 12) == 0xC010_0000)
        #expect(guest.bytes(try #require(sections.long(12 + 80 + 12)), 4) == [1, 2, 3, 4])
    }

    @Test func addressTagLoadsAnyFormat() throws {
        let guest = try Booted(TestImage.flatMultiboot2(at: 0x30_0000))
        #expect(guest.bytes(guest.state.eip, 3) == TestImage.halt)
        #expect(guest.state.eip == 0x30_0000 + 16 + 24 + 16 + 8)
    }

    @Test func addressTagMayLoadFromTheFilesStart() throws {
        let tags = [TestImage.tag(2, 0x10_0040, .max, 0, 0), TestImage.tag(3, 0x10_0000)]
        let image = TestImage.halt + Array(repeating: 0, count: 61) + TestImage.multiboot2Header(tags)
        let guest = try Booted(image)
        #expect(guest.bytes(0x10_0000, image.count) == image)
        #expect(guest.state.eip == 0x10_0000)
    }

    @Test func entryTagOverridesTheELFEntry() throws {
        let header = TestImage.multiboot2Header([TestImage.tag(3, 0x10_0001)])
        #expect(try Booted(TestImage.elf(header: header)).state.eip == 0x10_0001)
    }

    @Test(
        arguments: [
            // min, max, alignment, preference; expected base
            (0x10_0000, 0x200_0000, 0x1000, 0, 0x10_0000),  // where it was linked to
            (0x20_0000, 0x200_0000, 0x1000, 0, 0x20_0000),
            (0x20_0001, 0x200_0000, 0x10_0000, 1, 0x30_0000),
            (0x20_0000, 0x100_0000, 0x1000, 2, 0xFF_D000),
            (0, 0xFFFF_FFFF, 0, 2, 0x1FF_DFCD),  // as high as 32 MiB allow
            (0, 0xFFFF_FFFF, 0x1000, 1, 0x1000),
        ] as [(UInt32, UInt32, UInt32, UInt32, UInt32)])
    func relocatableKernelsGoWhereTheyWant(
        minimum: UInt32, maximum: UInt32, alignment: UInt32, preference: UInt32, base: UInt32
    ) throws {
        let header = TestImage.multiboot2Header([TestImage.tag(10, minimum, maximum, alignment, preference)])
        let guest = try Booted(TestImage.elf(header: header))
        #expect(contents(21, guest) == [TestImage.longs(base)])
        #expect(guest.state.eip == base + UInt32(header.count))
        #expect(guest.bytes(base, header.count) == header)
        let sections = ImageBytes(bytes: try #require(contents(9, guest).first))
        #expect(sections.long(12 + 40 + 12) == 0xC010_0000 &+ base &- 0x10_0000)
    }

    @Test func optionalAndPreferringTagsAreAccepted() throws {
        let header = TestImage.multiboot2Header([
            TestImage.tag(1, 1, 4, 6, 21), TestImage.tag(1, flags: 1, 99), TestImage.tag(99, flags: 1, 1),
            TestImage.tag(4, 3), TestImage.tag(5, 640, 480, 32), TestImage.tag(6), TestImage.tag(7),
            TestImage.tag(8, 1), TestImage.tag(9, 1),
        ])
        #expect(try Booted(TestImage.elf(header: header)).state.eip == 0x10_0000 + UInt32(header.count))
    }

    @Test func unfitImagesAreRefused() throws {
        func image(_ tags: [UInt8]..., architecture: UInt32 = 0, endTag: Bool = true) -> [UInt8] {
            TestImage.elf(header: TestImage.multiboot2Header(tags, architecture: architecture, endTag: endTag))
        }
        let cases: [([UInt8], String)] = [
            (image(TestImage.tag(99)), "its Multiboot 2 header requires unknown feature 99"),
            (image(TestImage.tag(1, 6, 22)), "its Multiboot 2 header requires unknown information 22"),
            (image(TestImage.tag(4, 1)), "requires a console other than the VGA text screen"),
            (image(architecture: 4), "its Multiboot 2 header is for another CPU (architecture 4)"),
            (image(endTag: false), "its Multiboot 2 header has no end tag"),
            (image(TestImage.tag(3)), "tag 3 of its Multiboot 2 header has size 8"),
            (image(TestImage.longs(6, 4)), "tag 6 of its Multiboot 2 header has size 4"),
            (image(TestImage.longs(6, .max)), "tag 6 of its Multiboot 2 header has size 4294967295"),
            (
                image(TestImage.tag(2, 0x10_0000, 0x10_0000, 0, 0)),
                "its Multiboot 2 header has an address tag but no entry address"
            ),
            (
                image(TestImage.tag(2, 0, .max, 0, 0)), "its header address 0x0 would put the file's start below 0"
            ),
            (
                image(TestImage.tag(10, 0, .max, 3, 0)),
                "its relocatable tag asks for 0x0–0xffffffff aligned to 0x3"
            ),
            (
                image(TestImage.tag(10, 0x10_0000, 0x10_1000, 1, 2)),
                "no room for its 8243 bytes at 0x100000–0x101000, where it wants to be loaded"
            ),
            (header, "its Multiboot 2 header has no address tag, and it is no ELF image"),
            (TestImage.elf(header: header, elfClass: 2), "a 64-bit kernel; Ring3 runs 32-bit guests"),
        ]
        for (image, reason) in cases { #expect(try refusal(image) == "k: \(reason)") }
    }
}
