/// The bytes of an instruction through ModR/M and SIB byte: which instruction it is, but for the values of a displacement
/// and an immediate behind them.
public struct InstructionHead: Sendable {
    /// The bytes in memory order; above them their count, and the code size.
    public let word: UInt64
    /// Bytes of the displacement that follows.
    @usableFromInline let displacementSize: Int

    /// Bytes, 1...7.
    public var count: Int { Int(truncatingIfNeeded: word >> 56 & 7) }

    /// A hash of so many bits (1...32).
    @inlinable public func hash(bits: UInt64) -> Int {
        Int(truncatingIfNeeded: (word &* 0x9E37_79B9_7F4A_7C15) >> (64 - bits))
    }

    @inlinable
    init(_ bytes: UInt64, count: Int, size: CodeSize, displacementSize: Int) {
        word = bytes & (1 << UInt64(8 * count) - 1) | UInt64(count) << 56 | UInt64(size.rawValue) << 60
        self.displacementSize = displacementSize
    }
}

/// Finds the heads of instructions, and asks nothing but how far they reach.
public struct InstructionHeads: ~Copyable {
    /// What a byte is where an opcode may be.
    @usableFromInline
    enum Kind: UInt8 {
        case plain
        case modRM
        /// MOV between the accumulator and an address.
        case absolute
        case escape
        case prefix
        case addressSize
    }

    /// Instructions with more prefixes than anybody needs have no head.
    @usableFromInline static var mostPrefixes: Int { 3 }
    /// Of opcodes, one-byte ones first: see `OpcodeMap`.
    @usableFromInline let kinds: UnsafeMutablePointer<Kind>

    public init() {
        kinds = .allocate(capacity: OpcodeMap.forms.count)
        for (opcode, form) in OpcodeMap.forms.enumerated() {
            (kinds + opcode).initialize(to: form.hasModRM ? .modRM : .plain)
        }
        for opcode in 0xA0...0xA3 { kinds[opcode] = .absolute }
        for byte in 0...UInt8.max {
            let prefixes = withUnsafeBytes(of: byte) { LegacyPrefixes($0) }
            if prefixes.count == 1 { kinds[Int(byte)] = prefixes.addressSize ? .addressSize : .prefix }
        }
        kinds[0x0F] = .escape
    }

    deinit { kinds.deallocate() }

    /// The head of an instruction in code of that size; nil if it has more than three prefixes.
    ///
    /// - Parameter bytes: its first eight bytes, and of those behind it, in memory order.
    @inlinable @inline(__always)
    public func head(of bytes: UInt64, size: CodeSize) -> InstructionHead? {
        var rest = bytes
        var kind = kinds[Int(rest & 0xFF)]
        var count = 1
        var isToggled = false
        while kind == .prefix || kind == .addressSize {
            if kind == .addressSize { isToggled = true }
            guard count <= Self.mostPrefixes else { return nil }
            count += 1
            rest >>= 8
            kind = kinds[Int(rest & 0xFF)]
        }
        if kind == .escape {
            count += 1
            rest >>= 8
            kind = kinds[OpcodeMap.twoByte(UInt8(truncatingIfNeeded: rest))]
        }
        let is32Bit = (size == .bits32) != isToggled
        var displacementSize = 0
        if kind == .modRM {
            count += 1
            let address = AddressForm(modRM: UInt8(truncatingIfNeeded: rest >> 8), is32Bit: is32Bit)
            if address.hasSIB { count += 1 }
            displacementSize = address.displacementSize(sib: UInt8(truncatingIfNeeded: rest >> 16))
        } else if kind == .absolute {
            displacementSize = is32Bit ? 4 : 2
        }
        return InstructionHead(bytes, count: count, size: size, displacementSize: displacementSize)
    }
}
