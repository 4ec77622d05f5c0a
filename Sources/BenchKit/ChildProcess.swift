import Glibc

/// A program that has been started, in a process group of its own so that a whole tree of them can be ended.
final class ChildProcess {
    /// What is known once it has ended.
    struct End {
        /// Exit status, or nil if a signal ended it.
        let exitStatus: Int32?
        let signal: Int32?
        /// User and system time of all its threads, in nanoseconds.
        let cpuTime: UInt64
        /// Most memory it ever had, in bytes.
        let peakMemory: Int
    }

    let pid: pid_t
    private var clock = clockid_t()
    /// Nil while it runs.
    private(set) var end: End?

    /// Starts `command`, whose first word is a path; throws the error number.
    init(
        _ command: [String], standardOutput: Int32, standardError: Int32
    ) throws(ErrorNumber) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, standardOutput, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, standardError, STDERR_FILENO)
        var attributes = Self.attributes()
        defer { posix_spawnattr_destroy(&attributes) }
        var arguments = command.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var pid: pid_t = 0
        let error = posix_spawn(&pid, command[0], &actions, &attributes, &arguments, environ)
        guard error == 0 else { throw ErrorNumber(error) }
        self.pid = pid
        clock_getcpuclockid(pid, &clock)
    }

    /// Signals as at the start of a program: this process may hold them back or ignore them.
    private static func attributes() -> posix_spawnattr_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var usual = sigset_t()
        sigemptyset(&usual)
        for signal in [SIGPIPE, SIGINT, SIGTERM, SIGHUP] { sigaddset(&usual, signal) }
        posix_spawnattr_setsigdefault(&attributes, &usual)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        return attributes
    }

    deinit { stop() }

    /// User and system time of all its threads so far, in nanoseconds. Holds until it is reaped, so also just after it
    /// has ended.
    var cpuTime: UInt64 {
        if let end { return end.cpuTime }
        var time = timespec()
        guard clock_gettime(clock, &time) == 0 else { return 0 }
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Whether it has ended; takes note of how.
    func hasEnded() -> Bool { end != nil || reap(WNOHANG) }

    /// Ends it, if it still runs, with everything it has started.
    func stop() {
        guard end == nil else { return }
        kill(-pid, SIGKILL)
        _ = reap(0)
    }

    private func reap(_ options: Int32) -> Bool {
        var status: Int32 = 0
        var usage = rusage()
        var result: pid_t
        repeat { result = wait4(pid, &status, options, &usage) } while result < 0 && errno == EINTR
        guard result == pid else { return false }
        let signal = status & 0x7F
        func nanoseconds(_ time: timeval) -> UInt64 {
            UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_usec) * 1000
        }
        end = End(
            exitStatus: signal == 0 ? status >> 8 & 0xFF : nil, signal: signal == 0 ? nil : signal,
            cpuTime: nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime),
            peakMemory: Int(usage.ru_maxrss) * 1024)
        return true
    }
}

/// An error of the host's, as errno has it.
struct ErrorNumber: Error, CustomStringConvertible {
    let code: Int32

    init(_ code: Int32) { self.code = code }

    var description: String { String(cString: strerror(code)) }
}
