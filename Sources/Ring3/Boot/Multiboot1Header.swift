/// The header by which an image declares itself bootable (Multiboot Specification 0.6.96, 3.1).
struct Multiboot1Header: Equatable {
    static let magic: UInt32 = 0x1BAD_B002
    /// The whole header lies in this many bytes from the file's start, on a 4-byte boundary.
    static let searchLimit = 8192

    private enum Flag {
        /// Page-aligned modules, memory information, and video mode information: always given.
        static let supported: UInt32 = 0b111
        /// Bits that an image sets only if it cannot do without.
        static let mandatory: UInt32 = 0xFFFF
        static let addressFields: UInt32 = 1 << 16
    }

    let offset: Int
    let flags: UInt32

    /// Finds the header in `file`.
    init?(in file: ImageBytes) {
        let end = min(file.count, Self.searchLimit) - 12
        for offset in stride(from: 0, through: end, by: 4) where file.long(offset) == Self.magic {
            guard let flags = file.long(offset + 4), let checksum = file.long(offset + 8),
                Self.magic &+ flags &+ checksum == 0
            else { continue }
            self.offset = offset
            self.flags = flags
            return
        }
        return nil
    }

    /// The kernel in `file`, by the header's address fields or as ELF. (The video mode fields express a mere preference,
    /// 3.1.4; there is only text.)
    func kernel(in file: ImageBytes) throws(BootError) -> KernelImage {
        let unsupported = flags & Flag.mandatory & ~Flag.supported
        guard unsupported == 0 else {
            throw BootError("its Multiboot header requires unknown features (flags \(hex(unsupported)))")
        }
        guard flags & Flag.addressFields != 0 else {
            guard ELF32.isELF(file) else {
                throw BootError("its Multiboot header has no address fields, and it is no ELF image")
            }
            return try ELF32.kernel(in: file)
        }
        let fields = (0..<5).compactMap { file.long(offset + 12 + 4 * $0) }
        guard fields.count == 5 else { throw BootError("truncated: its Multiboot header's address fields are missing") }
        let address = AddressFields(
            headerOffset: UInt64(offset), headerAddress: fields[0], loadAddress: fields[1], loadEnd: fields[2],
            bssEnd: fields[3])
        return try address.image(entry: fields[4], file: file)
    }
}
