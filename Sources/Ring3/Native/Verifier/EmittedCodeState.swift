import X86

/// What is known of a register that the monitor's own code in a block uses.
///
/// Words are values of 32 bits, zero-extended; each that is computed has a number of its own, which is how two registers
/// are known to hold the same.
enum EmittedValue: Equatable {
    /// Nothing that may be read.
    case unset
    case any
    /// So many low bytes are ours, the rest may not be read.
    case low(UInt8)
    case word(Int)
    /// At most 31.
    case bitNumber
    /// Where a page of RAM begins: for one access, and not to be read otherwise; and a place in a page, in bytes.
    case page
    case pageIndex
    /// Zero if the guest's state is in the units.
    case lacksUnits
    /// Where the window begins: for `EmittedCodeState.Windowed`, and not to be read otherwise.
    case window
    /// What a site's counter held, and one more: for nothing but to be stored there.
    case counter(UInt32)
    case counted(UInt32)
}

/// What is known at some point of a block, whichever way it was reached.
struct EmittedCodeState {
    /// R8 to R11, and RCX.
    private var values: [EmittedValue]
    /// Instructions that the block has counted on the way here and not given back, or fewer.
    var credit: Int
    /// The same, exactly, of the block's instructions from its first one on; nil if that depends on the way.
    var counted: Int?
    /// That so many are left as the block counts was tested on the way here, and nothing but the block has counted since.
    var isTested = false
    /// The guest's x87 and SSE state is in the units.
    var hasUnits = false
    /// What there is on the host's stack that was not there before: nothing, the flags, or saved flags.
    enum Stack: Equatable { case empty, flags, savedFlags, unknown }
    var stack = Stack.empty
    /// Registers to which the window's base has been added; in all others of the guest's the upper halves are zero.
    struct Windowed: OptionSet {
        let rawValue: UInt8
        static let source = Windowed(rawValue: 1 << 6)
        static let destination = Windowed(rawValue: 1 << 7)
        /// It depends on the way.
        static let unknown = Windowed(rawValue: 1)

        init(rawValue: UInt8) { self.rawValue = rawValue }

        /// RSI or RDI; nil for others.
        init?(register: UInt8) {
            guard register == 6 || register == 7 else { return nil }
            self.init(rawValue: 1 << register)
        }
    }
    var windowed: Windowed = []
    /// The flags were saved on the way here.
    var hasSavedFlags = false

    static let rcx = 4
    static let rcxNumber: UInt8 = 1

    /// Where the monitor enters.
    ///
    /// - Parameter counted: nil where the block does not count.
    init(credit: Int, counted: Int? = nil) {
        values = [.unset, .unset, .unset, .unset, .any]
        self.credit = credit
        self.counted = counted
        isTested = counted != nil
    }

    /// Where a call comes back to: a return has been executed, which has an instruction left and a word in R8.
    static let returned: EmittedCodeState = {
        var state = EmittedCodeState(credit: 1)
        state[8] = .any
        return state
    }()

    /// Where a general register is kept here; nil if it is not.
    static func slot(_ register: UInt8) -> Int? {
        switch register {
        case 8...11: Int(register) - 8
        case rcxNumber: rcx
        default: nil
        }
    }

    /// Of a general register; guest registers hold anything.
    subscript(register: UInt8) -> EmittedValue {
        get { Self.slot(register).map { values[$0] } ?? .any }
        set { if let slot = Self.slot(register) { values[slot] = newValue } }
    }

    /// Whether a register may be read as an operand.
    func isReadable(_ register: HostOperandRegister) -> Bool {
        guard register.file == .general else { return true }
        switch self[register.number] {
        case .unset, .window, .page, .counter, .counted: return false
        case .low(let bytes): return register.size <= bytes
        default: return true
        }
    }

    /// Notes that a register got a value, or, of fewer than four bytes, a part of one.
    mutating func set(_ register: HostOperandRegister, _ value: EmittedValue) {
        guard register.file == .general, register.size < 4 else {
            self[register.number] = value
            return
        }
        switch self[register.number] {
        case .unset, .page, .counter, .counted: self[register.number] = .low(register.size)
        case .low(let bytes): self[register.number] = .low(max(bytes, register.size))
        default: self[register.number] = .any
        }
    }

    /// Keeps what is known on either way. `number` is one that no word has yet, nor the four after it.
    mutating func join(_ other: EmittedCodeState, number: Int) {
        for slot in values.indices where values[slot] != other.values[slot] {
            switch (values[slot], other.values[slot]) {
            case (.unset, _), (_, .unset), (.window, _), (_, .window), (.page, _), (_, .page), (.counter, _),
                (_, .counter), (.counted, _), (_, .counted):
                values[slot] = .unset
            case (.low(let bytes), .low(let others)): values[slot] = .low(min(bytes, others))
            case (.low(let bytes), _), (_, .low(let bytes)): values[slot] = .low(bytes)
            case (.word, .word): values[slot] = .word(number + slot)
            default: values[slot] = .any
            }
        }
        credit = min(credit, other.credit)
        if counted != other.counted { counted = nil }
        isTested = isTested && other.isTested
        if stack != other.stack { stack = .unknown }
        if windowed != other.windowed { windowed = .unknown }
        hasUnits = hasUnits && other.hasUnits
        hasSavedFlags = hasSavedFlags && other.hasSavedFlags
    }
}
