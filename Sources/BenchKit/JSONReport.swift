import Foundation
import Ring3

extension BenchReport {
    /// The whole report, keys sorted, for programs.
    public var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else { preconditionFailure("a report that JSON cannot hold") }
        return String(decoding: data, as: UTF8.self)
    }

    /// Reads what `json` wrote.
    public init(file path: String) throws(RunFailure) {
        do {
            self = try JSONDecoder().decode(BenchReport.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        } catch is DecodingError {
            throw RunFailure("\(path): is no report of ring3 bench", exitStatus: ExitStatus.noInput)
        } catch {
            throw RunFailure("cannot read \(path): \(error.localizedDescription)", exitStatus: ExitStatus.noInput)
        }
    }
}
