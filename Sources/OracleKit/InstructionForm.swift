import X86

/// One encoding of one operation: opcode, the prefixes that matter to it, and what its ModR/M byte may be.
package struct InstructionForm: Hashable {
    /// What follows the opcode.
    enum Shape: Hashable {
        case plain
        /// ModR/M with mod 3; reg is `row`, or any.
        case register(row: UInt8?)
        /// ModR/M with a memory operand.
        case memory(row: UInt8?)
        /// This ModR/M byte.
        case fixed(UInt8)
    }

    /// Operand size, address size, REP, LOCK or mandatory prefixes.
    let prefixes: [UInt8]
    let opcode: [UInt8]
    let shape: Shape
    /// What it is decoded as, with zeros for all that is left open.
    let sample: Instruction

    package var operation: X86.Operation { sample.operation }
    /// Bytes behind the ModR/M byte, or behind the opcode where there is none, other than a displacement.
    let immediateSize: Int

    fileprivate init(prefixes: [UInt8], opcode: [UInt8], shape: Shape, sample: Instruction) {
        (self.prefixes, self.opcode, self.shape, self.sample) = (prefixes, opcode, shape, sample)
        immediateSize = Int(sample.length) - prefixes.count - opcode.count - shape.sample.count
    }

    package static func == (a: Self, b: Self) -> Bool { a.encoding == b.encoding }
    package func hash(into hasher: inout Hasher) { hasher.combine(encoding) }

    private var encoding: [UInt8] { prefixes + opcode + [modRMBytes.last ?? 0, modRMBytes.isEmpty ? 0 : 1] }

    /// The ModR/M byte of the sample.
    fileprivate var modRMBytes: [UInt8] { shape.sample }

    /// Bytes in hexadecimal, and the sample's text.
    package var description: String {
        let bytes = (prefixes + opcode + modRMBytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        return bytes.joined(separator: " ") + "  " + sample.text(at: 0)
    }
}

extension InstructionForm.Shape {
    fileprivate var sample: [UInt8] {
        switch self {
        case .plain: []
        case .register(let row): [0xC0 | (row ?? 0) << 3]
        case .memory(let row): [(row ?? 0) << 3]
        case .fixed(let byte): [byte]
        }
    }
}

/// All forms, by trying all opcodes.
package struct FormCatalogue {
    package private(set) var forms: [InstructionForm] = []
    /// What is left out, and why.
    package private(set) var excluded: [(form: InstructionForm, reason: String)] = []
    private let decoder: Decoder

    /// Combinations of prefixes that may make a difference.
    private static let prefixSets: [[UInt8]] = {
        var sets: [[UInt8]] = []
        for last in [[], [0xF3], [0xF2], [0xF0]] as [[UInt8]] {
            for middle in [[], [0x66]] as [[UInt8]] {
                for first in [[], [0x67]] as [[UInt8]] { sets.append(first + middle + last) }
            }
        }
        return sets
    }()

    package init(decoder: Decoder) {
        self.decoder = decoder
        let prefixBytes: Set<UInt8> = [0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67, 0xF0, 0xF2, 0xF3, 0x0F]
        for byte in UInt8.min...UInt8.max where !prefixBytes.contains(byte) { addOpcode([byte]) }
        for byte in UInt8.min...UInt8.max { addOpcode([0x0F, byte]) }
    }

    private mutating func addOpcode(_ opcode: [UInt8]) {
        for prefixes in Self.prefixSets {
            for shape in shapes(opcode, prefixes) { add(prefixes, opcode, shape) }
        }
    }

    /// The shapes among which the operation may differ.
    private func shapes(_ opcode: [UInt8], _ prefixes: [UInt8]) -> [InstructionForm.Shape] {
        guard Decoder.hasModRM(opcode) else { return [.plain] }
        if opcode.count == 1, (0xD8...0xDF).contains(opcode[0]) {
            return (0..<8).map { .memory(row: $0) } + (UInt8(0xC0)...0xFF).map { .fixed($0) }
        }
        func rows(_ shape: (UInt8?) -> InstructionForm.Shape) -> [InstructionForm.Shape] {
            let operations = Set((UInt8(0)..<8).map { decode(prefixes + opcode + shape($0).sample).operation })
            return operations.count == 1 ? [shape(nil)] : (UInt8(0)..<8).map { shape($0) }
        }
        return rows { .memory(row: $0) } + rows { .register(row: $0) }
    }

    private mutating func add(_ prefixes: [UInt8], _ opcode: [UInt8], _ shape: InstructionForm.Shape) {
        let sample = decode(prefixes + opcode + shape.sample)
        guard sample.operation.rawValue > Operation.overlong.rawValue else { return }
        // Address sizes of memory operands are varied with the operand.
        if case .memory = shape, prefixes.contains(0x67) { return }
        for index in prefixes.indices {
            var fewer = prefixes
            fewer.remove(at: index)
            if isSame(sample, decode(fewer + opcode + shape.sample)) { return }
        }
        let form = InstructionForm(prefixes: prefixes, opcode: opcode, shape: shape, sample: sample)
        if let reason = Exclusions.reason(form) {
            excluded.append((form, reason))
        } else {
            forms.append(form)
        }
    }

    private func decode(_ bytes: [UInt8]) -> Instruction {
        let padded = bytes + [UInt8](repeating: 0, count: 15 - bytes.count)
        return padded.withUnsafeBytes { decoder.decode($0, size: .bits32) }
    }

    /// Whether a prefix made no difference.
    private func isSame(_ a: Instruction, _ b: Instruction) -> Bool {
        var (a, b) = (a, b)
        let effective: Prefixes = [.lock, .rep, .repne]
        (a.prefixes, b.prefixes) = (a.prefixes.intersection(effective), b.prefixes.intersection(effective))
        (a.length, b.length) = (0, 0)
        if !a.operation.usesAddressSize { (a.addressSize, b.addressSize) = (4, 4) }
        if a.operation.ignoresOperandSize { (a.operandSize, b.operandSize) = (4, 4) }
        return a == b
    }
}

extension X86.Operation {
    /// Whether an address-size prefix matters without a memory operand in ModR/M.
    fileprivate var usesAddressSize: Bool {
        switch self {
        case .movs, .cmps, .scas, .lods, .stos, .ins, .outs, .xlat, .jcxz, .loop, .loope, .loopne, .maskmovq,
            .maskmovdqu:
            true
        default: false
        }
    }

    /// Operations without operands to which an operand-size prefix means nothing.
    fileprivate var ignoresOperandSize: Bool {
        switch self {
        case .nop, .pause, .wait, .hlt, .clc, .stc, .cmc, .cld, .std, .cli, .sti, .lahf, .sahf, .salc, .aaa, .aas, .daa,
            .das,
            .aam, .aad, .int, .int1, .int3, .into, .cpuid, .rdtsc, .rdmsr, .wrmsr, .rdpmc, .clts, .invd, .wbinvd, .ud2,
            .rsm,
            .sysenter, .sysexit, .xlat:
            true
        case _ where rawValue >= X86.Operation.f2xm1.rawValue && rawValue <= X86.Operation.fyl2xp1.rawValue:
            // Only images of the unit have a 16-bit format.
            ![.fldenv, .fnstenv, .fnsave, .frstor].contains(self)
        default: false
        }
    }
}
