/// The legacy prefixes in front of an opcode, in any order and number (SDM 2A 2.1.1).
///
/// Within a group the last one counts: that is what processors do with the combinations the SDM leaves undefined.
struct LegacyPrefixes {
    /// Bytes taken.
    private(set) var count = 0
    private(set) var lock = false
    /// F2 or F3, whichever came last; 0 if neither.
    private(set) var repeatByte: UInt8 = 0
    private(set) var segment: SegmentRegister?
    private(set) var operandSize = false
    private(set) var addressSize = false

    /// Reads prefixes from the start of `bytes`, until an opcode byte or the end.
    init(_ bytes: UnsafeRawBufferPointer) {
        while count < bytes.count, take(bytes[count]) { count += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x26: segment = .es
        case 0x2E: segment = .cs
        case 0x36: segment = .ss
        case 0x3E: segment = .ds
        case 0x64: segment = .fs
        case 0x65: segment = .gs
        case 0x66: operandSize = true
        case 0x67: addressSize = true
        case 0xF0: lock = true
        case 0xF2, 0xF3: repeatByte = byte
        default: return false
        }
        return true
    }

    /// As kept in an `Instruction`, where LOCK and REP appear only if the operation takes them.
    func flags(repeats: Bool) -> Prefixes {
        var flags: Prefixes = []
        if lock { flags.insert(.lock) }
        if repeats, repeatByte == 0xF3 { flags.insert(.rep) }
        if repeats, repeatByte == 0xF2 { flags.insert(.repne) }
        if operandSize { flags.insert(.operandSize) }
        if addressSize { flags.insert(.addressSize) }
        if segment != nil { flags.insert(.segment) }
        return flags
    }
}
