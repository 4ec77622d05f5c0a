/// What the command's exit status says.
///
/// A guest that ends through the debug-exit port sets it: `value << 1 | 1` modulo 256, as with QEMU, always odd. What the
/// guest did not choose is even or from sysexits.h, so that a run that was cut short never looks like a verdict.
public enum ExitStatus {
    /// Power-off, a final HLT, a reset, or Ctrl-A x.
    public static let success: Int32 = 0
    public static let tripleFault: Int32 = 120
    public static let instructionLimit: Int32 = 122
    /// As timeout(1) has it.
    public static let timeout: Int32 = 124

    /// EX_USAGE: the command line asks for what cannot be.
    public static let usage: Int32 = 64
    /// EX_NOINPUT: a file cannot be read or is not what it should be.
    public static let noInput: Int32 = 66
    /// EX_UNAVAILABLE: this host cannot do that.
    public static let unavailable: Int32 = 69
    /// EX_SOFTWARE: an audit, a comparison of engines or the verifier found Ring3 itself wrong.
    public static let wrongResult: Int32 = 70
    /// EX_OSERR: the host refuses a resource.
    public static let hostFailure: Int32 = 71
    /// EX_CANTCREAT: an output file cannot be created.
    public static let cannotCreate: Int32 = 73
    /// EX_IOERR: output was lost.
    public static let outputFailure: Int32 = 74

    /// As shells report death by signal `number`.
    public static func signal(_ number: Int32) -> Int32 { 128 + number }

    /// What a run that ended so says; `signal` is the one that asked for its end, if one did.
    static func of(_ outcome: RunOutcome, endedBy signal: Int32? = nil) -> Int32 {
        switch outcome {
        case .powerOff, .finalHalt, .reset: success
        case .debugExit(let status): Int32(status & 0xFF)
        case .tripleFault: tripleFault
        case .diverged, .unsafeCode: wrongResult
        case .timeout: timeout
        case .instructionLimit: instructionLimit
        case .stopped: signal.map { Self.signal($0) } ?? success
        }
    }
}

/// Why a run could not be made, in one line, and the exit status that says so.
public struct RunFailure: Error, CustomStringConvertible {
    public let description: String
    public let exitStatus: Int32

    package init(_ description: String, exitStatus: Int32) {
        self.description = description
        self.exitStatus = exitStatus
    }

    init(_ error: BootError) {
        self.init(error.description, exitStatus: error.isUsage ? ExitStatus.usage : ExitStatus.noInput)
    }

    init(_ error: VirtualMachine.Failure) {
        self.init(error.description, exitStatus: error.isUsage ? ExitStatus.usage : ExitStatus.hostFailure)
    }
}
