/// How guest code is executed.
public enum Engine: String, CaseIterable, Sendable {
    /// One instruction at a time, no translation: the reference.
    case interpret
    /// Translated blocks, run by the threaded executor.
    case translate
    /// Translated blocks, as code of the host's processor.
    case native

    /// Those that this host can run.
    public static var available: [Engine] { allCases.filter { $0 != .native || isNativeSupported } }

    /// The fastest of them.
    public static var fastest: Engine { isNativeSupported ? .native : .translate }

    private static var isNativeSupported: Bool {
        #if arch(x86_64) && os(Linux)
            NativeEngine.isSupported
        #else
            false
        #endif
    }
}

/// What a virtual machine is made of.
public struct MachineConfiguration: Sendable {
    /// RAM in bytes: a multiple of 4 KiB, 2 MiB...3 GiB.
    public var memorySize = 128 << 20
    public var engine = Engine.interpret
    /// Compare every block with this engine; implies `isDeterministic`.
    public var lockstep: Engine?
    /// Virtual time counts instructions, and the clock starts at a fixed date: two runs are bit-identical.
    public var isDeterministic = false
    /// Keep decoded instructions; without it every instruction is fetched and decoded anew.
    public var usesDecodeCache = true
    /// Have all code that the native engine emits verified before it is executed.
    public var verifiesEmittedCode = false
    /// What the real-time clock starts at, in seconds since 1970 (UTC).
    public var startDate = 946_684_800
    /// Stop after so many instructions.
    public var maximumInstructions = UInt64.max
    /// Stop after so many host nanoseconds.
    public var timeout = UInt64.max

    public init() {}
}

/// How a run ended.
public enum RunOutcome: Sendable {
    /// ACPI S5.
    case powerOff
    /// Reset by port 0x64, 0x92, 0xCF9: the guest wanted to reboot.
    case reset
    /// HLT that no interrupt can end.
    case finalHalt
    /// A write to the debug-exit port: (value << 1) | 1.
    case debugExit(status: UInt32)
    case tripleFault(TripleFaultReport)
    /// Engines in lockstep computed different things.
    case diverged(Divergence)
    /// The verifier refuses code that the native engine emitted.
    case unsafeCode(EmittedCodeFinding)
    case timeout
    case instructionLimit
    /// `stop()` was called.
    case stopped
}

extension RunOutcome {
    /// How a run ended, in words.
    package var words: String {
        switch self {
        case .powerOff: "power-off"
        case .reset: "reset"
        case .finalHalt: "halted for good"
        case .debugExit(let status): "debug exit, status \(status)"
        case .tripleFault: "triple fault"
        case .diverged: "engines diverged"
        case .unsafeCode: "emitted code was refused"
        case .timeout: "stopped by --timeout"
        case .instructionLimit: "stopped by --max-instructions"
        case .stopped: "stopped by the user"
        }
    }
}
