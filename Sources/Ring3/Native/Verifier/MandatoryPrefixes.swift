import X86

/// Which prefixes are part of which opcodes after 0F (SDM 2D, opcode map). Capstone takes others as if they were not
/// there; to a processor they make another instruction, or none.
enum MandatoryPrefixes {
    private enum Set {
        static let none: UInt8 = 1
        static let operandSize: UInt8 = 2
        static let repeatIfEqual: UInt8 = 4
        static let repeatIfNotEqual: UInt8 = 8
        static let packed = none | operandSize
        static let all = packed | repeatIfEqual | repeatIfNotEqual
    }

    /// Of the MMX, SSE and SSE2 instructions.
    static func areDefined(_ i: HostInstruction) -> Bool {
        guard i.isTwoByte, i.prefixes.repeating == 0 || !i.prefixes.hasOperandSize else { return false }
        let prefix =
            switch i.prefixes.repeating {
            case 0xF3: Set.repeatIfEqual
            case 0xF2: Set.repeatIfNotEqual
            default: i.prefixes.hasOperandSize ? Set.operandSize : Set.none
            }
        // MOVHLPS and MOVLHPS have no second form.
        if i.opcode | 4 == 0x16, prefix == Set.operandSize, (i.modRM ?? 0) >= 0xC0 { return false }
        return defined(i.opcode) & prefix != 0
    }

    private static func defined(_ opcode: UInt8) -> UInt8 {
        switch opcode {
        case 0x10, 0x11, 0x2A, 0x2C, 0x2D, 0x51, 0x58...0x5A, 0x5C...0x5F, 0x70, 0xC2: Set.all
        case 0x52, 0x53: Set.none | Set.repeatIfEqual
        case 0x5B, 0x6F, 0x7F, 0x7E: Set.packed | Set.repeatIfEqual
        case 0x6C, 0x6D: Set.operandSize
        case 0x77, 0xC3, 0xAE: Set.none
        case 0xD6, 0xE6: Set.operandSize | Set.repeatIfEqual | Set.repeatIfNotEqual
        case 0x12...0x17, 0x28, 0x29, 0x2B, 0x2E, 0x2F, 0x50, 0x54...0x57, 0x60...0x6B, 0x6E, 0x71...0x76, 0xC4...0xC6,
            0xD1...0xD5, 0xD7...0xE5, 0xE7...0xEF, 0xF1...0xFE:
            Set.packed
        default: 0
        }
    }
}
