import Ring3
import X86

/// A case that differs, to be read: the code, the state before, both states after, and the differences.
struct Listing {
    let decoder: Decoder

    func text(_ verdict: OracleSession.Verdict) -> String {
        var lines = code(verdict.input)
        lines.append("before:")
        lines += state(verdict.input.context, verdict.input.extended)
        for (name, record) in [("host", verdict.host), ("ours", verdict.ours)] {
            lines.append("\(name): \(outcome(record.context))")
            lines += state(record.context, record.extended)
            lines += record.changes.words.map { "  [\(word($0.address))] = \(word($0.value))" }
        }
        lines.append("differs:")
        lines += verdict.differences.map { "  " + $0 }
        return lines.joined(separator: "\n")
    }

    private func code(_ record: CaseRecord) -> [String] {
        let start = UserLayout.code + record.codeOffset
        return CodeAnalysis(decoder: decoder).instructions(of: record.codeBytes).map { position, instruction in
            let bytes = record.codeBytes[position..<position + Int(instruction.length)]
            let column = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
            let address = start + UInt32(position)
            let padding = String(repeating: " ", count: max(0, 32 - column.count))
            return "  \(word(address))  \(column)\(padding)  \(instruction.text(at: address))"
        }
    }

    private func state(_ context: UserContext, _ image: ExtendedImage) -> [String] {
        let names = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"]
        var lines = [
            "  " + (0..<8).map { "\(names[$0]) \(word(context.registers[$0]))" }.joined(separator: "  "),
            "  eip \(word(context.eip))  eflags \(word(context.eflags)) \(flags(context.eflags))",
        ]
        guard image.occupied != 0 || image.control != 0x37F || image.mxcsr != 0x1F80 else { return lines }
        lines.append(
            "  fcw \(hex(UInt64(image.control)))  fsw \(hex(UInt64(image.status)))  ftw \(hex(UInt64(image.occupied)))  "
                + "mxcsr \(hex(UInt64(image.mxcsr)))")
        for n in 0..<8 {
            lines.append(
                "  st(\(n)) \(hex(UInt64(image.signExponent(n)))):\(hex(image.significand(n)))  "
                    + "xmm\(n) \(hex(image.xmm(n).1)):\(hex(image.xmm(n).0))")
        }
        return lines
    }

    private func flags(_ value: UInt32) -> String {
        let names: [(UInt32, String)] = [
            (Flags.of, "OF"), (Flags.df, "DF"), (Flags.sf, "SF"), (Flags.zf, "ZF"), (Flags.af, "AF"), (Flags.pf, "PF"),
            (Flags.cf, "CF"), (Flags.tf, "TF"), (Flags.ac, "AC"),
        ]
        return names.filter { value & $0.0 != 0 }.map(\.1).joined(separator: " ")
    }

    private func word(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
