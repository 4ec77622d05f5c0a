import Ring3
import X86

/// Cases of up to 32 instructions: what one leaves behind, another works on.
///
/// EBX, EBP, ESI and EDI begin as addresses, most operands in memory are near one of them. No instruction gets to read
/// a flag that is undefined: a comparison comes before it.
package struct SequenceGenerator {
    private let decoder: Decoder
    /// Forms by operation, so that operations with many forms are not preferred.
    private let choices: [[InstructionForm]]

    private static let pointers: [Int] = [3, 5, 6, 7]

    package init(decoder: Decoder, catalogue: FormCatalogue) {
        self.decoder = decoder
        let usable = catalogue.forms.filter { Self.isUsable($0) }
        let groups = Dictionary(grouping: usable) { $0.operation.rawValue }
        choices = groups.keys.sorted().compactMap { groups[$0] }
    }

    /// Left out are: what always ends a sequence, except seldom; what stores images of the unit, whose contents depend
    /// on the processor's model; and what has undefined results for counts and masks that nobody can foresee here.
    private static func isUsable(_ form: InstructionForm) -> Bool {
        let operands = form.sample.operands
        switch form.operation {
        case .fxsave, .fnsave, .fnstenv, .fxrstor, .frstor, .fldenv, .maskmovq, .maskmovdqu: return false
        case .shld, .shrd: return form.sample.operandSize == 4 || operands.2.kind == .immediate
        case .ud0, .ud1, .ud2, .rsm, .ret, .int1, .int3, .int: return false
        case .iret, .jmpFar, .callFar, .retFar: return false
        case .pushSegment: return form.sample.operandSize == 2
        case .jmp, .call: return operands.0.kind == .relative && form.sample.operandSize == 4
        case .jcc, .jcxz, .loop, .loope, .loopne: return form.sample.operandSize == 4
        case .movSegment, .popSegment, .lds, .les, .lfs, .lgs, .lss, .verr, .verw, .lar, .lsl: return false
        case .hlt, .cli, .sti, .clts, .invd, .wbinvd, .rdmsr, .wrmsr, .sysexit, .in, .out, .ins, .outs: return false
        case .movControl, .movDebug, .lmsw, .lgdt, .lidt, .lldt, .ltr, .invlpg: return false
        default: return true
        }
    }

    /// A branch whose target is still to come: where its displacement goes, and to which instruction.
    private struct Branch {
        let end: Int
        let size: Int
        let target: Int
        let undefined: UInt32
    }

    package func make(seed: UInt64) -> CaseRecord? {
        var random = SplitMix64(seed: seed)
        var code: [UInt8] = []
        var starts: [Int] = []
        var branches: [Branch] = []
        var undefined: UInt32 = 0
        let count = 1 + Int(random.below(32))
        while starts.count < count {
            let (form, bytes) = instruction(&random)
            let decoded = decode(bytes)
            guard decoded.operation == form.operation, decoded.length == bytes.count else { continue }
            for branch in branches where branch.target == starts.count { undefined |= branch.undefined }
            let effects = FlagTable.effects(of: decoded, cl: nil)
            var piece = bytes
            if decoded.operation == .popf { piece = Self.clearTrapFlag(size: decoded.operandSize) + bytes }
            if effects.read & undefined != 0 {
                // cmp r, r: defines them all.
                piece = [0x39, 0xC0 | UInt8(random.below(64))] + piece
                undefined = 0
            }
            guard code.count + piece.count <= CaseRecord.maximumCode else { break }
            starts.append(code.count)
            code += piece
            undefined = undefined & ~effects.written | effects.undefined
            if decoded.branchOperand != nil {
                let size = bytes.count - decoded.headLength(of: bytes)
                let target = starts.count + Int(random.below(4))
                branches.append(Branch(end: code.count, size: size, target: target, undefined: undefined))
            }
        }
        resolve(branches, starts, &code)
        var record = CaseRecord(code: code, at: 0x100 + random.below(0xC00))
        chooseState(&record, &random)
        return record
    }

    /// and word/dword ptr [esp], ~TF.
    private static func clearTrapFlag(size: UInt8) -> [UInt8] {
        size == 2
            ? [0x66, 0x81, 0x24, 0x24, 0xFF, 0xFE]
            : [0x81, 0x24, 0x24, 0xFF, 0xFE, 0xFF, 0xFF]
    }

    private func resolve(_ branches: [Branch], _ starts: [Int], _ code: inout [UInt8]) {
        for branch in branches {
            let target = branch.target < starts.count ? starts[branch.target] : code.count
            let distance = littleEndian(UInt32(target - branch.end))
            for index in 0..<branch.size { code[branch.end - branch.size + index] = distance[index] }
        }
    }

    private func chooseState(_ record: inout CaseRecord, _ random: inout SplitMix64) {
        for index in 0..<8 { record.context.registers[index] = EdgeValues.integer(&random) }
        for index in Self.pointers { record.context.registers[index] = EdgeValues.address(&random) }
        record.context.registers[4] = EdgeValues.stack(&random)
        if random.chance(3, 4) { record.context.registers[1] = random.below(40) }
        record.context.eflags = StateValues.flags(&random)
        record.extended = StateValues.extended(&random)
        // Exceptions that are pending or not masked end most sequences at the first instruction of the unit.
        if random.chance(3, 4) {
            record.extended.control |= 0x3F
            record.extended.status &= 0x7800
            record.extended.mxcsr |= 0x1F80
        }
    }

    /// Bytes of one instruction; a branch has zeros for its displacement.
    private func instruction(_ random: inout SplitMix64) -> (InstructionForm, [UInt8]) {
        let form = random.pick(random.pick(choices))
        var bytes = form.prefixes + form.opcode
        switch form.shape {
        case .plain: break
        case .fixed(let byte): bytes.append(byte)
        case .register(let row):
            bytes.append(0xC0 | (row ?? UInt8(random.below(8))) << 3 | UInt8(random.below(8)))
        case .memory(let row): bytes += memoryOperand(row ?? UInt8(random.below(8)), &random)
        }
        bytes += immediate(form, &random)
        return (form, bytes)
    }

    private func immediate(_ form: InstructionForm, _ random: inout SplitMix64) -> [UInt8] {
        let size = form.immediateSize
        if form.sample.branchOperand != nil { return [UInt8](repeating: 0, count: size) }
        if form.operation == .enter { return [UInt8(random.below(64)), 0, UInt8(random.below(4))] }
        var bytes: [UInt8] = []
        while bytes.count < size { bytes += littleEndian(EdgeValues.integer(&random)) }
        bytes.removeLast(bytes.count - size)
        if form.operation == .shld || form.operation == .shrd, form.sample.operandSize == 2, size > 0 {
            bytes[size - 1] = UInt8(random.below(17))
        }
        return bytes
    }

    /// Mostly [pointer + small displacement], sometimes an absolute address or an index that leads anywhere.
    private func memoryOperand(_ reg: UInt8, _ random: inout SplitMix64) -> [UInt8] {
        let base = UInt8(random.pick(Self.pointers))
        switch random.below(16) {
        case 0: return [reg << 3 | 5] + littleEndian(EdgeValues.address(&random))
        case 1: return [0x44 | reg << 3, UInt8(random.below(256) & 0xF8) | base, UInt8(random.below(256))]
        case 2: return [0x44 | reg << 3, 0x24, UInt8(random.below(64))]
        default:
            let displacement = random.chance(1, 4) ? random.below(256) : random.below(4) * 16
            return [0x40 | reg << 3 | base, UInt8(displacement)]
        }
    }

    private func decode(_ bytes: [UInt8]) -> Instruction {
        bytes.withUnsafeBytes { decoder.decode($0, size: .bits32) }
    }
}

extension Instruction {
    /// The displacement of a relative branch, from the instruction's end.
    var branchOperand: UInt32? {
        operands.0.kind == .relative || operands.1.kind == .relative ? immediate : nil
    }

    /// Bytes of a relative branch before its displacement.
    fileprivate func headLength(of bytes: [UInt8]) -> Int {
        let opcode = bytes.first { ![0x66, 0x67, 0xF2, 0xF3, 0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65].contains($0) } ?? 0
        let isShort = (0x70...0x7F).contains(opcode) || (0xE0...0xE3).contains(opcode) || opcode == 0xEB
        return Int(length) - (isShort ? 1 : Int(operandSize))
    }
}
