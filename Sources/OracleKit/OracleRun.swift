import Glibc
import Ring3
import X86

/// Compares an engine with the real processor, case after case, and counts.
package final class OracleRun {
    /// What to do, and for how long.
    package struct Options {
        package var engine = EngineKind.interpret
        package var seed: UInt64 = 1
        /// Time, in seconds.
        package var seconds: Double?
        package var cases: UInt64?
        /// The only operation to be tried.
        package var filter: String?
        /// The only kind of cases; nil for all.
        package var kind: CaseKind?
        /// The oracle's program.
        package var program = ".build/guests/oracle"
        /// ELF files that real code is taken from.
        package var corpus: [String] = []
        /// Failures beyond are counted but not examined.
        package var reportLimit = 10

        package init() {}
    }

    /// No operation has this name.
    package struct UnknownOperation: Error, CustomStringConvertible {
        package let description: String
    }

    package struct Failure {
        package let number: UInt64
        package let text: String
        /// The smallest case that differs.
        package let file: CaseFile
    }

    package let plan: CasePlan
    package private(set) var summary: Summary
    package private(set) var failures: [Failure] = []
    private let options: Options
    private let session: OracleSession
    /// Processor time at the start of the run.
    private var startedAt = 0.0

    package init(_ options: Options) throws {
        self.options = options
        session = try OracleSession(engine: options.engine, program: options.program, seed: options.seed)
        plan = try CasePlan(
            seed: options.seed, kind: options.kind, filter: options.filter, corpusFiles: options.corpus,
            decoder: session.decoder, traits: session.traits)
        guard !plan.selected.isEmpty else {
            throw UnknownOperation(description: "no operation is called \(options.filter ?? "")")
        }
        summary = Summary(plan, traits: session.traits)
    }

    /// Runs until time or cases are used up. `progress` is called now and then.
    package func run(progress: (Summary) -> Void = { _ in }) throws {
        let start = Self.now()
        startedAt = Self.now(CLOCK_PROCESS_CPUTIME_ID)
        var number: UInt64 = 0
        var before: [(number: UInt64, source: CasePlan.Source)] = []
        var batch: [(number: UInt64, source: CasePlan.Source)] = []
        var cases: [CaseRecord] = []
        while number < options.cases ?? .max, options.seconds.map({ Self.now() - start < $0 }) ?? true {
            batch.removeAll(keepingCapacity: true)
            cases.removeAll(keepingCapacity: true)
            while cases.count < OracleSession.batchSize, number < options.cases ?? .max {
                if let made = plan.make(number) {
                    batch.append((number, made.source))
                    cases.append(made.record)
                }
                number += 1
            }
            let result = try session.submit(cases)
            try note(result, before)
            swap(&before, &batch)
            takeStock(start)
            progress(summary)
        }
        try note(try session.finish(), before)
        takeStock(start)
    }

    private func takeStock(_ start: Double) {
        summary.seconds = Self.now() - start
        summary.processorSeconds = Self.now(CLOCK_PROCESS_CPUTIME_ID) - startedAt
        summary.restarts = session.restarts
        summary.disturbances = session.disturbances
    }

    /// Runs one case by itself. Returns its listing, whether it differs or not; nil if it cannot be compared.
    package func examine(_ number: UInt64) throws -> (text: String, differs: Bool)? {
        guard let made = plan.make(number) else { return nil }
        return try examine(made.record)
    }

    /// The same for a case from elsewhere.
    package func examine(_ record: CaseRecord) throws -> (text: String, differs: Bool)? {
        guard let verdict = try session.run(record) else { return nil }
        return (Listing(decoder: session.decoder).text(verdict), !verdict.differences.isEmpty)
    }

    private func note(
        _ result: OracleSession.BatchResult?, _ batch: [(number: UInt64, source: CasePlan.Source)]
    ) throws {
        guard let result else { return }
        for index in result.compared { summary.count(batch[index].source) }
        for (index, verdict) in result.mismatches {
            summary.countMismatch(batch[index].source)
            guard failures.count < options.reportLimit else { continue }
            let smallest = try Shrinker(session: session).shrink(verdict)
            let text = Listing(decoder: session.decoder).text(smallest)
            failures.append(
                Failure(
                    number: batch[index].number, text: text,
                    file: CaseFile(seed: options.seed, record: smallest.input)))
        }
    }

    private static func now(_ clock: clockid_t = CLOCK_MONOTONIC) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
