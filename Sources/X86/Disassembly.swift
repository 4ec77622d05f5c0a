extension Condition {
    /// As in Jcc, SETcc and CMOVcc mnemonics.
    public var suffix: String {
        let suffixes = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"]
        return suffixes[Int(rawValue)]
    }
}

extension GeneralRegister {
    /// The name of the register at `offset` of the register file, as an operand of `size` bytes.
    public static func name(offset: UInt8, size: UInt8) -> String {
        let high = offset & 3 == 1 ? 4 : 0
        let number = Int(offset >> 2 & 7)
        return switch size {
        case 1: ["al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"][(number & 3) + high]
        case 2: ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"][number]
        default: ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"][number]
        }
    }
}

extension Instruction {
    /// The instruction in Intel syntax, made from what was decoded and nothing else; `address` is that of its first
    /// byte.
    public func text(at address: UInt32) -> String {
        guard operation.rawValue > Operation.overlong.rawValue else { return "(bad)" }
        let list = operation.isString ? stringOperands : writtenOperands(at: address)
        return prefixText + mnemonic + (list.isEmpty ? "" : " " + list.joined(separator: ", "))
    }

    private var prefixText: String {
        var text = prefixes.contains(.lock) ? "lock " : ""
        let distinguishes = operation == .cmps || operation == .scas
        if prefixes.contains(.rep) { text += distinguishes ? "repe " : "rep " }
        if prefixes.contains(.repne) { text += "repne " }
        return text
    }

    private var mnemonic: String {
        switch operation {
        case .jcc: "j" + condition.suffix
        case .setcc: "set" + condition.suffix
        case .cmovcc: "cmov" + condition.suffix
        case .fcmovcc: "fcmov" + (CapstoneTables.moveConditions.first { $0.condition == condition }?.suffix ?? "")
        case .jcxz: addressSize == 2 ? "jcxz" : "jecxz"
        case .callFar: "call far"
        case .jmpFar: "jmp far"
        case .retFar: "retf"
        case .movSegment, .movControl, .movDebug: "mov"
        case .pushSegment: "push"
        case .popSegment: "pop"
        case .pusha, .popa, .pushf, .popf, .iret: "\(operation)" + (operandSize == 4 ? "d" : "")
        case .movs, .cmps, .scas, .lods, .stos, .ins, .outs:
            "\(operation)" + (operandSize == 1 ? "b" : operandSize == 2 ? "w" : "d")
        case .xlat: "xlatb"
        default: "\(operation)"
        }
    }

    private func writtenOperands(at address: UInt32) -> [String] {
        if operation == .xlat { return [memoryText(size: 1)] }
        return [operands.0, operands.1, operands.2].filter { $0.kind != .none }.map { text($0, at: address) }
    }

    /// The implicit operands of string instructions, for the segment's sake.
    private var stringOperands: [String] {
        let accumulator = GeneralRegister.name(offset: 0, size: operandSize)
        let size = sizeText(operandSize)
        let segment = prefixes.contains(.segment) ? "\(memory.segment):" : ""
        let source = size + segment + "[" + GeneralRegister.name(offset: 24, size: addressSize) + "]"
        let target = size + "es:[" + GeneralRegister.name(offset: 28, size: addressSize) + "]"
        return switch operation {
        case .movs: [target, source]
        case .cmps: [source, target]
        case .scas: [accumulator, target]
        case .lods: [accumulator, source]
        case .stos: [target, accumulator]
        case .ins: [target, "dx"]
        default: ["dx", source]
        }
    }

    private func text(_ operand: Operand, at address: UInt32) -> String {
        switch operand.kind {
        case .none: return ""
        case .register: return GeneralRegister.name(offset: operand.register, size: operand.size)
        case .memory: return memoryText(size: operand.size)
        case .immediate: return number(immediate)
        case .secondImmediate: return number(UInt32(selector))
        case .relative:
            let target = address &+ UInt32(length) &+ immediate
            return number(operandSize == 2 ? target & 0xFFFF : target)
        case .farPointer: return number(UInt32(selector)) + ":" + number(immediate)
        case .segment: return SegmentRegister(rawValue: operand.register).map { "\($0)" } ?? ""
        case .control: return "cr\(operand.register)"
        case .debug: return "dr\(operand.register)"
        case .x87: return "st(\(operand.register))"
        case .mmx: return "mm\(operand.register)"
        case .xmm: return "xmm\(operand.register)"
        }
    }

    private func memoryText(size: UInt8) -> String {
        var terms: [String] = []
        if memory.base != RegisterFile.zero {
            terms.append(GeneralRegister.name(offset: memory.base, size: addressSize))
        }
        if memory.index != RegisterFile.zero {
            let scale = addressSize == 2 ? "" : "*\(1 << memory.shift)"
            terms.append(GeneralRegister.name(offset: memory.index, size: addressSize) + scale)
        }
        let displacement = Int32(bitPattern: memory.displacement)
        var sum = terms.joined(separator: " + ")
        if terms.isEmpty {
            sum = number(addressSize == 2 ? memory.displacement & 0xFFFF : memory.displacement)
        } else if displacement != 0 {
            sum += (displacement < 0 ? " - " : " + ") + number(displacement.magnitude)
        }
        return sizeText(size) + (prefixes.contains(.segment) ? "\(memory.segment):" : "") + "[" + sum + "]"
    }

    private func sizeText(_ size: UInt8) -> String {
        switch size {
        case 1: "byte ptr "
        case 2: "word ptr "
        case 4: "dword ptr "
        case 6: "fword ptr "
        case 8: "qword ptr "
        case 10: "tbyte ptr "
        case 16: "xmmword ptr "
        default: ""
        }
    }

    private func number(_ value: UInt32) -> String {
        value < 10 ? "\(value)" : "0x" + String(value, radix: 16)
    }
}
