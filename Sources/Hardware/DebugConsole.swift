/// The debug console at port 0xE9: each byte written goes to `output`, each read gives 0xE9.
///
/// The read is how guests find it. Source: Bochs, "port_e9_hack"; QEMU, "isa-debugcon".
public final class DebugConsole: BusDevice {
    private let output: (UInt8) -> Void

    public init(output: @escaping (UInt8) -> Void) {
        self.output = output
    }

    public func read(offset: UInt32, width: Int) -> UInt32 { 0xE9 }

    public func write(offset: UInt32, value: UInt32, width: Int) {
        output(UInt8(truncatingIfNeeded: value))
    }
}
