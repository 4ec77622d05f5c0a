/// Which prefixes an instruction carried, as far as they are not already folded into its sizes and segment.
public struct Prefixes: OptionSet, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// LOCK (F0). The decoder leaves it only on instructions where it is legal; elsewhere the instruction is invalid.
    public static let lock = Prefixes(rawValue: 1 << 0)
    /// REP/REPE (F3), on string instructions only.
    public static let rep = Prefixes(rawValue: 1 << 1)
    /// REPNE (F2), on string instructions only.
    public static let repne = Prefixes(rawValue: 1 << 2)
    /// Operand-size override (66) was present.
    public static let operandSize = Prefixes(rawValue: 1 << 3)
    /// Address-size override (67) was present.
    public static let addressSize = Prefixes(rawValue: 1 << 4)
    /// A segment override was present.
    public static let segment = Prefixes(rawValue: 1 << 5)
}

/// What an operand is. At most one operand of an instruction is `memory`; its address is in `Instruction.memory`.
public enum OperandKind: UInt8, Sendable {
    case none
    /// General register; `Operand.register` is its byte offset in the register file (see `RegisterFile`).
    case register
    /// The memory operand.
    case memory
    /// `Instruction.immediate`, already extended to the operand's size.
    case immediate
    /// A second immediate in `Instruction.selector` (ENTER's nesting level, EXTRQ-like forms).
    case secondImmediate
    /// A branch displacement in `Instruction.immediate`, sign-extended to 32 bits, relative to the next instruction.
    case relative
    /// A far pointer: offset in `Instruction.immediate`, selector in `Instruction.selector`.
    case farPointer
    /// A segment register; `Operand.register` is `SegmentRegister.rawValue`.
    case segment
    /// CR0–CR7 / DR0–DR7; `Operand.register` is the number.
    case control, debug
    /// x87 stack register ST(i), MMX register, SSE register; `Operand.register` is the number.
    case x87, mmx, xmm
}

/// One operand: 3 bytes.
public struct Operand: Equatable, Sendable {
    public var kind: OperandKind
    /// Size in bytes of what is read or written (0 where it has none, as for LEA's or INVLPG's memory operand).
    public var size: UInt8
    /// Meaning depends on `kind`.
    public var register: UInt8

    @inlinable public init(_ kind: OperandKind, size: UInt8 = 0, register: UInt8 = 0) {
        self.kind = kind
        self.size = size
        self.register = register
    }
    public static let none = Operand(.none)
}

/// The address of a memory operand: `segment:[base + index << shift + displacement]`, masked to the address size.
///
/// `base` and `index` are byte offsets in the register file; `RegisterFile.zero` where absent, so that computing an
/// effective address asks no questions.
public struct MemoryOperand: Equatable, Sendable {
    public var segment: SegmentRegister
    public var base: UInt8
    public var index: UInt8
    public var shift: UInt8
    /// Sign-extended to 32 bits.
    public var displacement: UInt32

    @inlinable public init(
        segment: SegmentRegister = .ds, base: UInt8 = RegisterFile.zero, index: UInt8 = RegisterFile.zero,
        shift: UInt8 = 0, displacement: UInt32 = 0
    ) {
        self.segment = segment
        self.base = base
        self.index = index
        self.shift = shift
        self.displacement = displacement
    }
}

/// One decoded guest instruction: a trivial struct of 32 bytes. The raw bytes are not kept; they can be read again.
///
/// String instructions have no explicit operands: `operandSize` is the element size (1, 2, 4), `memory.segment` the
/// (overridable) segment of the source, `addressSize` says which of SI/ESI, DI/EDI, CX/ECX are used.
public struct Instruction: Equatable, Sendable {
    public var operation: Operation
    /// Length in bytes, 1...15.
    public var length: UInt8
    public var prefixes: Prefixes
    /// Effective operand-size attribute in bytes: 2 or 4; 1 for the byte forms of an operation.
    public var operandSize: UInt8
    /// Effective address-size attribute in bytes: 2 or 4.
    public var addressSize: UInt8
    /// For `jcc`, `setcc`, `cmovcc` and `fcmovcc`: the condition, encoded as in the low four bits of the opcode.
    public var condition: Condition
    /// Zero; keeps the layout explicit.
    public var reserved: UInt8
    public var memory: MemoryOperand
    public var operands: (Operand, Operand, Operand)
    /// Second immediate or far selector.
    public var selector: UInt16
    /// Immediate, extended to the operand's size (and zero-extended beyond); or displacement; or far offset.
    public var immediate: UInt32

    public init(_ operation: Operation, length: UInt8 = 1, operandSize: UInt8 = 4, addressSize: UInt8 = 4) {
        self.operation = operation
        self.length = length
        self.prefixes = []
        self.operandSize = operandSize
        self.addressSize = addressSize
        self.condition = .overflow
        self.reserved = 0
        self.memory = MemoryOperand()
        self.operands = (.none, .none, .none)
        self.selector = 0
        self.immediate = 0
    }

    public static func == (a: Instruction, b: Instruction) -> Bool {
        a.operation == b.operation && a.length == b.length && a.prefixes == b.prefixes
            && a.operandSize == b.operandSize && a.addressSize == b.addressSize && a.condition == b.condition
            && a.memory == b.memory && a.operands == b.operands && a.selector == b.selector
            && a.immediate == b.immediate
    }
}
