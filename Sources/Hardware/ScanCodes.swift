/// A key of a 102-key PC keyboard, named by its make code in scan-code set 1.
public struct Key: Hashable, Sendable {
    /// 0x01–0x7F.
    public let code: UInt8
    /// Whether 0xE0 precedes the code: the grey keys, and the right-hand twins of others.
    public let isExtended: Bool

    public init(_ code: UInt8, isExtended: Bool = false) {
        self.code = code & 0x7F
        self.isExtended = isExtended
    }

    public static let escape = Key(0x01)
    public static let backspace = Key(0x0E)
    public static let tab = Key(0x0F)
    public static let enter = Key(0x1C)
    public static let leftControl = Key(0x1D)
    public static let leftShift = Key(0x2A)
    public static let leftAlt = Key(0x38)
    public static let space = Key(0x39)
    public static let up = Key(0x48, isExtended: true)
    public static let down = Key(0x50, isExtended: true)
    public static let left = Key(0x4B, isExtended: true)
    public static let right = Key(0x4D, isExtended: true)
    public static let home = Key(0x47, isExtended: true)
    public static let end = Key(0x4F, isExtended: true)
    public static let pageUp = Key(0x49, isExtended: true)
    public static let pageDown = Key(0x51, isExtended: true)
    public static let insert = Key(0x52, isExtended: true)
    public static let delete = Key(0x53, isExtended: true)
    /// Sends two prefixed codes, of which the first pretends a shift key.
    public static let printScreen = Key(0x37, isExtended: true)
    /// Sends its make and break together and nothing when released.
    public static let pause = Key(0x46, isExtended: true)

    /// The function key F1–F12; nil for other numbers.
    public static func function(_ number: Int) -> Key? {
        switch number {
        case 1...10: Key(0x3A + UInt8(number))
        case 11, 12: Key(0x4C + UInt8(number))
        default: nil
        }
    }

    /// How a US keyboard types the ASCII character `character`; nil if it cannot.
    ///
    /// Control characters without a key of their own are Control with a letter; DEL is Backspace.
    public static func typing(_ character: UInt8) -> (modifier: Key?, key: Key)? {
        switch character {
        case 0x08, 0x7F: return (nil, .backspace)
        case 0x09: return (nil, .tab)
        case 0x0A, 0x0D: return (nil, .enter)
        case 0x1B: return (nil, .escape)
        case 0x20: return (nil, .space)
        case 0x01...0x1A: return typing(character | 0x60).map { (.leftControl, $0.key) }
        default:
            for (code, plain, shifted) in rows {
                if let column = plain.firstIndex(of: character) { return (nil, Key(code + UInt8(column))) }
                if let column = shifted.firstIndex(of: character) { return (.leftShift, Key(code + UInt8(column))) }
            }
            return nil
        }
    }

    /// Rows of character keys: code of the first, what they type, what they type with Shift.
    private static let rows: [(UInt8, [UInt8], [UInt8])] = [
        (0x02, Array("1234567890-=".utf8), Array("!@#$%^&*()_+".utf8)),
        (0x10, Array("qwertyuiop[]".utf8), Array("QWERTYUIOP{}".utf8)),
        (0x1E, Array("asdfghjkl;'`".utf8), Array("ASDFGHJKL:\"~".utf8)),
        (0x2B, Array("\\zxcvbnm,./".utf8), Array("|ZXCVBNM<>?".utf8)),
    ]
}

/// The three scan-code sets, and the translation of set 2 into set 1 by the keyboard controller.
///
/// Source: IBM PS/2 Hardware Interface Technical Reference, "Keyboards (101- and 102-key)"; the translation is the
/// contents of the 8042's ROM table as documented there.
enum ScanCodes {
    /// Bytes that a keyboard in set `set` (1–3) sends when `key` goes down or up.
    static func bytes(for key: Key, isDown: Bool, set: Int) -> [UInt8] {
        switch (set, key) {
        case (1, .pause): return isDown ? [0xE1, 0x1D, 0x45, 0xE1, 0x9D, 0xC5] : []
        case (1, .printScreen): return isDown ? [0xE0, 0x2A, 0xE0, 0x37] : [0xE0, 0xB7, 0xE0, 0xAA]
        case (1, _): return (key.isExtended ? [0xE0] : []) + [isDown ? key.code : key.code | 0x80]
        case (2, .pause): return isDown ? [0xE1, 0x14, 0x77, 0xE1, 0xF0, 0x14, 0xF0, 0x77] : []
        case (2, .printScreen):
            return isDown ? [0xE0, 0x12, 0xE0, 0x7C] : [0xE0, 0xF0, 0x7C, 0xE0, 0xF0, 0x12]
        case (2, _):
            return (key.isExtended ? [0xE0] : []) + (isDown ? [] : [0xF0]) + [set2[Int(key.code)]]
        default:
            guard let code = set3(key) else { return [] }
            return (isDown ? [] : [0xF0]) + [code]
        }
    }

    /// What the controller makes of a byte of set 2, prefixes and break codes apart.
    static func translate(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0x00...0x7F: translation[Int(byte)]
        case 0x83: 0x41
        case 0x84: 0x54
        default: byte
        }
    }

    private static let translation: [UInt8] = [
        0xFF, 0x43, 0x41, 0x3F, 0x3D, 0x3B, 0x3C, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3E, 0x0F, 0x29, 0x59,
        0x65, 0x38, 0x2A, 0x70, 0x1D, 0x10, 0x02, 0x5A, 0x66, 0x71, 0x2C, 0x1F, 0x1E, 0x11, 0x03, 0x5B,
        0x67, 0x2E, 0x2D, 0x20, 0x12, 0x05, 0x04, 0x5C, 0x68, 0x39, 0x2F, 0x21, 0x14, 0x13, 0x06, 0x5D,
        0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5E, 0x6A, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5F,
        0x6B, 0x33, 0x25, 0x17, 0x18, 0x0B, 0x0A, 0x60, 0x6C, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0C, 0x61,
        0x6D, 0x73, 0x28, 0x74, 0x1A, 0x0D, 0x62, 0x6E, 0x3A, 0x36, 0x1C, 0x1B, 0x75, 0x2B, 0x63, 0x76,
        0x55, 0x56, 0x77, 0x78, 0x79, 0x7A, 0x0E, 0x7B, 0x7C, 0x4F, 0x7D, 0x4B, 0x47, 0x7E, 0x7F, 0x6F,
        0x52, 0x53, 0x50, 0x4C, 0x4D, 0x48, 0x01, 0x45, 0x57, 0x4E, 0x51, 0x4A, 0x37, 0x49, 0x46, 0x54,
    ]

    /// Set 2 make codes by set 1 make code: the translation backwards, F7 and Alt+SysRq with their codes above 0x7F.
    private static let set2: [UInt8] = {
        var codes = [UInt8](repeating: 0, count: 128)
        for (code, translated) in translation.enumerated() where translated < 0x80 {
            codes[Int(translated)] = UInt8(code)
        }
        codes[0x41] = 0x83
        codes[0x54] = 0x84
        return codes
    }()

    private static func set3(_ key: Key) -> UInt8? {
        if key.isExtended { return set3Extended[key.code] }
        return Int(key.code) < set3Plain.count && set3Plain[Int(key.code)] != 0 ? set3Plain[Int(key.code)] : nil
    }

    /// By set 1 make code; 0 where there is no key.
    private static let set3Plain: [UInt8] = [
        0x00, 0x08, 0x16, 0x1E, 0x26, 0x25, 0x2E, 0x36, 0x3D, 0x3E, 0x46, 0x45, 0x4E, 0x55, 0x66, 0x0D,
        0x15, 0x1D, 0x24, 0x2D, 0x2C, 0x35, 0x3C, 0x43, 0x44, 0x4D, 0x54, 0x5B, 0x5A, 0x11, 0x1C, 0x1B,
        0x23, 0x2B, 0x34, 0x33, 0x3B, 0x42, 0x4B, 0x4C, 0x52, 0x0E, 0x12, 0x5C, 0x1A, 0x22, 0x21, 0x2A,
        0x32, 0x31, 0x3A, 0x41, 0x49, 0x4A, 0x59, 0x7E, 0x19, 0x29, 0x14, 0x07, 0x0F, 0x17, 0x1F, 0x27,
        0x2F, 0x37, 0x3F, 0x47, 0x4F, 0x76, 0x5F, 0x6C, 0x75, 0x7D, 0x84, 0x6B, 0x73, 0x74, 0x7C, 0x69,
        0x72, 0x7A, 0x70, 0x71, 0x57, 0x00, 0x13, 0x56, 0x5E,
    ]

    private static let set3Extended: [UInt8: UInt8] = [
        0x1C: 0x79, 0x1D: 0x58, 0x35: 0x77, 0x37: 0x57, 0x38: 0x39, 0x46: 0x62, 0x47: 0x6E, 0x48: 0x63,
        0x49: 0x6F, 0x4B: 0x61, 0x4D: 0x6A, 0x4F: 0x65, 0x50: 0x60, 0x51: 0x6D, 0x52: 0x67, 0x53: 0x64,
        0x5B: 0x8B, 0x5C: 0x8C, 0x5D: 0x8D,
    ]
}
