import Foundation
import Ring3

/// Instructions of one form that went through the monitor, or innocuous ones for one cause.
package struct CalloutGroup: Encodable, Sendable {
    package let isSensitive: Bool
    package let form: String
    package let reason: String
    package let source: String
    package let executions: UInt64
    package let nanoseconds: UInt64
    package let leastNanoseconds: UInt64
    /// The most frequent first.
    package var sites: [InspectedCallout]

    package var mean: Double { executions > 0 ? Double(nanoseconds) / Double(executions) : 0 }

    /// By form; sensitive ones first, and of these the most frequent.
    static func groups(_ callouts: [InspectedCallout]) -> [CalloutGroup] {
        let groups = Dictionary(grouping: callouts, by: \.form).map { form, sites in
            CalloutGroup(
                isSensitive: sites[0].isSensitive, form: form, reason: sites[0].reason, source: sites[0].source,
                executions: sites.map(\.executions).reduce(0, +), nanoseconds: sites.map(\.nanoseconds).reduce(0, +),
                leastNanoseconds: sites.map(\.leastNanoseconds).min() ?? 0,
                sites: sites.sorted { ($1.executions, $0.address) < ($0.executions, $1.address) })
        }
        return groups.sorted { a, b in
            guard a.isSensitive == b.isSensitive else { return a.isSensitive }
            return (b.executions, a.form) < (a.executions, b.form)
        }
    }
}

/// What was found in the translation cache.
package struct InspectReport: Encodable, Sendable {
    package let image: String
    package let engine: String
    package let isStatic: Bool
    /// How the run ended.
    package let ending: String
    package let instructions: UInt64
    package let hostSeconds: Double
    /// How the times were measured, in sentences.
    package let timing: String
    package let symbols: Int
    package let totals: InspectionTotals
    package var blocks: [InspectedBlock]
    package var callouts: [CalloutGroup]
    /// Callouts were asked for.
    package let showsCallouts: Bool

    /// What the engine makes of code.
    var product: String {
        if let microOps = totals.microOps { return "\(microOps.grouped) micro-ops" }
        return "\((totals.emittedBytes ?? 0).grouped) bytes of host code"
    }

    /// There is nothing of what was asked for.
    var isEmpty: Bool { blocks.isEmpty && !showsCallouts }

    /// One JSON object, keys sorted, without a newline at the end.
    package var json: String { reportJSON }

    mutating func addNames(from table: SymbolTable) {
        guard !table.isEmpty else { return }
        func name(_ address: GuestAddress?) -> String? { address.flatMap { table.name(for: $0.value) } }
        for b in blocks.indices {
            blocks[b].symbol = name(blocks[b].address)
            for i in blocks[b].instructions.indices {
                // Only where something begins: names in the midst of things are the block's business.
                let symbol = name(blocks[b].instructions[i].address)
                blocks[b].instructions[i].symbol = symbol?.contains("+0x") == false ? symbol : nil
            }
            for i in blocks[b].exits.indices { blocks[b].exits[i].symbol = name(blocks[b].exits[i].target) }
            for i in blocks[b].entries.indices { blocks[b].entries[i].symbol = name(blocks[b].entries[i].from) }
            for i in blocks[b].earlier.indices {
                blocks[b].earlier[i].symbol = name(blocks[b].earlier[i].writer ?? blocks[b].earlier[i].faulting)
            }
        }
        for g in callouts.indices {
            for s in callouts[g].sites.indices { callouts[g].sites[s].symbol = name(callouts[g].sites[s].address) }
        }
    }
}

/// Numbers for people.
enum Show {
    static func times(_ value: UInt64) -> String { value == 1 ? "once" : "\(value.grouped) times" }

    /// With the unit that fits: "12.3 ms".
    static func time(_ nanoseconds: Double) -> String {
        switch nanoseconds {
        case ..<9.95: String(format: "%.1f ns", nanoseconds)
        case ..<999.5: String(format: "%.0f ns", nanoseconds)
        case ..<999_500: String(format: "%.3g µs", nanoseconds / 1e3)
        case ..<999_500_000: String(format: "%.3g ms", nanoseconds / 1e6)
        default: String(format: "%.2f s", nanoseconds / 1e9)
        }
    }

    static func percent(_ share: Double) -> String {
        share > 0 && share < 0.0005 ? "< 0.1 %" : String(format: "%.1f %%", share * 100)
    }

    /// "00100034 <name>", or the address alone.
    static func place(_ address: GuestAddress, _ symbol: String?) -> String {
        symbol.map { "\(address) <\($0)>" } ?? "\(address)"
    }
}

extension InspectedBlock {
    /// Dispositions, in the order in which they are shown.
    static let dispositions = ["identical", "rewritten", "control flow", "callout"]

    func count(of disposition: String) -> Int { instructions.count { $0.disposition == disposition } }
}

extension InspectedBlock.EarlierVersion {
    /// Why it ended.
    var reason: String {
        let when = "at instruction \(atInstruction.grouped)"
        if let faulting { return "emitted anew \(when): that at \(Show.place(faulting, symbol)) kept faulting" }
        guard let written, let count, let writer else { return "evicted \(when): the cache was full" }
        let bytes = count == 1 ? "1 byte" : "\(count) bytes"
        return "\(bytes) written to physical \(written) \(when) by \(Show.place(writer, symbol))"
    }
}
