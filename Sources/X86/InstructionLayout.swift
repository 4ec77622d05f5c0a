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
        guard let modRM else { return 0 }
        let form = AddressForm(modRM: modRM, is32Bit: true)
        return (form.hasSIB ? 1 : 0) + form.displacementSize(sib: tail.first ?? 0)
    }
}

/// What a ModR/M byte says about the bytes behind it (SDM 2A, tables 2-1 to 2-3).
@usableFromInline
struct AddressForm {
    @usableFromInline let modRM: UInt8
    /// By the address size.
    @usableFromInline let is32Bit: Bool

    @inlinable
    init(modRM: UInt8, is32Bit: Bool) {
        (self.modRM, self.is32Bit) = (modRM, is32Bit)
    }

    @inlinable @inline(__always)
    var hasSIB: Bool { is32Bit && modRM < 0xC0 && modRM & 7 == 4 }

    /// Bytes of the displacement; `sib` is of interest only if there is one.
    @inlinable @inline(__always)
    func displacementSize(sib: UInt8) -> Int {
        switch modRM >> 6 {
        case 0:
            // An address, or an index, without a base.
            let base = hasSIB ? sib & 7 : modRM & 7
            return is32Bit ? (base == 5 ? 4 : 0) : (base == 6 ? 2 : 0)
        case 1: return 1
        case 2: return is32Bit ? 4 : 2
        default: return 0
        }
    }
}
