/// The 32 KiB of display memory at 0xB8000 as text modes use it: characters at even, attributes at odd addresses.
public final class TextMemory: BusDevice {
    /// Bytes.
    public static let size = 0x8000
    /// Cells that fit.
    static let cellCount = size / 2

    /// Owned; three bytes longer than `size`, so that a masked offset is good for a 4-byte access.
    private let bytes: UnsafeMutableRawPointer
    /// Counts writes; equal values mean that nothing was written in between.
    public private(set) var changeCount: UInt64 = 0

    public init() {
        bytes = .allocate(byteCount: Self.size + 3, alignment: 4)
        bytes.initializeMemory(as: UInt8.self, repeating: 0, count: Self.size + 3)
        // White on black blanks, as firmware clears the screen.
        for cell in 0..<Self.cellCount { bytes.storeBytes(of: 0x0720, toByteOffset: 2 * cell, as: UInt16.self) }
    }

    deinit {
        bytes.deallocate()
    }

    public var accessWidth: Int { 4 }

    public func read(offset: UInt32, width: Int) -> UInt32 {
        // The mask keeps the access inside the allocation whatever the offset; the bus discards surplus bytes.
        UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: Int(offset & 0x7FFF), as: UInt32.self))
    }

    public func write(offset: UInt32, value: UInt32, width: Int) {
        changeCount &+= 1
        let place = bytes + Int(offset & 0x7FFF)
        switch width {
        case 4: place.storeBytes(of: value.littleEndian, as: UInt32.self)
        case 2: place.storeBytes(of: UInt16(truncatingIfNeeded: value).littleEndian, as: UInt16.self)
        default: place.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
        }
    }

    /// The cell at `index`, which wraps at the end of the memory.
    func cell(_ index: Int) -> TextScreen.Cell {
        let offset = 2 * (index & (Self.cellCount - 1))
        return TextScreen.Cell(
            character: bytes.load(fromByteOffset: offset, as: UInt8.self),
            attribute: bytes.load(fromByteOffset: offset + 1, as: UInt8.self))
    }
}
