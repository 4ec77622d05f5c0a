import Hardware

/// Turns what a terminal sends into keys of a PC keyboard: characters, and the escape sequences of other keys.
///
/// An escape that nothing follows at once is the Escape key; before a character it is Alt, as terminals have it.
struct TerminalKeyboard {
    private let keyboard: PS2Keyboard

    init(_ keyboard: PS2Keyboard) {
        self.keyboard = keyboard
    }

    /// Types `bytes`, as far as the keyboard has room; returns how many it took.
    func type(_ bytes: ArraySlice<UInt8>) -> Int {
        var rest = bytes
        while let first = rest.first {
            let stroke = first == 0x1B ? Self.escape(rest) : Stroke(key: nil, modifier: nil, length: 1)
            if let key = stroke.key {
                guard strike(key, with: stroke.modifier) else { break }
            } else if stroke.length == 1, Key.typing(first) != nil {
                guard keyboard.type(first) else { break }
            }
            rest = rest.dropFirst(stroke.length)
        }
        return bytes.count - rest.count
    }

    /// A key and the bytes that name it; no key for a sequence that names none, or for a plain character.
    private struct Stroke {
        var key: Key?
        var modifier: Key?
        var length: Int
    }

    private func strike(_ key: Key, with modifier: Key?) -> Bool {
        guard keyboard.press(modifier ?? key) else { return false }
        if let modifier {
            keyboard.press(key)
            keyboard.release(key)
            keyboard.release(modifier)
        } else {
            keyboard.release(key)
        }
        return true
    }

    /// The key at the start of `bytes`, which begin with an escape (ECMA-48 5.4; xterm, "PC-Style Function Keys").
    private static func escape(_ bytes: ArraySlice<UInt8>) -> Stroke {
        guard let second = bytes.dropFirst().first else { return Stroke(key: .escape, modifier: nil, length: 1) }
        switch second {
        case UInt8(ascii: "["), UInt8(ascii: "O"):
            let parameters = bytes.dropFirst(2).prefix { (0x30...0x3F).contains($0) }
            guard let final = bytes.dropFirst(2 + parameters.count).first else {
                return Stroke(key: .escape, modifier: nil, length: 1)
            }
            let number = Int(String(decoding: parameters.prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self))
            let key = final == UInt8(ascii: "~") ? number.flatMap { numbered[$0] } : lettered[final]
            return Stroke(key: key, modifier: nil, length: 3 + parameters.count)
        default:
            guard let key = Key.typing(second)?.key else { return Stroke(key: .escape, modifier: nil, length: 1) }
            return Stroke(key: key, modifier: .leftAlt, length: 2)
        }
    }

    private static let lettered: [UInt8: Key] = {
        let keys: [(Character, Key?)] = [
            ("A", .up), ("B", .down), ("C", .right), ("D", .left), ("H", .home), ("F", .end), ("P", .function(1)),
            ("Q", .function(2)), ("R", .function(3)), ("S", .function(4)),
        ]
        return Dictionary(uniqueKeysWithValues: keys.compactMap { name, key in key.map { (name.asciiValue ?? 0, $0) } })
    }()

    private static let numbered: [Int: Key] = {
        var keys: [Int: Key] = [
            1: .home, 2: .insert, 3: .delete, 4: .end, 5: .pageUp, 6: .pageDown, 7: .home, 8: .end,
        ]
        for (index, number) in [11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 23, 24].enumerated() {
            keys[number] = .function(index + 1)
        }
        return keys
    }()
}
