/// Where the parts of a 32-bit instruction lie in its bytes, for those who copy it rather than interpret it.
public struct InstructionLayout: Sendable {
    /// Bytes of legacy prefixes.
    public let prefixCount: Int
    /// The opcode, and whether 0F stands before it.
    public let opcode: UInt8
    public let isTwoByte: Bool
    /// Nil where the opcode has none.
    public let modRM: UInt8?
    /// The prefix byte that is part of the opcode; 0 for none.
    public let mandatoryPrefix: UInt8
    /// Bytes up to and including the ModR/M byte, or the opcode where there is none. What follows is SIB byte,
    /// displacement and immediate.
    public let examined: Int

    /// - Parameter bytes: a whole, valid instruction.
    public init(_ bytes: UnsafeRawBufferPointer) {
        let encoding = Encoding(bytes, size: .bits32, forms: OpcodeMap.forms)
        prefixCount = encoding.prefixes.count
        isTwoByte = encoding.opcode >= 256
        opcode = UInt8(truncatingIfNeeded: encoding.opcode)
        modRM = encoding.form.hasModRM ? encoding.modRM : nil
        mandatoryPrefix = encoding.mandatoryPrefix ?? 0
        examined = encoding.examined
    }

    /// The fields of ModR/M; those of an instruction without one are zero.
    public var mod: UInt8 { (modRM ?? 0) >> 6 }
    public var reg: UInt8 { (modRM ?? 0) >> 3 & 7 }
    public var rm: UInt8 { (modRM ?? 0) & 7 }
    public var hasMemory: Bool { modRM != nil && mod != 3 }

    /// Bytes of SIB byte and displacement, for 32-bit addresses; `tail` is what follows ModR/M.
    public func addressBytes(_ tail: UnsafeRawBufferPointer) -> Int {
        guard hasMemory else { return 0 }
        let sib = rm == 4 ? 1 : 0
        let isAbsolute = mod == 0 && (rm == 5 || rm == 4 && (tail.first ?? 0) & 7 == 5)
        return sib + (mod == 1 ? 1 : mod == 2 || isAbsolute ? 4 : 0)
    }
}
