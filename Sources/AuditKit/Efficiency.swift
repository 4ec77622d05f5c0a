import Ring3
import X86

/// How many of the instructions that a guest executed need the monitor.
package struct Efficiency: Encodable, Sendable {
    /// What is done with an instruction, and how many of those executed it was.
    package struct Share: Encodable, Equatable, Sendable {
        package let disposition: String
        package let executed: UInt64
    }

    /// Sensitive instructions of one form.
    package struct Callout: Encodable, Equatable, Sendable {
        package let form: String
        /// At CPL 0 to 2, and at CPL 3.
        package let supervisor: UInt64
        package let user: UInt64
        package let reason: String

        package var executed: UInt64 { supervisor + user }
    }

    /// Those of `shares` together.
    package let executed: UInt64
    package let shares: [Share]
    /// The most frequent first.
    package let callouts: [Callout]

    /// - Parameter shares: as a translator counted them; without, as the sensitivity table has it: innocuous
    ///   instructions are left as they are, but that near transfers have to find their translated targets.
    init(_ census: InstructionCensus, shares: [Share]? = nil) {
        var (identical, transfers, sensitive): (UInt64, UInt64, UInt64) = (0, 0, 0)
        var callouts: [Callout] = []
        for row in Sensitivity.table {
            let (supervisor, user) = (census.supervisor[Int(row.index)], census.user[Int(row.index)])
            if row.isSensitive {
                sensitive += supervisor + user
                guard supervisor + user > 0 else { continue }
                callouts.append(
                    Callout(form: row.form, supervisor: supervisor, user: user, reason: row.reason))
            } else if row.form == Sensitivity.nearTransfers {
                transfers += supervisor + user
            } else {
                identical += supervisor + user
            }
        }
        executed = shares.map { $0.map(\.executed).reduce(0, &+) } ?? identical + transfers + sensitive
        self.callouts = callouts.sorted { ($1.executed, $0.form) < ($0.executed, $1.form) }
        self.shares =
            shares ?? [
                Share(disposition: "identical", executed: identical),
                Share(disposition: "control flow", executed: transfers),
                Share(disposition: "callout", executed: sensitive),
            ]
    }
}

extension Efficiency.Share {
    /// Innocuous, but the monitor's; and executed outside of blocks.
    static let (monitored, interpreted) = ("monitored", "interpreted")

    /// As emitted code counted them.
    ///
    /// - Parameter interpreted: instructions executed outside of blocks.
    static func all(_ counts: NativeDispositions, interpreted count: UInt64) -> [Efficiency.Share] {
        [
            Self(disposition: "identical", executed: counts.identical),
            Self(disposition: "rewritten", executed: counts.rewritten),
            Self(disposition: "control flow", executed: counts.controlFlow),
            Self(disposition: "callout", executed: counts.callout),
            Self(disposition: monitored, executed: counts.monitored),
            Self(disposition: interpreted, executed: count),
        ]
    }
}
