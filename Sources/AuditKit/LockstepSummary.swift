import Ring3

/// What comparing two engines on the same run came to: equivalence, as far as it was seen.
package struct LockstepSummary: Encodable, Sendable {
    /// The engine that counts as right, and the one compared with it.
    package let reference: String
    package let tested: String
    /// After how many blocks state was compared, and how many instructions they held.
    package let blocks: UInt64
    package let instructions: UInt64
    package let divergences: UInt64
    /// The first divergence, in words.
    package let first: String?

    package init(
        reference: String, tested: String, blocks: UInt64, instructions: UInt64, divergences: UInt64,
        first: String? = nil
    ) {
        self.reference = reference
        self.tested = tested
        self.blocks = blocks
        self.instructions = instructions
        self.divergences = divergences
        self.first = first
    }

    /// Of a run: it ends where the engines first differ.
    init(_ progress: LockstepProgress, _ outcome: RunOutcome) {
        var divergence: Divergence?
        if case .diverged(let found) = outcome { divergence = found }
        self.init(
            reference: progress.reference.rawValue, tested: progress.tested.rawValue, blocks: progress.comparisons,
            instructions: progress.instructions, divergences: divergence == nil ? 0 : 1,
            first: divergence.map {
                let names = ($0.differences + $0.memory).map(\.name).joined(separator: ", ")
                return "\(names) at instruction \($0.instructions)"
            })
    }
}
