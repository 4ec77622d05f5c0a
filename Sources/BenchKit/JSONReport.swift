import Foundation
import Ring3

extension BenchReport {
    /// The whole report, keys sorted, for programs.
    public var json: String { reportJSON }

    /// Reads what `json` wrote.
    public init(file path: String) throws(RunFailure) {
        do {
            self = try BenchReport(reportJSON: Data(contentsOf: URL(fileURLWithPath: path)))
        } catch is DecodingError {
            throw RunFailure("\(path): is no report of ring3 bench", exitStatus: ExitStatus.noInput)
        } catch {
            throw RunFailure("cannot read \(path): \(error.localizedDescription)", exitStatus: ExitStatus.noInput)
        }
    }
}
