import ArgumentParser
import Glibc
import OracleKit
import Ring3

@main
struct OracleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ring3-oracle",
        abstract: "Compare an engine with the processor of this host, instruction by instruction.",
        discussion: "Exit status 1 if something differs. A seed and the number of a case say which case it was.")

    @Option(help: "How long to go on; without --cases, ten seconds.") var seconds: Double?
    @Option(help: "How many cases to make.") var cases: UInt64?
    @Option(help: "What the cases are made from.") var seed: UInt64 = 1
    @Option(help: "Which engine.") var engine: EngineKind = .interpret
    @Option(help: "Only this operation, named as in the summary.") var filter: String?
    @Option(help: "Only cases of this kind: single, sequence or code.") var kind: CaseKind?
    @Option(name: .customLong("case"), help: "Show this case and nothing else.") var number: UInt64?
    @Option(help: "How many failures to describe.") var failures = 10
    @Option(help: "An ELF file with real code; may be repeated.") var code: [String] = []
    @Option(help: "The oracle's program.") var oracle = ".build/guests/oracle"

    func run() throws {
        var options = OracleRun.Options()
        options.engine = engine
        options.seed = seed
        options.seconds = seconds ?? (cases == nil ? 10 : nil)
        options.cases = cases
        options.filter = filter
        options.kind = kind
        options.program = oracle
        options.corpus = code
        options.reportLimit = failures
        let run = try OracleRun(options)
        if let number { return try show(number, run) }
        var shown = 0.0
        try run.run { summary in
            guard summary.seconds - shown >= 0.5 else { return }
            shown = summary.seconds
            report("\r\(summary.progress)   ")
        }
        report("\r\(run.summary.progress)   \n")
        for failure in run.failures {
            print("case \(failure.number) of seed \(seed), made smaller:\n\(failure.text)\n")
        }
        print(run.summary.table)
        if run.summary.total.mismatches > 0 { throw ExitCode(1) }
    }

    private func show(_ number: UInt64, _ run: OracleRun) throws {
        guard let (text, differs) = try run.examine(number) else {
            print("case \(number) is one that cannot be compared")
            return
        }
        print(text)
        if differs { throw ExitCode(1) }
    }

    /// To standard error, without a buffer.
    private func report(_ text: String) { _ = text.withCString { write(2, $0, strlen($0)) } }
}

extension EngineKind: ExpressibleByArgument {}
extension CaseKind: ExpressibleByArgument {}
