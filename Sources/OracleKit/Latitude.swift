import Ring3
import X86

/// What the manual leaves open about an instruction that faults in the midst of its accesses.
///
/// "An x87 instruction or an SSE instruction that accesses data larger than a quadword may be implemented using multiple
/// memory accesses. If such an instruction stores to memory, some of the accesses may complete (writing to memory) while
/// another causes the operation to fault" (SDM 3A 9.1.1). In which order they are made decides which address CR2 has, and
/// if one of them would violate a limit and another alignment, which is found first (SDM 3A table 6-2, notes).
/// POPA, which starts again from the same ESP, likewise may have loaded some of the registers it will load again.
struct Latitude {
    /// CR2 may be any address in the operand.
    var isAddressOpen = false
    /// Any of `accessFaults` may have come first.
    var isOrderOpen: Bool { isAddressOpen }
    /// Memory may have been stored to in part.
    var isMemoryOpen = false
    /// Registers other than ESP may have been loaded.
    var areRegistersOpen = false

    /// #SS, #GP, #PF, #AC.
    static let accessFaults: Set<UInt32> = [12, 13, 14, 17]

    init() {}

    /// For the instruction at which a run ended with an exception.
    init(faultingAt instruction: Instruction) {
        switch instruction.operation {
        case .fldenv, .fnstenv, .frstor, .fnsave, .fxsave, .fxrstor, .fbld, .fbstp, .maskmovq, .maskmovdqu:
            (isAddressOpen, isMemoryOpen) = (true, true)
        case .fld, .fstp:
            isAddressOpen = instruction.operands.0.size == 10
            isMemoryOpen = isAddressOpen
        case .popa, .pusha:
            (isAddressOpen, areRegistersOpen) = (true, true)
        default:
            let operands = [instruction.operands.0, instruction.operands.1]
            isAddressOpen = operands.contains { $0.kind == .memory && $0.size > 8 }
            isMemoryOpen = isAddressOpen
        }
    }
}
