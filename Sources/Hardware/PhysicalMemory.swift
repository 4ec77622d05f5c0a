import CHost
import Glibc

/// Guest RAM: one shared mapping of an anonymous file, guest-physical addresses 0 ..< `size`.
///
/// A file, so that pages can be mapped a second time elsewhere (shadow windows) and snapshotted. Accesses through
/// `base` are unchecked; the checked accessors below are for devices and loaders.
public final class PhysicalMemory {
    /// What the host calls the file.
    public static let fileName = "ring3-ram"

    /// Why RAM could not be had.
    public enum Failure: Error, Equatable {
        /// Size is zero, not a multiple of 4 KiB, or above `maximumSize`.
        case badSize(Int)
        /// The host refused; `errno` says why.
        case host(errno: Int32)
    }

    /// Largest RAM in bytes: the space below the 32-bit firmware and device holes (3 GiB).
    public static let maximumSize = 3 << 30

    /// Bytes of inaccessible address space before and after RAM.
    private static let guardSize = 1 << 20

    public let base: UnsafeMutableRawPointer
    /// Bytes, a multiple of 4096.
    public let size: Int
    /// The file behind the mapping.
    public let fileDescriptor: Int32

    public init(size: Int) throws(Failure) {
        guard size > 0, size % 4096 == 0, size <= Self.maximumSize else { throw .badSize(size) }
        let descriptor = ring3_memfd_create(Self.fileName)
        guard descriptor >= 0 else { throw .host(errno: errno) }
        // Inaccessible on both sides: a stray access of ours faults at once instead of finding other memory.
        let reserved = size + 2 * Self.guardSize
        guard ftruncate(descriptor, size) == 0,
            let reservation = mmap(nil, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
            reservation != MAP_FAILED
        else {
            let error = errno
            close(descriptor)
            throw .host(errno: error)
        }
        let place = reservation + Self.guardSize
        guard
            mmap(place, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE | MAP_FIXED, descriptor, 0) == place
        else {
            let error = errno
            munmap(reservation, reserved)
            close(descriptor)
            throw .host(errno: error)
        }
        base = place
        self.size = size
        self.fileDescriptor = descriptor
    }

    deinit {
        munmap(base - Self.guardSize, size + 2 * Self.guardSize)
        close(fileDescriptor)
    }

    /// Whether `count` bytes from `address` lie inside RAM.
    public func contains(_ address: UInt32, count: Int) -> Bool {
        count >= 0 && Int(address) + count <= size
    }

    /// Little-endian value at `address`, or nil outside RAM.
    public func read<T: FixedWidthInteger & BitwiseCopyable>(_ address: UInt32, as type: T.Type) -> T? {
        guard contains(address, count: MemoryLayout<T>.size) else { return nil }
        return T(littleEndian: base.loadUnaligned(fromByteOffset: Int(address), as: T.self))
    }

    /// Stores `value` at `address`; false (and nothing stored) outside RAM.
    @discardableResult
    public func write<T: FixedWidthInteger & BitwiseCopyable>(_ address: UInt32, _ value: T) -> Bool {
        guard contains(address, count: MemoryLayout<T>.size) else { return false }
        base.storeBytes(of: value.littleEndian, toByteOffset: Int(address), as: T.self)
        return true
    }

    /// Copies `bytes` to `address`; false (and nothing copied) if they do not fit.
    @discardableResult
    public func write(_ address: UInt32, bytes: some Collection<UInt8>) -> Bool {
        guard contains(address, count: bytes.count) else { return false }
        UnsafeMutableRawBufferPointer(start: base + Int(address), count: bytes.count).copyBytes(from: bytes)
        return true
    }

    /// Copy of `count` bytes from `address`, or nil outside RAM.
    public func bytes(_ address: UInt32, count: Int) -> [UInt8]? {
        guard contains(address, count: count) else { return nil }
        return [UInt8](UnsafeRawBufferPointer(start: base + Int(address), count: count))
    }
}
