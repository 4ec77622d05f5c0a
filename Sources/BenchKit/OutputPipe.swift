import Glibc

/// The reading end of what a child prints, and the writing end until the child has it. Closed when nobody holds it.
final class OutputPipe {
    private(set) var reader: Int32 = -1
    private(set) var writer: Int32 = -1

    /// A pipe; reading never blocks.
    init() throws(ErrorNumber) {
        var ends: (Int32, Int32) = (-1, -1)
        let result = withUnsafeMutableBytes(of: &ends) { pipe($0.bindMemory(to: Int32.self).baseAddress) }
        guard result == 0 else { throw ErrorNumber(errno) }
        (reader, writer) = ends
        for descriptor in [reader, writer] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(reader, F_SETFL, O_NONBLOCK)
    }

    /// A named pipe at `path`, made here. Open for both directions, so that it has no end before the child comes or
    /// after it goes.
    init(named path: String) throws(ErrorNumber) {
        unlink(path)
        guard mkfifo(path, 0o600) == 0 else { throw ErrorNumber(errno) }
        reader = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard reader >= 0 else { throw ErrorNumber(errno) }
    }

    deinit {
        closeWriter()
        if reader >= 0 { close(reader) }
    }

    func closeWriter() {
        if writer >= 0 { close(writer) }
        writer = -1
    }

    /// What is there now, at most 64 KiB.
    func read() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = Glibc.read(reader, &buffer, buffer.count)
        return count > 0 ? Array(buffer.prefix(count)) : []
    }
}
