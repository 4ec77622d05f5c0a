/// What a run has counted, for people and programs.
public struct RunStatistics: Sendable {
    /// Instructions begun; a slice of 4096 repeats of a string instruction counts as 257.
    public let instructions: UInt64
    /// Guest time since power-on.
    public let virtualNanoseconds: UInt64
    /// The processor's own counters.
    public let processor: Statistics

    /// Those of the translation cache; nil for an engine that does not translate.
    public let translation: TranslationStatistics?

    init(_ state: ProcessorState, virtualNanoseconds: UInt64, translation: TranslationStatistics?) {
        instructions = state.instructions
        self.virtualNanoseconds = virtualNanoseconds
        processor = state.statistics
        self.translation = translation
    }
}
