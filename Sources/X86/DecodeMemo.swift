/// Instructions decoded before, found again by their bytes.
///
/// For code that is written anew and executed again: much of it is as it was, or differs in an immediate only. Capstone
/// takes some 300 ns an instruction, a look in here 20.
struct DecodeMemo: ~Copyable {
    /// The bytes at hand, and where an instruction that begins with them is looked for.
    struct Key {
        /// The bytes in memory order, zeroes behind them.
        fileprivate let low: UInt64
        fileprivate let high: UInt64
        fileprivate let count: Int
        fileprivate let size: CodeSize
        fileprivate let slot: Int

        init(_ bytes: UnsafeRawBufferPointer, _ encoding: Encoding, _ size: CodeSize) {
            var words: (UInt64, UInt64) = (0, 0)
            withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: bytes) }
            (low, high) = (UInt64(littleEndian: words.0), UInt64(littleEndian: words.1))
            count = bytes.count
            self.size = size
            // Without what may be an immediate: prefixes, opcode and ModR/M.
            let start = low & DecodeMemo.mask(encoding.examined) ^ UInt64(size.rawValue) << 56
            slot = Int(truncatingIfNeeded: (start &* 0x9E37_79B9_7F4A_7C15) >> (64 - DecodeMemo.slotBits))
        }

        /// The `count` (1...4) bytes that end at `end`, as a number.
        fileprivate func value(endingAt end: Int, count: Int) -> UInt32 {
            var value: UInt32 = 0
            for index in stride(from: end - 1, through: end - count, by: -1) {
                let byte = (index < 8 ? low : high) >> UInt64(index % 8 * 8) & 0xFF
                value = value << 8 | UInt32(truncatingIfNeeded: byte)
            }
            return value
        }
    }

    private struct Entry {
        var low: UInt64 = 0
        var high: UInt64 = 0
        /// Bytes that must be the same, and those of the immediate that follow; 0 where there is no instruction.
        var compared = 0
        var immediate = 0
        var size = CodeSize.bits32
        var instruction = Instruction(.invalid)
    }

    private static let slotBits = UInt64(9)
    private let entries: UnsafeMutablePointer<Entry>

    init() {
        entries = .allocate(capacity: 1 << Self.slotBits)
        entries.initialize(repeating: Entry(), count: 1 << Self.slotBits)
    }

    deinit { entries.deallocate() }

    /// The instruction that the bytes begin with, if it is known.
    func find(_ key: Key) -> Instruction? {
        let entry = entries + key.slot
        let compared = entry.pointee.compared
        guard compared != 0, entry.pointee.size == key.size, compared + entry.pointee.immediate <= key.count,
            (entry.pointee.low ^ key.low) & Self.mask(compared) == 0,
            (entry.pointee.high ^ key.high) & Self.mask(compared - 8) == 0
        else { return nil }
        var instruction = entry.pointee.instruction
        if entry.pointee.immediate != 0 {
            instruction.immediate = key.value(endingAt: Int(instruction.length), count: entry.pointee.immediate)
        }
        return instruction
    }

    func insert(_ key: Key, _ instruction: Instruction, _ encoding: Encoding) {
        let length = Int(instruction.length)
        let size = encoding.trailingImmediateSize
        let isPlain = size != 0 && key.value(endingAt: length, count: size) == instruction.immediate
        let immediate = isPlain ? size : 0
        entries[key.slot] = Entry(
            low: key.low, high: key.high, compared: length - immediate, immediate: immediate, size: key.size,
            instruction: instruction)
    }

    /// Of the first `count` bytes of a word; all or none of them beyond its ends.
    fileprivate static func mask(_ count: Int) -> UInt64 {
        count >= 8 ? .max : count <= 0 ? 0 : 1 << UInt64(count * 8) - 1
    }
}

extension Encoding {
    /// Bytes of an immediate at the instruction's end that goes into `Instruction.immediate` without sign extension and
    /// decides nothing else; 0 where there is none, or another kind.
    fileprivate var trailingImmediateSize: Int {
        switch opcode {
        // Shifts and rotates.
        case 0xC0, 0xC1: return 1
        // ADD to CMP and TEST of the accumulator, the same of r/m, PUSH, IMUL, MOV.
        case 0x05, 0x0D, 0x15, 0x1D, 0x25, 0x2D, 0x35, 0x3D, 0x68, 0x69, 0x81, 0xA9, 0xB8...0xBF, 0xC7:
            return operandSize == 4 ? 4 : 0
        default: return 0
        }
    }
}
