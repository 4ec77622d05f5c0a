import ArgumentParser
import Glibc
import OracleKit
import Ring3

@main
struct OracleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ring3-oracle",
        abstract: "Compare an engine with the processor of this host, instruction by instruction.",
        discussion: """
            Exit status 1 if something differs, 64 for a mistake on the command line, 65 for a case file that is not as \
            it should be, 66 for a file that cannot be read, 69 if the host cannot judge. A seed and the number of a \
            case say which case it was.
            """)

    @Option(help: "How long to go on; without --cases, ten seconds.") var seconds: Double?
    @Option(help: "How many cases to make.") var cases: UInt64?
    @Option(help: "What the cases are made from.") var seed: UInt64 = 1
    @Option(help: "Which engine.") var engine: EngineKind = .interpret
    @Option(help: "Only this operation, named as in the summary.") var filter: String?
    @Option(help: "Only cases of this kind: single, sequence or code.") var kind: CaseKind?
    @Option(
        name: .customLong("case"),
        help: ArgumentHelp("Show this case, by its number or from a file, and nothing else.", valueName: "n|file"))
    var chosen: String?
    @Option(help: "How many failures to describe.") var failures = 10
    @Option(help: "A folder for the case files of failures.") var save: String?
    @Option(help: "An ELF file with real code; may be repeated.") var code: [String] = []
    @Option(help: "The oracle's program.") var oracle = ".build/guests/oracle"

    /// Mistakes get one line and a status of sysexits.h; help gets all of its lines.
    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            guard let status = status(for: error) else { exit(withError: error) }
            let text = error is CleanFailure ? "\(error)" : message(for: error)
            report("ring3-oracle: \(text.split(separator: "\n").joined(separator: " "))\n")
            Glibc.exit(status)
        }
    }

    /// Nil for what is no failure.
    private static func status(for error: any Error) -> Int32? {
        switch error {
        case let failure as CaseFile.Failure: failure.place == nil ? 66 : 65
        case is CodeCorpus.Failure: 66
        case is OracleRun.UnknownOperation: 64
        case is OracleProcess.Failure: 69
        case is UncreatableFile: 73
        default: exitCode(for: error) == .validationFailure ? 64 : nil
        }
    }

    func run() throws {
        guard let chosen else { return try compare() }
        if let number = UInt64(chosen) {
            return try show(OracleRun(options).examine(number))
        }
        let file = try CaseFile(path: chosen)
        var options = options
        options.seed = file.seed
        try show(OracleRun(options).examine(file.record))
    }

    private var options: OracleRun.Options {
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
        return options
    }

    private func compare() throws {
        let run = try OracleRun(options)
        var shown = 0.0
        try run.run { summary in
            guard summary.seconds - shown >= 0.5 else { return }
            shown = summary.seconds
            Self.report("\r\(summary.progress)   ")
        }
        Self.report("\r\(run.summary.progress)   \n")
        for failure in run.failures {
            print("case \(failure.number) of seed \(seed), made smaller:\n\(failure.text)\n")
            if let save { try keep(failure.file, in: "\(save)/case-\(seed)-\(failure.number)") }
        }
        print(run.summary.table)
        if run.summary.total.mismatches > 0 { throw ExitCode(1) }
    }

    private func keep(_ file: CaseFile, in path: String) throws {
        guard let stream = fopen(path, "w"), fputs(file.text, stream) >= 0, fclose(stream) == 0 else {
            throw UncreatableFile(description: "\(path): \(String(cString: strerror(errno)))")
        }
    }

    private func show(_ result: (text: String, differs: Bool)?) throws {
        guard let (text, differs) = result else { return print("this case cannot be compared") }
        print(text)
        if differs { throw ExitCode(1) }
    }

    /// To standard error, without a buffer.
    private static func report(_ text: String) { _ = text.withCString { write(2, $0, strlen($0)) } }
}

/// Errors whose description is the message.
private protocol CleanFailure: Error, CustomStringConvertible {}
extension CaseFile.Failure: CleanFailure {}
extension CodeCorpus.Failure: CleanFailure {}
extension OracleRun.UnknownOperation: CleanFailure {}
extension OracleProcess.Failure: CleanFailure {}

/// An output file cannot be created.
private struct UncreatableFile: CleanFailure {
    let description: String
}

extension EngineKind: ExpressibleByArgument {}
extension CaseKind: ExpressibleByArgument {}
