/// A register that an instruction of the host's names.
public struct HostOperandRegister: Hashable, Sendable {
    public enum File: Sendable {
        /// RAX to R15 and their low parts.
        case general
        /// AH, CH, DH, BH: numbered as the registers they are part of.
        case highByte
        /// RIP, EIP.
        case instructionPointer
        case x87, mmx
        /// XMM, YMM, ZMM.
        case vector
        /// Segment, control and debug registers, and all others.
        case other
    }

    public var file: File
    /// As encoded: RAX is 0, RSP 4, R15 15.
    public var number: UInt8
    /// Bytes.
    public var size: UInt8

    public init(_ file: File, _ number: UInt8, size: UInt8) {
        self.file = file
        self.number = number
        self.size = size
    }
}

/// A memory operand of the host's, as encoded: `segment:[base + index * scale + displacement]`.
public struct HostMemoryOperand: Equatable, Sendable {
    public enum Segment: Sendable { case standard, fs, gs, other }

    public var segment: Segment
    public var base: HostOperandRegister?
    public var index: HostOperandRegister?
    public var scale: UInt8
    public var displacement: Int64
    /// Bytes accessed.
    public var size: UInt8
    /// As Capstone has it, which is not always right: for showing, not for proving.
    public var isRead: Bool
    public var isWritten: Bool
}

public enum HostOperand: Equatable, Sendable {
    case register(HostOperandRegister)
    /// Of a jump or call, the address it leads to.
    case immediate(Int64)
    case memory(HostMemoryOperand)
    /// Something else.
    case unknown
}

/// The bytes before an instruction's opcode, read by ourselves: Capstone forgives what processors do not (SDM 2A 2.1.1).
public struct HostPrefixes: Equatable, Sendable {
    public private(set) var hasOperandSize = false
    public private(set) var hasAddressSize = false
    public private(set) var isLocked = false
    /// F2 or F3, or 0.
    public private(set) var repeating: UInt8 = 0
    /// 26, 2E, 36, 3E, 64 or 65, or 0.
    public private(set) var segment: UInt8 = 0
    /// 40...4F, or 0.
    public private(set) var rex: UInt8 = 0
    /// No kind of prefix twice, and REX, if there is one, right before the opcode.
    public private(set) var isCanonical = true
    public private(set) var count = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            let isRepeated: Bool
            switch byte {
            case 0x66: (isRepeated, hasOperandSize) = (hasOperandSize, true)
            case 0x67: (isRepeated, hasAddressSize) = (hasAddressSize, true)
            case 0xF0: (isRepeated, isLocked) = (isLocked, true)
            case 0xF2, 0xF3: (isRepeated, repeating) = (repeating != 0, byte)
            case 0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65: (isRepeated, segment) = (segment != 0, byte)
            case 0x40...0x4F: (isRepeated, rex) = (rex != 0, byte)
            default: return
            }
            // Whatever follows REX must be the opcode.
            if isRepeated || rex != 0 && !(0x40...0x4F).contains(byte) { isCanonical = false }
            count += 1
        }
    }

    static func isLegacy(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x66, 0x67, 0xF0, 0xF2, 0xF3, 0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65: true
        default: false
        }
    }

    /// Operand size and repetition, which also tell opcodes apart (SDM 2A 2.1.2).
    static func mayBeOpcode(_ byte: UInt8) -> Bool { byte == 0x66 || byte == 0xF2 || byte == 0xF3 }

    /// REX.W: operands of 64 bits.
    public var isWide: Bool { rex & 8 != 0 }
    public var isEmpty: Bool { count == 0 }
}

/// One instruction of the host's.
public struct HostInstruction: Sendable {
    public var address: UInt64
    public var length: Int
    /// See `HostDisassembler.id`.
    public var id: Int
    public var prefixes: HostPrefixes
    /// The opcode, and whether 0F stands before it.
    public var opcode: UInt8
    public var isTwoByte: Bool
    /// ModR/M, if it has one.
    public var modRM: UInt8?
    /// In Intel's order; implicit ones are not among them.
    public var operands: [HostOperand]

    public var end: UInt64 { address &+ UInt64(length) }

    /// The memory operand, if there is one.
    public var memory: HostMemoryOperand? {
        for case .memory(let memory) in operands { return memory }
        return nil
    }
}
