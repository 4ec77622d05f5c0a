/// The setup header of a bzImage (Linux documentation, "The Linux/x86 Boot Protocol").
struct LinuxHeader {
    /// Offsets of its fields in the file, which are also those in the zero page.
    enum Field {
        static let setupSectors = 0x1F1, paragraphs = 0x1F4, bootFlag = 0x1FE, headerLength = 0x201
        static let signature = 0x202, version = 0x206, loaderType = 0x210, loadFlags = 0x211, codeStart = 0x214
        static let ramdiskImage = 0x218, ramdiskSize = 0x21C, commandLine = 0x228, ramdiskLimit = 0x22C
        static let extendedLoadFlags = 0x236, commandLineSize = 0x238, preferredAddress = 0x258, initSize = 0x260
    }

    /// End of the header's place in the zero page.
    private static let endInZeroPage = 0x290
    private static let sectorSize: UInt64 = 512

    let version: UInt16
    /// The protected-mode kernel's bytes in the file.
    let kernel: Range<Int>
    /// The header's own bytes in the file.
    let bytes: Range<Int>
    /// The highest address that the initial RAM disk may occupy.
    let ramdiskLimit: UInt32
    /// Longest command line, without its terminator.
    let commandLineSize: UInt32
    /// Where the kernel decompresses to, and the bytes it needs there before it knows of the memory map; empty in
    /// kernels that do not say (before 2.10).
    let runtime: Range<UInt64>

    /// Whether `file` is a Linux kernel of any kind.
    static func isPresent(in file: ImageBytes) -> Bool {
        file.word(Field.bootFlag) == 0xAA55 && file.long(Field.signature) == 0x5372_6448  // "HdrS"
    }

    init(in file: ImageBytes) throws(BootError) {
        guard let version = file.word(Field.version), let flags = file.byte(Field.loadFlags),
            let length = file.byte(Field.headerLength), let setup = file.byte(Field.setupSectors),
            let end = [Field.signature + Int(length), Self.endInZeroPage].min(), end <= file.count
        else { throw BootError("truncated: its Linux setup header is cut short") }
        guard version >= 0x0202 else {
            throw BootError("a Linux kernel with boot protocol \(Self.text(version)); 2.02 is the oldest supported")
        }
        let loadedHigh: UInt8 = 1
        guard flags & loadedHigh != 0 else {
            throw BootError("a Linux zImage, to be loaded below 1 MiB; only bzImage is supported")
        }
        /// A field that the protocol has since `since` (its high and low byte), unless the header ends before it.
        func field<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
            _ offset: Int, since: UInt16, default value: T
        ) -> T {
            guard version >= since, offset + MemoryLayout<T>.size <= end else { return value }
            return file.read(offset, as: T.self) ?? value
        }
        let kernelIs64Bit: UInt16 = 1
        guard field(Field.extendedLoadFlags, since: 0x020C, default: UInt16(0)) & kernelIs64Bit == 0 else {
            throw .kernelIs64Bit
        }
        self.version = version
        bytes = Field.setupSectors..<max(end, Field.signature)
        kernel = try Self.kernel(in: file, setupSectors: setup, version: version)
        ramdiskLimit = field(Field.ramdiskLimit, since: 0x0203, default: 0x37FF_FFFF)
        commandLineSize = field(Field.commandLineSize, since: 0x0206, default: 255)
        let preferred = field(Field.preferredAddress, since: 0x020A, default: UInt64(0))
        let initSize = UInt64(field(Field.initSize, since: 0x020A, default: UInt32(0)))
        guard preferred <= 1 << 32 else { throw BootError("wants to run at \(hex(preferred)), above 4 GiB") }
        runtime = preferred..<preferred + initSize
    }

    /// The part after the boot sector and the real-mode setup code.
    private static func kernel(
        in file: ImageBytes, setupSectors: UInt8, version: UInt16
    ) throws(BootError) -> Range<Int> {
        // "If the setup_sects field contains 0, the real value is 4."
        let start = (UInt64(setupSectors == 0 ? 4 : setupSectors) + 1) * sectorSize
        // Only two bytes of syssize are meaningful before 2.04.
        let paragraphs =
            version >= 0x0204
            ? file.long(Field.paragraphs) ?? 0 : UInt32(file.word(Field.paragraphs) ?? 0)
        let size = UInt64(paragraphs) * 16
        let present = UInt64(max(file.count - Int(start), 0))
        // Old kernels leave off the last paragraph's padding, and the checksum that syssize counts.
        let uncounted: UInt64 = 15 + 4
        guard size > 0, present > 0, present + uncounted >= size, let range = file.range(start, min(size, present))
        else { throw BootError("truncated: \(present) of the kernel's \(size) bytes are there") }
        return range
    }

    /// "2.15" for 0x020F.
    static func text(_ version: UInt16) -> String {
        let minor = version & 0xFF
        return "\(version >> 8).\(minor < 10 ? "0" : "")\(minor)"
    }
}
