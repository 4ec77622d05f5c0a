/// What `ring3 run` was asked to do.
public struct RunOptions: Sendable {
    /// Where a character device of the guest leads.
    public enum Channel: Equatable, Sendable {
        /// Standard output and, for COM1, standard input.
        case stdio
        case file(String)
        case none

        /// "stdio", "none" or "file:PATH"; nil for anything else.
        public init?(_ text: String) {
            switch text {
            case "stdio": self = .stdio
            case "none": self = .none
            default:
                guard text.hasPrefix("file:"), text.count > 5 else { return nil }
                self = .file(String(text.dropFirst(5)))
            }
        }
    }

    /// A file for a Multiboot guest.
    public struct Module: Equatable, Sendable {
        public var path: String
        /// Follow the path in the string that the guest gets.
        public var arguments: String

        /// "FILE" or "FILE,ARGUMENTS"; nil without a file.
        public init?(_ text: String) {
            let parts = text.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
            guard let path = parts.first, !path.isEmpty else { return nil }
            self.path = String(path)
            arguments = parts.count > 1 ? String(parts[1]) : ""
        }
    }

    public enum Display: String, CaseIterable, Sendable {
        case none
        /// VGA text mode, drawn in the terminal.
        case text
    }

    public enum StatisticsFormat: String, CaseIterable, Sendable {
        case text
        case json
    }

    public var machine = MachineConfiguration()
    public var image: String
    public var initrd: String?
    public var commandLine = ""
    public var modules: [Module] = []
    /// Nil: the terminal, unless the display has it.
    public var serial: Channel?
    public var debugConsole = Channel.none
    public var display = Display.none
    /// Where to write what the screen shows in the end.
    public var screenFile: String?
    /// Nil: none are printed.
    public var statistics: StatisticsFormat?

    public init(image: String) {
        self.image = image
    }

    /// Where COM1 leads after all.
    var serialChannel: Channel { serial ?? (display == .text ? .none : .stdio) }

    /// Throws unless at most one of console and display wants the terminal.
    func validate() throws(RunFailure) {
        guard display != .text || serialChannel != .stdio && debugConsole != .stdio else {
            throw RunFailure(
                "the text display needs the terminal for itself: not with --serial stdio or --debug-console stdio",
                exitStatus: ExitStatus.usage)
        }
    }
}
