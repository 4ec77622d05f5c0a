import Hardware

/// An amount of guest memory as people write it: "128M", "1G", "131072K", or a plain number of MiB.
public struct MemorySize: Equatable, Sendable, CustomStringConvertible {
    /// What a guest gets if nothing is said.
    public static let standard = MemorySize(mebibytes: 128)

    /// A multiple of 4 KiB that a guest can have.
    public let bytes: Int

    private init(mebibytes: Int) { bytes = mebibytes << 20 }

    /// As `init` reads it.
    public var description: String { bytes % (1 << 20) == 0 ? "\(bytes >> 20)M" : "\(bytes >> 10)K" }

    /// Why a text is not a memory size, in one line.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    public init(_ text: String) throws(Failure) {
        let shifts: [Character: Int] = ["K": 10, "M": 20, "G": 30]
        let suffix = text.last.flatMap { shifts[Character($0.uppercased())] }
        let digits = suffix == nil ? Substring(text) : text.dropLast()
        guard !digits.isEmpty, digits.allSatisfy({ ("0"..."9").contains($0) }) else {
            throw Failure(description: "128M, 1G and 131072K are memory sizes")
        }
        let (bytes, isTooLarge) = (Int(digits) ?? .max).multipliedReportingOverflow(by: 1 << (suffix ?? 20))
        guard !isTooLarge, (2 << 20...PhysicalMemory.maximumSize).contains(bytes) else {
            throw Failure(description: "a guest can have from 2 MiB to 3 GiB")
        }
        guard bytes % 4096 == 0 else {
            throw Failure(description: "not a multiple of 4 KiB")
        }
        self.bytes = bytes
    }
}
