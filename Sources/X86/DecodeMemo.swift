/// Instructions decoded before, found again by their heads: most differ from one seen before in the values of their
/// displacement and immediate only.
///
/// Capstone takes some 300 ns an instruction, a look in here ten.
struct DecodeMemo: ~Copyable {
    /// The bytes at hand, and the head of the instruction that they begin with.
    struct Key {
        fileprivate let head: InstructionHead
        /// The first fifteen bytes in memory order, zeroes behind them.
        fileprivate let low: UInt64
        fileprivate let high: UInt64
        /// How many there are.
        fileprivate let available: Int

        /// The `size` (1, 2 or 4) bytes at `place`, with zeroes or copies of their sign above them.
        @inline(__always)
        fileprivate func value(at place: Int, size: Int, isSigned: Bool) -> UInt32 {
            let shift = UInt64(8 * place)
            let word = place < 8 ? low >> shift | high << (64 - shift) : high >> (shift - 64)
            let unused = UInt32(32 - 8 * size)
            let top = UInt32(truncatingIfNeeded: word) << unused
            return isSigned ? UInt32(bitPattern: Int32(bitPattern: top) >> Int32(unused)) : top >> unused
        }
    }

    private struct Entry {
        /// Of a head; 0 where there is no instruction.
        var head: UInt64 = 0
        /// Bytes of the displacement, behind the head, and of the immediate, at the end; 0 for none.
        var displacementSize: UInt8 = 0
        var immediate = ImmediateForm.none
        var instruction = Instruction(.invalid)
    }

    private static let slotBits = UInt64(12)
    private let entries: UnsafeMutablePointer<Entry>
    private let heads = InstructionHeads()

    init() {
        entries = .allocate(capacity: 1 << Self.slotBits)
        entries.initialize(repeating: Entry(), count: 1 << Self.slotBits)
    }

    deinit { entries.deallocate() }

    /// Where an instruction that begins with `bytes`, 1...15 of them, is looked for; nil for those that are never in here.
    func key(_ bytes: UnsafeRawBufferPointer, _ size: CodeSize) -> Key? {
        var low: UInt64 = 0
        var high: UInt64 = 0
        if bytes.count == Decoder.maximumLength {
            low = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
            high = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 7, as: UInt64.self)) >> 8
        } else {
            for index in bytes.indices.reversed() {
                high = high << 8 | low >> 56
                low = low << 8 | UInt64(bytes[index])
            }
        }
        guard let head = heads.head(of: low, size: size) else { return nil }
        return Key(head: head, low: low, high: high, available: bytes.count)
    }

    private func entry(_ key: Key) -> UnsafeMutablePointer<Entry> {
        entries + key.head.hash(bits: Self.slotBits)
    }

    /// The instruction that the bytes begin with, if it is known.
    func find(_ key: Key) -> Instruction? {
        let entry = entry(key)
        guard entry.pointee.head == key.head.word, Int(entry.pointee.instruction.length) <= key.available else {
            return nil
        }
        return Self.instruction(entry.pointee, key)
    }

    /// The entry's instruction with the values that the bytes have.
    @inline(__always)
    private static func instruction(_ entry: Entry, _ key: Key) -> Instruction {
        var instruction = entry.instruction
        if entry.displacementSize != 0 {
            instruction.memory.displacement = key.value(
                at: key.head.count, size: Int(entry.displacementSize), isSigned: true)
        }
        if entry.immediate.size != 0 {
            instruction.immediate =
                key.value(
                    at: Int(instruction.length) - Int(entry.immediate.size), size: Int(entry.immediate.size),
                    isSigned: entry.immediate.isSigned) & entry.immediate.mask
        }
        return instruction
    }

    /// Remembers an instruction, if its head says all about it but those values.
    func insert(_ key: Key, _ instruction: Instruction, _ encoding: Encoding) {
        let displacementSize = key.head.displacementSize
        let immediateSize = Int(instruction.length) - key.head.count - displacementSize
        guard let immediate = ImmediateForm(encoding, size: immediateSize) else { return }
        // Some name memory and do not say so.
        guard displacementSize == 0 || instruction.hasMemoryOperand else { return }
        let entry = Entry(
            head: key.head.word, displacementSize: UInt8(truncatingIfNeeded: displacementSize), immediate: immediate,
            instruction: instruction)
        guard Self.instruction(entry, key) == instruction else { return }
        self.entry(key).pointee = entry
    }
}

/// How the bytes at an instruction's end become `Instruction.immediate`, and nothing else.
private struct ImmediateForm {
    /// Bytes: 0, 1, 2 or 4.
    var size: UInt8
    /// Their sign is extended, as far as `mask` goes.
    var isSigned = false
    var mask = UInt32.max
    static let none = ImmediateForm(size: 0)

    private init(size: UInt8, isSigned: Bool = false, mask: UInt32 = .max) {
        (self.size, self.isSigned, self.mask) = (size, isSigned, mask)
    }

    /// Nil for those that decide more, or of which `Instruction` keeps more than that.
    ///
    /// - Parameter size: bytes behind head and displacement.
    init?(_ encoding: Encoding, size: Int) {
        let whole = Int(encoding.operandSize)
        switch encoding.opcode {
        case _ where size == 0: self = .none
        // ADD to CMP and TEST of AL, the same of r/m8, MOV; shifts, double shifts, bit tests.
        case 0x04, 0x0C, 0x14, 0x1C, 0x24, 0x2C, 0x34, 0x3C, 0x80, 0xA8, 0xB0...0xB7, 0xC0, 0xC1, 0xC6, 0xF6, 0x1A4,
            0x1AC, 0x1BA:
            self.init(size: 1)
        // The same of the accumulator and of words; PUSH, IMUL.
        case 0x05, 0x0D, 0x15, 0x1D, 0x25, 0x2D, 0x35, 0x3D, 0x68, 0x69, 0x81, 0xA9, 0xB8...0xBF, 0xC7, 0xF7:
            self.init(size: encoding.operandSize)
        // The same by a byte with a sign.
        case 0x6A, 0x6B, 0x83: self.init(size: 1, isSigned: true, mask: whole == 4 ? .max : 0xFFFF)
        // Short jumps, LOOP and the like.
        case 0x70...0x7F, 0xE0...0xE3, 0xEB: self.init(size: 1, isSigned: true)
        // CALL, JMP, long Jcc.
        case 0xE8, 0xE9, 0x180...0x18F: self.init(size: encoding.operandSize, isSigned: true)
        // RET.
        case 0xC2: self.init(size: 2)
        default: return nil
        }
        guard size == Int(self.size) else { return nil }
    }
}
