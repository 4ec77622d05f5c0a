import Glibc

/// Bytes on their way to a file descriptor, buffered.
final class HostOutput {
    private let descriptor: Int32
    private let isOwned: Bool
    private var buffer: [UInt8] = []
    /// Why writing failed; from then on everything is dropped.
    private(set) var failure: Int32?
    private static let capacity = 16384

    /// Writes to a descriptor that somebody else closes.
    init(descriptor: Int32) {
        self.descriptor = descriptor
        isOwned = false
        buffer.reserveCapacity(Self.capacity)
    }

    /// Creates or truncates the file at `path`.
    init(path: String) throws(RunFailure) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw RunFailure("cannot create \(path): \(reason(errno))", exitStatus: ExitStatus.cannotCreate)
        }
        isOwned = true
        buffer.reserveCapacity(Self.capacity)
    }

    deinit {
        if isOwned { close(descriptor) }
    }

    func put(_ byte: UInt8) {
        buffer.append(byte)
        if buffer.count >= Self.capacity { flush() }
    }

    func put(_ text: String) {
        for byte in text.utf8 { put(byte) }
    }

    /// Writes what is waiting; blocks while the reader does.
    func flush() {
        guard !buffer.isEmpty else { return }
        if failure == nil { failure = Self.write(buffer, to: descriptor) }
        buffer.removeAll(keepingCapacity: true)
    }

    /// Writes all of `bytes`; the error number if that fails.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
        bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
                if count >= 0 {
                    done += count
                } else if errno == EAGAIN {
                    var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&wait, 1, -1)
                } else if errno != EINTR {
                    return errno
                }
            }
            return nil
        }
    }
}
