import ArgumentParser
import Logging
import Ring3

/// What every command that boots an image wants to know.
struct MachineOptions: ParsableArguments {
    @Option(
        help: """
            How guest code is executed. (default: native, or translate where the host does not support that; \
            translate for audit and inspect of an image)
            """)
    var engine: Engine?

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
            "Where COM1 leads: stdio, file:PATH or none. (default: stdio; none for --display text and audit)",
            valueName: "channel"))
    var serial: RunOptions.Channel?

    @Option(help: ArgumentHelp("Where port 0xE9 leads: stdio, file:PATH or none.", valueName: "channel"))
    var debugConsole = RunOptions.Channel.none

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

    @Option(help: "How much to tell on standard error.")
    var logLevel = Logger.Level.notice

    func validate() throws {
        if let timeout, !(timeout > 0 && timeout <= 1e9) {
            throw ValidationError("--timeout \(timeout): a positive number of seconds is needed.")
        }
        if maxInstructions == 0 { throw ValidationError("--max-instructions 0: at least one is needed.") }
    }

    /// Messages go to standard error.
    var log: Logger {
        let level = logLevel
        return Logger(label: "ring3") { _ in Diagnostics(logLevel: level) }
    }

    /// An option given that means something for an image only.
    var firstOfImage: String? {
        if initrd != nil { return "--initrd" }
        if !append.isEmpty { return "--append" }
        if !module.isEmpty { return "--module" }
        if serial != nil { return "--serial" }
        if debugConsole != .none { return "--debug-console" }
        if maxInstructions != nil { return "--max-instructions" }
        return timeout == nil ? nil : "--timeout"
    }

    func runOptions(image: String) -> RunOptions {
        var options = RunOptions(image: image)
        options.machine = configuration
        options.initrd = initrd
        options.commandLine = append
        options.modules = module
        options.serial = serial
        options.debugConsole = debugConsole
        return options
    }

    /// What was asked for, or the default.
    var chosenEngine: Engine { engine ?? (noDecodeCache ? .interpret : .fastest) }

    private var configuration: MachineConfiguration {
        var machine = MachineConfiguration()
        machine.engine = chosenEngine
        machine.memorySize = memory.bytes
        machine.isDeterministic = deterministic
        machine.usesDecodeCache = !noDecodeCache
        machine.timeout = timeout.map { UInt64($0 * 1e9) } ?? .max
        machine.maximumInstructions = maxInstructions ?? .max
        return machine
    }
}
