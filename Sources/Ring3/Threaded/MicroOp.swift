/// One step of a translated block: 16 bytes, executed by `ThreadedEngine`.
///
/// Registers are named by byte offset in the register file, as in `Instruction`. What the fields hold depends on the
/// opcode; exits overlay the second half with a link:
/// ```
///  0       2        4       5     6      7       8             12           16
///  opcode  index    a       b     c      d       displacement  immediate       computation
///  opcode  advance  offset                       link                          exit
/// ```
struct MicroOp {
    var opcode: MicroOpcode
    /// Which of the block's instructions this belongs to. Exits: instructions completed since the last count.
    var index: UInt16
    /// Destination, or the register beside a memory operand.
    var a: UInt8 = 0
    /// First source register, or base of the address.
    var b: UInt8 = 0
    /// Second source register, or index of the address.
    var c: UInt8 = 0
    /// Factor of the index register (1, 2, 4, 8), or a condition.
    var d: UInt8 = 0
    var displacement: UInt32 = 0
    var immediate: UInt32 = 0
}

/// The view of a `MicroOp` that ends a block: an exit to a known guest address.
struct ExitOp {
    var opcode: MicroOpcode
    /// Instructions completed by leaving here, since the last count.
    var advance: UInt16
    /// Target, relative to the block's first byte.
    var offset: UInt32
    /// Block there; the "unlinked" block, which is always stale, while it is not known.
    var link: BlockPointer
}

typealias MicroOpPointer = UnsafeMutablePointer<MicroOp>

/// Operand forms of the two-operand groups, in the order of their opcodes: destination, source.
enum OperandForm: UInt16 {
    /// Registers: a = b op c.
    case rr
    /// Register and immediate: a = b op immediate.
    case ri
    /// Register a, memory.
    case rm
    /// Memory, register a.
    case mr
    /// Memory, immediate.
    case mi
}

/// What a micro-op does. Groups that lowering indexes by arithmetic are marked; `MicroOpTests` holds them to it.
enum MicroOpcode: UInt16, CaseIterable {
    // Arithmetic with flags: operation, then `OperandForm`, for each size.
    case add32RR, add32RI, add32RM, add32MR, add32MI
    case or32RR, or32RI, or32RM, or32MR, or32MI
    case adc32RR, adc32RI, adc32RM, adc32MR, adc32MI
    case sbb32RR, sbb32RI, sbb32RM, sbb32MR, sbb32MI
    case and32RR, and32RI, and32RM, and32MR, and32MI
    case sub32RR, sub32RI, sub32RM, sub32MR, sub32MI
    case xor32RR, xor32RI, xor32RM, xor32MR, xor32MI
    case cmp32RR, cmp32RI, cmp32RM, cmp32MR, cmp32MI
    case test32RR, test32RI, test32RM, test32MR, test32MI
    case add16RR, add16RI, add16RM, add16MR, add16MI
    case or16RR, or16RI, or16RM, or16MR, or16MI
    case adc16RR, adc16RI, adc16RM, adc16MR, adc16MI
    case sbb16RR, sbb16RI, sbb16RM, sbb16MR, sbb16MI
    case and16RR, and16RI, and16RM, and16MR, and16MI
    case sub16RR, sub16RI, sub16RM, sub16MR, sub16MI
    case xor16RR, xor16RI, xor16RM, xor16MR, xor16MI
    case cmp16RR, cmp16RI, cmp16RM, cmp16MR, cmp16MI
    case test16RR, test16RI, test16RM, test16MR, test16MI
    case add8RR, add8RI, add8RM, add8MR, add8MI
    case or8RR, or8RI, or8RM, or8MR, or8MI
    case adc8RR, adc8RI, adc8RM, adc8MR, adc8MI
    case sbb8RR, sbb8RI, sbb8RM, sbb8MR, sbb8MI
    case and8RR, and8RI, and8RM, and8MR, and8MI
    case sub8RR, sub8RI, sub8RM, sub8MR, sub8MI
    case xor8RR, xor8RI, xor8RM, xor8MR, xor8MI
    case cmp8RR, cmp8RI, cmp8RM, cmp8MR, cmp8MI
    case test8RR, test8RI, test8RM, test8MR, test8MI
    // The same without flags.
    case plainAdd32RR, plainAdd32RI, plainAdd32RM, plainAdd32MR, plainAdd32MI
    case plainOr32RR, plainOr32RI, plainOr32RM, plainOr32MR, plainOr32MI
    case plainAnd32RR, plainAnd32RI, plainAnd32RM, plainAnd32MR, plainAnd32MI
    case plainSub32RR, plainSub32RI, plainSub32RM, plainSub32MR, plainSub32MI
    case plainXor32RR, plainXor32RI, plainXor32RM, plainXor32MR, plainXor32MI
    // Moves: `OperandForm`, for each size.
    case mov32RR, mov32RI, mov32RM, mov32MR, mov32MI
    case mov16RR, mov16RI, mov16RM, mov16MR, mov16MI
    case mov8RR, mov8RI, mov8RM, mov8MR, mov8MI
    // The commonest again for addresses without an index.
    case load32, store32, load8, store8, add32RMBase, plainAdd32RMBase, cmp32RMBase, cmp32MIBase, cmp8MIBase
    // Extending moves into 32 bits: register, memory.
    case zeroExtend8R, zeroExtend8M, zeroExtend16R, zeroExtend16M
    case signExtend8R, signExtend8M, signExtend16R, signExtend16M
    case lea, leaBase
    case exchange32
    // One operand: register, memory.
    case inc32R, inc32M, dec32R, dec32M, neg32R, neg32M, not32R, not32M, plainNeg32R
    // Smaller registers, in the same order.
    case inc16R, dec16R, neg16R, not16R
    case inc8R, dec8R, neg8R, not8R
    // Shifts of a 32-bit register by an immediate 1...31, then by CL; with flags, then without.
    case shl32I, shr32I, sar32I, rol32I, ror32I
    case plainShl32I, plainShr32I, plainSar32I, plainRol32I, plainRor32I
    case shl32C, shr32C, sar32C
    case plainShl32C, plainShr32C, plainSar32C
    // Of a 16- and of an 8-bit register by an immediate 1...31.
    case shl16I, shr16I, sar16I, rol16I, ror16I
    case shl8I, shr8I, sar8I, rol8I, ror8I
    case imul32RR, imul32RM, imul32RRI, plainImul32RR, plainImul32RM, plainImul32RRI
    case multiplyWide32R, shld32I, shrd32I, plainShld32I, plainShrd32I
    case convertDoubleToQuad, convertWordToDouble
    /// CMOV: of a register (condition in `d`), of memory (condition in the immediate).
    case setCondition, moveCondition32, moveCondition32M
    case push32R, push32I, push32M, pop32R, leave32
    // Conditional exits, in the order of `Condition`; the exit follows.
    case jumpOverflow, jumpNotOverflow, jumpBelow, jumpAboveOrEqual, jumpEqual, jumpNotEqual, jumpBelowOrEqual
    case jumpAbove, jumpSign, jumpNotSign, jumpParity, jumpNotParity, jumpLess, jumpGreaterOrEqual
    case jumpLessOrEqual, jumpGreater
    // A comparison and its conditional exit, in the order of `FusedCondition`.
    case cmp32RRBelow, cmp32RRAboveOrEqual, cmp32RREqual, cmp32RRNotEqual, cmp32RRBelowOrEqual, cmp32RRAbove
    case cmp32RRSign, cmp32RRNotSign, cmp32RRLess, cmp32RRGreaterOrEqual, cmp32RRLessOrEqual, cmp32RRGreater
    case cmp32RIBelow, cmp32RIAboveOrEqual, cmp32RIEqual, cmp32RINotEqual, cmp32RIBelowOrEqual, cmp32RIAbove
    case cmp32RISign, cmp32RINotSign, cmp32RILess, cmp32RIGreaterOrEqual, cmp32RILessOrEqual, cmp32RIGreater
    case test32RREqual, test32RRNotEqual, test32RRSign, test32RRNotSign, test32RRLessOrEqual, test32RRGreater
    // Arithmetic and the conditional exit on its result: zero, not zero.
    case add32RIEqual, add32RINotEqual, sub32RIEqual, sub32RINotEqual, inc32REqual, inc32RNotEqual
    case dec32REqual, dec32RNotEqual, test8RREqual, test8RRNotEqual, cmp8RIEqual, cmp8RINotEqual
    /// An x87 instruction: `a` is its `X87Step`, the immediate its `X87Arithmetic`.
    case x87
    /// The same for the steps that these are named after.
    case x87LoadDouble, x87ArithmeticDouble, x87ArithmeticRegisters
    // SSE: `a` is the register beside memory or the destination, `b` the source of register forms.
    case sseLoad16, sseLoad16Unaligned, sseLoad8, sseLoad4, sseStore16, sseStore16Unaligned, sseStore8, sseStore4
    case sseMove, sseAnd, sseOr, sseXor, sseUnpackLow, sseUnpackHigh
    /// SHUFPS; PSHUFD is the same with twice its source (`c`).
    case sseShuffle
    /// The immediate is `SSEArithmetic` times four plus `SSEFormat`. Register, then memory by size.
    case sseArithmeticR, sseArithmetic16, sseArithmetic8, sseArithmetic4
    // Transfers.
    /// Exit to an address on the same page.
    case jump
    /// Exit to an address on another page, whose translation is looked up every time.
    case jumpAway
    /// Push the return address; the exit follows.
    case call
    // The immediate of these counts instructions as well: see `MicroOpPointer.returnAddress`.
    case callR, callM, jumpR, jumpM, ret
    /// Exit to the dispatcher: what follows cannot be part of a block.
    case leave
    /// Before an instruction that ends in the next page: leave unless that page still holds the bytes in the slot that
    /// follows, which is data.
    case crossing
    // The shared semantics.
    /// An innocuous instruction without a micro-op of its own.
    case shared
    /// A sensitive instruction: the monitor's business.
    case callout
    /// Either of them, when the block cannot go on behind it.
    case sharedEnd
    case calloutEnd
    /// While the engine is inspected: counts or times what `a`, a `ProfiledStep`, says.
    case profile
}

extension MicroOpcode {
    /// The opcode `distance` places on, inside a group.
    func advanced(by distance: UInt16) -> MicroOpcode {
        MicroOpcode(rawValue: rawValue + distance) ?? self
    }
}
