@testable import X86

/// Brings our disassembly and objdump's to one spelling, without prefixes that are shown apart, sizes that are not
/// always shown, and matters of taste.
struct SweepText {
    private(set) var mnemonic = "(bad)"
    private(set) var operands: [String] = []
    /// In bytes, where a suffix of the mnemonic tells.
    private(set) var operandSize: UInt8?

    init(_ text: String) {
        var tokens = SweepText.tokens(of: text)
        while let first = tokens.first, tokens.count > 1, SweepText.prefixWords.contains(first) { tokens.removeFirst() }
        guard let name = tokens.first, !tokens.contains("bad"), !tokens.contains("?") else { return }
        mnemonic = name
        tokens.removeFirst()
        tokens = SweepText.respelled(tokens)
        operands = tokens.split(separator: ",").map { $0.joined() }
        settleMnemonic()
    }

    var text: String { operands.isEmpty ? mnemonic : mnemonic + " " + operands.joined(separator: ",") }

    private static let prefixWords: Set<String> = [
        "lock", "rep", "repz", "repnz", "repe", "repne", "data16", "data32", "addr16", "addr32", "es", "cs", "ss", "ds",
        "fs", "gs", "xacquire", "xrelease", "bnd", "notrack",
    ]

    /// Words, numbers (as decimal) and punctuation marks.
    private static func tokens(of text: String) -> [String] {
        var tokens: [String] = []
        var word = ""
        func finish() {
            if word.hasPrefix("0x"), let value = UInt64(word.dropFirst(2), radix: 16) { word = String(value) }
            if !word.isEmpty { tokens.append(word) }
            word = ""
        }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                word.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: "A")...UInt8(ascii: "Z"):
                word.unicodeScalars.append(Unicode.Scalar(byte | 0x20))
            case UInt8(ascii: " "), UInt8(ascii: "\t"): finish()
            default:
                finish()
                tokens.append(String(Unicode.Scalar(byte)))
            }
        }
        finish()
        return tokens
    }

    private static func respelled(_ tokens: [String]) -> [String] {
        var result: [String] = []
        var index = 0
        func token(_ offset: Int) -> String { index + offset < tokens.count ? tokens[index + offset] : "" }
        while index < tokens.count {
            switch tokens[index] {
            case "ptr", "far":
                index += 1
            case "st" where token(1) != "(":
                result += ["st", "(", "0", ")"]
                index += 1
            case let name where segments.contains(name) && token(1) == ":":
                // ds:0x1234 is [0x1234], and ds:[ebx] is [ebx].
                if name != "ds" { result += [name, ":"] }
                let isAbsolute = token(2) != "["
                result += isAbsolute ? ["[", token(2), "]"] : []
                index += isAbsolute ? 3 : 2
            case "+" where token(1) == "eiz": index += 4
            case "eiz" where token(3) == "+": index += 4
            case "eiz" where token(3) == "-":
                result.append(String((1 << 32) - (Int(token(4)) ?? 0)))
                index += 5
            case "+" where token(1) == "0" && token(2) == "]", "-" where token(1) == "0" && token(2) == "]": index += 2
            default:
                result.append(tokens[index])
                index += 1
            }
        }
        return result
    }

    /// Whether two texts mean the same.
    static func agree(_ ours: SweepText, _ theirs: SweepText) -> Bool {
        guard ours.mnemonic == theirs.mnemonic, ours.operands.count == theirs.operands.count else { return false }
        return zip(ours.operands, theirs.operands).allSatisfy { ours, theirs in
            ours == theirs || (theirs == sizeless(theirs) && sizeless(ours) == theirs)
        }
    }

    /// A memory operand without its size.
    private static func sizeless(_ operand: String) -> String {
        for size in sizes where operand.hasPrefix(size) { return String(operand.dropFirst(size.count)) }
        return operand
    }

    private static let segments: Set<String> = ["es", "cs", "ss", "ds", "fs", "gs"]
    private static let sizes = ["xmmword", "byte", "dword", "fword", "qword", "tbyte", "word"]

    private mutating func settleMnemonic() {
        let stem = mnemonic.last.map("bwd".contains) == true ? String(mnemonic.dropLast()) : ""
        if SweepText.suffixed.contains(stem) {
            operandSize = mnemonic.hasSuffix("d") ? 4 : 2
            mnemonic = stem
        } else if SweepText.stringOperations.contains(stem), operands.allSatisfy({ !$0.contains("xmm") }) {
            mnemonic = stem
        }
        mnemonic = SweepText.synonyms[mnemonic] ?? mnemonic
        switch mnemonic {
        case "xchg":
            operands.sort()
            // 66 90.
            if operands == ["ax", "ax"] || operands == ["eax", "eax"] { (mnemonic, operands) = ("nop", []) }
        case "invlpg", "nop", "prefetch", "ud0", "ud1": operands = operands.map(SweepText.sizeless)
        case "fcomi", "fcomip", "fucomi", "fucomip": operands = operands.suffix(1)
        case "lar", "lsl", "mov":
            // Only the low word of a register is read.
            guard mnemonic != "mov" || SweepText.segments.contains(operands[0]) else { break }
            operands[1] = SweepText.words[operands[1]] ?? operands[1]
        case "cmpps", "cmpss", "cmppd", "cmpsd":
            if operands.count == 3, let predicate = Int(operands[2]), predicate < 8 {
                mnemonic = "cmp" + SweepText.predicates[predicate] + mnemonic.suffix(2)
                operands.removeLast()
            }
        default: break
        }
    }

    /// Mnemonics that objdump gives a size suffix where it is not the default, and we always or never do.
    private static let suffixed: Set<String> = [
        "call", "enter", "fldenv", "fnsave", "fnstenv", "frstor", "iret", "jmp", "leave", "lgdt", "lidt", "pop", "popa",
        "popf", "push", "pusha", "pushf", "ret", "retf", "sgdt", "sidt",
    ]
    private static let stringOperations: Set<String> = ["movs", "cmps", "scas", "lods", "stos", "ins", "outs"]
    private static let predicates = ["eq", "lt", "le", "unord", "neq", "nlt", "nle", "ord"]
    private static let words = [
        "eax": "ax", "ecx": "cx", "edx": "dx", "ebx": "bx", "esp": "sp", "ebp": "bp", "esi": "si", "edi": "di",
    ]
    private static let synonyms = [
        "xlatb": "xlat", "fwait": "wait", "icebp": "int1", "prefetchnta": "prefetch",
        "prefetcht0": "prefetch", "prefetcht1": "prefetch", "prefetcht2": "prefetch",
    ]
}
