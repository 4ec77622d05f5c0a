/// What a translation is specialised on besides its physical address: the mode bits of the block key.
struct BlockMode: OptionSet, Equatable {
    let rawValue: UInt32

    /// D bit of CS: 32-bit operands and addresses by default.
    static let code32 = BlockMode(rawValue: 1 << 0)
    /// CS ends at 4 GiB, which is also a page's end: EIP needs no checking but in instructions that cross pages.
    static let flatCode = BlockMode(rawValue: 1 << 1)
    /// SS is flat and uses ESP: the stack is addressed by a bare register.
    static let flatStack = BlockMode(rawValue: 1 << 2)
    /// DS and ES are flat: base 0, limit 4 GiB, readable and writable.
    static let flatData = BlockMode(rawValue: 1 << 3)
    static let flatExtra = BlockMode(rawValue: 1 << 4)

    /// What 32-bit operating systems run in.
    static let allFlat: BlockMode = [.code32, .flatCode, .flatStack, .flatData, .flatExtra]
}

extension Segment {
    private static let end = UInt64(1) << 32

    /// Every offset is its own linear address, for reading and writing.
    @inline(__always) var isFlat: Bool { base == 0 && readEnd == Self.end && writeEnd == Self.end }
}

extension Processor {
    /// The mode bits as they are now.
    var blockMode: BlockMode {
        var mode: BlockMode = pointee.is32BitCode ? .code32 : []
        if pointee.cs.limit == .max, pointee.cs.base & 0xFFF == 0 { mode.insert(.flatCode) }
        if pointee.ss.isFlat, pointee.stackMask == .max { mode.insert(.flatStack) }
        if pointee.ds.isFlat { mode.insert(.flatData) }
        if pointee.es.isFlat { mode.insert(.flatExtra) }
        return mode
    }
}
