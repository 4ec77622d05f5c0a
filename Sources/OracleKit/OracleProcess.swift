import CHost
import Glibc
import Ring3

/// The other process: runs cases on the real processor, in batches, out of a file shared with it.
///
/// A case may do to that process what it likes. If it ends, or nothing happens in it any more, it is started anew with
/// the cases that are left, and the one that was running is reported as having ended it.
package final class OracleProcess {
    /// Why there is no oracle, or none any more.
    package enum Failure: Error, CustomStringConvertible {
        /// The program is not there, or the host does not run 32-bit programs.
        case cannotStart(String)
        /// It refused a case, and has said why on standard error, or it ends whatever it is given.
        case died(String)

        package var description: String {
            switch self {
            case .cannotStart(let reason): "the oracle cannot be started: \(reason)"
            case .died(let reason): "the oracle is gone: \(reason)"
            }
        }
    }

    /// Seconds without a new case after which the oracle counts as stuck.
    package var patience: Double = 60
    /// How often it had to be started anew.
    package private(set) var restarts = 0
    /// Of the process, for tests.
    package private(set) var identifier: pid_t = 0

    private let shared: SharedCases
    private let program: String
    private var toOracle: Int32 = -1
    private var fromOracle: Int32 = -1
    /// Submitted and not yet waited for.
    private var queue: [Range<Int>] = []
    /// Starts since a case was last finished.
    private var startsInVain = 0

    private static let exitRefused: Int32 = 2

    /// Starts `program` with room for `capacity` records (at most 4000).
    package init(program: String, window: MemoryWindow, capacity: Int) throws(Failure) {
        guard access(program, X_OK) == 0 else { throw .cannotStart("\(program) is not there; run Guests/build") }
        guard let shared = SharedCases(capacity: capacity, window: window) else {
            throw .cannotStart("no memory for the case file: errno \(errno)")
        }
        self.shared = shared
        self.program = program
        try spawn()
    }

    deinit {
        // The end of its input ends it.
        close(toOracle)
        close(fromOracle)
        if identifier > 0 {
            var status: Int32 = 0
            waitpid(identifier, &status, 0)
        }
    }

    /// Puts `record` at `index` of the case file.
    package func place(_ record: CaseRecord, at index: Int) { shared.place(record, at: index) }

    /// What became of the record at `index`.
    package func result(at index: Int) -> CaseRecord { shared.records[index] }

    /// What the record at `index` was before it ran.
    package func input(at index: Int) -> CaseRecord { shared.inputs[index] }

    /// Whether `ours` is the same as what became of the record at `index`, with nothing to excuse.
    func isEqual(_ ours: UnsafePointer<CaseRecord>, at index: Int, _ traits: Set<HostTrait>) -> Bool {
        guard let base = shared.records.baseAddress else { return false }
        return Comparison.isEqual(ours, base + index, isPointerKept: !traits.contains(.pointerWithExceptionOnly))
    }

    /// Has the records in `range` run; `finish` waits for them.
    package func submit(_ range: Range<Int>) {
        queue.append(range)
        send(range)
    }

    /// Waits until the records submitted first have been run.
    package func finish() throws(Failure) {
        precondition(!queue.isEmpty, "nothing was submitted")
        // Who has been told that it is gone may ask again; signals to process 0 would be to all of us.
        guard identifier > 0 else { throw .died("it could not be started anew") }
        while !queue[0].isEmpty {
            if isAnswered() { break }
            try restart()
        }
        queue.removeFirst()
        startsInVain = 0
    }

    // MARK: The conversation

    /// A failure shows when the answer does not come.
    private func send(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        var token = (UInt32(range.lowerBound), UInt32(range.count))
        withUnsafeBytes(of: &token) { _ = write(toOracle, $0.baseAddress, $0.count) }
    }

    /// Waits for an answer; false if the oracle has ended, or had to be ended.
    private func isAnswered() -> Bool {
        var begun = shared.begun
        var waited = 0.0
        let interval = 0.25
        while true {
            var descriptor = pollfd(fd: fromOracle, events: Int16(POLLIN), revents: 0)
            let ready = poll(&descriptor, 1, Int32(interval * 1000))
            if ready > 0 {
                var token: (UInt32, UInt32) = (0, 0)
                return withUnsafeMutableBytes(of: &token) { read(fromOracle, $0.baseAddress, $0.count) } == 8
            }
            if ready < 0, errno != EINTR { return false }
            waited = shared.begun == begun ? waited + interval : 0
            begun = shared.begun
            if waited >= patience { kill(identifier, SIGKILL) }
        }
    }

    // MARK: Starting, and starting anew

    private func spawn() throws(Failure) {
        // Reading and writing end.
        var (input, output): ((Int32, Int32), (Int32, Int32)) = ((0, 0), (0, 0))
        guard ring3_pipe(&input.0, &input.1) == 0 else { throw .cannotStart("no pipe: errno \(errno)") }
        guard ring3_pipe(&output.0, &output.1) == 0 else {
            let error = errno
            close(input.0)
            close(input.1)
            throw .cannotStart("no pipe: errno \(error)")
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, input.0, 0)
        posix_spawn_file_actions_adddup2(&actions, output.1, 1)
        posix_spawn_file_actions_adddup2(&actions, shared.descriptor, 3)
        let name = strdup(program)
        var arguments: [UnsafeMutablePointer<CChar>?] = [name, nil]
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        let error = posix_spawn(&identifier, program, &actions, nil, &arguments, &environment)
        free(name)
        posix_spawn_file_actions_destroy(&actions)
        close(input.0)
        close(output.1)
        toOracle = input.1
        fromOracle = output.0
        guard error == 0 else {
            identifier = 0
            let reason = error == ENOEXEC ? "the host does not run 32-bit programs" : "errno \(error)"
            throw .cannotStart(reason)
        }
        // A write to an oracle that is gone shall be an error, not a signal.
        signal(SIGPIPE, SIG_IGN)
    }

    /// Starts another oracle with what is left to do.
    private func restart() throws(Failure) {
        let status = waitForEnd()
        let reason = status & 0x7F == 0 ? "exit status \(status >> 8 & 0xFF)" : "signal \(status & 0x7F)"
        let running = shared.running
        let isRefusal = status == Self.exitRefused << 8
        if isRefusal, let next = refused(after: running), !shared.isAltered(next) { throw .died(reason) }
        restarts += 1
        if let running, queue[0].contains(running) {
            note(status, at: running)
            queue[0] = running + 1..<queue[0].upperBound
            startsInVain = 0
        }
        startsInVain += 1
        guard startsInVain <= 3 else { throw .died("\(reason), time and again") }
        shared.fillHeader()
        try spawn()
        for range in queue {
            for index in range { shared.place(shared.inputs[index], at: index) }
            send(range)
        }
    }

    /// The first record that was not run: the one that was refused, if one was.
    private func refused(after running: Int?) -> Int? {
        guard let running, queue[0].contains(running) else { return queue[0].lowerBound }
        return running + 1 < queue[0].upperBound ? running + 1 : nil
    }

    private func waitForEnd() -> Int32 {
        close(toOracle)
        close(fromOracle)
        (toOracle, fromOracle) = (-1, -1)
        var status: Int32 = 0
        while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
        identifier = 0
        return status
    }

    /// The case at `index` ended the oracle.
    private func note(_ status: Int32, at index: Int) {
        var record = shared.inputs[index]
        record.context.vector = UserContext.died
        record.context.errorCode = UInt32(bitPattern: status)
        shared.records[index] = record
    }
}
