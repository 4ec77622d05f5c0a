import X86

/// How the translator treats one guest instruction.
enum Disposition: UInt8, CaseIterable {
    /// Innocuous: translated as it is.
    case identical
    /// Same effect by other means: flags that nobody reads are not computed, a comparison is fused with its branch.
    case rewritten
    /// A near transfer of control: its target is found by chaining or lookup.
    case controlFlow
    /// Sensitive: the monitor does it.
    case callout
}

/// One guest instruction of a block, kept beside its micro-ops: for slow paths, callouts and inspection.
struct BlockInstruction {
    var instruction: Instruction
    /// From the block's first byte.
    var offset: UInt16
    /// Index of its first micro-op.
    var firstOp: UInt16
    /// Instructions, this one included, that a slow path here must count: those since the last micro-op that did.
    var sinceSync: UInt16
    /// Index + 1 of the instruction whose flags were not stored and must be recovered before this one can fault; or 0.
    var recovery: UInt16
    var role: BlockRole
    var disposition: Disposition
}

/// A translated block: this header, its instructions, then its micro-ops, in one piece of the translation cache's arena.
struct TranslatedBlock {
    /// See `TranslationCache.key`.
    var key: UInt64
    /// The most instructions an execution can complete; `stale` once the code has changed.
    var limit: UInt64
    /// Guest-physical address of the first byte, and of the byte after the last: all in one page.
    var physical: UInt32
    var end: UInt32
    var instructionCount: UInt16
    var opCount: UInt16
    var mode: BlockMode
    var instructions: UnsafeMutablePointer<BlockInstruction>
    var ops: UnsafeMutablePointer<MicroOp>
    /// Another block that begins on the same physical page.
    var nextOnPage: UnsafeMutablePointer<TranslatedBlock>?

    /// No instruction count reaches this: entering the block always goes the slow way.
    static let stale: UInt64 = 1 << 62
}

typealias BlockPointer = UnsafeMutablePointer<TranslatedBlock>
