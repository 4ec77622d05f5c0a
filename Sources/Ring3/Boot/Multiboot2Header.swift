/// The header by which an image declares itself bootable (Multiboot2 Specification 2.0, 3.1).
struct Multiboot2Header {
    static let magic: UInt32 = 0xE852_50D6
    /// The whole header lies in this many bytes from the file's start, on an 8-byte boundary.
    static let searchLimit = 32768
    private static let architecture386: UInt32 = 0
    private static let fixedSize = 16

    private enum TagType: UInt16 {
        case end = 0, informationRequest, address, entryAddress, consoleFlags, framebuffer, moduleAlignment
        case efiBootServices, efiEntry32, efiEntry64, relocatable

        /// Smallest size in bytes.
        var size: UInt32 {
            switch self {
            case .end, .informationRequest, .moduleAlignment, .efiBootServices: 8
            case .entryAddress, .consoleFlags, .efiEntry32, .efiEntry64: 12
            case .framebuffer: 20
            case .address, .relocatable: 24
            }
        }
    }

    /// Highest type of information the specification defines: the image load base address.
    private static let lastInformationType: UInt32 = 21

    let offset: Int
    private(set) var relocation: Relocation?
    private var address: AddressFields?
    private var entry: UInt32?

    /// Where the header in `file` is, whatever its contents.
    static func find(in file: ImageBytes) -> Int? {
        let end = min(file.count, searchLimit) - fixedSize
        return stride(from: 0, through: end, by: 8).first { offset in
            guard file.long(offset) == magic, let architecture = file.long(offset + 4),
                let length = file.long(offset + 8), let checksum = file.long(offset + 12)
            else { return false }
            return magic &+ architecture &+ length &+ checksum == 0
        }
    }

    /// Reads the header at `offset`, refusing what it requires and this loader lacks.
    init(in file: ImageBytes, at offset: Int) throws(BootError) {
        self.offset = offset
        guard file.long(offset + 4) == Self.architecture386 else {
            throw BootError("its Multiboot 2 header is for another CPU (architecture \(file.long(offset + 4) ?? 0))")
        }
        let limit = min(file.count, Self.searchLimit)
        guard let length = file.long(offset + 8), length >= Self.fixedSize, Int(length) <= limit - offset else {
            throw BootError("truncated: its Multiboot 2 header leaves the file's first \(limit) bytes")
        }
        var tag = offset + Self.fixedSize
        let end = offset + Int(length)
        while tag <= end - 8, let type = file.word(tag), let flags = file.word(tag + 2), let size = file.long(tag + 4) {
            guard size >= 8, Int(size) <= end - tag else {
                throw BootError("tag \(type) of its Multiboot 2 header has size \(size)")
            }
            guard type != TagType.end.rawValue else { return }
            try read(type: type, isOptional: flags & 1 != 0, size: size, at: tag, in: file)
            tag += Int(size).roundedUp(to: 8)
        }
        throw BootError("its Multiboot 2 header has no end tag")
    }

    private mutating func read(
        type: UInt16, isOptional: Bool, size: UInt32, at tag: Int, in file: ImageBytes
    ) throws(BootError) {
        guard let known = TagType(rawValue: type) else {
            guard isOptional else { throw BootError("its Multiboot 2 header requires unknown feature \(type)") }
            return
        }
        guard size >= known.size else { throw BootError("tag \(type) of its Multiboot 2 header has size \(size)") }
        /// The tag's 32-bit fields after type, flags and size.
        let fields = (0..<(Int(size) - 8) / 4).compactMap { file.long(tag + 8 + 4 * $0) }
        switch known {
        case .informationRequest:
            // Known information that this machine does not have is left out without failing (3.1.4).
            if !isOptional, let unknown = fields.first(where: { $0 > Self.lastInformationType }) {
                throw BootError("its Multiboot 2 header requires unknown information \(unknown)")
            }
        case .address:
            address = try addressFields(fields)
        case .entryAddress:
            entry = fields[0]
        case .consoleFlags:
            let isRequired = fields[0] & 1 != 0
            let takesText = fields[0] & 2 != 0
            guard takesText || !isRequired || isOptional else {
                throw BootError("requires a console other than the VGA text screen")
            }
        case .relocatable:
            relocation = try relocation(fields)
        case .end, .framebuffer, .moduleAlignment, .efiBootServices, .efiEntry32, .efiEntry64:
            // A preferred resolution is not binding (3.1.8), modules are always aligned, and this is no EFI machine.
            break
        }
    }

    /// `fields`: header_addr, load_addr, load_end_addr, bss_end_addr.
    private func addressFields(_ fields: [UInt32]) throws(BootError) -> AddressFields {
        let fromFileStart: UInt32 = .max
        guard fields[1] != fromFileStart || fields[0] >= UInt32(offset) else {
            throw BootError("its header address \(hex(fields[0])) would put the file's start below 0")
        }
        return AddressFields(
            headerOffset: UInt64(offset), headerAddress: fields[0],
            loadAddress: fields[1] == fromFileStart ? fields[0] - UInt32(offset) : fields[1],
            loadEnd: fields[2], bssEnd: fields[3])
    }

    /// `fields`: min_addr, max_addr, align, preference.
    private func relocation(_ fields: [UInt32]) throws(BootError) -> Relocation {
        let alignment = max(fields[2], 1)
        guard fields[0] <= fields[1], alignment & (alignment - 1) == 0 else {
            throw BootError(
                "its relocatable tag asks for \(hex(fields[0]))–\(hex(fields[1])) aligned to \(hex(fields[2]))")
        }
        let preferences: [UInt32: BootMemory.Preference] = [1: .lowest, 2: .highest]
        return Relocation(
            window: UInt64(fields[0])..<UInt64(fields[1]), alignment: UInt64(alignment),
            preference: preferences[fields[3]])
    }

    /// The kernel in `file`, by the address tag or as ELF; an entry address tag overrides the ELF entry point.
    func kernel(in file: ImageBytes) throws(BootError) -> KernelImage {
        if let address {
            guard let entry else { throw BootError("its Multiboot 2 header has an address tag but no entry address") }
            return try address.image(entry: entry, file: file)
        }
        guard ELF32.isELF(file) else {
            throw BootError("its Multiboot 2 header has no address tag, and it is no ELF image")
        }
        var image = try ELF32.kernel(in: file)
        if let entry { image.entry = UInt64(entry) }
        return image
    }
}
