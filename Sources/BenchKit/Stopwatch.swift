import Glibc
import Ring3

/// Runs a contender once and takes the time between two lines of the guest's.
///
/// Why lines: the guest's own clock is what is being emulated (Bochs's counts instructions), and to subtract the time of
/// an empty run would take two noisy numbers for one, of which a BIOS boot is the larger. The CPU clock of the child
/// process (clock_getcpuclockid) is read when "begin" and when "end" arrive: boot, preparation and end of the process
/// drop out exactly, in the same way for everybody. What remains is how long this process takes to wake up, some 0.1 ms
/// of the 300 ms that a run is made to last.
struct Stopwatch {
    /// A run that takes longer is ended.
    let timeout: UInt64
    /// Gives the signal that asks for an end of everything.
    let interruption: () -> Int32?

    /// Milliseconds between two looks for signals and hanging children.
    private static let pollInterval: Int32 = 50

    func run(_ launch: Launch) throws(RunProblem) -> (sample: Sample?, output: GuestOutput) {
        var run: Run
        do { run = try Run(launch) } catch {
            throw .unavailable("cannot start \(launch.command[0]): \(error)")
        }
        defer { run.stop() }
        while !run.isOver {
            run.wait(Self.pollInterval)
            if let signal = interruption() { throw .interrupted(signal) }
            if run.age > timeout { throw .timedOut(seconds: Double(timeout) / 1e9) }
        }
        try run.verdict(launch)
        return (run.sample, run.guest)
    }

    /// The child and what has been seen of it.
    private struct Run {
        private let child: ChildProcess
        private let serial: OutputPipe
        private let errors: OutputPipe
        private var lastError: [UInt8] = []
        private(set) var guest = GuestOutput()
        private let endsItself: Bool
        private let start = Self.now
        private var begin: (cpu: UInt64, wall: UInt64)?
        private var end: (cpu: UInt64, wall: UInt64)?

        init(_ launch: Launch) throws(ErrorNumber) {
            endsItself = launch.goodStatus != nil
            errors = try OutputPipe()
            serial = if let path = launch.serialPipe { try OutputPipe(named: path) } else { try OutputPipe() }
            // With a pipe of its own for the serial port, what else the program says is diagnostics.
            child = try ChildProcess(
                launch.command,
                standardOutput: launch.serialPipe == nil ? serial.writer : errors.writer,
                standardError: errors.writer)
            serial.closeWriter()
            errors.closeWriter()
        }

        private static var now: UInt64 {
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        }

        var age: UInt64 { Self.now - start }

        var isOver: Bool { child.end != nil }

        /// Takes what arrives within so many milliseconds.
        mutating func wait(_ milliseconds: Int32) {
            var waits = [
                pollfd(fd: serial.reader, events: Int16(POLLIN), revents: 0),
                pollfd(fd: errors.reader, events: Int16(POLLIN), revents: 0),
            ]
            poll(&waits, 2, milliseconds)
            takeOutput()
            // Both pipes closed and the process still there: nothing to wait for but its end.
            if waits.allSatisfy({ $0.revents & Int16(POLLIN) == 0 && $0.revents & Int16(POLLHUP) != 0 }) {
                usleep(1000)
            }
            if waits[0].revents & Int16(POLLHUP) != 0 || waits[0].revents == 0 { _ = child.hasEnded() }
            if guest.isFinished, !endsItself { child.stop() }
            if isOver { takeOutput() }
        }

        private mutating func takeOutput() {
            while true {
                let bytes = serial.read()
                guard !bytes.isEmpty else { break }
                // First the clocks: between "begin" and here the child has been running.
                let moment = (cpu: child.cpuTime, wall: Self.now)
                for event in guest.take(bytes) {
                    switch event {
                    case .begin: begin = begin ?? moment
                    case .end: end = end ?? moment
                    case .finished: break
                    }
                }
            }
            lastError = (lastError + errors.read()).suffix(4096)
        }

        /// Throws unless the guest came to its end and was satisfied.
        func verdict(_ launch: Launch) throws(RunProblem) {
            if let failure = guest.failure { throw .checkFailed(failure) }
            if let skipped = guest.skipped { throw .skipped(skipped) }
            let hasEndedWell = launch.goodStatus == nil || child.end?.exitStatus == launch.goodStatus
            guard guest.isFinished, hasEndedWell else { throw .died(obituary) }
        }

        private var obituary: String {
            let how = child.end?.signal.map { "ended by signal \($0)" } ?? "exit status \(child.end?.exitStatus ?? -1)"
            let lines = String(decoding: lastError, as: UTF8.self).split(separator: "\n").map(String.init)
            let words = [guest.lastLine, lines.last ?? ""].filter { !$0.isEmpty }
            return ([how] + words).joined(separator: "; ")
        }

        /// Nil if the run was so short that both lines arrived at once, or not at all.
        var sample: Sample? {
            guard let begin, let end, let operations = guest.operations, let checksum = guest.checksum,
                end.wall > begin.wall, end.cpu > begin.cpu
            else { return nil }
            return Sample(
                cpuNanoseconds: end.cpu - begin.cpu, wallNanoseconds: end.wall - begin.wall,
                startNanoseconds: begin.wall - start, operations: operations, checksum: checksum,
                peakMemory: child.end?.peakMemory ?? 0)
        }

        func stop() { child.stop() }
    }
}
