import ArgumentParser
import AuditKit
import Ring3

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Shows Popek and Goldberg's conditions on this machine, or on a run.",
        discussion: """
            Without IMAGE: for every sensitive instruction of the x86, what it
            does natively in ring 3 of this host, what ring 0 must see, and what
            ring 0 of a guest saw under Ring3. Needs what Guests/build makes.

            With IMAGE: runs it, and reports equivalence (engines compared),
            efficiency (executed instructions by what becomes of them) and
            resource control (what was checked; with --engine native, every
            block is proved to stay in its sandbox before it is executed). The
            guest's console goes nowhere unless --serial says otherwise.

            EXAMPLES
              ring3 audit
              ring3 audit --format json
              ring3 audit .build/guests/paging.elf
              ring3 audit .build/guests/integer.elf --engine native
              ring3 audit vmlinuz --memory 256M --initrd initrd.gz \\
                  --append console=ttyS0 --max-instructions 500000000

            EXIT STATUS
                0  everything is as it must be
               64  a mistake on the command line
               66  a file that cannot be read or booted
               69  this host does not have what --engine native needs
               70  something is not: the report says what
               74  the report could not be written
            """)

    enum Format: String, CaseIterable, ExpressibleByArgument {
        case text
        case json
    }

    @Argument(help: "The guest to run.", completion: .file())
    var image: String?

    @Option(help: "How the report is written.")
    var format = Format.text

    @OptionGroup var machine: MachineOptions

    func validate() throws {
        if image == nil, let option = machine.firstOfImage {
            throw ValidationError("\(option) is for an image, and there is none.")
        }
        if format == .json, machine.serial == .stdio || machine.debugConsole == .stdio {
            throw ValidationError("the report has standard output for itself: not with --format json.")
        }
    }

    func run() throws {
        if let image {
            var options = machine.runOptions(image: image)
            options.machine.engine = machine.engine ?? .translate
            let audit = try GuestAudit.run(options, log: machine.log)
            try finish(audit, isRight: audit.isRight)
        } else {
            // Without a choice, all that translate.
            let others = machine.engine == nil ? Engine.available.filter { $0 == .native } : []
            let audit = try InstructionAudit.run(engine: machine.engine ?? .translate, and: others)
            try finish(audit, isRight: audit.isRight)
        }
    }

    private func finish(_ report: some Encodable & CustomStringConvertible, isRight: Bool) throws {
        try StandardOutput.write(report: format == .json ? report.reportJSON : report.description)
        if !isRight { throw ExitCode(ExitStatus.wrongResult) }
    }
}
