import Foundation

/// JSON as all reports have it.
///
/// JSON has no infinity and no NaN; these are written as strings, and read back.
private enum ReportJSON {
    static let infinity = "Infinity"
    static let negativeInfinity = "-Infinity"
    static let notANumber = "NaN"
}

extension Encodable {
    /// One JSON object, keys sorted, without a newline at the end.
    package var reportJSON: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: ReportJSON.infinity, negativeInfinity: ReportJSON.negativeInfinity,
            nan: ReportJSON.notANumber)
        do {
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        } catch {
            // Reports consist of strings, and of numbers of which none is left that could not be encoded.
            preconditionFailure("a report that JSON cannot hold: \(error)")
        }
    }
}

extension Decodable {
    /// Reads what `reportJSON` wrote.
    package init(reportJSON data: Data) throws {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: ReportJSON.infinity, negativeInfinity: ReportJSON.negativeInfinity,
            nan: ReportJSON.notANumber)
        self = try decoder.decode(Self.self, from: data)
    }
}
