import CCapstone

/// The D bit of the code segment: default operand and address size, in bytes.
public enum CodeSize: UInt8, Sendable { case bits16 = 2, bits32 = 4 }

/// Turns bytes into `Instruction`s.
///
/// ```
/// bytes ─▶ Encoding ─▶ Canonical ─▶ Capstone ─▶ Instruction
///          prefixes,   the same instruction     ids, registers and sizes
///          opcode,     in its plainest form     as ours, by table
///          ModR/M
/// ```
/// Capstone is a disassembler: it says what bytes probably mean. What a processor makes of redundant prefixes,
/// undefined rows, aliases, LOCK and the 15-byte limit is settled before and after it, so that it only ever sees
/// plain encodings; see `Canonical` and `DecoderRepairs`. What it has seen before, `DecodeMemo` knows.
///
/// Not thread-safe.
public final class Decoder {
    /// Capstone could not be opened.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// Longer instructions raise #GP (SDM 3A 6.15, "Interrupt 13").
    static let maximumLength = 15

    private let handle16: csh
    private let handle32: csh
    private let decoded: UnsafeMutablePointer<cs_insn>
    let input = UnsafeMutableRawBufferPointer.allocate(byteCount: Canonical.capacity, alignment: 1)
    private let forms = OpcodeMap.forms
    private let meanings: [CapstoneMeaning]
    private let memo = DecodeMemo()
    /// What was decoded before is found again by its head. Without, every instruction is decoded anew.
    public var remembers = true
    let registers = CapstoneTables.registers

    /// Capstone sorts a table of its own at the first decoding in the process, and takes no lock (its issue 1647). When
    /// two threads were first at a time, implied accumulators were lost for good in one process of a hundred: too rare
    /// for a test. Hence one decoding before there is any decoder.
    static let isWarm: Bool = {
        guard var handle = try? open(CS_MODE_32), let decoded = cs_malloc(handle) else { return false }
        let bytes: [UInt8] = [0x04, 0x00]  // add al, 0: the table is that of implied accumulators
        let isDecoded = bytes.withUnsafeBufferPointer { bytes in
            var (code, size, address) = (bytes.baseAddress, bytes.count, UInt64(0))
            return cs_disasm_iter(handle, &code, &size, &address, decoded)
        }
        cs_free(decoded, 1)
        cs_close(&handle)
        return isDecoded
    }()

    public init() throws(Failure) {
        guard Decoder.isWarm else { throw Failure(description: "Capstone does not decode") }
        handle16 = try Decoder.open(CS_MODE_16)
        handle32 = try Decoder.open(CS_MODE_32)
        guard let decoded = cs_malloc(handle32) else { throw Failure(description: "Capstone is out of memory") }
        self.decoded = decoded
        meanings = CapstoneTables.meanings(handle32)
    }

    deinit {
        cs_free(decoded, 1)
        var handle = handle16
        cs_close(&handle)
        handle = handle32
        cs_close(&handle)
        input.deallocate()
    }

    static func open(_ mode: cs_mode) throws(Failure) -> csh {
        var handle: csh = 0
        var status = cs_open(CS_ARCH_X86, mode, &handle)
        if status == CS_ERR_OK {
            status = cs_option(handle, CS_OPT_DETAIL, Int(CS_OPT_ON.rawValue))
        }
        guard status == CS_ERR_OK else {
            throw Failure(description: "Capstone: " + String(cString: cs_strerror(status)))
        }
        return handle
    }

    /// Decodes the instruction at the start of `bytes`, the 1...15 bytes that may be fetched.
    ///
    /// `operation` is `.truncated` if `bytes`, being fewer than 15, end before the instruction does; `.overlong` if it
    /// would exceed 15 bytes (raises #GP); `.invalid` if it is undefined (raises #UD), with `length` the bytes it took
    /// to know so.
    public func decode(_ bytes: UnsafeRawBufferPointer, size: CodeSize) -> Instruction {
        let fetched = UnsafeRawBufferPointer(rebasing: bytes.prefix(Decoder.maximumLength))
        let key = remembers ? memo.key(fetched, size) : nil
        if let key, let known = memo.find(key) { return known }
        let encoding = Encoding(fetched, size: size, forms: forms)
        guard encoding.examined <= fetched.count else { return Decoder.unfinished(fetched.count) }
        let invalid = Instruction(.invalid, length: UInt8(encoding.examined))
        guard DecoderRepairs.isLegal(encoding), let canonical = Canonical(encoding) else { return invalid }

        canonical.write(to: input, tail: UnsafeRawBufferPointer(rebasing: fetched[encoding.examined...]))
        guard disassemble(canonical) else { return invalid }
        let meaning = meanings[Int(decoded.pointee.id)]
        guard let operation = canonical.operation ?? DecoderRepairs.operation(meaning, encoding) else { return invalid }

        let length = encoding.examined + Int(decoded.pointee.size) - canonical.examined
        guard length <= fetched.count else { return Decoder.unfinished(fetched.count) }
        var instruction = Instruction(
            operation, length: UInt8(length), operandSize: encoding.operandSize, addressSize: encoding.addressSize)
        instruction.condition = meaning.condition
        setOperands(of: &instruction, from: decoded, encoding)
        instruction.prefixes = encoding.prefixes.flags(repeats: operation.isString)
        if encoding.prefixes.lock, !instruction.maybeLocked {
            return Instruction(.invalid, length: UInt8(length))
        }
        if let key { memo.insert(key, instruction, encoding) }
        return instruction
    }

    /// What all instructions with that head have in common, if one of them was decoded of late, and that is enough to tell
    /// them apart by.
    public func template(of head: InstructionHead) -> InstructionTemplate? {
        remembers ? memo.template(of: head) : nil
    }

    /// One line of Intel syntax, "(bad)" where there is no instruction; `address` is that of the first byte, in the
    /// terms in which targets of relative branches shall be shown.
    public func disassemble(
        _ bytes: UnsafeRawBufferPointer, size: CodeSize, address: UInt32
    ) -> (text: String, length: Int) {
        let instruction = decode(bytes, size: size)
        return (instruction.text(at: address), Int(instruction.length))
    }

    private static func unfinished(_ fetched: Int) -> Instruction {
        Instruction(fetched < maximumLength ? .truncated : .overlong, length: UInt8(max(fetched, 1)))
    }

    /// Lets Capstone decode `input` into `decoded`.
    private func disassemble(_ canonical: Canonical) -> Bool {
        var code = UnsafePointer(input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        var size = input.count
        var address: UInt64 = 0
        return cs_disasm_iter(canonical.operandSize == 2 ? handle16 : handle32, &code, &size, &address, decoded)
    }
}
