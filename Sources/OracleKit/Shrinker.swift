import Ring3
import X86

/// Makes a case that differs as small as it gets: fewer instructions, plainer registers.
struct Shrinker {
    let session: OracleSession
    private let analysis: CodeAnalysis

    init(session: OracleSession) {
        self.session = session
        analysis = CodeAnalysis(decoder: session.decoder)
    }

    func shrink(_ verdict: OracleSession.Verdict) throws -> OracleSession.Verdict {
        var best = verdict
        var isSmaller = true
        while isSmaller {
            isSmaller = false
            for candidate in candidates(best.input) {
                guard let next = try session.run(candidate), !next.differences.isEmpty else { continue }
                best = next
                isSmaller = true
                break
            }
        }
        return best
    }

    /// What is one step smaller. Every one is smaller by a measure that cannot fall forever: instructions, then
    /// registers that are not what they are by default.
    private func candidates(_ record: CaseRecord) -> [CaseRecord] {
        var list: [CaseRecord] = []
        let bytes = record.codeBytes
        for (position, instruction) in analysis.instructions(of: bytes).reversed() {
            var fewer = bytes
            fewer.removeSubrange(position..<position + Int(instruction.length))
            guard !fewer.isEmpty, analysis.isRunnable(fewer) else { continue }
            let smaller = record.replacing(code: fewer)
            if !analysis.readsUndefined(smaller) { list.append(smaller) }
        }
        for index in 0..<8 where index != 4 && record.context.registers[index] != 0 {
            var plainer = record
            plainer.context.registers[index] = 0
            list.append(plainer)
        }
        if record.context.eflags != UserContext().eflags {
            var plainer = record
            plainer.context.eflags = UserContext().eflags
            list.append(plainer)
        }
        if !record.extended.isDefault {
            var plainer = record
            plainer.extended = ExtendedImage()
            list.append(plainer)
        }
        return list
    }
}

extension CaseRecord {
    fileprivate func replacing(code bytes: [UInt8]) -> CaseRecord {
        var record = CaseRecord(code: bytes, at: codeOffset)
        record.context = context
        record.extended = extended
        record.ignored = ignored
        return record
    }
}

extension ExtendedImage {
    fileprivate var isDefault: Bool {
        let fresh = ExtendedImage()
        return (0..<64).allSatisfy { (self[$0 * 8] as UInt64) == fresh[$0 * 8] }
    }
}
