/// The reset control register at 0xCF9: a rising bit 2 resets the machine.
///
/// Its window is the whole of 0xCF8–0xCFB, because only a byte access reaches it: a 32-bit one there is the address
/// register of PCI configuration, which this machine does not have. Claiming the window keeps a guest that scans for
/// PCI devices from resetting itself. Source: Intel 82371AB data sheet, "RC: Reset Control Register".
public final class ResetControl: BusDevice {
    /// Called when the guest asks for a reset, during its write.
    public var onReset: () -> Void = {}
    private static let register: UInt32 = 1
    private static let resetCPU: UInt8 = 0x04
    private var stored: UInt8 = 0

    public init() {}

    public var accessWidth: Int { 4 }

    public func read(offset: UInt32, width: Int) -> UInt32 {
        offset == Self.register && width == 1 ? UInt32(stored) : .max
    }

    public func write(offset: UInt32, value: UInt32, width: Int) {
        guard offset == Self.register, width == 1 else { return }
        let old = stored
        stored = UInt8(value & 0x0E)
        if stored & ~old & Self.resetCPU != 0 { onReset() }
    }
}
