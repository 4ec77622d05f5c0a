import Glibc

/// The file that gets the final screen.
struct ScreenFile {
    private let path: String

    /// Throws if writing `path` is bound to fail: better now than after the run.
    init(path: String) throws(RunFailure) {
        self.path = path
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { throw failure("is a directory") }
        guard access(folder, W_OK | X_OK) == 0 || access(path, W_OK) == 0 else { throw failure(reason(errno)) }
    }

    /// Writes `text` at once or not at all; what is no regular file (a pipe, a link, /dev/stdout) is simply written to.
    func write(_ text: String) throws(RunFailure) {
        var status = stat()
        let isReplaceable = lstat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
        let bytes = Array(text.utf8)
        guard isReplaceable, access(folder, W_OK | X_OK) == 0 else {
            let descriptor = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC)
            guard descriptor >= 0 else { throw failure(reason(errno)) }
            defer { close(descriptor) }
            if let error = HostOutput.write(bytes, to: descriptor) { throw failure(reason(error)) }
            return
        }
        let temporary = "\(path).\(getpid())"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw failure(reason(errno)) }
        let writing = HostOutput.write(bytes, to: descriptor)
        close(descriptor)
        guard writing == nil, rename(temporary, path) == 0 else {
            let error = writing ?? errno
            unlink(temporary)
            throw failure(reason(error))
        }
    }

    private var folder: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private func failure(_ reason: String) -> RunFailure {
        RunFailure("cannot write the screen to \(path): \(reason)", exitStatus: ExitStatus.cannotCreate)
    }
}
