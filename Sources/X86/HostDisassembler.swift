import CCapstone

/// Reads code of the host's own processor, x86-64: to prove things of emitted code, and to show it.
///
/// Not thread-safe.
public final class HostDisassembler {
    private let handle: csh
    private let decoded: UnsafeMutablePointer<cs_insn>
    private let registers: [HostOperandRegister?]
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: Decoder.maximumLength, alignment: 1)

    public init() throws(Decoder.Failure) {
        guard Decoder.isWarm else { throw Decoder.Failure(description: "Capstone does not decode") }
        handle = try Decoder.open(CS_MODE_64)
        guard let decoded = cs_malloc(handle) else {
            throw Decoder.Failure(description: "Capstone is out of memory")
        }
        self.decoded = decoded
        registers = Self.registers(handle)
    }

    deinit {
        cs_free(decoded, 1)
        var handle = handle
        cs_close(&handle)
        input.deallocate()
    }

    /// One more than the largest instruction number.
    public static var idCount: Int { Int(X86_INS_ENDING.rawValue) }

    /// The name of an instruction number: "mov", "lea".
    public func name(ofID id: Int) -> String {
        cs_insn_name(handle, UInt32(id)).map { String(cString: $0) } ?? ""
    }

    /// The instruction at the start of `bytes`; nil if there is none, or `bytes` end before it does.
    public func decode(_ bytes: UnsafeRawBufferPointer, address: UInt64) -> HostInstruction? {
        guard disassemble(bytes, address), let x86 = ring3_cs_x86(decoded) else { return nil }
        let length = Int(decoded.pointee.size)
        let hasModRM = x86.pointee.encoding.modrm_offset != 0
        let prefixes = HostPrefixes(UnsafeRawBufferPointer(rebasing: bytes[..<length]))
        let isTwoByte = prefixes.count + 1 < length && bytes[prefixes.count] == 0x0F
        return HostInstruction(
            address: address, length: length, id: Int(decoded.pointee.id), prefixes: prefixes,
            opcode: prefixes.count < length ? bytes[prefixes.count + (isTwoByte ? 1 : 0)] : 0, isTwoByte: isTwoByte,
            modRM: hasModRM ? x86.pointee.modrm : nil,
            operands: (0..<Int32(x86.pointee.op_count)).map { operand(ring3_cs_operand(x86, $0)) })
    }

    /// The instruction at the start of `bytes` as one line of Intel syntax, "(bad)" if there is none.
    public func line(_ bytes: UnsafeRawBufferPointer, address: UInt64) -> String {
        guard disassemble(bytes, address) else { return "(bad)" }
        let mnemonic = withUnsafeBytes(of: decoded.pointee.mnemonic) { Self.text($0) }
        let operands = withUnsafeBytes(of: decoded.pointee.op_str) { Self.text($0) }
        return operands.isEmpty ? mnemonic : mnemonic + " " + operands
    }

    private func disassemble(_ bytes: UnsafeRawBufferPointer, _ address: UInt64) -> Bool {
        let count = reorder(bytes)
        var code = UnsafePointer(input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        var (size, place) = (count, address)
        return cs_disasm_iter(handle, &code, &size, &place, decoded)
    }

    /// Copies an instruction with the prefixes that may be part of its opcode behind all others but REX: to a processor
    /// their order means nothing, but Capstone takes 66 65 0F 6F for MOVQ. Returns the number of bytes.
    private func reorder(_ bytes: UnsafeRawBufferPointer) -> Int {
        let bytes = UnsafeRawBufferPointer(rebasing: bytes.prefix(input.count))
        input.copyBytes(from: bytes)
        let legacy = bytes.prefix { HostPrefixes.isLegacy($0) }
        let others = legacy.filter { !HostPrefixes.mayBeOpcode($0) }
        let last = legacy.filter { $0 == 0x66 } + legacy.filter { $0 == 0xF2 || $0 == 0xF3 }
        for (index, byte) in (others + last).enumerated() { input[index] = byte }
        return bytes.count
    }

    private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    // MARK: Operands

    private func operand(_ operand: UnsafePointer<cs_x86_op>?) -> HostOperand {
        guard let operand else { return .unknown }
        switch operand.pointee.type {
        case X86_OP_REG: return .register(register(ring3_cs_operand_register(operand)))
        case X86_OP_IMM: return .immediate(ring3_cs_operand_immediate(operand))
        case X86_OP_MEM:
            let memory = ring3_cs_operand_memory(operand)
            let access = UInt32(operand.pointee.access)
            return .memory(
                HostMemoryOperand(
                    segment: segment(memory.segment.rawValue), base: optional(memory.base.rawValue),
                    index: optional(memory.index.rawValue), scale: UInt8(truncatingIfNeeded: memory.scale),
                    displacement: memory.disp, size: operand.pointee.size,
                    isRead: access & CS_AC_READ.rawValue != 0, isWritten: access & CS_AC_WRITE.rawValue != 0))
        default: return .unknown
        }
    }

    private func register(_ number: UInt32) -> HostOperandRegister {
        let known = Int(number) < registers.count ? registers[Int(number)] : nil
        return known ?? HostOperandRegister(.other, 0, size: 0)
    }

    /// EIZ and RIZ stand for a SIB byte without an index.
    private func optional(_ number: UInt32) -> HostOperandRegister? {
        number == X86_REG_INVALID.rawValue || number == X86_REG_EIZ.rawValue || number == X86_REG_RIZ.rawValue
            ? nil : register(number)
    }

    private func segment(_ number: UInt32) -> HostMemoryOperand.Segment {
        switch number {
        case X86_REG_INVALID.rawValue: .standard
        case X86_REG_FS.rawValue: .fs
        case X86_REG_GS.rawValue: .gs
        default: .other
        }
    }

    /// Ours for every register of Capstone's, by its name.
    private static func registers(_ handle: csh) -> [HostOperandRegister?] {
        var named: [String: HostOperandRegister] = [:]
        for (number, letters) in ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"].enumerated() {
            let number = UInt8(number)
            for (prefix, size) in [("", 2), ("e", 4), ("r", 8)] as [(String, UInt8)] {
                named[prefix + letters] = HostOperandRegister(.general, number, size: size)
            }
            let low = number < 4 ? String(letters.prefix(1)) + "l" : letters + "l"
            named[low] = HostOperandRegister(.general, number, size: 1)
            if number < 4 {
                named[String(letters.prefix(1)) + "h"] = HostOperandRegister(.highByte, number, size: 1)
            }
            named["st(\(number))"] = HostOperandRegister(.x87, number, size: 10)
            named["mm\(number)"] = HostOperandRegister(.mmx, number, size: 8)
        }
        for number in UInt8(8)..<16 {
            for (suffix, size) in [("b", 1), ("w", 2), ("d", 4), ("", 8)] as [(String, UInt8)] {
                named["r\(number)\(suffix)"] = HostOperandRegister(.general, number, size: size)
            }
        }
        for number in UInt8(0)..<32 {
            for (prefix, size) in [("x", 16), ("y", 32), ("z", 64)] as [(String, UInt8)] {
                named["\(prefix)mm\(number)"] = HostOperandRegister(.vector, number, size: size)
            }
        }
        named["st0"] = named["st(0)"]
        named["eip"] = HostOperandRegister(.instructionPointer, 0, size: 4)
        named["rip"] = HostOperandRegister(.instructionPointer, 0, size: 8)
        return (0..<X86_REG_ENDING.rawValue).map { id in
            cs_reg_name(handle, id).flatMap { named[String(cString: $0)] }
        }
    }
}
