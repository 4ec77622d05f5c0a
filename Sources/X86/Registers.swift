/// General registers as numbered in ModR/M and opcode bytes (SDM 2A 2.1.5, table 2-2).
public enum GeneralRegister: UInt8, CaseIterable, Sendable {
    case eax, ecx, edx, ebx, esp, ebp, esi, edi
}

/// Segment registers as numbered in MOV Sreg (SDM 2A, "MOV").
public enum SegmentRegister: UInt8, CaseIterable, Sendable {
    case es, cs, ss, ds, fs, gs
}

/// How general registers are named inside a decoded instruction: by byte offset in the register file.
///
/// ```
///  offset  0   4   8   12  16  20  24  28  32
///         EAX ECX EDX EBX ESP EBP ESI EDI zero
/// ```
/// AL is offset 0, AH offset 1, CL 4, CH 5 and so on; a 16-bit register has the offset of its 32-bit one. The slot
/// after EDI always holds zero and stands for "no register" in address computations.
public enum RegisterFile {
    public static let zero: UInt8 = 32
    /// Bytes, including the zero slot.
    public static let size = 36

    /// Offset of the register numbered `number` (0...7) as an operand of `size` bytes (1, 2 or 4).
    @inlinable public static func offset(ofRegister number: UInt8, size: UInt8) -> UInt8 {
        size == 1 ? (number & 3) << 2 | (number >> 2) & 1 : (number & 7) << 2
    }
}

/// The condition codes of Jcc, SETcc and CMOVcc, as encoded in the opcode (SDM 1, appendix B).
public enum Condition: UInt8, CaseIterable, Sendable {
    case overflow, notOverflow, below, aboveOrEqual, equal, notEqual, belowOrEqual, above
    case sign, notSign, parity, notParity, less, greaterOrEqual, lessOrEqual, greater
}

/// Bits of EFLAGS (SDM 1 3.4.3).
public enum Flags {
    public static let cf: UInt32 = 1 << 0
    public static let reserved1: UInt32 = 1 << 1
    public static let pf: UInt32 = 1 << 2
    public static let af: UInt32 = 1 << 4
    public static let zf: UInt32 = 1 << 6
    public static let sf: UInt32 = 1 << 7
    public static let tf: UInt32 = 1 << 8
    public static let `if`: UInt32 = 1 << 9
    public static let df: UInt32 = 1 << 10
    public static let of: UInt32 = 1 << 11
    public static let iopl: UInt32 = 3 << 12
    public static let nt: UInt32 = 1 << 14
    public static let rf: UInt32 = 1 << 16
    public static let vm: UInt32 = 1 << 17
    public static let ac: UInt32 = 1 << 18
    public static let vif: UInt32 = 1 << 19
    public static let vip: UInt32 = 1 << 20
    public static let id: UInt32 = 1 << 21
    /// CF, PF, AF, ZF, SF and OF.
    public static let status: UInt32 = cf | pf | af | zf | sf | of
}
