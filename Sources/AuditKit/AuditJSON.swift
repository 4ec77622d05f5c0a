import Foundation

extension Encodable {
    /// One JSON object, keys sorted, without a newline at the end.
    package var auditJSON: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        } catch {
            preconditionFailure("numbers and strings can be encoded: \(error)")
        }
    }
}
