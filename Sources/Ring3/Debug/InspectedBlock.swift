/// A guest address as reports show it: eight hexadecimal digits, in JSON with 0x.
package struct GuestAddress: Hashable, Comparable, Encodable, Sendable, CustomStringConvertible {
    package let value: UInt32

    package init(_ value: UInt32) { self.value = value }

    package var description: String { hex(value, 8) }

    package static func < (a: GuestAddress, b: GuestAddress) -> Bool { a.value < b.value }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode("0x\(self)")
    }
}

/// A translated block, for people and programs. `symbol` fields are for whoever knows the guest's symbols.
package struct InspectedBlock: Encodable, Sendable {
    package enum State: String, Encodable, Sendable {
        /// The translation is in force.
        case current
        /// It was, until its code was written to, or the cache was full.
        case invalidated, evicted
    }

    /// One instruction of the host's.
    package struct HostCode: Encodable, Equatable, Sendable {
        package let bytes: String
        /// In Intel syntax, addresses as offsets from the start of all emitted code; what they name follows in brackets.
        package let text: String
    }

    /// One instruction of the guest, and what was made of it.
    package struct Instruction: Encodable, Sendable {
        package let address: GuestAddress
        package let bytes: String
        package let text: String
        package let disposition: String
        package let reason: String
        /// Where the manual says so, for callouts.
        package let source: String?
        /// What has to be done if it faults or takes the slow path.
        package let note: String?
        /// One line each; empty if another instruction's micro-op does the work, or there is none.
        package let microOps: [String]
        /// On the engine `native`.
        package var hostCode: [HostCode]?
        /// How often it was executed, by all versions that are still in the cache; nil if that is not known.
        package var executions: UInt64?
        package var symbol: String?
    }

    /// A way out.
    package struct Exit: Encodable, Sendable {
        /// "taken", "falls through", "jump", "call", "return" and so on.
        package let kind: String
        /// Nil if it is known only at run time.
        package let target: GuestAddress?
        /// Leads straight into another block.
        package let isLinked: Bool
        /// Says how the next block is found.
        package let how: String
        /// The block there, if there is one.
        package let block: Int?
        /// How often it was taken; nil if that is not known.
        package var executions: UInt64?
        /// What stands behind the instructions, on the engine `native`.
        package var hostCode: [HostCode]?
        package var symbol: String?
    }

    /// A link from another block, or from this one.
    package struct Entry: Encodable, Sendable {
        package let block: Int
        package let from: GuestAddress
        package var symbol: String?
    }

    /// A translation of the same place that has ended.
    package struct EarlierVersion: Encodable, Sendable {
        package let version: UInt32
        package let executions: UInt64
        /// Instructions that the machine had executed when it ended.
        package let atInstruction: UInt64
        /// "written to", "evicted" or "adapted": emitted anew because an instruction kept faulting.
        package let cause: String
        /// What was written: where (physical), and how many bytes.
        package let written: GuestAddress?
        package let count: UInt32?
        /// The instruction that wrote.
        package let writer: GuestAddress?
        /// The instruction that kept faulting.
        package let faulting: GuestAddress?
        package var symbol: String?
    }

    /// By which links name it.
    package let number: Int
    /// Linear address in the latest execution.
    package let address: GuestAddress
    package let eip: GuestAddress
    package let physical: GuestAddress
    package let length: Int
    /// What the translation relies on.
    package let mode: [String]
    package let state: State
    /// Which translation of this place it is, from 1.
    package let version: UInt32
    /// Of all versions.
    package let executions: UInt64
    /// Exact; a block that is left early executes fewer than it has.
    package let instructionsExecuted: UInt64
    /// Mean of the executions that were timed; nil if none was.
    package let nanoseconds: Double?
    package let timedExecutions: UInt64
    /// Times that it was found executing, where time is sampled.
    package var samples: UInt64?
    /// Of the engine `native`: what precedes the first instruction, and what is executed once the block is stale.
    package var prologue: [HostCode]?
    package var staleExit: [HostCode]?
    /// Bytes of host code.
    package var hostBytes: Int?
    package var instructions: [Instruction]
    package var exits: [Exit]
    package var entries: [Entry]
    /// The latest; `version` tells how many there were.
    package var earlier: [EarlierVersion]
    package var symbol: String?

    /// Estimate of the time spent in it: the mean times the executions.
    package var totalNanoseconds: Double? { nanoseconds.map { $0 * Double(executions) } }
}

/// An instruction at one address that went through the monitor, and what that cost.
package struct InspectedCallout: Encodable, Sendable {
    package let address: GuestAddress
    package let text: String
    /// False if it is innocuous, and was the monitor's all the same.
    package let isSensitive: Bool
    /// As in the table of sensitive instructions: "MOV r/m, Sreg"; of innocuous ones why the monitor had to do them.
    package let form: String
    package let reason: String
    package let source: String
    package let executions: UInt64
    /// Of these, how many were executed outside of any block: stepped, in an interrupt's shadow, at the end of a slice.
    package let interpreted: UInt64
    package let nanoseconds: UInt64
    package let leastNanoseconds: UInt64
    package var symbol: String?
}

/// Sums over everything that was translated.
package struct InspectionTotals: Encodable, Sendable {
    package let places: Int
    package let blocksTranslated: UInt64
    package let instructionsTranslated: UInt64
    /// Nil for an engine without.
    package let microOps: UInt64?
    /// Bytes of host code, without that which counts; nil for an engine that emits none.
    package let emittedBytes: UInt64?
    package let blocksInvalidated: UInt64
    package let evictions: UInt64
    package let links: UInt64
    package let slowPaths: UInt64
    package let bytes: UInt64
    /// Instructions executed in blocks, and by the interpreter in between.
    package let instructionsInBlocks: UInt64
    package let instructionsInterpreted: UInt64
    /// Shares of the instructions executed in blocks, if all of a block's are executed equally often.
    package let executedByDisposition: [String: Double]
}
