import Glibc

/// The user's terminal in raw mode: every key goes to the guest, Ctrl-C too.
///
/// Output processing stays on, as QEMU has it, so that bare newlines of simple guests start a new line. There is one
/// terminal in a process.
final class Terminal {
    private let descriptor: Int32
    private var isRaw = false

    /// Nil if `descriptor` is no terminal.
    init?(descriptor: Int32) {
        var settings = termios()
        guard tcgetattr(descriptor, &settings) == 0 else { return nil }
        self.descriptor = descriptor
        rescue.pointee.descriptor = descriptor
        rescue.pointee.settings = settings
        // Memory faults are left to those who make use of them.
        for signal in [SIGILL, SIGTRAP, SIGABRT, SIGQUIT] { Self.rescueOn(signal) }
    }

    /// Columns and rows, where the terminal tells.
    static func size(_ descriptor: Int32) -> (columns: Int, rows: Int)? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return nil }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// - Parameter farewell: what standard output needs as well, should the process die in raw mode.
    func enterRaw(farewell: StaticString = "") {
        rescue.pointee.farewell = farewell
        var settings = rescue.pointee.settings
        cfmakeraw(&settings)
        settings.c_oflag = rescue.pointee.settings.c_oflag
        isRaw = true
        rescue.pointee.isNeeded = true
        tcsetattr(descriptor, TCSANOW, &settings)
    }

    /// Puts everything back as it was found.
    func restore() {
        guard isRaw else { return }
        isRaw = false
        rescue.pointee.isNeeded = false
        tcsetattr(descriptor, TCSADRAIN, &rescue.pointee.settings)
    }

    deinit { restore() }

    /// When this process dies of a bug, the terminal is restored first.
    private static func rescueOn(_ number: Int32) {
        guard !rescue.pointee.isInstalled(number) else { return }
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { number in
            // In a signal handler: nothing but plain memory and async-signal-safe functions.
            let state = rescue.pointee
            if state.isNeeded {
                _ = write(STDOUT_FILENO, state.farewell.utf8Start, state.farewell.utf8CodeUnitCount)
                tcsetattr(state.descriptor, TCSANOW, &rescue.pointee.settings)
            }
            // Then whatever would have happened without this handler.
            sigaction(number, state.previous + Int(number), nil)
            raise(number)
        }
        sigaction(number, &action, rescue.pointee.previous + Int(number))
        rescue.pointee.installed |= 1 << UInt64(number)
    }
}

/// What the handler needs to know.
private struct Rescue {
    var descriptor: Int32 = -1
    var settings = termios()
    var farewell: StaticString = ""
    /// The terminal is raw.
    var isNeeded = false
    /// Set bits: signals that have the handler.
    var installed: UInt64 = 0
    /// What was done about each signal before, by its number.
    let previous: UnsafeMutablePointer<sigaction>

    func isInstalled(_ number: Int32) -> Bool { installed & 1 << UInt64(number) != 0 }
}

/// Allocated before a handler that uses it is installed, by the same thread, and never freed.
nonisolated(unsafe) private let rescue: UnsafeMutablePointer<Rescue> = {
    let previous = UnsafeMutablePointer<sigaction>.allocate(capacity: 64)
    previous.initialize(repeating: sigaction(), count: 64)
    let rescue = UnsafeMutablePointer<Rescue>.allocate(capacity: 1)
    rescue.initialize(to: Rescue(previous: previous))
    return rescue
}()
