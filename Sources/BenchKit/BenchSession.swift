import Foundation
import Glibc
import Ring3

/// What `ring3 bench` was asked to do.
public struct BenchOptions: Sendable {
    public var contenders = Contender.all
    public var workloads = Workload.all
    public var rounds = 5
    /// CPU seconds that a run is made to last.
    public var secondsPerRun = 0.3
    /// A run that takes longer is ended, in seconds.
    public var timeout = 120.0
    /// Where Guests/build puts the images.
    public var guests: String
    /// The `ring3` command.
    public var ring3: String
    /// Where to look for peers; nil: PATH.
    public var searchPath: String?

    public init(guests: String, ring3: String) {
        self.guests = guests
        self.ring3 = ring3
    }

    /// .build/guests of the package that `executable` was built in, or of the current folder.
    public static func guestFolder(near executable: String) -> String {
        let parts = executable.split(separator: "/")
        if let build = parts.lastIndex(of: ".build") {
            let folder = "/" + parts[...build].joined(separator: "/") + "/guests"
            if access(folder, R_OK) == 0 { return folder }
        }
        return ".build/guests"
    }
}

/// One `ring3 bench`: calibrates every contender on every workload, then measures all of them in rounds.
///
/// In a round, the contenders take their turns on one workload before the next comes, those that are about as fast next to
/// each other: what disturbs the machine for a while disturbs both. The next round goes the other way.
public final class BenchSession {
    private let options: BenchOptions
    private let progress: (String) -> Void
    private let launcher: Launcher
    private var signals: HostSignals
    private var endingSignal: Int32?
    private var answers = Answers()
    private var report: BenchReport
    private var samples: [Pairing: [Sample]] = [:]
    private var units: [Pairing: Int] = [:]
    /// Those that can run here.
    private var present: [Contender] = []
    private var referee: Contender?

    /// A signal that ends everything. Whatever else goes wrong is noted, and the rest goes on.
    private struct Interruption: Error {
        let signal: Int32
    }

    private struct Pairing: Hashable {
        let contender: String
        let workload: String

        init(_ contender: Contender, _ workload: Workload) {
            self.contender = contender.name
            self.workload = workload.name
        }
    }

    /// - Parameter progress: gets a line now and then.
    public init(_ options: BenchOptions, progress: @escaping (String) -> Void) throws(RunFailure) {
        self.options = options
        self.progress = progress
        let images = options.workloads.map { "\(options.guests)/\($0.image)" }
        let missing = images.first { access($0, R_OK) != 0 }
        if let missing {
            throw RunFailure(
                "cannot read \(missing): run Guests/build, or name its folder with --guests",
                exitStatus: ExitStatus.noInput)
        }
        do {
            launcher = try Launcher(guests: options.guests, ring3: options.ring3, searchPath: options.searchPath)
        } catch {
            throw RunFailure("cannot make a temporary folder: \(error)", exitStatus: ExitStatus.cannotCreate)
        }
        // A reader of the progress that goes away is no reason to leave children behind.
        signal(SIGPIPE, SIG_IGN)
        signals = HostSignals([SIGINT, SIGTERM, SIGHUP])
        report = BenchReport(
            host: .current(), settings: .init(rounds: options.rounds, secondsPerRun: options.secondsPerRun),
            contenders: [],
            workloads: options.workloads.map { .init(name: $0.name, kind: $0.kind, summary: $0.summary) },
            results: [], problems: [])
    }

    deinit { signals.release() }

    /// Measures; throws if a signal ends it, when no child is left.
    public func run() throws(RunFailure) -> BenchReport {
        do throws(Interruption) {
            inviteContenders()
            try calibrate()
            for round in 0..<max(options.rounds, 0) { try measure(round: round + 1) }
        } catch {
            throw RunFailure(
                "bench: \(RunProblem.interrupted(error.signal))", exitStatus: ExitStatus.signal(error.signal))
        }
        report.host.loadAfter = HostDescription.currentLoad
        collect()
        return report
    }

    private func inviteContenders() {
        for contender in options.contenders {
            var record = BenchReport.ContenderRecord(name: contender.name, summary: contender.summary)
            if let problem = launcher.problem(with: contender) {
                record.problem = problem.description
                progress("\(contender.name): \(problem); the rest goes on")
            } else {
                record.version = launcher.version(of: contender)
                present.append(contender)
            }
            report.contenders.append(record)
        }
        // Whoever is compared, the host knows best.
        referee = Contender.all.first { $0.method == .host && launcher.problem(with: $0) == nil }
    }

    /// Those who are to run `workload` and have not failed.
    private func participants(_ workload: Workload) -> [Contender] {
        present.filter { contender in
            contender.runs(workload)
                && !report.problems.contains { $0.contender == contender.name && $0.workload == workload.name }
        }
    }

    // MARK: Calibration

    private func calibrate() throws(Interruption) {
        for workload in options.workloads {
            var line: [String] = []
            for contender in participants(workload) {
                guard
                    let units = try noting(
                        contender, workload,
                        { () throws(RunProblem) in
                            try calibrate(contender, workload)
                        })
                else { continue }
                self.units[Pairing(contender, workload)] = units
                line.append("\(contender.name) \(units.grouped)")
            }
            progress("units of work a run: \(workload.name): \(line.joined(separator: ", "))")
        }
    }

    private func calibrate(_ contender: Contender, _ workload: Workload) throws(RunProblem) -> Int {
        let calibration = Calibration(target: UInt64(options.secondsPerRun * 1e9))
        var units = workload.kind == .nano ? 1 : contender.firstUnits
        while true {
            let sample = try run(contender, workload, units: units).sample
            let (cpu, wall) = (sample?.cpuNanoseconds ?? 0, sample?.wallNanoseconds ?? 0)
            guard let next = calibration.next(after: units, cpu: cpu, wall: wall) else { return units }
            units = next
        }
    }

    // MARK: Measurement

    private func measure(round: Int) throws(Interruption) {
        for workload in options.workloads {
            var line: [String] = []
            for (contender, units) in turns(workload, round: round) {
                let sample = try noting(contender, workload) { () throws(RunProblem) in
                    try checked(contender, workload, units: units)
                }
                guard let sample else { continue }
                samples[Pairing(contender, workload), default: []].append(sample)
                line.append("\(contender.name) \(Format.duration(nanoseconds: sample.nanosecondsPerOperation))")
            }
            progress("round \(round) of \(options.rounds): \(workload.name): \(line.joined(separator: ", "))")
        }
    }

    private func turns(_ workload: Workload, round: Int) -> [(Contender, units: Int)] {
        let all = participants(workload).compactMap { contender in
            units[Pairing(contender, workload)].map { (contender, units: $0) }
        }
        let ordered = all.sorted { $0.units > $1.units }
        return round % 2 == 1 ? ordered : ordered.reversed()
    }

    /// A run whose answer is right.
    private func checked(_ contender: Contender, _ workload: Workload, units: Int) throws(RunProblem) -> Sample {
        if let referee, referee != contender, !answers.isKnown(workload, units: units) {
            // Its own failure is found when its turn comes; then whoever comes first is taken for right.
            if let answer = try? run(referee, workload, units: units).answer {
                try? answers.check(answer, of: workload, units: units, by: referee)
            }
        }
        for _ in 0..<Self.attempts {
            let (sample, answer) = try run(contender, workload, units: units)
            try answers.check(answer, of: workload, units: units, by: contender)
            if let sample { return sample }
        }
        throw .died("too short to be measured")
    }

    /// On a busy machine this process may wake up so late that a short run's beginning and end arrive together.
    private static let attempts = 5

    private func run(
        _ contender: Contender, _ workload: Workload, units: Int
    ) throws(RunProblem) -> (sample: Sample?, answer: Answer) {
        let launch = try launcher.launch(contender, workload, units: units)
        let watch = Stopwatch(timeout: UInt64(options.timeout * 1e9)) { [self] in
            // Remembered: whoever swallows the first report of it gets another.
            endingSignal = endingSignal ?? signals.next()
            return endingSignal
        }
        let (sample, guest) = try watch.run(launch)
        guard let operations = guest.operations, let checksum = guest.checksum else {
            throw .died("it told no checksum; \(guest.lastLine)")
        }
        return (sample, Answer(operations: operations, checksum: checksum))
    }

    /// Nil for what has gone wrong, which is noted: that contender is out of that workload, and the rest goes on.
    private func noting<T>(
        _ contender: Contender, _ workload: Workload, _ body: () throws(RunProblem) -> T
    ) throws(Interruption) -> T? {
        do throws(RunProblem) { return try body() } catch {
            if case .interrupted(let signal) = error { throw Interruption(signal: signal) }
            progress("\(contender.name), \(workload.name): \(error); the rest goes on")
            report.problems.append(.init(error, contender: contender, workload: workload))
            samples[Pairing(contender, workload)] = nil
            return nil
        }
    }

    // MARK: The result

    private func collect() {
        for workload in options.workloads {
            for contender in present {
                let pairing = Pairing(contender, workload)
                guard let samples = samples[pairing], let units = units[pairing],
                    let cpu = Distribution(samples.map(\.nanosecondsPerOperation)),
                    let wall = Distribution(samples.map { Double($0.wallNanoseconds) / Double(max($0.operations, 1)) })
                else { continue }
                report.results.append(
                    .init(
                        workload: workload.name, contender: contender.name, units: units, cpu: cpu, wall: wall,
                        samples: samples))
            }
        }
        for index in report.contenders.indices {
            let starts = report.results.filter { $0.contender == report.contenders[index].name }
                .flatMap(\.samples).map { Double($0.startNanoseconds) / 1e9 }
            report.contenders[index].startSeconds = Distribution(starts)?.median
        }
        report.computeSpeedUps()
    }
}
