/// QEMU's keys for whoever sits at a raw terminal: Ctrl-A, and then what is wanted.
struct EscapeKeys {
    enum Action {
        case quit
        case help
    }

    static let help = """
        Ctrl-A x       end the run
        Ctrl-A h       this list
        Ctrl-A Ctrl-A  send Ctrl-A to the guest

        """

    private static let prefix: UInt8 = 0x01
    private var isPrefixed = false

    /// What a typed byte is: something for the guest, something to do, or neither.
    mutating func take(_ byte: UInt8) -> (forGuest: UInt8?, action: Action?) {
        guard isPrefixed else {
            isPrefixed = byte == Self.prefix
            return (isPrefixed ? nil : byte, nil)
        }
        isPrefixed = false
        switch byte {
        case Self.prefix: return (byte, nil)
        case UInt8(ascii: "x"): return (nil, .quit)
        case UInt8(ascii: "h"), UInt8(ascii: "?"): return (nil, .help)
        default: return (nil, nil)
        }
    }
}
