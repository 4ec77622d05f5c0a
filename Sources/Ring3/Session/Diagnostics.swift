import Glibc
import Logging

/// Log messages as lines on standard error: "ring3: note: ...".
public struct Diagnostics: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?

    public init(logLevel: Logger.Level) {
        self.logLevel = logLevel
    }

    public func log(event: LogEvent) {
        Self.print("\(Self.word(for: event.level)): \(event.message)")
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes "ring3: " and `line` to standard error.
    public static func print(_ line: String) {
        // Standard error that cannot be written has nowhere to be reported.
        _ = HostOutput.write(Array("ring3: \(line)\n".utf8), to: STDERR_FILENO)
    }

    /// Writes `text` and a newline to standard output. Returns the error number if that fails.
    public static func report(_ text: String) -> Int32? {
        HostOutput.write(Array("\(text)\n".utf8), to: STDOUT_FILENO)
    }

    private static func word(for level: Logger.Level) -> String {
        switch level {
        case .trace, .debug, .info: level.rawValue
        case .notice: "note"
        case .warning: "warning"
        case .error, .critical: "error"
        }
    }
}
