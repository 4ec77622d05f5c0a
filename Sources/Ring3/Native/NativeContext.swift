/// What emitted code and the monitor tell each other; a part of the processor's state, behind the one pointer that
/// emitted code has.
struct NativeContext {
    /// Host address at which to go on.
    var entry: UInt64 = 0
    /// EFLAGS image, in and out. Only the six status flags are the guest's.
    var flags: UInt64 = 0
    /// Address that stands for the instructions left: see `InstructionBudget`.
    var budget: UInt64 = 0
    /// Out: which `NativeSite` was left by; `NativeContext.fault` after a host exception.
    var exit: UInt64 = 0
    /// GS base: where the window in use begins.
    var window: UInt64 = 0
    /// The jump cache in use.
    var jumpCache: UInt64 = 0
    /// Of a host exception: where, on which address, and the error code of the host's page fault.
    var faultPlace: UInt64 = 0
    var faultAddress: UInt64 = 0
    var faultCode: UInt64 = 0

    /// `exit` after a host exception.
    static let fault: UInt32 = .max
}
