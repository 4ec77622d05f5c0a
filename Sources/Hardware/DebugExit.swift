/// The exit port of test guests at 0xF4: writing `value` ends the machine with status `value << 1 | 1`.
///
/// The status is never 0, so a guest cannot be mistaken for one that ended by itself. Source: QEMU, "isa-debug-exit".
public final class DebugExit: BusDevice {
    /// Called with the exit status, during the guest's write.
    public var onExit: (UInt32) -> Void = { _ in }

    public init() {}

    public var accessWidth: Int { 4 }

    public func read(offset: UInt32, width: Int) -> UInt32 { 0 }

    public func write(offset: UInt32, value: UInt32, width: Int) {
        onExit(value << 1 | 1)
    }
}
