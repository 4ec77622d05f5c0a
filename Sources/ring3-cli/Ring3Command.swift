import ArgumentParser
import Glibc
import Ring3

@main
struct Ring3Command: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ring3",
        abstract: "Runs unmodified 32-bit x86 operating systems in an ordinary user process.",
        version: "0.1.0",
        subcommands: [RunCommand.self, BenchCommand.self])

    /// Users' mistakes get one line; help gets all of its lines.
    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let failure as RunFailure {
            Diagnostics.print("\(failure)")
            Glibc.exit(failure.exitStatus)
        } catch {
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            let line = message(for: error).split(separator: "\n").joined(separator: " ")
            let names = configuration.subcommands.compactMap { $0.configuration.commandName }
            let name = CommandLine.arguments.dropFirst().first.flatMap { names.contains($0) ? $0 : nil } ?? "run"
            Diagnostics.print("\(line) (see 'ring3 \(name) --help')")
            Glibc.exit(ExitStatus.usage)
        }
    }
}
