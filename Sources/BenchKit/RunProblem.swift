/// Why there is no measurement, in words that follow "contender, workload: ".
public enum RunProblem: Error, Equatable, CustomStringConvertible {
    /// The contender cannot be had on this machine.
    case unavailable(String)
    case timedOut(seconds: Double)
    /// It ended otherwise than a guest that is satisfied.
    case died(String)
    /// The guest itself found something wrong.
    case checkFailed(String)
    case wrongChecksum(got: UInt32, expected: UInt32, by: String)
    /// What the guest needs is not there.
    case skipped(String)
    /// A signal asks for the end of the whole benchmark.
    case interrupted(Int32)

    public var description: String {
        switch self {
        case .unavailable(let reason): reason
        case .timedOut(let seconds): "ended after \(Format.seconds(seconds)), as --timeout asks"
        case .died(let how): how
        case .checkFailed(let check): "WRONG: \(check)"
        case .wrongChecksum(let got, let expected, let by):
            "WRONG: checksum \(Format.hex(got)), but \(by) has \(Format.hex(expected))"
        case .skipped(let what): "cannot be done here: \(what)"
        case .interrupted(let signal): "interrupted by signal \(signal)"
        }
    }

    /// An answer that is not right, as opposed to none.
    public var isWrongAnswer: Bool {
        switch self {
        case .checkFailed, .wrongChecksum: true
        default: false
        }
    }
}
