import Logging
import Ring3

/// Popek and Goldberg's three properties, as one run of a guest shows them.
package struct GuestAudit: Encodable, Sendable {
    package let image: String
    package let engine: String
    /// How the run ended.
    package let ending: String
    package let instructions: UInt64
    package let hostSeconds: Double
    /// Equivalence; nil if engines were not compared.
    package let equivalence: LockstepSummary?
    /// Nil if the engine did not count.
    package let efficiency: Efficiency?
    package let resources: ResourceControl

    package var isRight: Bool { resources.isRight && equivalence?.divergences ?? 0 == 0 }

    /// Runs a guest to its end and watches. An engine that translates is compared with the interpreter, on a second
    /// machine in step; that is also where instructions are counted. Code that an engine emits is verified, and counts
    /// itself.
    package static func run(_ options: RunOptions, log: Logger) throws(RunFailure) -> GuestAudit {
        var options = options
        let engine = options.machine.engine
        try engine.checkAvailability()
        options.machine.verifiesEmittedCode = engine == .native
        if options.machine.engine != .interpret {
            options.machine.lockstep = .interpret
            options.machine.isDeterministic = true
        }
        // The report has standard output, unless the guest was given it.
        if options.serial == nil { options.serial = RunOptions.Channel.none }
        let finished = try RunSession(options, log: log).run { machine throws(RunFailure) in
            machine.startCensus()
            if engine == .native { try machine.startInspection(takesTime: false) }
        }
        return try GuestAudit(options, finished)
    }

    private init(_ options: RunOptions, _ run: FinishedRun) throws(RunFailure) {
        let (census, process) = (run.machine.census, try ProcessCheck.now())
        let shares = run.machine.nativeDispositions.map {
            Efficiency.Share.all($0, interpreted: run.machine.inspector?.totals.instructionsInterpreted ?? 0)
        }
        let statistics = StatisticsReport(
            run.machine.statistics, engine: options.machine.engine, hostSeconds: run.hostSeconds)
        self.init(
            image: options.image, engine: options.machine.engine.rawValue, ending: run.outcome.words,
            instructions: statistics.instructions, hostSeconds: run.hostSeconds,
            equivalence: run.machine.lockstepProgress.map { LockstepSummary($0, run.outcome) },
            efficiency: census.map { Efficiency($0, shares: shares) },
            resources: ResourceControl(
                census?.memory ?? MemoryBoundsCheck(), statistics, process: process,
                proofs: run.machine.emittedCodeProofs,
                windows: try WindowCheck.now(run.machine.guestWindows, ramSize: UInt64(options.machine.memorySize))))
    }

    init(
        image: String, engine: String, ending: String, instructions: UInt64, hostSeconds: Double,
        equivalence: LockstepSummary?, efficiency: Efficiency?, resources: ResourceControl
    ) {
        self.image = image
        self.engine = engine
        self.ending = ending
        self.instructions = instructions
        self.hostSeconds = hostSeconds
        self.equivalence = equivalence
        self.efficiency = efficiency
        self.resources = resources
    }
}
