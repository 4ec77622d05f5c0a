import Hardware

/// Puts a bootable image, and what its boot protocol promises it, into guest RAM.
public struct BootLoader {
    /// Loads `request` and answers the state in which its first instruction finds the CPU.
    ///
    /// Which protocol the image wants is recognised from its contents. Whatever those are, the result is a guest or an
    /// error; after an error the contents of `memory` are undefined.
    public static func load(_ request: BootRequest, into memory: PhysicalMemory) throws(BootError) -> StartState {
        do {
            var placement = try BootMemory(memory)
            let format = try Format(of: ImageBytes(bytes: request.image))
            let firmware = FirmwareArea(writingTo: memory)
            switch format {
            case .linux:
                return try LinuxBoot.load(request, into: &placement, firmware: firmware)
            case .multiboot1(let header):
                return try Multiboot1.load(request, header: header, into: &placement, firmware: firmware)
            case .multiboot2(let offset):
                return try Multiboot2.load(request, headerOffset: offset, into: &placement, firmware: firmware)
            }
        } catch {
            var error = error
            if error.subject.isEmpty { error.subject = request.imageName }
            throw error
        }
    }

    /// The protocol by which `image` wants to be booted, or nil if it shows no sign of any.
    public static func kind(of image: [UInt8]) -> BootImage.Kind? {
        switch try? Format(of: ImageBytes(bytes: image)) {
        case .linux: .linux
        case .multiboot1: .multiboot1
        case .multiboot2: .multiboot2
        case nil: nil
        }
    }

    /// An image's protocol, and where it says so.
    private enum Format {
        case linux
        case multiboot1(Multiboot1Header)
        case multiboot2(headerOffset: Int)

        /// Linux first, whose compressed payload may hold anything; then Multiboot 1, as which QEMU too would boot an
        /// image that has both headers.
        init(of file: ImageBytes) throws(BootError) {
            if LinuxHeader.isPresent(in: file) {
                self = .linux
            } else if let header = Multiboot1Header(in: file) {
                self = .multiboot1(header)
            } else if let offset = Multiboot2Header.find(in: file) {
                self = .multiboot2(headerOffset: offset)
            } else if ELF32.is64Bit(file) {
                throw .kernelIs64Bit
            } else {
                throw BootError(
                    "not a bootable image: no Multiboot header in the first 8 KiB, no Multiboot 2 header in the "
                        + "first 32 KiB, not a Linux bzImage")
            }
        }
    }
}
