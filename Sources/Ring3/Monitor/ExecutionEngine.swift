import X86

/// What runs guest code: the only thing a machine knows of its engine.
protocol ExecutionEngine: AnyObject {
    /// Runs until `sliceEnd` instructions have been counted, or something else stops it.
    func run(until sliceEnd: UInt64) -> EngineStop
    /// What executes single instructions, and can count them.
    var interpreter: Interpreter { get }
    /// `count` bytes of RAM at `physical` (one page), which `codeMap` says hold code, were written.
    func codeWritten(_ physical: UInt32, count: UInt32)
    /// What translation came to; nil for an engine that does not translate.
    var translation: TranslationStatistics? { get }
    /// What the verifier has against the code it emitted.
    var finding: EmittedCodeFinding? { get }
}

extension ExecutionEngine {
    var translation: TranslationStatistics? { nil }
    var finding: EmittedCodeFinding? { nil }
}

/// An engine that can stop behind every block, so that another can be compared with it there.
protocol BlockEngine: ExecutionEngine {
    /// Runs one block (on an engine without blocks, one instruction) and attends to what is pending behind it; nil if
    /// that is all there was.
    func runBlock(until sliceEnd: UInt64) -> EngineStop?
}

extension Interpreter: BlockEngine {
    var interpreter: Interpreter { self }

    func codeWritten(_ physical: UInt32, count: UInt32) {
        codeWritten(physical, count: count, isStillCode: { _ in false })
    }
}

extension ThreadedEngine: BlockEngine {
    var translation: TranslationStatistics? { cache.statistics }
}

extension Engine {
    /// Why there is no engine.
    enum Failure: Error, CustomStringConvertible {
        /// The host refused memory; `errno` says why.
        case memory(errno: Int32)
        /// The host is not one for which code can be emitted.
        case unsupported

        /// Another choice of engine would do.
        var isUsage: Bool {
            if case .unsupported = self { true } else { false }
        }

        var description: String {
            switch self {
            case .memory(let errno): "cannot reserve the engine's caches: errno \(errno)"
            case .unsupported:
                "engine native needs x86-64 Linux, a processor with BMI2, and a kernel that allows FSGSBASE; "
                    + "use --engine translate"
            }
        }
    }

    /// Throws unless this host can run it: in one line, for commands that need just this engine.
    package func checkAvailability() throws(RunFailure) {
        guard Engine.available.contains(self) else {
            throw RunFailure("\(Failure.unsupported)", exitStatus: ExitStatus.unavailable)
        }
    }

    /// An engine for that processor.
    ///
    /// - Parameters:
    ///   - usesCache: keep decoded instructions; without it every one is fetched and decoded anew.
    ///   - verifies: have the code that the engine emits verified.
    ///   - keepsTranslations: real time: the engine may keep translations of addresses that the guest flushes, if the page
    ///     tables say the same (see `AddressSpaces`), and answer RDTSC by the host's counter.
    func make(
        cpu: Processor, decoder: Decoder, usesCache: Bool, verifies: Bool = false, keepsTranslations: Bool = false
    ) throws(Failure) -> any BlockEngine {
        let interpreter: Interpreter
        do throws(DecodeCache.Failure) {
            interpreter = try Interpreter(cpu: cpu, decoder: decoder, usesCache: usesCache)
        } catch {
            throw .memory(errno: error.errno)
        }
        switch self {
        case .interpret: return interpreter
        case .translate:
            do throws(TranslationCache.Failure) {
                return try ThreadedEngine(cpu: cpu, interpreter: interpreter)
            } catch {
                throw .memory(errno: error.errno)
            }
        case .native:
            #if arch(x86_64) && os(Linux)
                guard NativeEngine.isSupported else { throw .unsupported }
                do throws(CodeArena.Failure) {
                    return try NativeEngine(
                        cpu: cpu, memory: cpu.pointee.platform.takeUnretainedValue().memory, interpreter: interpreter,
                        verifies: verifies,
                        keepsTranslations: keepsTranslations)
                } catch {
                    throw .memory(errno: error.errno)
                }
            #else
                throw .unsupported
            #endif
        }
    }
}
