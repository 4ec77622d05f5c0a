import ArgumentParser
import Logging
import Ring3

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Boots an image: a Multiboot 1 or 2 kernel, or a Linux bzImage.",
        discussion: """
            EXAMPLES
              ring3 run .build/guests/hello.elf
              ring3 run vmlinuz --memory 256M --initrd initrd.gz \\
                  --append console=ttyS0
              echo 'uname -a; poweroff -f' | ring3 run vmlinuz \\
                  --initrd initrd.gz --append console=ttyS0
              ring3 run kernel.elf --module data.bin,key=value --timeout 10
              ring3 run kernel.elf --deterministic --stats json

            INPUT
              On a terminal every key goes to the guest, except:
                Ctrl-A x       end the run
                Ctrl-A h       list these keys
                Ctrl-A Ctrl-A  send Ctrl-A
              From a pipe or file it is typed line by line, each line when the
              guest waits for it.

            EXIT STATUS
                0  power-off, final HLT, reset by the guest, or Ctrl-A x
              odd  the guest wrote V to the debug-exit port 0xF4: 2 * V + 1,
                   modulo 256, as with QEMU
               64  a mistake on the command line
               66  a file that cannot be read or booted
               71  the host refused memory or the like
               73  an output file that cannot be created
               74  output was lost
              120  triple fault
              122  --max-instructions were executed
              124  --timeout has passed
            128+N  ended by signal N: 130 for Ctrl-C, 143 for kill
            """)

    @Argument(help: "The kernel to boot.", completion: .file())
    var image: String

    @Option(help: "How guest code is executed.")
    var engine = Engine.interpret

    @Option(
        help: ArgumentHelp("RAM: 256M, 1G, 131072K; a plain number is in MiB. (default: 128M)", valueName: "size"),
        transform: { try MemorySize($0) })
    var memory = MemorySize.standard

    @Option(help: ArgumentHelp("Initial RAM disk; for Multiboot, the first module.", valueName: "file"))
    var initrd: String?

    @Option(help: ArgumentHelp("Kernel command line.", valueName: "text"))
    var append = ""

    @Option(
        help: ArgumentHelp(
            "A file for a Multiboot guest, and its arguments; may be repeated.", valueName: "file[,args]"))
    var module: [RunOptions.Module] = []

    @Option(
        help: ArgumentHelp(
            "Where COM1 leads: stdio, file:PATH or none. (default: stdio; none with --display text)",
            valueName: "channel"))
    var serial: RunOptions.Channel?

    @Option(help: ArgumentHelp("Where port 0xE9 leads: stdio, file:PATH or none.", valueName: "channel"))
    var debugConsole = RunOptions.Channel.none

    @Option(help: "Draw the VGA text screen in the terminal; keys go to the PS/2 keyboard.")
    var display = RunOptions.Display.none

    @Option(help: ArgumentHelp("Write what the screen shows in the end, as UTF-8 text.", valueName: "file"))
    var screen: String?

    @Option(help: ArgumentHelp("End the run after so much of the host's time.", valueName: "seconds"))
    var timeout: Double?

    @Option(help: ArgumentHelp("End the run after so many guest instructions.", valueName: "n"))
    var maxInstructions: UInt64?

    @Flag(
        help: """
            Virtual time counts instructions, the clock starts in 2000, and piped input is read before the start: two \
            runs are bit-identical.
            """)
    var deterministic = false

    @Flag(help: "Decode every instruction anew, as a textbook interpreter does.")
    var noDecodeCache = false

    @Option(help: "Print counters to standard error when the run ends.")
    var stats: RunOptions.StatisticsFormat?

    @Option(help: "How much to tell on standard error.")
    var logLevel = Logger.Level.notice

    func validate() throws {
        if let timeout, !(timeout > 0 && timeout <= 1e9) {
            throw ValidationError("--timeout \(timeout): a positive number of seconds is needed.")
        }
        if maxInstructions == 0 { throw ValidationError("--max-instructions 0: at least one is needed.") }
    }

    func run() throws {
        let level = logLevel
        let log = Logger(label: "ring3") { _ in Diagnostics(logLevel: level) }
        throw ExitCode(try RunSession(options, log: log).run())
    }

    private var options: RunOptions {
        var options = RunOptions(image: image)
        options.machine.engine = engine
        options.machine.memorySize = memory.bytes
        options.machine.isDeterministic = deterministic
        options.machine.usesDecodeCache = !noDecodeCache
        options.machine.timeout = timeout.map { UInt64($0 * 1e9) } ?? .max
        options.machine.maximumInstructions = maxInstructions ?? .max
        options.initrd = initrd
        options.commandLine = append
        options.modules = module
        options.serial = serial
        options.debugConsole = debugConsole
        options.display = display
        options.screenFile = screen
        options.statistics = stats
        return options
    }
}
