import Glibc
import Hardware
import Logging

/// The machine's console and display on the user's terminal, pipes and files, for the time of one run.
final class ConsoleSession {
    let serial: SerialConsole
    /// Where port 0xE9 leads.
    let debugOutput: HostOutput?
    /// The signal that ended the run.
    private(set) var endingSignal: Int32?
    private let serialOutput: HostOutput?
    private let terminal: Terminal?
    private let display: TerminalDisplay?
    private var keys = EscapeKeys()
    private var signals: HostSignals?
    private var lastFlush: UInt64 = 0
    private var lastDraw: UInt64 = 0
    private var drawnChange: UInt64?
    private var isNoticeShown = false

    /// Host nanoseconds that output may wait while the guest is busy, and between two drawings of the screen.
    private static let flushInterval: UInt64 = 4_000_000
    private static let frameInterval: UInt64 = 33_000_000
    /// Input to be read before a deterministic run, at most.
    private static let inputLimit = 64 << 20

    init(_ options: RunOptions, log: Logger) throws(RunFailure) {
        let standard = HostOutput(descriptor: STDOUT_FILENO)
        serialOutput = try Self.output(for: options.serialChannel, standard)
        debugOutput = try Self.output(for: options.debugConsole, standard)
        let readsInput = options.serialChannel == .stdio || options.display == .text
        terminal = readsInput ? Terminal(descriptor: STDIN_FILENO) : nil
        if options.display == .text {
            guard isatty(STDOUT_FILENO) == 1 else {
                throw RunFailure("--display text: standard output is not a terminal", exitStatus: ExitStatus.usage)
            }
            display = TerminalDisplay(output: standard, size: Terminal.size(STDOUT_FILENO) ?? (80, 25))
        } else {
            display = nil
        }
        var typed: [UInt8]?
        if options.machine.isDeterministic, readsInput, terminal == nil {
            // What arrives when is not repeatable; what is there from the start is.
            typed = try InputFile.readToEnd(STDIN_FILENO, named: "standard input", limit: Self.inputLimit)
        }
        let output = serialOutput
        serial = SerialConsole(input: readsInput && typed == nil ? STDIN_FILENO : nil) { output?.put($0) }
        serial.type(typed ?? [])
        serial.pacesLines = terminal == nil
        if terminal != nil {
            serial.filter = { [unowned self] in filter($0) }
            if options.machine.isDeterministic {
                log.notice("input from a terminal comes when it comes: this run cannot be repeated exactly")
            }
        }
        if display != nil { serial.longestWait = Self.frameInterval }
    }

    private static func output(
        for channel: RunOptions.Channel, _ standard: HostOutput
    ) throws(RunFailure) -> HostOutput? {
        switch channel {
        case .stdio: standard
        case .file(let path): try HostOutput(path: path)
        case .none: nil
        }
    }

    /// Why output could not be written.
    var outputFailure: Int32? { serialOutput?.failure ?? debugOutput?.failure }

    /// Runs `machine` with the terminal in raw mode and signals in hand; leaves both as they were.
    func run(_ machine: VirtualMachine) -> RunOutcome {
        if display != nil {
            let keyboard = TerminalKeyboard(machine.chipset.keyboardController.keyboard)
            serial.inputTaker = { [unowned self] in
                isNoticeShown = false
                return keyboard.type($0)
            }
        }
        serial.onHostTurn = { [unowned self, unowned machine] in hostTurn(machine, isWaiting: $0) }
        // Stopping and continuing matter only to whoever has to put a terminal in order.
        signals = HostSignals([SIGINT, SIGTERM, SIGHUP] + (terminal == nil ? [] : [SIGTSTP, SIGCONT]))
        occupyTerminal()
        let outcome = machine.run()
        flush()
        leaveTerminal()
        signals?.release()
        return outcome
    }

    // MARK: The terminal

    private func occupyTerminal() {
        terminal?.enterRaw(farewell: display == nil ? "" : TerminalDisplay.closing)
        display?.open()
        drawnChange = nil
    }

    private func leaveTerminal() {
        display?.close()
        terminal?.restore()
    }

    private func filter(_ byte: UInt8) -> UInt8? {
        let (forGuest, action) = keys.take(byte)
        switch action {
        case .quit: serial.wantsQuit = true
        case .help:
            if let display {
                display.show(notice: EscapeKeys.help)
                isNoticeShown = true
                drawnChange = nil
            } else {
                flush()
                _ = HostOutput.write(Array(EscapeKeys.help.utf8), to: STDERR_FILENO)
            }
        case nil: break
        }
        return forGuest
    }

    // MARK: Between two slices of the guest

    private func hostTurn(_ machine: VirtualMachine, isWaiting: Bool) {
        let now = VirtualTime.hostNow()
        if isWaiting || now >= lastFlush + Self.flushInterval {
            flush()
            lastFlush = now
        }
        if now >= lastDraw + Self.frameInterval {
            draw(machine.chipset.display)
            lastDraw = now
        }
        while let signal = signals?.next() { take(signal) }
        if outputFailure != nil { serial.wantsQuit = true }
    }

    private func flush() {
        serialOutput?.flush()
        debugOutput?.flush()
    }

    private func draw(_ screen: TextDisplay) {
        guard let display, !isNoticeShown, drawnChange != screen.changeCount else { return }
        drawnChange = screen.changeCount
        display.draw(screen.screen())
    }

    private func take(_ signal: Int32) {
        switch signal {
        case SIGTSTP:
            leaveTerminal()
            // Returns when somebody continues this process.
            kill(getpid(), SIGSTOP)
            occupyTerminal()
        case SIGCONT:
            occupyTerminal()
        default:
            endingSignal = signal
            serial.wantsQuit = true
        }
    }
}
