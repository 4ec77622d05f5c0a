import ArgumentParser
import Glibc
import Ring3

@main
struct Ring3Command: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ring3",
        abstract: "Runs unmodified 32-bit x86 operating systems in an ordinary user process.",
        version: "0.1.0",
        subcommands: [RunCommand.self, InspectCommand.self, AuditCommand.self, BenchCommand.self])

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
            Diagnostics.print("\(line) (see 'ring3 \(commandName)--help')")
            Glibc.exit(ExitStatus.usage)
        }
    }

    /// The command that was meant, and a space; nothing if none was.
    private static var commandName: String {
        let names = configuration.subcommands.compactMap { $0.configuration.commandName }
        return CommandLine.arguments.dropFirst().first { names.contains($0) }.map { "\($0) " } ?? ""
    }
}
