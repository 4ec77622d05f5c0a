/// The first bytes of an instruction, sixteen with those of others behind it.
public struct InstructionBytes: Sendable {
    /// In memory order.
    public let low: UInt64
    @usableFromInline let high: UInt64

    /// Those at an address.
    @inlinable
    public init(at place: UnsafeRawPointer) {
        low = UInt64(littleEndian: place.loadUnaligned(as: UInt64.self))
        high = UInt64(littleEndian: place.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }

    /// Fewer than sixteen, and zeroes.
    init(_ bytes: UnsafeRawBufferPointer) {
        var (low, high) = (UInt64(0), UInt64(0))
        if bytes.count == Decoder.maximumLength {
            low = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
            high = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 7, as: UInt64.self)) >> 8
        } else {
            for index in bytes.indices.reversed() {
                high = high << 8 | low >> 56
                low = low << 8 | UInt64(bytes[index])
            }
        }
        (self.low, self.high) = (low, high)
    }

    /// Eight bytes from the one with that number (1...15) on; there are zeroes behind the sixteenth.
    @inlinable @inline(__always)
    public func word(from place: Int) -> UInt64 {
        let shift = UInt64(8 * place)
        return place < 8 ? low &>> shift | high &<< (64 - shift) : high &>> (shift - 64)
    }
}

/// An instruction without the values that the bytes behind its head have: displacement and immediate.
public struct InstructionTemplate: Sendable {
    /// `InstructionHead.word`; 0 stands for no instruction.
    public let head: UInt64
    /// Bytes of the head, and of the displacement behind it; 0 for none.
    @usableFromInline let headSize: UInt8
    @usableFromInline let displacementSize: UInt8
    /// At the end.
    @usableFromInline let immediate: ImmediateForm
    /// With some values.
    public let instruction: Instruction

    /// That of nothing.
    init() {
        (head, headSize, displacementSize, immediate) = (0, 0, 0, .none)
        instruction = Instruction(.invalid)
    }

    /// Nil if the head does not say all about the instruction but those values.
    init?(_ head: InstructionHead, _ instruction: Instruction, _ encoding: Encoding, _ bytes: InstructionBytes) {
        let immediateSize = Int(instruction.length) - head.count - head.displacementSize
        guard let immediate = ImmediateForm(encoding, size: immediateSize) else { return nil }
        // Some name memory and do not say so.
        guard head.displacementSize == 0 || instruction.hasMemoryOperand else { return nil }
        self.head = head.word
        headSize = UInt8(truncatingIfNeeded: head.count)
        displacementSize = UInt8(truncatingIfNeeded: head.displacementSize)
        self.immediate = immediate
        self.instruction = instruction
        var same = instruction
        setValues(of: &same, from: bytes)
        guard same == instruction else { return nil }
    }

    /// Gives a copy of `instruction` the values that the bytes have.
    @inlinable @inline(__always)
    public func setValues(of copy: inout Instruction, from bytes: InstructionBytes) {
        if displacementSize != 0 {
            copy.memory.displacement = Self.value(
                bytes.word(from: Int(headSize)), size: displacementSize, isSigned: true)
        }
        if immediate.size != 0 {
            let word = bytes.word(from: Int(instruction.length) - Int(immediate.size))
            copy.immediate = Self.value(word, size: immediate.size, isSigned: immediate.isSigned) & immediate.mask
        }
    }

    /// How `Instruction.immediate` follows from the first eight bytes; nil if it is not all that does, or may lie further on.
    public var nearImmediate: NearImmediate? {
        guard displacementSize == 0, headSize <= 4 else { return nil }
        return NearImmediate(immediate, headSize: headSize, otherwise: instruction.immediate)
    }

    /// The lowest `size` (1, 2 or 4) bytes, with zeroes or copies of their sign above them.
    @inlinable @inline(__always)
    static func value(_ word: UInt64, size: UInt8, isSigned: Bool) -> UInt32 {
        let unused = UInt32(32 - 8 * Int(size))
        let top = UInt32(truncatingIfNeeded: word) &<< unused
        return isSigned ? UInt32(bitPattern: Int32(bitPattern: top) &>> Int32(unused)) : top &>> unused
    }
}

/// How the bytes at an instruction's end become `Instruction.immediate`, and nothing else.
@usableFromInline
struct ImmediateForm: Sendable {
    /// Bytes: 0, 1, 2 or 4.
    @usableFromInline var size: UInt8
    /// Their sign is extended, as far as `mask` goes.
    @usableFromInline var isSigned = false
    @usableFromInline var mask = UInt32.max
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

/// `Instruction.immediate` by arithmetic alone, whatever the instruction has behind its head.
public struct NearImmediate: Sendable {
    /// Bits before and above it.
    @usableFromInline let shift: UInt8
    @usableFromInline let unused: UInt8
    @usableFromInline let mask: UInt32
    /// What it always is, where nothing is behind the head.
    @usableFromInline let constant: UInt32

    init(_ form: ImmediateForm, headSize: UInt8, otherwise constant: UInt32) {
        shift = 8 * headSize
        unused = form.size == 0 ? 0 : 32 - 8 * form.size
        mask = form.size == 0 ? 0 : form.isSigned ? form.mask : form.mask >> UInt32(unused)
        self.constant = form.size == 0 ? constant : 0
    }

    /// - Parameter bytes: the instruction's first eight, in memory order.
    @inlinable @inline(__always)
    public func value(of bytes: UInt64) -> UInt32 {
        let top = Int32(truncatingIfNeeded: bytes &>> UInt64(shift)) &<< Int32(unused)
        return UInt32(bitPattern: top &>> Int32(unused)) & mask | constant
    }
}
