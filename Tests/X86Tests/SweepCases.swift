@testable import X86

/// The cases of the sweep: every opcode, row, addressing form and prefix that selects between instructions.
enum SweepCases {
    /// Prefixes put before every opcode.
    static let prefixes: [[UInt8]] = [
        [], [0x66], [0x67], [0xF2], [0xF3], [0xF0], [0x64], [0x66, 0x67], [0x66, 0xF3], [0xF2, 0x66],
    ]
    static let legacyPrefixes: [UInt8] = [
        0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67, 0xF0, 0xF2, 0xF3,
    ]
    private static let escapes: [[UInt8]] = [[], [0x0F]]

    /// Every one- and two-byte opcode under `prefix`, with every row of its ModR/M byte, as memory and as register.
    static func opcodes(_ prefix: [UInt8]) -> [[UInt8]] {
        var cases: [[UInt8]] = []
        for escape in escapes {
            for opcode in UInt8.min...UInt8.max where !(escape.isEmpty && (legacyPrefixes + [0x0F]).contains(opcode)) {
                let head = prefix + escape + [opcode]
                // Immediates that assemblers have a short name for.
                cases +=
                    [0, 1, 3, 10].map { head + [0xC1, $0, 0, 0, 0] }
                    + [0, 1, 3, 10].map { head + [$0, 0, 0, 0, 0, 0] }
                let form = OpcodeMap.forms[(escape.isEmpty ? 0 : 256) + Int(opcode)]
                if form.hasModRM || !form.isDefined {
                    for row in UInt8(0)..<8 {
                        cases += [0x03, 0x46, 0xC1].map { head + [$0 | row << 3, 0xF1, 0x82, 0x73, 0x84] }
                    }
                } else {
                    cases += [head + [0x11, 0x82, 0x73, 0x84, 0x75, 0x06], head + [0xF1, 0xF2]]
                }
            }
        }
        return cases
    }

    /// Every ModR/M byte and, where there is one, SIB byte, with displacements of either sign.
    static func addressing(_ prefix: [UInt8]) -> [[UInt8]] {
        var cases: [[UInt8]] = []
        for modRM in UInt8.min...UInt8.max {
            if modRM < 0xC0, modRM & 7 == 4, modRM >> 3 & 7 < 2 {
                for sib in UInt8.min...UInt8.max {
                    cases.append(prefix + [0x89, modRM, sib, 0x7F, 0x56, 0x34, 0x12])
                    cases.append(prefix + [0x89, modRM, sib, 0x80, 0xFF, 0xFF, 0xFF])
                }
            } else {
                cases.append(prefix + [0x89, modRM, 0x7F, 0x56, 0x34, 0x12])
                cases.append(prefix + [0x89, modRM, 0x80, 0xFF, 0xFF, 0xFF])
            }
        }
        return cases
    }

    /// Every x87 instruction.
    static func coprocessor(_ prefix: [UInt8]) -> [[UInt8]] {
        (UInt8(0xD8)...0xDF).flatMap { opcode in
            (UInt8.min...UInt8.max).map { prefix + [opcode, $0, 0x24, 0x56, 0x34, 0x12] }
        }
    }

    /// Every sequence of up to three prefixes, two of them the same included, before instructions of each kind.
    static var prefixCombinations: [[UInt8]] {
        let kinds: [[UInt8]] = [
            [0x8B, 0x45, 0xF8], [0x01, 0x44, 0x24, 0x08], [0x0F, 0x58, 0x03], [0x0F, 0x6E, 0xC1], [0xA5],
            [0xA1, 1, 2, 3, 4], [0x68, 1, 2, 3, 4], [0x0F, 0xB6, 0xC1], [0xC8, 1, 2, 3],
        ]
        var sequences: [[UInt8]] = [[]]
        for _ in 0..<3 { sequences += sequences.flatMap { sequence in legacyPrefixes.map { sequence + [$0] } } }
        return Set(sequences).sorted { $0.lexicographicallyPrecedes($1) }.flatMap { prefixes in
            kinds.map { prefixes + $0 }
        }
    }
}
