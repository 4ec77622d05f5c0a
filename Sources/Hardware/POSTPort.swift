/// Port 0x80: a latch for power-on self-test codes, written by kernels to pass a microsecond.
public final class POSTPort: BusDevice {
    /// The code last written.
    public private(set) var code: UInt8 = 0

    public init() {}

    public func read(offset: UInt32, width: Int) -> UInt32 { UInt32(code) }

    public func write(offset: UInt32, value: UInt32, width: Int) {
        code = UInt8(truncatingIfNeeded: value)
    }
}
