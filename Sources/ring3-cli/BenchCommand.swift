import ArgumentParser
import BenchKit
import Foundation
import Ring3

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures Ring3's engines, other emulators and the host on the same code.",
        discussion: """
            Runs the guests of Guests/compute and Guests/nano (built by Guests/build)
            on every engine, on QEMU and Bochs where installed, and the compute
            guests' code also as a 32-bit program of the host, interleaved, in
            several rounds. Answers are compared: a wrong one is reported and not
            timed. What is missing is said in one line, and the rest goes on.

            EXAMPLES
              ring3 bench --quick
              ring3 bench --plot bench.svg --format json --output bench.json
              ring3 bench --engine interpret --engine qemu --only sieve

            EXIT STATUS
                0  everything that is here was measured
                1  a wrong answer, or a run that did not come to its end
               64  a mistake on the command line
               66  the guests cannot be read
               73  an output file cannot be created
               74  the result could not be written
            128+N  ended by signal N: 130 for Ctrl-C
            """)

    enum Format: String, CaseIterable, ExpressibleByArgument {
        case text, json, svg
    }

    @Option(help: "How often everything is measured.")
    var rounds: Int?

    @Option(
        help: ArgumentHelp(
            "Who takes part: an engine, textbook, qemu, bochs or host; may be repeated. (default: all)",
            valueName: "name"))
    var engine: [String] = []

    @Option(help: ArgumentHelp("What is measured; may be repeated. (default: all; see --list)", valueName: "name"))
    var only: [String] = []

    @Flag(help: "Two rounds of short runs: figures within a factor, in a few minutes.")
    var quick = false

    @Option(help: ArgumentHelp("CPU time a run is made to last. (default: 0.3)", valueName: "seconds"))
    var seconds: Double?

    @Option(help: ArgumentHelp("End a run that takes longer.", valueName: "seconds"))
    var timeout = 120.0

    @Flag(help: "List what can be measured, and with what.")
    var list = false

    @Option(help: "How to print the result.")
    var format = Format.text

    @Option(help: ArgumentHelp("Write the result there, at once or not at all.", valueName: "file"))
    var output: String?

    @Option(help: ArgumentHelp("Also draw it, as SVG.", valueName: "file.svg"))
    var plot: String?

    @Option(help: ArgumentHelp("Measure nothing; show an earlier result, written as JSON.", valueName: "file.json"))
    var from: String?

    @Option(help: ArgumentHelp("Where the guests are. (default: .build/guests)", valueName: "folder"))
    var guests: String?

    func validate() throws {
        if let rounds, !(1...1000).contains(rounds) {
            throw ValidationError("--rounds \(rounds): 1 to 1000 are possible.")
        }
        if let seconds, !(seconds >= 0.001 && seconds <= 1000) {
            throw ValidationError("--seconds \(seconds): 0.001 to 1000 are possible.")
        }
        if !(timeout > 0 && timeout <= 1e6) {
            throw ValidationError("--timeout \(timeout): a positive number of seconds is needed.")
        }
        _ = try Self.pick(engine, from: Contender.all, \.name, option: "engine")
        _ = try Self.pick(only, from: Workload.all, \.name, option: "only")
    }

    /// Those named, in the order of `all`; all if none is named.
    private static func pick<T>(
        _ names: [String], from all: [T], _ name: KeyPath<T, String>, option: String
    ) throws -> [T] {
        let known = all.map { $0[keyPath: name] }
        if let unknown = names.first(where: { !known.contains($0) }) {
            throw ValidationError("--\(option) \(unknown): known are \(known.joined(separator: ", ")).")
        }
        return names.isEmpty ? all : all.filter { names.contains($0[keyPath: name]) }
    }

    func run() throws {
        guard !list else { return printList() }
        let outputFile = try output.map { try ReportFile(path: $0) }
        let plotFile = try plot.map { try ReportFile(path: $0) }
        let report =
            if let from { try BenchReport(file: from) } else {
                try BenchSession(try options) { Diagnostics.print("bench: \($0)") }.run()
            }
        let text =
            switch format {
            case .text: "\(TextReport(report))"
            case .json: report.json
            case .svg: "\(SVGReport(report))"
            }
        try plotFile?.write("\(SVGReport(report))\n")
        if let outputFile { try outputFile.write(text + "\n") } else { try StandardOutput.write(report: text) }
        if report.hasFailures { throw ExitCode(1) }
    }

    private var options: BenchOptions {
        get throws {
            let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
            var options = BenchOptions(guests: guests ?? BenchOptions.guestFolder(near: executable), ring3: executable)
            options.contenders = try Self.pick(engine, from: Contender.all, \.name, option: "engine")
            options.workloads = try Self.pick(only, from: Workload.all, \.name, option: "only")
            options.rounds = rounds ?? (quick ? 2 : options.rounds)
            options.secondsPerRun = seconds ?? (quick ? 0.05 : options.secondsPerRun)
            options.timeout = timeout
            return options
        }
    }

    private func printList() {
        for contender in Contender.all { print("\(contender.name.padded(16))\(contender.summary)") }
        print("")
        for workload in Workload.all { print("\(workload.name.padded(16))\(workload.summary)") }
    }
}

extension String {
    fileprivate func padded(_ width: Int) -> String {
        padding(toLength: max(width, count), withPad: " ", startingAt: 0)
    }
}
