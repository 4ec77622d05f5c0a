import ArgumentParser
import BenchKit
import InspectKit
import Ring3

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Shows what the translator made of a guest's code, and what became of it.",
        discussion: """
            Runs IMAGE on the engine "translate", or "native" if --engine says so,
            and shows translated blocks: every instruction with its bytes, its
            disposition and the reason, the micro-ops or the host code it became,
            how often the block was executed and how long that took, links in and
            out, and why earlier versions were dropped. The guest's console goes
            nowhere unless --serial says otherwise.

            EXAMPLES
              ring3 inspect .build/guests/compute-sieve.elf
              ring3 inspect .build/guests/smc.elf --at call+0x3
              ring3 inspect .build/guests/gates.elf --callouts
              ring3 inspect .build/guests/x87.elf --engine native
              ring3 inspect kernel.elf --static --hottest 1000
              ring3 inspect vmlinuz --memory 256M --initrd initrd.gz \\
                  --append 'console=ttyS0 nokaslr' --symbols System.map \\
                  --hottest 100 --format html --output hot.html
              ring3 inspect kernel.elf --format dot | dot -Tsvg > hot.svg

            EXIT STATUS
                0  there is a report
               64  a mistake on the command line, or nothing of what was asked
                   for was translated
               66  a file that cannot be read or booted
               69  this host does not have what --engine native needs
               71  the host refused memory or the like
               73  the report's file cannot be created
               74  the report could not be written
            """)

    enum Format: String, CaseIterable, ExpressibleByArgument {
        case text, json, dot, html
    }

    @Argument(help: "The guest to look at.", completion: .file())
    var image: String

    @Flag(name: .customLong("static"), help: "Execute nothing: follow direct control flow from the entry point.")
    var isStatic = false

    @Option(
        help: ArgumentHelp(
            "Show the blocks that hold a linear address (hexadecimal) or symbol; may be repeated.",
            valueName: "address"))
    var at: [String] = []

    @Option(
        help: ArgumentHelp(
            "Show the blocks in which most was executed. (default: 10, unless something else is asked for)",
            valueName: "n"))
    var hottest: Int?

    @Flag(help: "Show every instruction that went through the monitor, how often, and what it cost.")
    var callouts = false

    @Option(help: ArgumentHelp("ELF symbol table or System.map. (default: the image's own)", valueName: "file"))
    var symbols: String?

    @Option(help: "How the report is written.")
    var format = Format.text

    @Option(help: ArgumentHelp("Write the report there, at once or not at all.", valueName: "file"))
    var output: String?

    @OptionGroup var machine: MachineOptions

    func validate() throws {
        if let hottest, !(1...1_000_000).contains(hottest) {
            throw ValidationError("--hottest \(hottest): 1 to 1000000 are possible.")
        }
        if machine.engine == .interpret {
            throw ValidationError("--engine interpret: only translate and native have translations to show.")
        }
        if format != .text, output == nil, machine.serial == .stdio || machine.debugConsole == .stdio {
            throw ValidationError(
                "the report has standard output for itself: not with --format \(format.rawValue), or use --output.")
        }
    }

    func run() throws {
        let file = try output.map { try ReportFile(path: $0) }
        let report = try InspectSession(options, log: machine.log, complain: { Diagnostics.print($0) }).run()
        let text =
            switch format {
            case .text: "\(TextReport(report))"
            case .json: report.json
            case .dot: "\(DotReport(report))"
            case .html: "\(HTMLReport(report))"
            }
        if let file { return try file.write(text + "\n") }
        try StandardOutput.write(report: text)
    }

    private var options: InspectOptions {
        var options = InspectOptions(run: machine.runOptions(image: image))
        options.run.machine.engine = machine.engine ?? .translate
        options.isStatic = isStatic
        options.places = at
        options.hottest = hottest
        options.wantsCallouts = callouts
        options.symbolFile = symbols
        return options
    }
}
