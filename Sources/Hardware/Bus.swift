/// A device reached through I/O ports or memory. It knows offsets in its own window, never its address.
///
/// Accesses arrive at most `accessWidth` bytes wide; the bus splits wider ones into consecutive offsets, low first, as
/// the ISA bus does for 8-bit cards.
public protocol BusDevice: AnyObject {
    /// Widest access in bytes the device takes in one cycle: 1, 2 or 4.
    var accessWidth: Int { get }
    /// Value at `offset`, `width` bytes (1, 2, 4); bits above `width` are ignored.
    func read(offset: UInt32, width: Int) -> UInt32
    /// Stores the low `width` bytes of `value` at `offset`.
    func write(offset: UInt32, value: UInt32, width: Int)
}

extension BusDevice {
    public var accessWidth: Int { 1 }
}

/// An address space of devices: the 64 Ki I/O ports, or the guest-physical addresses that are not RAM.
///
/// Addresses that no device claims read all ones and ignore writes.
public final class Bus {
    /// A range that overlaps one already registered, or leaves the address space.
    public struct Conflict: Error, Equatable {
        public let range: ClosedRange<UInt32>
    }

    /// A class, so that an access need not retain the device.
    final class Window {
        let range: ClosedRange<UInt32>
        let device: any BusDevice
        /// Offset of the window's first address inside the device.
        let offset: UInt32
        /// The device's.
        let accessWidth: Int

        init(range: ClosedRange<UInt32>, device: any BusDevice, offset: UInt32) {
            (self.range, self.device, self.offset) = (range, device, offset)
            accessWidth = device.accessWidth
        }

        /// Where an address of the window is inside the device.
        func deviceOffset(_ address: UInt32) -> UInt32 { address - range.lowerBound + offset }
    }

    /// Highest address.
    public let limit: UInt32
    private(set) var windows: [Window] = []
    /// That of `windows` which was accessed last: a driver stays with its device.
    private var recent: Unmanaged<Window>?

    /// - Parameter limit: highest address: 0xFFFF for ports, 0xFFFF_FFFF for memory.
    public init(limit: UInt32) {
        self.limit = limit
    }

    /// Puts `device` at `range`; its first address is the device's offset `offset`.
    public func register(_ device: any BusDevice, at range: ClosedRange<UInt32>, offset: UInt32 = 0) throws(Conflict) {
        guard range.upperBound <= limit, !windows.contains(where: { $0.range.overlaps(range) }) else {
            throw Conflict(range: range)
        }
        windows.append(Window(range: range, device: device, offset: offset))
        windows.sort { $0.range.lowerBound < $1.range.lowerBound }
    }

    /// Whether a device claims `address`.
    public func isClaimed(_ address: UInt32) -> Bool { window(of: address) != nil }

    /// Value of `width` (1, 2 or 4) bytes at `address`.
    public func read(_ address: UInt32, width: Int) -> UInt32 {
        var value: UInt32 = 0
        forEachCycle(address, width: width) { window, cycle, done, size in
            let part = window?._withUnsafeGuaranteedRef { $0.device.read(offset: $0.deviceOffset(cycle), width: size) }
            value |= Self.low(part ?? .max, size) << UInt32(done * 8)
        }
        return value
    }

    /// Stores the low `width` (1, 2 or 4) bytes of `value` at `address`.
    public func write(_ address: UInt32, value: UInt32, width: Int) {
        forEachCycle(address, width: width) { window, cycle, done, size in
            let part = Self.low(value >> UInt32(done * 8), size)
            window?._withUnsafeGuaranteedRef {
                $0.device.write(offset: $0.deviceOffset(cycle), value: part, width: size)
            }
        }
    }

    /// The low `width` bytes.
    private static func low(_ value: UInt32, _ width: Int) -> UInt32 {
        width == 4 ? value : value & (1 << UInt32(width * 8) - 1)
    }

    /// The window that claims an address.
    @inline(__always)
    private func window(of address: UInt32) -> Unmanaged<Window>? {
        if let recent, recent._withUnsafeGuaranteedRef({ $0.range.contains(address) }) { return recent }
        return search(address)
    }

    private func search(_ address: UInt32) -> Unmanaged<Window>? {
        var low = 0
        var high = windows.count
        while low < high {
            let middle = (low + high) / 2
            if windows[middle].range.upperBound < address { low = middle + 1 } else { high = middle }
        }
        guard low < windows.count, windows[low].range.contains(address) else { return nil }
        recent = .passUnretained(windows[low])
        return recent
    }

    /// Splits an access into the cycles that devices see: window, address, bytes already done, size of this one.
    @inline(__always)
    private func forEachCycle(
        _ address: UInt32, width: Int, _ body: (Unmanaged<Window>?, UInt32, Int, Int) -> Void
    ) {
        var done = 0
        while done < width {
            let cycle = (address &+ UInt32(done)) & limit
            let window = window(of: cycle)
            var size = width - done
            if let window {
                let (left, accessWidth) = window._withUnsafeGuaranteedRef {
                    (Int($0.range.upperBound - cycle) + 1, $0.accessWidth)
                }
                while size > accessWidth || size > left || size == 3 { size -= 1 }
            } else {
                size = 1
            }
            body(window, cycle, done, size)
            done += size
        }
    }
}
