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
}
