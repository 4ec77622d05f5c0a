import Hardware

/// What the verifier has proved of emitted code so far.
package struct EmittedCodeProofs: Encodable, Equatable, Sendable {
    /// Blocks, before they could be executed.
    package internal(set) var blocks = 0
    /// Jumps that were led to another block.
    package internal(set) var links = 0
    /// Blocks that were made stale.
    package internal(set) var retired = 0
    /// Instructions of the host's that were read for that.
    package internal(set) var instructions = 0
    /// What was not as it must be; the first ends the run.
    package internal(set) var refused = 0

    package init(refused: Int = 0) { self.refused = refused }
}

extension VirtualMachine {
    /// What has been proved of the code that this machine's engine emitted; nil if nobody verifies it.
    package var emittedCodeProofs: EmittedCodeProofs? {
        #if arch(x86_64) && os(Linux)
            (inspectable as? NativeEngine)?.cache.verification?.proofs
        #else
            nil
        #endif
    }

    /// Host addresses that emitted code can reach as the guest's memory.
    package var guestWindows: [Range<UInt64>] {
        #if arch(x86_64) && os(Linux)
            (inspectable as? NativeEngine)?.spaces.windows ?? []
        #else
            []
        #endif
    }

    /// What the host's kernel calls the mappings of guest RAM.
    package static var memoryFile: String { "/memfd:\(PhysicalMemory.fileName)" }

    /// Everything executed in emitted blocks since `startInspection`, by what was made of it; nil on other engines.
    package var nativeDispositions: NativeDispositions? {
        #if arch(x86_64) && os(Linux)
            (inspectable as? NativeEngine)?.cache.profile?.executedByDisposition
        #else
            nil
        #endif
    }
}
