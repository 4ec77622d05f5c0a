import Ring3
import X86

/// What the manual leaves open about an instruction that faults.
///
/// Operands longer than eight bytes may be accessed in pieces, of which some may be stored when another faults (SDM 3A
/// 9.1.1). In which order that happens decides which address CR2 has, and if one piece would violate a limit and another
/// alignment, which is found first (SDM 3A table 6-2, notes). POPA, which starts again from the same ESP, likewise may
/// have loaded some of the registers it will load again.
struct Latitude {
    /// CR2 may be any address in the operand.
    var isAddressOpen = false
    /// CR2 may be the address in ESI, where ours is that in EDI, by that part of them; 0 if it may not.
    var addressMask: UInt32 = 0
    /// Any of these exceptions may have been found first.
    var orderlessFaults: Set<UInt32> = []
    /// Memory may have been stored to in part.
    var isMemoryOpen = false
    /// Registers other than ESP may have been loaded.
    var areRegistersOpen = false
    /// Flags may differ.
    var flags: UInt32 = 0
    /// The host may have stopped here, and the engine gone on.
    var mayEndHere = false
    /// The host's TOP is as before an MMX instruction makes it 0.
    var isTopKept = false
    /// A debug trap may be reported before the instruction.
    var isTrapAddressOpen = false

    /// #SS, #GP, #PF, #AC.
    private static let accessFaults: Set<UInt32> = [12, 13, 14, 17]

    init() {}

    /// For the instruction at which the host ended with an exception.
    init(faultingAt instruction: Instruction, host: CaseRecord, traits: Set<HostTrait>) {
        isTrapAddressOpen = instruction.operation == .int1 && traits.contains(.breakpointTrapRestarts)
        guard Self.accessFaults.contains(host.context.vector) else { return }
        orderOfAccesses(instruction, traits)
        if isAddressOpen { orderlessFaults.formUnion(Self.accessFaults) }
        otherwiseChecked(instruction, host, traits)
        if [.cmps, .scas].contains(instruction.operation), instruction.isRepeated,
            traits.contains(.flagsKeptByFaultingScan)
        {
            flags = Flags.status
        }
        isTopKept =
            traits.contains(.topKeptByFaultingMMXStore)
            && instruction.operands.0.kind == .memory && instruction.operands.1.kind == .mmx
    }

    private mutating func orderOfAccesses(_ instruction: Instruction, _ traits: Set<HostTrait>) {
        switch instruction.operation {
        case .fldenv, .fnstenv, .frstor, .fnsave, .fxsave, .fxrstor, .fbld, .fbstp, .maskmovq, .maskmovdqu:
            (isAddressOpen, isMemoryOpen) = (true, true)
        case .fld, .fstp:
            isAddressOpen = instruction.operands.0.size == 10
            isMemoryOpen = isAddressOpen
        case .popa, .pusha:
            (isAddressOpen, areRegistersOpen) = (true, true)
        case .cmps:
            guard traits.contains(.sourceComparedFirst), instruction.prefixes.contains(.rep),
                instruction.operandSize == 1
            else { break }
            addressMask = instruction.addressSize == 2 ? 0xFFFF : .max
            orderlessFaults.formUnion(Self.accessFaults)
        case .retFar, .iret:
            // Several words are popped; which is read first is not said.
            isAddressOpen = true
            // Selectors that are refused, #NP among them.
            if traits.contains(.farReturnReadsAhead) { orderlessFaults = [11] }
        case .popSegment, .pushSegment, .callFar:
            // The upper half may be unaligned or not there; a selector that is refused may come first.
            if traits.contains(.wholeSelectorMoved) { orderlessFaults = Self.accessFaults.union([11]) }
        // Whether the upper bound is read when the lower one is exceeded (SDM 2A, BOUND).
        case .bound: orderlessFaults = Self.accessFaults.union([UInt32(Vector.boundRange)])
        default:
            let operands = [instruction.operands.0, instruction.operands.1]
            isAddressOpen = operands.contains { $0.kind == .memory && $0.size > 8 }
            isMemoryOpen = isAddressOpen
        }
    }

    /// The host may check what the engine does not.
    private mutating func otherwiseChecked(
        _ instruction: Instruction, _ host: CaseRecord, _ traits: Set<HostTrait>
    ) {
        switch instruction.operation {
        // Whether these check alignment depends on the processor (SDM 2B, MOVUPS, MOVUPD, MOVDQU: exceptions).
        case .movups, .movupd, .movdqu: mayEndHere = host.context.vector == UInt32(Vector.alignmentCheck)
        case .fst, .fstp, .fist, .fistp, .fbstp:
            mayEndHere = traits.contains(.storeCheckedBeforeException) && host.extended.control & 0x3F != 0x3F
        case .pushSegment, .popSegment, .callFar:
            mayEndHere = traits.contains(.wholeSelectorMoved) && instruction.operandSize == 4
        default: break
        }
    }

    /// Whether CR2 may be as the host has it.
    func allowsAddress(_ host: UserContext, where ours: UserContext) -> Bool {
        // No operand is longer than 512 bytes.
        let isNear = isAddressOpen && Int32(bitPattern: ours.cr2 &- host.cr2).magnitude < 512
        let isSource =
            addressMask != 0 && ours.cr2 == host.registers[7] & addressMask
            && host.cr2 == host.registers[6] & addressMask
        return isNear || isSource || host.cr2 == ours.cr2
    }

    /// Whether an access that goes beyond 4 GiB violates the limit or wraps around is left open (SDM 3A 5.3). Nothing is
    /// mapped at either end: where it is no #GP or #SS, it is a page fault, or violates alignment.
    static func mayWrap(_ instruction: Instruction, _ a: UserContext, _ b: UserContext) -> Bool {
        let isLimit = { (context: UserContext) in
            (context.vector == UInt32(Vector.stackFault) || context.vector == UInt32(Vector.generalProtection))
                && context.errorCode == 0
        }
        guard isLimit(a) != isLimit(b) else { return false }
        let other = isLimit(a) ? b : a
        // No operand is longer than 512 bytes.
        func isNearEnd(_ address: UInt32) -> Bool { address &+ 512 < 1024 }
        switch other.vector {
        case UInt32(Vector.pageFault): return isNearEnd(other.cr2)
        case UInt32(Vector.alignmentCheck):
            let registers = [4, 5, 6, 7].map { other.registers[$0] }
            return (registers + [instruction.address(other)]).contains(where: isNearEnd)
        default: return false
        }
    }
}

extension Instruction {
    /// Of its memory operand.
    fileprivate func address(_ context: UserContext) -> UInt32 {
        func value(_ register: UInt8) -> UInt32 {
            register < 32 ? context.registers[Int(register >> 2)] : 0
        }
        return memory.displacement &+ value(memory.base) &+ value(memory.index) << UInt32(memory.shift)
    }
}
