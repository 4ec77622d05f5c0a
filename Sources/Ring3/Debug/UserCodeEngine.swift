import X86

/// How the code of a `UserModeMachine` is executed.
///
/// This file is all that an engine has to be entered in to be compared with the real processor (`Scripts/oracle
/// --engine NAME`): a case here, one line in `make`, and the conformance.
package enum EngineKind: String, CaseIterable, Sendable {
    /// The interpreter.
    case interpret
    /// The interpreter without its decode cache.
    case textbook
    /// Translated blocks.
    case translate

    func make(_ cpu: Processor, _ decoder: Decoder) throws -> any UserCodeEngine {
        switch self {
        case .interpret: try Interpreter(cpu: cpu, decoder: decoder, usesCache: true)
        case .textbook: try Interpreter(cpu: cpu, decoder: decoder, usesCache: false)
        case .translate:
            try ThreadedEngine(cpu: cpu, interpreter: try Interpreter(cpu: cpu, decoder: decoder, usesCache: true))
        }
    }
}

/// What a `UserModeMachine` wants of an engine.
protocol UserCodeEngine: AnyObject {
    /// Runs from the processor's state on, until something stops it or `sliceEnd` instructions have been counted.
    ///
    /// Exceptions are delivered through the IDT, and each handler is a HLT in ring 0, so a run ends with `.halted`. A
    /// run that does not end may go on somewhat beyond `sliceEnd`.
    func run(until sliceEnd: UInt64) -> EngineStop
    /// `count` bytes of RAM that may hold translated or decoded code were written.
    func codeWritten(_ physical: UInt32, count: UInt32)
}

extension Interpreter: UserCodeEngine {}
extension ThreadedEngine: UserCodeEngine {}
