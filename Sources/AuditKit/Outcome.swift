/// What became of a piece of code: it ran to its end and left an answer, or something stopped it.
package enum Outcome: Equatable, Sendable {
    /// EAX, and EDX where two words are the answer.
    case answer([UInt32])
    /// An exception or software interrupt of the processor on which it ran.
    case vector(UInt8, errorCode: UInt32)
    /// A system call of the host.
    case systemCall
    /// It did not end, or took the process with it: why.
    case lost(String)
}

extension Outcome: Encodable {
    private enum Key: CodingKey { case answer, vector, errorCode, systemCall, lost }

    package func encode(to encoder: Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .answer(let words): try container.encode(words.map { hexadecimal($0, 8) }, forKey: .answer)
        case .vector(let vector, let errorCode):
            try container.encode(vector, forKey: .vector)
            try container.encode(errorCode, forKey: .errorCode)
        case .systemCall: try container.encode(true, forKey: .systemCall)
        case .lost(let reason): try container.encode(reason, forKey: .lost)
        }
    }
}

/// `digits` digits, more if there are more.
func hexadecimal<T: BinaryInteger>(_ value: T, _ digits: Int) -> String {
    let text = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}
