import X86

/// A value in the x87 extended format (SDM 1 4.2.2):
/// ```
///  79    78 ........ 64  63 ................. 0
///  sign  exponent+16383  significand, explicit 1
/// ```
public struct X87Register: Equatable, Sendable {
    public var significand: UInt64
    public var signExponent: UInt16

    @inline(__always) public init(significand: UInt64 = 0, signExponent: UInt16 = 0) {
        self.significand = significand
        self.signExponent = signExponent
    }

    /// The QNaN that masked invalid operations produce, "real indefinite" (SDM 1 4.8.3.7).
    static let indefinite = X87Register(significand: 0xC000_0000_0000_0000, signExponent: 0xFFFF)
}

/// The x87 unit's state (SDM 1 8.1). MMX registers are the significands of the physical registers.
///
/// Defaults are those after power-up and reset (SDM 3A table 9-1), which are not those of FNINIT.
public struct FPUState: Sendable {
    /// R0 to R7; ST(0) is the one that TOP names.
    public var registers: InlineArray<8, X87Register> = InlineArray(repeating: X87Register())
    public var control: UInt16 = 0x40
    /// Opcode of the last instruction as loaded from an image. Once an instruction has run, `lastInstruction` holds it and
    /// the opcode is worked out when somebody asks, which is rare.
    var loadedOpcode: UInt16 = 0
    public var dataSelector: UInt16 = 0
    /// With TOP, and with B and ES always as flags and masks have them.
    ///
    /// Every instruction writes it, so it stands where no access to a neighbour can be widened over it: a load of four
    /// bytes right after a store to two of them waits for the store to reach the cache (a quarter of the time of x87 code).
    public var status: UInt16 = 0
    /// Bit n is set if Rn is not empty: the tag word as FXSAVE shortens it. The processor too keeps no more than that;
    /// what else FNSTENV stores in the tags it derives from the registers' contents.
    public var occupied: UInt8 = 0xFF

    /// Address of the last instruction that was not a control instruction, and of its operand if it was in memory.
    public var instructionOffset: UInt32 = 0
    public var dataOffset: UInt32 = 0
    public var instructionSelector: UInt16 = 0
    var lastInstruction = Instruction(.invalid)

    public init() {}
}

/// Bits of the x87 status word (SDM 1 8.1.3).
enum X87Status {
    static let invalid: UInt16 = 1 << 0
    static let denormal: UInt16 = 1 << 1
    static let zeroDivide: UInt16 = 1 << 2
    static let overflow: UInt16 = 1 << 3
    static let underflow: UInt16 = 1 << 4
    static let precision: UInt16 = 1 << 5
    static let stackFault: UInt16 = 1 << 6
    /// ES: an unmasked exception is pending.
    static let summary: UInt16 = 1 << 7
    static let c0: UInt16 = 1 << 8
    static let c1: UInt16 = 1 << 9
    static let c2: UInt16 = 1 << 10
    static let top: UInt16 = 7 << 11
    static let c3: UInt16 = 1 << 14
    /// B: the same as ES since the 287.
    static let busy: UInt16 = 1 << 15

    /// The six exception flags; in the control word, their masks.
    static let exceptions: UInt16 = 0x3F
    /// Exceptions found before anything is computed: unmasked, they leave operands and stack alone (SDM 1 8.7).
    static let beforeOperation = invalid | denormal | zeroDivide
    /// Exceptions that, unmasked, prevent a store to memory.
    static let beforeStore = invalid | overflow | underflow
    static let conditions = c0 | c1 | c2 | c3
    static let comparison = c0 | c2 | c3
}
