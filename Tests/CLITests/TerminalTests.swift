import Foundation
import Testing

/// The command on a pseudo-terminal, as a person has it.
@Suite struct TerminalTests {
    @Test func ctrlAThenXEndsTheRunAndRestoresTheTerminal() throws {
        try TerminalSession.with(Guest.echo) { session in
            #expect(session.isCanonical)
            session.start()
            session.expect("> ")
            #expect(!session.isCanonical, "raw while the guest runs")
            session.type("ab")
            session.expect("ab")
            session.type("\u{1}h")
            session.expect("end the run")
            session.type("\u{1}\u{1}\u{3}")
            session.expect("\u{1}\u{3}")
            session.type("\u{1}x")
            #expect(session.status == 0)
            #expect(session.isCanonical)
        }
    }

    @Test func theGuestsEndRestoresTheTerminal() throws {
        try TerminalSession.with(Guest.echo) { session in
            session.start()
            session.type("q")
            #expect(session.status == 1)
            #expect(session.isCanonical)
        }
    }

    @Test func signalsRestoreTheTerminal() throws {
        try TerminalSession.with(Guest.echo) { session in
            session.start()
            session.expect("> ")
            session.signal(SIGTERM)
            #expect(session.status == 143)
            #expect(session.isCanonical)
        }
    }

    @Test func dyingOfABugRestoresTheTerminal() throws {
        try TerminalSession.with(Guest.keyOnScreen, ["--display", "text"]) { session in
            session.start()
            session.expect("VGA")
            session.signal(SIGILL)
            #expect(session.status == SIGILL)
            #expect(session.diedOfSignal)
            session.expect("\u{1B}[?1049l")
            #expect(session.isCanonical)
        }
    }

    /// A signal that somebody sent is no fault of the emitted code that it interrupts.
    @Test(arguments: [SIGILL, SIGSEGV, SIGBUS, SIGFPE])
    func signalsSentToEmittedCodeAreNoFaults(number: Int32) throws {
        try TerminalSession.with(Guest.spinning, ["--engine", "native"]) { session in
            session.start()
            session.expect("!")
            session.signal(number)
            #expect(session.status == number)
            #expect(session.diedOfSignal)
        }
    }

    @Test func stoppingRestoresTheTerminalUntilItContinues() throws {
        try TerminalSession.with(Guest.echo) { session in
            session.start()
            session.expect("> ")
            session.signal(SIGTSTP)
            session.wait { session.isCanonical }
            session.signal(SIGCONT)
            session.wait { !session.isCanonical }
            session.type("q")
            #expect(session.status == 1)
            #expect(session.isCanonical)
        }
    }

    @Test func textDisplayShowsTheScreenAndTakesKeys() throws {
        try TerminalSession.with(Guest.keyOnScreen, ["--display", "text"]) { session in
            session.start()
            session.expect("\u{1B}[?1049h")
            session.expect("\u{1B}[0;97;44mVGA")
            session.type("a")
            #expect(session.status == 0x1E << 1 | 1)
            session.expect("\u{1B}[?1049l")
            session.expect("VGA\r\n")
            #expect(session.isCanonical)
        }
    }
}

/// One run of `ring3` on a terminal of its own.
private final class TerminalSession {
    private let controller: Int32
    private let terminal: Int32
    private let process = Process()
    /// What the terminal has shown and no `expect` has consumed.
    private var shown: [UInt8] = []

    static func with(_ guest: [UInt8], _ options: [String] = [], _ body: (TerminalSession) throws -> Void) throws {
        try TemporaryFolder.with { folder in
            let session = try TerminalSession(["run", try folder.file("guest", guest), "--timeout", "30"] + options)
            defer { session.close() }
            try body(session)
        }
    }

    private init(_ arguments: [String]) throws {
        // What unlockpt and ptsname do (ioctl_tty(2)); Glibc's module lacks them.
        let (unlock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
        var (isLocked, number): (Int32, Int32) = (0, 0)
        controller = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard ioctl(controller, unlock, &isLocked) == 0, ioctl(controller, getNumber, &number) == 0 else {
            throw POSIXError(.ENOTTY)
        }
        terminal = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        let handle = FileHandle(fileDescriptor: terminal)
        process.executableURL = Command.executable
        process.arguments = arguments
        // When it dies, it is to die at once: Swift's backtracer would ask what to do next.
        process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        process.standardInput = handle
        process.standardOutput = handle
        process.standardError = handle
    }

    func start() {
        #expect(throws: Never.self) { try process.run() }
    }

    private func close() {
        if process.isRunning { process.terminate() }
        Glibc.close(controller)
        Glibc.close(terminal)
    }

    /// Whether lines are edited by the terminal, as shells and their users have it.
    var isCanonical: Bool {
        var settings = termios()
        return tcgetattr(terminal, &settings) == 0 && settings.c_lflag & UInt32(ICANON | ECHO | ISIG) != 0
    }

    func type(_ text: String) {
        // In raw mode already: the terminal must not take control characters for itself.
        wait { !self.isCanonical }
        let bytes = Array(text.utf8)
        #expect(write(controller, bytes, bytes.count) == bytes.count)
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits until the terminal shows `text`, and consumes everything up to its end.
    func expect(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let wanted = Array(text.utf8)
        var end: Int?
        wait(sourceLocation: sourceLocation) {
            self.receive()
            end = self.shown.indices.first { self.shown[$0...].starts(with: wanted) }.map { $0 + wanted.count }
            return end != nil
        }
        if let end { shown.removeFirst(end) }
    }

    private func receive() {
        var wait = pollfd(fd: controller, events: Int16(POLLIN), revents: 0)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while poll(&wait, 1, 0) > 0, wait.revents & Int16(POLLIN) != 0 {
            shown += buffer[..<max(0, read(controller, &buffer, buffer.count))]
        }
    }

    /// The exit status, once it has ended.
    var status: Int32 {
        // Someone has to read what it still writes, or it could not end.
        wait {
            self.receive()
            return !self.process.isRunning
        }
        return process.isRunning ? -1 : process.terminationStatus
    }

    var diedOfSignal: Bool { process.terminationReason == .uncaughtSignal }

    func wait(sourceLocation: SourceLocation = #_sourceLocation, until condition: () -> Bool) {
        let deadline = ContinuousClock.now + .seconds(20)
        while !condition() {
            guard ContinuousClock.now < deadline else {
                Issue.record(
                    "nothing happened; shown: \(String(decoding: shown, as: UTF8.self).debugDescription)",
                    sourceLocation: sourceLocation)
                return
            }
            usleep(5000)
        }
    }
}
