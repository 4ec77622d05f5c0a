/// A file's bytes, read little-endian at offsets the file itself may have named: nothing here can trap.
struct ImageBytes {
    let bytes: [UInt8]

    var count: Int { bytes.count }

    /// The integer at `offset`, or nil unless all of it lies inside the file.
    func read<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type) -> T? {
        let size = MemoryLayout<T>.size
        guard offset >= 0, offset <= count - size else { return nil }
        return bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
    }

    func byte(_ offset: Int) -> UInt8? { read(offset, as: UInt8.self) }
    func word(_ offset: Int) -> UInt16? { read(offset, as: UInt16.self) }
    func long(_ offset: Int) -> UInt32? { read(offset, as: UInt32.self) }

    /// `size` bytes from `offset` as a range of subscripts, or nil unless all of them lie inside the file.
    func range(_ offset: UInt64, _ size: UInt64) -> Range<Int>? {
        guard offset <= UInt64(count), size <= UInt64(count) - offset else { return nil }
        return Int(offset)..<Int(offset + size)
    }
}

extension [UInt8] {
    mutating func append<T: FixedWidthInteger>(little value: T) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    /// Overwrites the bytes from `offset` with `value`; they must exist.
    mutating func store<T: FixedWidthInteger>(_ value: T, at offset: Int) {
        Swift.withUnsafeBytes(of: value.littleEndian) { replaceSubrange(offset..<offset + $0.count, with: $0) }
    }

    /// Appends zeros up to a multiple of `alignment` bytes.
    mutating func pad(to alignment: Int) {
        append(contentsOf: repeatElement(0, count: count.roundedUp(to: alignment) - count))
    }
}

extension FixedWidthInteger {
    /// The next multiple of `alignment`, a power of two; the value must be far enough from its type's end.
    func roundedUp(to alignment: Self) -> Self { (self + alignment - 1) & ~(alignment - 1) }
}

/// `value` as messages show addresses and flags: 0x1f.
func hex(_ value: some BinaryInteger) -> String { "0x" + String(value, radix: 16) }

/// `text` as the C string that boot protocols pass.
func cString(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }
