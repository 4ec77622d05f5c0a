import X86

/// What has been tried, and how it went.
package struct Summary {
    /// Cases compared, and those that differ.
    package struct Count {
        package var compared: UInt64 = 0
        package var mismatches: UInt64 = 0
    }

    package private(set) var total = Count()
    package private(set) var sequences = Count()
    package private(set) var corpus = Count()
    package var seconds = 0.0
    /// Of the processor's time, seconds that making cases, the engine and comparing took. The oracle works meanwhile.
    package var processorSeconds = 0.0
    /// How often a case ended the oracle.
    package var restarts = 0
    /// Results of the host that it did not repeat.
    package var disturbances = 0
    private var forms: [Count]
    private let plan: CasePlan
    private let traits: Set<HostTrait>

    init(_ plan: CasePlan, traits: Set<HostTrait>) {
        self.plan = plan
        self.traits = traits
        forms = Array(repeating: Count(), count: plan.catalogue.forms.count)
    }

    mutating func count(_ source: CasePlan.Source) {
        total.compared += 1
        switch source {
        case .form(let index): forms[index].compared += 1
        case .sequence: sequences.compared += 1
        case .corpus: corpus.compared += 1
        }
    }

    mutating func countMismatch(_ source: CasePlan.Source) {
        total.mismatches += 1
        switch source {
        case .form(let index): forms[index].mismatches += 1
        case .sequence: sequences.mismatches += 1
        case .corpus: corpus.mismatches += 1
        }
    }

    package var progress: String {
        let rate = seconds > 0 ? UInt64(Double(total.compared) / seconds) : 0
        return "\(total.compared) cases, \(rate) a second, \(total.mismatches) mismatches"
    }

    /// Compared cases a second; the second figure is what the first would be on an idle host.
    private var rates: String {
        func rate(_ seconds: Double) -> UInt64 { seconds > 0 ? UInt64(Double(total.compared) / seconds) : 0 }
        return "cases a second: \(rate(seconds)); a second of processor time: \(rate(processorSeconds))"
    }

    /// Forms to be tried of which no case has been compared.
    package var untried: [InstructionForm] {
        plan.selected.filter { forms[$0].compared == 0 }.map { plan.catalogue.forms[$0] }
    }

    /// By operation: cases, mismatches, forms, and how many of those were never tried. Then what is left out, and why.
    package var table: String {
        var lines = [Self.row(["operation", "cases", "mismatches", "forms", "never tried"])]
        let groups = Dictionary(grouping: plan.selected) { "\(plan.catalogue.forms[$0].operation)" }
        for (name, indices) in groups.sorted(by: { $0.key < $1.key }) {
            let compared = indices.reduce(0) { $0 + forms[$1].compared }
            let mismatches = indices.reduce(0) { $0 + forms[$1].mismatches }
            let untried = indices.count { forms[$0].compared == 0 }
            lines.append(Self.row([name, "\(compared)", "\(mismatches)", "\(indices.count)", "\(untried)"]))
        }
        lines.append(Self.row(["(sequences)", "\(sequences.compared)", "\(sequences.mismatches)", "", ""]))
        lines.append(Self.row(["(real code)", "\(corpus.compared)", "\(corpus.mismatches)", "", ""]))
        lines.append(Self.row(["total", "\(total.compared)", "\(total.mismatches)", "", ""]))
        lines.append(rates)
        lines.append("fewest cases of a form: \(plan.selected.map { forms[$0].compared }.min() ?? 0)")
        if restarts > 0 { lines.append("the oracle was ended \(restarts) times, and started anew") }
        if disturbances > 0 { lines.append("the host did not repeat \(disturbances) results; the repetition counts") }
        lines += untried.map { "never tried: \($0.description)" }
        let reasons = Dictionary(grouping: plan.catalogue.excluded) { "\($0.form.operation) \($0.reason)" }
        lines += reasons.keys.sorted().map { "left out: \($0)" }
        lines += Exclusions.fromSequences.map { "left out of sequences: \($0)" }
        lines += HostTrait.allCases.filter { traits.contains($0) }.map { "this host: \($0.description)" }
        return lines.joined(separator: "\n")
    }

    private static func row(_ cells: [String]) -> String {
        let widths = [14, 12, 12, 8, 12]
        let padded = zip(cells, widths).enumerated().map { index, cell in
            let space = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
            return index == 0 ? cell.0 + space : space + cell.0
        }
        return padded.joined()
    }
}
