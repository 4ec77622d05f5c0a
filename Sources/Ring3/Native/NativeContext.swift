/// What emitted code and the monitor tell each other; a part of the processor's state, behind the one pointer that
/// emitted code has.
struct NativeContext {
    /// Host address at which to go on.
    var entry: UInt64 = 0
    /// EFLAGS image, in and out. Only the six status flags are the guest's.
    var flags: UInt64 = 0
    /// Address that stands for the instructions left: see `InstructionBudget`.
    var budget: UInt64 = 0
    /// Out: which `NativeSite` was left by; `NativeContext.fault` after a host exception, `NativeContext.miss` where a
    /// stub found nothing in the jump cache.
    var exit: UInt64 = 0
    /// GS base: where the window in use begins.
    var window: UInt64 = 0
    /// The jump cache in use.
    var jumpCache: UInt64 = 0
    /// The same of the other privilege level, 0 or 3.
    var otherWindow: UInt64 = 0
    var otherJumpCache: UInt64 = 0
    /// Of a host exception: where, its vector, and of a page fault the address and the error code.
    var faultPlace: UInt64 = 0
    var faultVector: UInt64 = 0
    var faultAddress: UInt64 = 0
    var faultCode: UInt64 = 0
    /// Flags, while an instruction is executed that would change them without saying how.
    var savedFlags: UInt64 = 0
    /// R10 after a host exception.
    var repeatCount: UInt64 = 0
    /// RSP of the monitor.
    var hostStack: UInt64 = 0
    var calls = CallStackPlaces()
    /// Address of the FXSAVE image in which the guest's x87 and SSE state waits while the monitor runs.
    var unitsImage: UInt64 = 0
    /// 1 if its x87 part is not up to date: that state stays in the unit while the monitor runs, which does not use it.
    var isX87Loaded: UInt32 = 0
    /// 0 while that state is the guest's own and the processor's is out of date; 1 while it is the other way round, and
    /// emitted code must not use the units.
    var lacksUnits: UInt32 = 1
    /// MXCSR for the monitor.
    var hostControl: UInt32 = 0x1F80
    /// Index of the last x87 instruction executed that was not a control instruction, `none` if there was none since that
    /// was looked at; the same of the last with an operand in memory, and where that was.
    var lastX87: UInt32 = NativeContext.none
    var lastX87WithOperand: UInt32 = NativeContext.none
    var x87Operand: UInt32 = 0
    /// The control word that emitted code is about to load.
    var x87Control: UInt32 = 0

    var dataRegion = DataRegion()
    var descriptors = LoadedDescriptors()
    var openSegments = OpenSegments()
    var clock = HostClock()

    /// Address of `HostSampler`'s list of places; 0 if nobody takes samples.
    var samples: UInt64 = 0

    static let none: UInt32 = .max

    /// `exit` after a host exception.
    static let fault: UInt32 = .max
    /// `exit` where a stub did not find an address in the jump cache: behind returns, system calls and `InlineEnding`s.
    static let miss: UInt32 = .max - 1
}

extension ProcessorState {
    /// Where emitted code finds a field: its byte offset.
    static func place(_ field: PartialKeyPath<ProcessorState>) -> Int {
        guard let offset = MemoryLayout<ProcessorState>.offset(of: field) else {
            preconditionFailure("not a stored property: \(field)")
        }
        return offset
    }
}
