import ArgumentParser
import Glibc
import Ring3

/// Where reports go.
enum StandardOutput {
    /// Writes a report and a newline; throws if that cannot be done. A reader that has seen enough gets no message.
    static func write(report: String) throws {
        switch Diagnostics.report(report) {
        case nil: break
        case EPIPE: throw ExitCode(ExitStatus.signal(SIGPIPE))
        case let error?:
            Diagnostics.print("cannot write the report: \(String(cString: strerror(error)))")
            throw ExitCode(ExitStatus.outputFailure)
        }
    }
}
