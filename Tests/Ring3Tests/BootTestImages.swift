@testable import Hardware
@testable import Ring3

/// Bootable images made to measure. What they execute, if they are ever run, is `code`.
enum TestImage {
    /// HLT; JMP back to it.
    static let halt: [UInt8] = [0xF4, 0xEB, 0xFD]

    static func longs(_ values: UInt32...) -> [UInt8] {
        var bytes: [UInt8] = []
        for value in values { bytes.append(little: value) }
        return bytes
    }

    // MARK: Multiboot headers

    static func multiboot1Header(flags: UInt32, fields: [UInt8] = []) -> [UInt8] {
        longs(0x1BAD_B002, flags, 0 &- (0x1BAD_B002 &+ flags)) + fields
    }

    static func tag(_ type: UInt16, flags: UInt16 = 0, _ fields: UInt32...) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(little: type)
        bytes.append(little: flags)
        bytes.append(little: UInt32(8 + 4 * fields.count))
        for field in fields { bytes.append(little: field) }
        bytes.pad(to: 8)
        return bytes
    }

    static func multiboot2Header(_ tags: [[UInt8]], architecture: UInt32 = 0, endTag: Bool = true) -> [UInt8] {
        let body = Array(tags.joined()) + (endTag ? tag(0) : [])
        let length = UInt32(16 + body.count)
        return longs(0xE852_50D6, architecture, length, 0 &- (0xE852_50D6 &+ architecture &+ length)) + body
    }

    // MARK: Images in no particular format, loaded by address fields

    /// Header, then code, loaded at `address` with `bss` zeroed bytes after them.
    static func flatMultiboot1(
        at address: UInt32 = 0x10_0000, flags: UInt32 = 0x1_0003, code: [UInt8] = halt, bss: UInt32 = 0x1000
    ) -> [UInt8] {
        let entry = address + 32
        let end = entry + UInt32(code.count)
        let fields = longs(address, address, end, end + bss, entry)
        return multiboot1Header(flags: flags, fields: fields) + code
    }

    /// The same for Multiboot 2, with `tags` besides.
    static func flatMultiboot2(
        at address: UInt32 = 0x10_0000, tags: [[UInt8]] = [], code: [UInt8] = halt
    ) -> [UInt8] {
        let size = multiboot2Header(tags + [tag(2, 0, 0, 0, 0), tag(3, 0)]).count
        let addresses = tag(2, address, address, 0, 0)
        return multiboot2Header(tags + [addresses, tag(3, address + UInt32(size))]) + code
    }

    // MARK: ELF

    struct Segment {
        var virtual: UInt32
        var physical: UInt32
        var bytes: [UInt8]
        var memorySize: UInt32
    }

    /// An executable with `header` in its first segment, which is followed by a symbol section of the bytes 1, 2, 3, 4.
    static func elf(
        header: [UInt8], code: [UInt8] = halt, at physical: UInt32 = 0x10_0000, virtual: UInt32 = 0xC010_0000,
        entry: UInt32? = nil, more: [Segment] = [], machine: UInt16 = 3, elfClass: UInt8 = 1
    ) -> [UInt8] {
        let first = Segment(
            virtual: virtual, physical: physical, bytes: header + code,
            memorySize: UInt32(header.count + code.count) + 0x2000)
        let segments = [first] + more
        let dataStart = UInt32((52 + 32 * segments.count).roundedUp(to: 16))
        var programHeaders: [UInt8] = []
        var data: [UInt8] = []
        for segment in segments {
            programHeaders += longs(
                1, dataStart + UInt32(data.count), segment.virtual, segment.physical, UInt32(segment.bytes.count),
                segment.memorySize, 7, 16)
            data += segment.bytes
            data.pad(to: 16)
        }
        let symbols = dataStart + UInt32(data.count)
        data += [1, 2, 3, 4, 0, 0, 0, 0]
        let sections =
            longs(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
            + longs(0, 1, 2, virtual, dataStart, UInt32(first.bytes.count), 0, 0, 16, 0)
            + longs(0, 3, 0, 0, symbols, 4, 0, 0, 4, 0)
        var image: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, elfClass, 1, 1] + Array(repeating: 0, count: 9)
        for half in [2, machine] as [UInt16] { image.append(little: half) }
        image += longs(1, entry ?? virtual + UInt32(header.count), 52, dataStart + UInt32(data.count), 0)
        for half in [52, 32, UInt16(segments.count), 40, 3, 2] as [UInt16] { image.append(little: half) }
        image += programHeaders
        image.pad(to: 16)
        return image + data + sections
    }

    // MARK: Linux

    /// A bzImage with four sectors of setup code and a "kernel" of `code`.
    static func bzImage(
        version: UInt16 = 0x020F, loadFlags: UInt8 = 1, extendedLoadFlags: UInt16 = 0, code: [UInt8] = halt,
        preferred: UInt64 = 0x100_0000, initSize: UInt32 = 0x10_0000, ramdiskLimit: UInt32 = 0x7FFF_FFFF,
        commandLineSize: UInt32 = 2047
    ) -> [UInt8] {
        var image = [UInt8](repeating: 0, count: 5 * 512)
        var kernel = code
        kernel.pad(to: 16)
        image.store(UInt8(4), at: 0x1F1)
        image.store(UInt32(kernel.count / 16), at: 0x1F4)
        image.store(UInt16(0xAA55), at: 0x1FE)
        image.store(UInt16(0x6AEB), at: 0x200)  // jmp 0x26c: the header ends there
        image.replaceSubrange(0x202..<0x206, with: Array("HdrS".utf8))
        image.store(version, at: 0x206)
        image.store(loadFlags, at: 0x211)
        image.store(UInt32(0x10_0000), at: 0x214)
        image.store(ramdiskLimit, at: 0x22C)
        image.store(extendedLoadFlags, at: 0x236)
        image.store(commandLineSize, at: 0x238)
        image.store(preferred, at: 0x258)
        image.store(initSize, at: 0x260)
        return image + kernel
    }
}

/// Guest memory with something booted into it.
struct Booted {
    let memory: PhysicalMemory
    let state: StartState

    init(_ request: BootRequest, mebibytes: Int = 32) throws {
        memory = try PhysicalMemory(size: mebibytes << 20)
        // Memory that has been used before: nothing may be left to chance.
        memory.base.initializeMemory(as: UInt8.self, repeating: 0xA5, count: memory.size)
        state = try BootLoader.load(request, into: memory)
    }

    init(_ image: [UInt8], commandLine: String = "", mebibytes: Int = 32) throws {
        try self.init(
            BootRequest(image: image, imageName: "kernel", commandLine: commandLine), mebibytes: mebibytes)
    }

    func long(_ address: UInt32) -> UInt32 { memory.read(address, as: UInt32.self) ?? 0xDEAD_DEAD }
    func quad(_ address: UInt32) -> UInt64 { memory.read(address, as: UInt64.self) ?? 0xDEAD_DEAD }
    func bytes(_ address: UInt32, _ count: Int) -> [UInt8] { memory.bytes(address, count: count) ?? [] }

    func string(_ address: UInt32) -> String {
        var bytes: [UInt8] = []
        var next = address
        while let byte = memory.read(next, as: UInt8.self), byte != 0 {
            bytes.append(byte)
            next += 1
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The one line with which booting `request` is refused.
func refusal(_ request: BootRequest, mebibytes: Int = 32) throws -> BootError? {
    let memory = try PhysicalMemory(size: mebibytes << 20)
    do {
        _ = try BootLoader.load(request, into: memory)
        return nil
    } catch {
        return error
    }
}

func refusal(_ image: [UInt8], commandLine: String = "", mebibytes: Int = 32) throws -> String? {
    try refusal(BootRequest(image: image, imageName: "k", commandLine: commandLine), mebibytes: mebibytes)?.description
}
