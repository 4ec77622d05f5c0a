/// What the verifier has against a piece of emitted code.
public struct EmittedCodeFinding: Error, Sendable, CustomStringConvertible {
    /// The rules that emitted code follows; see `EmittedCodeVerifier`.
    public enum Rule: String, Sendable, CaseIterable {
        case undecodable = "there is no instruction"
        case instruction = "the instruction is not one that may be emitted"
        case prefixes = "prefixes that the instruction may not have"
        case register = "names a register that belongs to the host or the monitor"
        case width = "64-bit operand"
        case memory = "accesses memory outside the guest's window"
        case state = "accesses a part of the processor's state that is the monitor's"
        case counter = "accesses a counter that is not the block's, or not to count"
        case jumpCache = "accesses the jump cache with an index that is not proved"
        case unset = "reads R8...R11, where nothing is kept from one guest instruction to the next"
        case units = "uses the x87 or SSE unit while its state may be the host's"
        case budget = "does not count the block's instructions"
        case target = "leads to where no code has been verified"
        case backwards = "leads backwards within the block"
        case end = "falls off the end of the block"
        case site = "leaves without saying where"
        case shape = "the block is not where the monitor has it"
        case entry = "is entered where no code has been verified"
        case window = "uses an address of the host's but for a string instruction"
        case stack = "leaves the host's stack in disorder"
    }

    public let rule: Rule
    /// Bytes from the start of all emitted code, and from that of the block.
    public let offset: Int
    public let blockOffset: Int
    /// Those of the instruction.
    public let bytes: [UInt8]
    /// The instruction in Intel syntax, its addresses as offsets.
    public let text: String

    public var description: String {
        let code = bytes.map { hex(UInt32($0), 2) }.joined(separator: " ")
        return """
            Emitted code would leave the sandbox: \(rule.rawValue).
              offset \(offset) (block + \(blockOffset)): \(code)  \(text)
            This is a defect of Ring3; the code was not executed.
            """
    }
}
