import Glibc

/// Files that are read whole, before a guest starts.
package enum InputFile {
    /// The bytes of the file or pipe at `path`, of which there may be no more than `limit`.
    package static func read(_ path: String, limit: Int) throws(RunFailure) -> [UInt8] {
        // Nonblocking, or a named pipe without a writer would hang here.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, reason(errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(path, reason(errno)) }
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            guard Int(status.st_size) <= limit else { throw tooLarge(path, limit) }
        case S_IFIFO: break
        case S_IFDIR: throw failure(path, "is a directory")
        default: throw failure(path, "is neither a file nor a pipe")
        }
        let bytes = try readToEnd(descriptor, named: path, limit: limit)
        guard !bytes.isEmpty else { throw failure(path, "is empty") }
        return bytes
    }

    /// Everything from `descriptor` up to its end.
    static func readToEnd(_ descriptor: Int32, named name: String, limit: Int) throws(RunFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            if count > 0 {
                guard bytes.count + count <= limit else { throw tooLarge(name, limit) }
                bytes += buffer[..<count]
            } else if errno == EAGAIN {
                var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                poll(&wait, 1, -1)
            } else if errno != EINTR {
                throw failure(name, reason(errno))
            }
        }
    }

    private static func failure(_ path: String, _ reason: String) -> RunFailure {
        RunFailure("\(path): \(reason)", exitStatus: ExitStatus.noInput)
    }

    private static func tooLarge(_ path: String, _ limit: Int) -> RunFailure {
        failure(path, "is larger than \(limit >> 20) MiB: too much for this guest")
    }
}

/// The host's words for an error number.
func reason(_ error: Int32) -> String { String(cString: strerror(error)) }
