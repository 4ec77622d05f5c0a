import Ring3
import X86

/// Cases of one instruction: a form, with operands at the edges.
package struct SingleGenerator {
    private let decoder: Decoder
    private let traits: Set<HostTrait>

    package init(decoder: Decoder, traits: Set<HostTrait>) {
        self.decoder = decoder
        self.traits = traits
    }

    /// The case that `seed` makes of a form; nil if it would be one that must not be run.
    ///
    /// - Parameter round: goes through the values of which every one matters, shift counts above all.
    package func make(_ form: InstructionForm, seed: UInt64, round: UInt32) -> CaseRecord? {
        var random = SplitMix64(seed: seed)
        var draft = Draft(form: form, round: round, traits: traits)
        draft.chooseState(&random)
        draft.chooseOperands(&random)
        var bytes = draft.prefixes + form.prefixes + form.opcode + draft.modRM
        guard bytes.count <= 15 else { return nil }
        let offset = draft.chooseCodeOffset(length: UInt32(bytes.count + form.immediateSize), &random)
        if form.immediateSize > 0 { bytes += draft.chooseImmediate(size: form.immediateSize, &random) }
        let instruction = decode(bytes)
        guard instruction.operation == form.operation, instruction.length == bytes.count,
            !Exclusions.isSystemCall(instruction)
        else { return nil }
        if let distance = instruction.branchOperand {
            let target = UInt32(instruction.length) &+ distance
            // Into the instruction itself (a loop without end), or into the jump behind it.
            if target < bytes.count + 5, target != bytes.count { return nil }
        }

        var record = CaseRecord(code: bytes, at: offset)
        record.context.registers = draft.registers
        record.context.eflags = draft.eflags
        record.extended = draft.extended
        record.ignored = draft.ignored(instruction)
        return record
    }

    private func decode(_ bytes: [UInt8]) -> Instruction {
        bytes.withUnsafeBytes { decoder.decode($0, size: .bits32) }
    }
}

/// A case in the making.
private struct Draft {
    let form: InstructionForm
    let round: UInt32
    let traits: Set<HostTrait>
    var registers: InlineArray<8, UInt32> = InlineArray(repeating: 0)
    var eflags: UInt32 = 0
    var extended = ExtendedImage()
    var prefixes: [UInt8] = []
    var modRM: [UInt8] = []
    private var target: UInt32 = 0

    private static let (ecx, edx, ebx, esp, ebp, esi, edi) = (1, 2, 3, 4, 5, 6, 7)

    init(form: InstructionForm, round: UInt32, traits: Set<HostTrait>) {
        self.form = form
        self.round = round
        self.traits = traits
    }

    private var operation: X86.Operation { form.operation }

    mutating func chooseState(_ random: inout SplitMix64) {
        eflags = StateValues.flags(&random)
        for index in 0..<8 { registers[index] = EdgeValues.integer(&random) }
        registers[Self.esp] = EdgeValues.stack(&random)
        if random.chance(1, 2) { registers[Self.ebp] = EdgeValues.stack(&random) }
        if operation.rawValue >= X86.Operation.wait.rawValue { extended = StateValues.extended(&random) }
        switch operation {
        case .shl, .shr, .sar, .rol, .ror, .rcl, .rcr, .shld, .shrd:
            registers[Self.ecx] = registers[Self.ecx] & ~0xFF | (round & 0xFF)
            // Counts beyond the operand leave it undefined (SDM 2B, "SHLD").
            if isDoubleShift16 { registers[Self.ecx] = registers[Self.ecx] & ~0x1F | round % 17 }
        case .movs, .cmps, .scas, .lods, .stos, .ins, .outs, .xlat, .maskmovq, .maskmovdqu:
            for index in [Self.ebx, Self.esi, Self.edi] { registers[index] = EdgeValues.address(&random) }
            if random.chance(7, 8) { registers[Self.ecx] = random.below(70) }
            chooseSourceSegment(&random)
            // Whether addresses are checked if no byte is selected is left open (SDM 2B, "MASKMOVQ").
            // So it is with those that are not, hence one page.
            if operation == .maskmovq || operation == .maskmovdqu {
                extended.selectBytes(random.next())
                if registers[Self.edi] & 0xFFF > 0xFF0 { registers[Self.edi] &-= 16 }
            }
        case .loop, .loope, .loopne, .jcxz:
            if random.chance(1, 2) { registers[Self.ecx] = random.pick([0, 1, 2, 0x1_0000, 0x1_0001]) }
        case .div, .idiv:
            // Quotients that fit are rare among random numbers.
            if random.chance(1, 2) {
                registers[Self.edx] = random.chance(1, 2) ? 0 : registers[0] >> 31 == 0 ? 0 : .max
            }
            if random.chance(1, 3) { registers[Self.edx] = random.below(0x100) }
        case .iret, .retFar: registers[Self.esp] = chooseTransfer(&random)
        case .movSegment, .pushSegment, .lar, .lsl, .verr, .verw, .arpl:
            for index in 0..<8 where index != Self.esp {
                registers[index] = registers[index] & 0xFFFF_0000 | UInt32(EdgeValues.selector(&random))
            }
        default: break
        }
    }

    /// The address of a frame or far pointer.
    private func chooseTransfer(_ random: inout SplitMix64) -> UInt32 {
        if random.chance(1, 16) { return EdgeValues.address(&random) }
        let half = MemoryWindow.transferCount / 2
        let index = random.below(half) + (form.sample.operandSize == 2 ? half : 0)
        return UserLayout.data + MemoryWindow.transfers + index * 16
    }

    private var isFarTransfer: Bool { [.iret, .retFar, .jmpFar, .callFar].contains(operation) }

    private var isDoubleShift16: Bool {
        (operation == .shld || operation == .shrd) && form.sample.operandSize == 2
    }

    private mutating func chooseSourceSegment(_ random: inout SplitMix64) {
        guard random.chance(1, 4) else { return }
        let byte: UInt8 = random.pick([0x26, 0x2E, 0x36, 0x3E, 0x64, 0x64, 0x64, 0x65])
        prefixes = [byte]
        if byte == 0x64 {
            for index in [Self.ebx, Self.esi] { registers[index] = registers[index] &- UserLayout.data }
        }
    }

    mutating func chooseOperands(_ random: inout SplitMix64) {
        switch form.shape {
        case .plain: break
        case .fixed(let byte): modRM = [byte]
        case .register(let row):
            modRM = [0xC0 | (row ?? UInt8(random.below(8))) << 3 | UInt8(random.below(8))]
        case .memory(let row):
            target = chooseTarget(&random)
            let reg = row ?? UInt8(random.below(8))
            var fixed: Set<Int> = []
            if [.bt, .bts, .btr, .btc].contains(operation), row == nil {
                // The register is a distance in bits, which moves the operand.
                if random.chance(3, 4) {
                    registers[Int(reg)] = UInt32(bitPattern: Int32(random.below(0x400)) - 0x200)
                    fixed = [Int(reg)]
                }
            }
            if operation == .shld || operation == .shrd { fixed.insert(Self.ecx) }
            let encoded = OperandEncoder.encode(target: target, registers: &registers, fixed: fixed, random: &random)
            prefixes = encoded.prefixes
            modRM = encoded.bytes
            modRM[0] |= reg << 3
        }
        chooseJump(&random)
    }

    private mutating func chooseTarget(_ random: inout SplitMix64) -> UInt32 {
        switch operation {
        case .movSegment, .lar, .lsl, .verr, .verw, .arpl:
            return UserLayout.data + MemoryWindow.selectors + random.below(64) * 4
        case .lds, .les, .lfs, .lgs, .lss:
            if form.sample.operandSize == 2 {
                return UserLayout.data + MemoryWindow.selectors + random.below(64) * 4 &- 2
            }
            return UserLayout.data + MemoryWindow.farPointers + random.below(MemoryWindow.farPointerCount) * 8
        case .jmpFar, .callFar: return chooseTransfer(&random)
        case .fxsave, .fxrstor:
            return UserLayout.data + random.below(0x180) * 16 + (random.chance(1, 8) ? random.below(16) : 0)
        default: return EdgeValues.address(&random)
        }
    }

    /// Indirect jumps through registers: to where HLT is, to the exit, or anywhere.
    private mutating func chooseJump(_ random: inout SplitMix64) {
        guard operation == .jmp || operation == .call, case .register = form.shape else { return }
        let register = Int(modRM[0] & 7)
        switch random.below(3) {
        case 0: registers[register] = UserLayout.exit
        case 1: registers[register] = UserLayout.code + 0x1F00 + random.below(0x80)
        default: break
        }
    }

    /// Mostly well inside, sometimes across the two code pages or at the end of the second.
    func chooseCodeOffset(length: UInt32, _ random: inout SplitMix64) -> UInt32 {
        if isFarTransfer { return EdgeValues.farTransferEnd - length }
        return switch random.below(16) {
        case 0: 0x1000 - random.below(16)
        case 1: UserLayout.codeSize - 20 + random.below(8)
        default: 0x400 + random.below(64) * 16
        }
    }

    func chooseImmediate(size: Int, _ random: inout SplitMix64) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < size { bytes += littleEndian(EdgeValues.integer(&random)) }
        bytes = [UInt8](bytes[..<size])
        switch operation {
        case _ where form.sample.branchOperand != nil:
            // To the exit's jump, to HLT before or behind, or anywhere.
            let distance = random.pick([0, 0, 0x20, 0x7F, UInt32(bitPattern: -0x40)])
            if random.chance(3, 4) { bytes = [UInt8](littleEndian(distance)[..<size]) }
        case .shl, .shr, .sar, .rol, .ror, .rcl, .rcr: bytes[safe: size - 1] = UInt8(truncatingIfNeeded: round)
        case .shld, .shrd:
            bytes[safe: size - 1] = isDoubleShift16 ? UInt8(round % 17) : UInt8(truncatingIfNeeded: round)
        case .jmpFar where size > 2, .callFar where size > 2:
            let offset = littleEndian(EdgeValues.farTarget(&random))[..<(size - 2)]
            bytes = offset + littleEndian(EdgeValues.codeSelector(&random))
        case .enter:
            // Frame sizes that leave ESP on the stack, and a nesting level.
            if random.chance(3, 4) { bytes = [UInt8(random.below(256)), 0, UInt8(random.below(40))] }
        default: break
        }
        return bytes
    }

    /// What images in memory hold that depends on the processor's model: see `Comparison`.
    func ignored(_ instruction: Instruction) -> [(address: UInt32, size: UInt32)] {
        let pushed: UInt32 = registers[Self.esp]
        return switch (instruction.operation, instruction.operandSize) {
        // CS and FOP, data pointer, DS; 16 bits: IP and so on (SDM 1 figures 8-9 and 8-11).
        case (.fnstenv, 2), (.fnsave, 2): [(target &+ 8, 6)]
        case (.fnstenv, _), (.fnsave, _): [(target &+ 16, 12)]
        // FOP up to DS, and the mask of MXCSR (SDM 2A table 3-43).
        case (.fxsave, _): [(target &+ 6, 18), (target &+ 28, 4)]
        // The upper half "may not be written" (SDM 2B, PUSH).
        case (.pushSegment, 4) where traits.contains(.wholeSelectorMoved): [(pushed &- 2, 2)]
        // CS is padded to a dword, it is not said with what (SDM 2A, CALL).
        case (.callFar, 4): [(pushed &- 2, 2)]
        default: []
        }
    }
}

extension Array {
    /// Ignores stores outside.
    fileprivate subscript(safe index: Int) -> Element {
        get { self[index] }
        set { if indices.contains(index) { self[index] = newValue } }
    }
}
