/// What the bytes of an instruction say up to and including its ModR/M byte.
struct Encoding {
    let prefixes: LegacyPrefixes
    /// Index in `OpcodeMap.forms`.
    let opcode: Int
    let form: OpcodeForm
    let modRM: UInt8
    /// Bytes up to and including the ModR/M byte, or the opcode where there is none. More than are available if they
    /// end before.
    let examined: Int
    /// Effective attributes, in bytes.
    let operandSize: UInt8
    let addressSize: UInt8

    init(_ bytes: UnsafeRawBufferPointer, size: CodeSize, forms: [OpcodeForm]) {
        prefixes = LegacyPrefixes(bytes)
        func byte(_ index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

        var position = prefixes.count
        var opcode = byte(position).map(Int.init)
        position += 1
        if opcode == 0x0F {
            opcode = byte(position).map(OpcodeMap.twoByte)
            position += 1
        }
        self.opcode = opcode ?? 0
        form = opcode.map { forms[$0] } ?? OpcodeForm()
        if form.hasModRM {
            modRM = byte(position) ?? 0
            position += 1
        } else {
            modRM = 0
        }
        examined = position

        let toggled: UInt8 = size == .bits16 ? 4 : 2
        operandSize = form.ignoresOperandSize ? 4 : prefixes.operandSize ? toggled : size.rawValue
        addressSize = prefixes.addressSize ? toggled : size.rawValue
    }

    var isRegisterForm: Bool { form.hasModRM && modRM >= 0xC0 }
    /// The reg field of ModR/M, the "row" of opcode groups.
    var row: UInt8 { modRM >> 3 & 7 }
    var rm: UInt8 { modRM & 7 }

    /// Bytes of a relative branch's displacement.
    var displacementSize: Int {
        switch opcode {
        case 0x70...0x7F, 0xE0...0xE3, 0xEB: 1
        default: Int(operandSize)
        }
    }

    /// The prefix byte that is part of the opcode, 0 for none; nil if the opcode does not exist with what precedes it.
    ///
    /// F2 and F3 take precedence over 66 (SDM 2A 2.1.2, and appendix A.2.4 on the opcode maps).
    var mandatoryPrefix: UInt8? {
        guard form.mandatory != 0 else { return 0 }
        let byte = prefixes.repeatByte != 0 ? prefixes.repeatByte : prefixes.operandSize ? 0x66 : 0
        let bit =
            switch byte {
            case 0x66: MandatoryPrefix.x66
            case 0xF3: MandatoryPrefix.xF3
            case 0xF2: MandatoryPrefix.xF2
            default: MandatoryPrefix.none
            }
        return form.mandatory & bit != 0 ? byte : nil
    }
}
