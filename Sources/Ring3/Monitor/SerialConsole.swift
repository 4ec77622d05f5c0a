import CHost
import Glibc
import Hardware

/// The far end of COM1: bytes from a file descriptor to the guest, bytes of the guest to a closure.
///
/// Input waits until the guest listens (it enabled the received-data interrupt, or polls the line status): drivers clear
/// the receiver while they set it up, and early bytes would be lost. With `pacesLines`, for input that no person types,
/// it goes line by line, as if typed by someone who waits for the prompt: the next line when the guest has read the last
/// one and has been quiet and halted for 50 ms, or quiet for a second, or polls. Times are the guest's.
public final class SerialConsole {
    /// Where the guest's output goes.
    public var output: (UInt8) -> Void
    /// Looks at what was typed before the guest gets it; returns what to pass on. Sets `wantsQuit` to end the run.
    public var filter: (UInt8) -> UInt8? = { $0 }
    /// Gets the input in place of COM1; returns how many bytes it took.
    public var inputTaker: ((ArraySlice<UInt8>) -> Int)?
    /// Called when the run loop looks at the host: about every millisecond, and (true) before each wait.
    public var onHostTurn: (_ isWaiting: Bool) -> Void = { _ in }
    /// Most nanoseconds between two such looks while the guest is halted.
    public var longestWait: UInt64 = 50_000_000
    public var pacesLines = true { didSet { twin?.pacesLines = pacesLines } }
    /// The run is to end.
    public var wantsQuit = false
    /// Descriptor input is read from, never blocking; nil for none, or after its end.
    public private(set) var input: Int32?
    private var pending: [UInt8] = []
    /// See `mirror`.
    private var twin: SerialConsole?
    private var nextHostTurn: UInt64 = 0
    /// Virtual time; the machine supplies it.
    var clock: () -> UInt64 = { 0 }
    /// When the guest last sent something or was sent something.
    private var lastActivity: UInt64 = 0
    /// Since when it has had its interrupt enabled.
    private var listeningSince: UInt64?

    /// Bytes that may wait here before no more are read.
    private static let pendingLimit = 65536
    private static let hostTurnInterval: UInt64 = 1_000_000
    /// Time for a driver that has enabled the interrupt to finish setting up.
    private static let settlingTime: UInt64 = 10_000_000
    private static let quietTime: UInt64 = 50_000_000
    private static let patience: UInt64 = 1_000_000_000

    public init(input: Int32? = nil, output: @escaping (UInt8) -> Void = { _ in }) {
        self.input = input
        self.output = output
    }

    /// Appends bytes as if they had been typed.
    public func type(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        pending.append(contentsOf: bytes)
        twin?.type(bytes)
    }

    /// Makes another machine's console get the same input: what waits here now, and what comes.
    func mirror(to twin: SerialConsole) {
        self.twin = twin
        twin.pacesLines = pacesLines
        twin.type(pending)
    }

    // MARK: The machine's side

    /// A byte from the guest.
    func transmit(_ byte: UInt8) {
        lastActivity = clock()
        output(byte)
    }

    /// Looks at the host if it is time to, and hands over input that is due.
    func poll(_ uart: UART16550A) {
        let now = VirtualTime.hostNow()
        if now >= nextHostTurn { hostTurn(at: now, isWaiting: false) }
        offer(to: uart, isHalted: false)
    }

    /// Virtual time at which waiting input may go to the guest, if it stays as it is; nil: not before it acts.
    func inputTime(_ uart: UART16550A, isHalted: Bool) -> UInt64? {
        guard !pending.isEmpty, inputTaker == nil, !uart.hasUnreadInput else { return nil }
        switch uart.listening {
        case .no:
            listeningSince = nil
            return nil
        case .polling:
            return 0
        case .interrupt:
            let since = listeningSince ?? clock()
            listeningSince = since
            guard pacesLines else { return since + Self.settlingTime }
            return Swift.max(since, lastActivity) + (isHalted ? Self.quietTime : Self.patience)
        }
    }

    /// Hands over what is due; false if nothing was.
    @discardableResult
    func offer(to uart: UART16550A, isHalted: Bool) -> Bool {
        guard !pending.isEmpty else { return false }
        let count: Int
        if let inputTaker {
            count = inputTaker(pending[...])
        } else {
            guard let time = inputTime(uart, isHalted: isHalted), time <= clock() else { return false }
            count = uart.receive(pending.prefix(pacesLines ? lineLength : pending.count))
            lastActivity = clock()
        }
        pending.removeFirst(count)
        return count > 0
    }

    /// Whether input may still come to a guest that does nothing.
    func canReceive(_ uart: UART16550A) -> Bool { input != nil || inputTime(uart, isHalted: true) != nil }

    /// Waits until input arrives, at most so long.
    func wait(nanoseconds: UInt64) {
        hostTurn(at: VirtualTime.hostNow(), isWaiting: true)
        guard !wantsQuit else { return }
        let limit = Swift.min(nanoseconds, longestWait)
        var time = timespec(tv_sec: Int(limit / 1_000_000_000), tv_nsec: Int(limit % 1_000_000_000))
        let isFull = pending.count >= Self.pendingLimit
        var descriptor = pollfd(fd: isFull ? -1 : input ?? -1, events: Int16(POLLIN), revents: 0)
        // Interrupted by a signal is as good as a timeout: the caller looks at everything again.
        _ = ring3_ppoll(&descriptor, 1, &time)
        nextHostTurn = 0
    }

    // MARK: The host's side

    private var lineLength: Int {
        let end = pending.firstIndex { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        return end.map { $0 + 1 } ?? pending.count
    }

    private func hostTurn(at now: UInt64, isWaiting: Bool) {
        nextHostTurn = now + Self.hostTurnInterval
        if pending.count < Self.pendingLimit { readInput() }
        onHostTurn(isWaiting)
    }

    private func readInput() {
        guard let input else { return }
        var descriptor = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
        guard Glibc.poll(&descriptor, 1, 0) > 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(input, &buffer, buffer.count)
        if count == 0 || count < 0 && errno != EINTR && errno != EAGAIN {
            self.input = nil
        } else if count > 0 {
            type(buffer[..<count].compactMap(filter))
        }
    }
}
