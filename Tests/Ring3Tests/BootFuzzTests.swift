import Testing

@testable import Hardware
@testable import Ring3

/// Damaged images must be refused or loaded; a trap would end the whole test run.
@Suite struct BootFuzzTests {
    /// Marsaglia's xorshift32: the same damage in every run.
    private struct Random {
        var state: UInt32

        mutating func next(below limit: Int) -> Int {
            state ^= state << 13
            state ^= state >> 17
            state ^= state << 5
            return Int(state) % max(limit, 1)
        }
    }

    private static let images: [[UInt8]] = [
        TestImage.elf(
            header: TestImage.multiboot1Header(flags: 7, fields: TestImage.longs(0, 0, 0, 0, 0, 1, 80, 25, 0)),
            more: [.init(virtual: 0x20_0000, physical: 0x20_0000, bytes: [1, 2, 3], memorySize: 0x1_0000)]),
        TestImage.flatMultiboot1(),
        TestImage.elf(
            header: TestImage.multiboot2Header([
                TestImage.tag(1, 1, 4, 6), TestImage.tag(3, 0x10_0000), TestImage.tag(4, 3),
                TestImage.tag(10, 0x10_0000, 0x200_0000, 0x1000, 0),
            ])),
        TestImage.flatMultiboot2(tags: [TestImage.tag(10, 0, .max, 0x1000, 2)]),
        TestImage.bzImage(),
    ]

    /// Sets one to four fields to values that matter (or to anything), mending Multiboot checksums half the time so that
    /// the damage is looked at; cuts the image short one time in eight.
    private func damage(_ image: inout [UInt8], _ random: inout Random) {
        let extremes: [UInt32] = [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_F000, 0xFFFF_FFFE, 0xFFFF_FFFF]
        for _ in 0...random.next(below: 4) {
            switch random.next(below: 3) {
            case 0:
                image[random.next(below: image.count)] = UInt8(random.next(below: 256))
            case 1:
                let offset = random.next(below: image.count - 3) & ~3
                image.store(extremes[random.next(below: extremes.count)], at: offset)
            default:
                image[random.next(below: min(image.count, 160))] ^= UInt8(1) << random.next(below: 8)
            }
        }
        if random.next(below: 2) == 0 { mendChecksums(&image) }
        if random.next(below: 8) == 0 { image.removeLast(random.next(below: image.count)) }
    }

    private func mendChecksums(_ image: inout [UInt8]) {
        let file = ImageBytes(bytes: image)
        for offset in stride(from: 0, to: min(image.count, 512) - 16, by: 4) {
            let fields = (0..<3).map { file.long(offset + 4 * $0) ?? 0 }
            if fields[0] == Multiboot1Header.magic {
                image.store(0 &- (fields[0] &+ fields[1]), at: offset + 8)
            } else if fields[0] == Multiboot2Header.magic {
                image.store(0 &- (fields[0] &+ fields[1] &+ fields[2]), at: offset + 12)
            }
        }
    }

    @Test func damagedImagesNeverTrap() throws {
        let memory = try PhysicalMemory(size: 16 << 20)
        var random = Random(state: 0x1234_5678)
        var outcomes: [Bool: Int] = [:]
        for round in 0..<20_000 {
            var image = Self.images[round % Self.images.count]
            damage(&image, &random)
            let request = BootRequest(
                image: image, imageName: "damaged", commandLine: "a b", initrd: round % 3 == 0 ? [1, 2, 3] : nil)
            do {
                let state = try BootLoader.load(request, into: memory)
                #expect(Int(state.eip) < memory.size)
                outcomes[true, default: 0] += 1
            } catch {
                #expect(error.reason.count > 10 && !error.description.contains("\n"))
                outcomes[false, default: 0] += 1
            }
        }
        // Both must be frequent, or the damage is not where it hurts.
        #expect(outcomes.values.allSatisfy { $0 > 2000 } && outcomes.count == 2)
    }
}
