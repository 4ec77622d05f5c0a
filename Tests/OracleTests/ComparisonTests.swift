import Testing

@testable import OracleKit
@testable import Ring3

/// The engines against the real processor. Longer runs: `Scripts/oracle`.
@Suite(.serialized, .enabled(if: OracleHost.isAvailable, OracleHost.skipped)) struct ComparisonTests {
    /// Of the run in continuous integration, and elsewhere.
    private static var seconds: Double { OracleHost.isRequired ? 60 : 15 }

    private func run(_ change: (inout OracleRun.Options) -> Void) throws -> OracleRun {
        var options = OracleRun.Options()
        options.program = OracleHost.program
        options.corpus = OracleHost.corpus
        change(&options)
        let run = try OracleRun(options)
        try run.run()
        for failure in run.failures {
            Issue.record("case \(failure.number) of seed \(options.seed), made smaller:\n\(failure.text)")
        }
        #expect(run.summary.total.mismatches == 0)
        return run
    }

    @Test func interpreterIsEqual() throws {
        let run = try run {
            $0.seconds = Self.seconds
            $0.seed = 20
        }
        #expect(run.summary.untried.isEmpty)
        #expect(run.summary.sequences.compared > 1000 && run.summary.corpus.compared > 1000)
    }

    @Test(arguments: [EngineKind.textbook, .translate] + (Engine.available.contains(.native) ? [.native] : []))
    func otherEnginesAreEqual(engine: EngineKind) throws {
        let run = try run {
            $0.engine = engine
            $0.cases = 100_000
            $0.seed = 21
        }
        #expect(run.summary.total.compared > 90_000)
    }

    @Test func seedAndNumberAreEnoughToSeeACaseAgain() throws {
        var options = OracleRun.Options()
        options.program = OracleHost.program
        options.corpus = OracleHost.corpus
        for number: UInt64 in [3, 6, 7, 80_005] {
            let first = try OracleRun(options).plan.make(number)
            let second = try OracleRun(options).plan.make(number)
            #expect(first?.source == second?.source)
            #expect(first.map { CaseFile(seed: 1, record: $0.record).text } != nil)
            #expect(
                first.map { CaseFile(seed: 1, record: $0.record).text }
                    == second.map { CaseFile(seed: 1, record: $0.record).text })
        }
    }

    @Test func differenceIsFoundAndListed() throws {
        // What a broken engine would do is not to be had here: instead, each side is given another register.
        let session = try OracleSession(engine: .interpret, program: OracleHost.program, seed: 1)
        var record = CaseRecord(code: [0x01, 0xD8])  // add eax, ebx
        record.context.registers = [1, 0, 0, 2, UserLayout.stack + 0x800, 0, 0, 0]
        let host = try session.runOnHost(record)
        var other = record
        other.context.registers[3] = 3
        let ours = try session.runOnHost(other)
        let comparison = Comparison(host: host, ours: ours)
        #expect(
            comparison.differences == ["eax 4, host 3", "ebx 3, host 2", "eflags 202, host 206"])
        let listing = Listing(decoder: session.decoder).text(
            .init(input: record, host: host, ours: ours, differences: comparison.differences))
        #expect(listing.contains("add eax, ebx") && listing.contains("eax 4, host 3"))
    }
}
