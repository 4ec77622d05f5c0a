import Foundation
import Hardware
import Logging

/// A run that has come to its end, and the machine as it left it.
public struct FinishedRun {
    public let machine: VirtualMachine
    public let outcome: RunOutcome
    /// Seconds of the host's that it took.
    public let hostSeconds: Double
    /// See `ExitStatus`.
    public let exitStatus: Int32
}

/// One `ring3 run`: reads the files, builds and boots the machine, runs it between the user's terminal and files, and
/// reports.
public final class RunSession {
    private let options: RunOptions
    private let log: Logger

    public init(_ options: RunOptions, log: Logger) {
        self.options = options
        self.log = log
    }

    /// Runs the guest to its end; throws what kept it from running, or what became of its output.
    ///
    /// - Parameter prepare: gets the machine when it has booted, before it runs.
    public func run(
        prepare: (VirtualMachine) throws(RunFailure) -> Void = { _ in }
    ) throws(RunFailure) -> FinishedRun {
        try options.validate()
        Self.openStandardDescriptors()
        // Writing to a closed pipe is an error to be looked at, not a reason to die.
        signal(SIGPIPE, SIG_IGN)
        let request = try readFiles()
        let screenFile = try options.screenFile.map { path throws(RunFailure) in try ScreenFile(path: path) }
        let console = try ConsoleSession(options, log: log)
        let machine = try boot(request, console)
        try prepare(machine)
        let start = ContinuousClock.now
        let outcome = console.run(machine)
        let duration = (ContinuousClock.now - start) / .seconds(1)
        let screen = machine.chipset.display.screen().text
        if options.display == .text { print(screen) }
        try screenFile?.write(screen.isEmpty ? "" : screen + "\n")
        report(outcome, after: duration)
        if let progress = machine.lockstepProgress { log.notice("\(progress)") }
        if let format = options.statistics {
            let report = StatisticsReport(machine.statistics, engine: options.machine.engine, hostSeconds: duration)
            write(format == .json ? report.json : report.description)
        }
        return FinishedRun(
            machine: machine, outcome: outcome, hostSeconds: duration, exitStatus: try exitStatus(outcome, console))
    }

    /// A closed standard descriptor would be given to the next file opened.
    private static func openStandardDescriptors() {
        while true {
            let descriptor = open("/dev/null", O_RDWR)
            guard (0...2).contains(descriptor) else {
                close(descriptor)
                return
            }
        }
    }

    private func readFiles() throws(RunFailure) -> BootRequest {
        // An image may hold more than is loaded from it, such as debug information.
        let imageLimit = max(options.machine.memorySize, 256 << 20)
        let image = try InputFile.read(options.image, limit: imageLimit)
        var request = BootRequest(image: image, imageName: options.image, commandLine: options.commandLine)
        if let initrd = options.initrd {
            request.initrd = try InputFile.read(initrd, limit: options.machine.memorySize)
            request.initrdName = initrd
        }
        for module in options.modules {
            let bytes = try InputFile.read(module.path, limit: options.machine.memorySize)
            let string = module.arguments.isEmpty ? module.path : "\(module.path) \(module.arguments)"
            request.modules.append(BootRequest.Module(arguments: string, bytes: bytes))
        }
        return request
    }

    private func boot(_ request: BootRequest, _ console: ConsoleSession) throws(RunFailure) -> VirtualMachine {
        var configuration = options.machine
        if !configuration.isDeterministic { configuration.startDate = Int(Date().timeIntervalSince1970) }
        let machine: VirtualMachine
        do {
            machine = try VirtualMachine(
                configuration, console: console.serial, debugConsole: { console.debugOutput?.put($0) })
        } catch { throw RunFailure(error) }
        do { try machine.boot(request) } catch { throw RunFailure(error) }
        if let kind = BootLoader.kind(of: request.image) { log.info("\(options.image): \(kind)") }
        return machine
    }

    /// Tells the user how the run ended, unless the guest ended it in good order.
    private func report(_ outcome: RunOutcome, after seconds: Double) {
        switch outcome {
        case .powerOff: log.info("the guest switched itself off")
        case .debugExit(let status): log.info("the guest ended with debug-exit status \(status)")
        case .finalHalt: log.notice("the guest halted, and nothing can wake it")
        case .reset: log.notice("the guest asked for a reset, which ends the run")
        case .tripleFault(let report): write("\(report)")
        case .diverged(let divergence): write("\(divergence)")
        case .unsafeCode(let finding): write("\(finding)")
        case .timeout: log.notice("stopped after \(String(format: "%.1f", seconds)) s, as --timeout asks")
        case .instructionLimit:
            log.notice("stopped after \(options.machine.maximumInstructions) instructions, as --max-instructions asks")
        case .stopped: break
        }
    }

    private func exitStatus(_ outcome: RunOutcome, _ console: ConsoleSession) throws(RunFailure) -> Int32 {
        if let error = console.outputFailure {
            // `ring3 run ... | head`: the reader has seen enough, and gets no message.
            guard error != EPIPE else { return ExitStatus.signal(SIGPIPE) }
            throw RunFailure("cannot write the guest's output: \(reason(error))", exitStatus: ExitStatus.outputFailure)
        }
        return ExitStatus.of(outcome, endedBy: console.endingSignal)
    }

    /// Writes lines to standard error.
    private func write(_ text: String) {
        _ = HostOutput.write(Array((text + "\n").utf8), to: STDERR_FILENO)
    }
}
