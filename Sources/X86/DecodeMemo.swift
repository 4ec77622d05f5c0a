/// Instructions decoded before, found again by their heads: most differ from one seen before in the values of their
/// displacement and immediate only.
///
/// Capstone takes some 300 ns an instruction, a look in here ten.
struct DecodeMemo: ~Copyable {
    /// The bytes at hand, and the head of the instruction that they begin with.
    struct Key {
        fileprivate let head: InstructionHead
        fileprivate let bytes: InstructionBytes
        /// How many there are.
        fileprivate let available: Int
    }

    private static let slotBits = UInt64(12)
    private let entries: UnsafeMutablePointer<InstructionTemplate>
    private let heads = InstructionHeads()

    init() {
        entries = .allocate(capacity: 1 << Self.slotBits)
        entries.initialize(repeating: InstructionTemplate(), count: 1 << Self.slotBits)
    }

    deinit { entries.deallocate() }

    /// Where an instruction that begins with `bytes`, 1...15 of them, is looked for; nil for those that are never in here.
    func key(_ bytes: UnsafeRawBufferPointer, _ size: CodeSize) -> Key? {
        let available = bytes.count
        let bytes = InstructionBytes(bytes)
        guard let head = heads.head(of: bytes.low, size: size) else { return nil }
        return Key(head: head, bytes: bytes, available: available)
    }

    private func entry(_ head: InstructionHead) -> UnsafeMutablePointer<InstructionTemplate> {
        entries + head.hash(bits: Self.slotBits)
    }

    /// The instruction that the bytes begin with, if it is known.
    func find(_ key: Key) -> Instruction? {
        let entry = entry(key.head)
        guard entry.pointee.head == key.head.word, Int(entry.pointee.instruction.length) <= key.available else {
            return nil
        }
        var instruction = entry.pointee.instruction
        entry.pointee.setValues(of: &instruction, from: key.bytes)
        return instruction
    }

    /// What is known of instructions with that head.
    func template(of head: InstructionHead) -> InstructionTemplate? {
        let entry = entry(head)
        return entry.pointee.head == head.word ? entry.pointee : nil
    }

    /// Remembers an instruction, if its head says all about it but those values.
    func insert(_ key: Key, _ instruction: Instruction, _ encoding: Encoding) {
        guard let template = InstructionTemplate(key.head, instruction, encoding, key.bytes) else { return }
        entry(key.head).pointee = template
    }
}
