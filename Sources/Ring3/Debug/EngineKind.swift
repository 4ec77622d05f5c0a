import X86

/// How the code of a `UserModeMachine` is executed: the engines, and the interpreter in its textbook form.
package enum EngineKind: String, CaseIterable, Sendable {
    /// The interpreter.
    case interpret
    /// The interpreter without its decode cache.
    case textbook
    /// Translated blocks.
    case translate
    /// Translated blocks as the host's code.
    case native

    private var engine: Engine {
        switch self {
        case .interpret, .textbook: .interpret
        case .translate: .translate
        case .native: .native
        }
    }

    /// An engine of that kind.
    func make(_ cpu: Processor, _ decoder: Decoder) throws(Engine.Failure) -> any ExecutionEngine {
        try engine.make(cpu: cpu, decoder: decoder, usesCache: self != .textbook)
    }
}
