import Foundation

extension BenchReport {
    /// The whole report, keys sorted, for programs.
    public var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else { preconditionFailure("a report that JSON cannot hold") }
        return String(decoding: data, as: UTF8.self)
    }
}
