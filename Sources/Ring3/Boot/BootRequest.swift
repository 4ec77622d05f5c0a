/// What to boot: files already read, and the words given with them.
public struct BootRequest: Sendable {
    /// A file that a Multiboot guest finds in memory.
    public struct Module: Sendable {
        /// The string the guest is given with it, as it is.
        public var arguments: String
        public var bytes: [UInt8]

        public init(arguments: String, bytes: [UInt8]) {
            self.arguments = arguments
            self.bytes = bytes
        }
    }

    public var image: [UInt8]
    /// The image's name in messages and on a Multiboot 1 command line.
    public var imageName: String
    public var commandLine: String
    /// Linux's initial RAM disk; for Multiboot, the first module.
    public var initrd: [UInt8]?
    public var initrdName: String
    public var modules: [Module]

    public init(
        image: [UInt8], imageName: String, commandLine: String = "",
        initrd: [UInt8]? = nil, initrdName: String = "initrd", modules: [Module] = []
    ) {
        self.image = image
        self.imageName = imageName
        self.commandLine = commandLine
        self.initrd = initrd
        self.initrdName = initrdName
        self.modules = modules
    }

    /// The Multiboot modules: the initial RAM disk, if there is one, and then the others.
    var allModules: [Module] {
        (initrd.map { [Module(arguments: initrdName, bytes: $0)] } ?? []) + modules
    }
}

/// Why a guest cannot be booted, in one line: "hello.elf: a 64-bit kernel; Ring3 runs 32-bit guests".
public struct BootError: Error, Equatable, CustomStringConvertible {
    /// The file at fault. `BootLoader` fills in the image's name where nothing more precise is known.
    public internal(set) var subject: String
    public let reason: String
    /// Whether the request is at fault (EX_USAGE) and not a file's contents (EX_NOINPUT).
    public let isUsage: Bool

    init(_ reason: String, subject: String = "", isUsage: Bool = false) {
        self.subject = subject
        self.reason = reason
        self.isUsage = isUsage
    }

    public var description: String { "\(subject): \(reason)" }
}

/// Formats of bootable images.
public enum BootImage {
    public enum Kind: Equatable, Sendable {
        /// Multiboot Specification 0.6.96.
        case multiboot1
        /// Multiboot2 Specification 2.0.
        case multiboot2
        /// Linux/x86 boot protocol 2.02 or newer.
        case linux
    }
}
