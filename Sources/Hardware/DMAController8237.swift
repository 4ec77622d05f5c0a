/// One 8237A DMA controller: the registers of four channels.
///
/// No device of this machine transfers by DMA, so nothing moves and no channel ever reaches terminal count; programming
/// reads back as on hardware, which is what kernels look for. Offsets are the chip's register numbers, 0–15.
/// Source: Intel 8237A data sheet (231466).
public final class DMAController8237: BusDevice {
    private struct Channel {
        var address: UInt16 = 0
        var count: UInt16 = 0
    }

    /// How far apart the registers are: 1 on the first controller, 2 on the second, which counts 16-bit words.
    private let stride: UInt32
    private var channels = [Channel](repeating: Channel(), count: 4)
    /// Software requests, one bit a channel.
    private var requests: UInt8 = 0
    private var mask: UInt8 = 0x0F
    /// Which byte of a 16-bit register comes next.
    private var isHighByteNext = false

    /// - Parameter stride: port numbers from one register to the next: 1 or 2.
    public init(stride: UInt32) {
        self.stride = stride
    }

    public func read(offset: UInt32, width: Int) -> UInt32 {
        let register = Int(offset / stride & 15)
        switch register {
        case 0...7:
            let channel = channels[register / 2]
            let value = register & 1 == 0 ? channel.address : channel.count
            defer { isHighByteNext.toggle() }
            return UInt32(isHighByteNext ? value >> 8 : value & 0xFF)
        case 8: return UInt32(requests << 4)  // Status: requests, and no terminal counts.
        case 15: return UInt32(0xF0 | mask)
        default: return 0  // Temporary register, and what cannot be read.
        }
    }

    public func write(offset: UInt32, value: UInt32, width: Int) {
        let register = Int(offset / stride & 15)
        let value = UInt8(truncatingIfNeeded: value)
        let selected: UInt8 = 1 << (value & 3)
        switch register {
        case 0...7: writeChannel(register, value)
        case 8, 11: break  // Command and mode cannot be read, and without transfers they do nothing.
        case 9: requests = value & 0x04 != 0 ? requests | selected : requests & ~selected
        case 10: mask = value & 0x04 != 0 ? mask | selected : mask & ~selected
        case 12: isHighByteNext = false
        case 13: clear()
        case 14: mask = 0
        default: mask = value & 0x0F
        }
    }

    private func writeChannel(_ register: Int, _ value: UInt8) {
        let path = register & 1 == 0 ? \Channel.address : \Channel.count
        let old = channels[register / 2][keyPath: path]
        channels[register / 2][keyPath: path] =
            isHighByteNext ? old & 0x00FF | UInt16(value) << 8 : old & 0xFF00 | UInt16(value)
        isHighByteNext.toggle()
    }

    /// Master clear, as a hardware reset does.
    private func clear() {
        requests = 0
        mask = 0x0F
        isHighByteNext = false
    }
}

/// The DMA page registers, 0x81–0x8F: the address bits above those of the 8237A, as plain latches.
///
/// Offsets count from port 0x80, whose own latch is the POST port.
public final class DMAPageRegisters: BusDevice {
    private var pages = [UInt8](repeating: 0, count: 16)

    public init() {}

    public func read(offset: UInt32, width: Int) -> UInt32 { UInt32(pages[Int(offset & 15)]) }

    public func write(offset: UInt32, value: UInt32, width: Int) {
        pages[Int(offset & 15)] = UInt8(truncatingIfNeeded: value)
    }
}
