/// What became of an instruction on the engine `native`.
enum NativeDisposition {
    /// The same instruction of the host's; or none, where there is nothing to do.
    case identical
    /// Other instructions to the same effect; for a sensitive one, on the processor's state.
    case rewritten
    /// A near transfer, done by emitted code.
    case controlFlow
    /// Sensitive, and the monitor does it.
    case callout
    /// Innocuous, and yet the monitor does it.
    case monitored

    /// As reports have it: what the monitor does is a callout to them, whyever.
    var name: String {
        switch self {
        case .identical: Disposition.identical.name
        case .rewritten: Disposition.rewritten.name
        case .controlFlow: Disposition.controlFlow.name
        case .callout, .monitored: Disposition.callout.name
        }
    }
}

/// Instructions executed in blocks of the engine `native`, by what was made of them.
package struct NativeDispositions: Equatable, Sendable {
    package private(set) var identical: UInt64 = 0
    package private(set) var rewritten: UInt64 = 0
    package private(set) var controlFlow: UInt64 = 0
    /// Sensitive ones, by the monitor.
    package private(set) var callout: UInt64 = 0
    /// Innocuous ones, by the monitor: it always does them, or their access faulted.
    package private(set) var monitored: UInt64 = 0

    /// Sensitive ones that emitted code did, among those rewritten: by row of the sensitivity table.
    package private(set) var inlined: [UInt8: UInt64] = [:]

    package var sum: UInt64 { identical &+ rewritten &+ controlFlow &+ callout &+ monitored }

    /// - Parameters:
    ///   - emitted: executions by emitted code.
    ///   - monitored: executions by the monitor.
    ///   - row: its row in the sensitivity table, if the instruction is sensitive.
    mutating func add(emitted: UInt64, monitored: UInt64, _ disposition: NativeDisposition, row: UInt8? = nil) {
        if case .rewritten = disposition, let row { inlined[row, default: 0] &+= emitted }
        switch disposition {
        case .identical: identical &+= emitted
        case .rewritten: rewritten &+= emitted
        case .controlFlow: controlFlow &+= emitted
        case .callout:
            callout &+= emitted &+ monitored
            return
        case .monitored: self.monitored &+= emitted
        }
        self.monitored &+= monitored
    }
}

#if arch(x86_64) && os(Linux)
    extension NativeDisposition {
        /// - Parameter isOneToOne: its host code is the same instruction, or nothing.
        init(_ record: NativeInstruction, isOneToOne: Bool) {
            if record.instruction.sensitivity.isSensitive {
                self = record.isMonitored ? .callout : .rewritten
            } else if record.isMonitored {
                self = record.storesToRegion ? .rewritten : .monitored
            } else if record.role == .calloutEnd {
                self = .rewritten
            } else if record.role != .straight {
                self = .controlFlow
            } else {
                self = isOneToOne ? .identical : .rewritten
            }
        }
    }
#endif
