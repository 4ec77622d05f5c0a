/// An instruction as Capstone gets to see it: the same operands, in the plainest encoding.
///
/// ```
///  67   66/F2/F3   opcode   ModRM   tail: SIB, displacement, immediate
///  │    └ only where it is part of the opcode
///  └ only where the address size is not the default of the Capstone mode; the mode is chosen by operand size
/// ```
/// So no operand-size, segment, LOCK or REP prefix ever reaches it: 4.0.2 misjudges many of their combinations.
struct Canonical {
    /// Room for the head, a tail of 15 bytes and zeros behind it, so that Capstone never runs out of bytes and the
    /// length of a truncated instruction shows.
    static let capacity = 32

    let operandSize: UInt8
    /// The operation, where the encoding stands in for one that Capstone does not know.
    private(set) var operation: Operation?
    private let addressSize: UInt8
    private let mandatoryPrefix: UInt8
    private(set) var opcode: Int
    private(set) var modRM: UInt8
    private let hasModRM: Bool

    /// Nil if the opcode does not exist with the prefixes it has.
    init?(_ encoding: Encoding) {
        guard let mandatoryPrefix = encoding.mandatoryPrefix else { return nil }
        self.mandatoryPrefix = mandatoryPrefix
        operandSize = encoding.operandSize
        addressSize = encoding.addressSize
        opcode = encoding.opcode
        modRM = encoding.modRM
        hasModRM = encoding.form.hasModRM
        if let standIn = DecoderRepairs.standIn(for: encoding) {
            (opcode, modRM, operation) = (standIn.opcode, standIn.modRM, standIn.operation)
        }
    }

    /// Bytes up to and including the ModR/M byte.
    var examined: Int {
        (addressSize != operandSize ? 1 : 0) + (mandatoryPrefix != 0 ? 1 : 0) + (opcode > 0xFF ? 2 : 1)
            + (hasModRM ? 1 : 0)
    }

    func write(to buffer: UnsafeMutableRawBufferPointer, tail: UnsafeRawBufferPointer) {
        var count = 0
        func append(_ byte: UInt8) {
            buffer[count] = byte
            count += 1
        }
        if addressSize != operandSize { append(0x67) }
        if mandatoryPrefix != 0 { append(mandatoryPrefix) }
        if opcode > 0xFF { append(0x0F) }
        append(UInt8(truncatingIfNeeded: opcode))
        if hasModRM { append(modRM) }
        for byte in tail { append(byte) }
        while count < buffer.count { append(0) }
    }
}
