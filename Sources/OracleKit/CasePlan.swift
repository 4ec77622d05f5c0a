import Ring3
import X86

/// Which case has which number: a function of the seed, so that a seed and a number are enough to see it again.
package struct CasePlan {
    /// Where a case comes from.
    package enum Source: Hashable {
        /// A single instruction: index of its form.
        case form(Int)
        case sequence
        case corpus
    }

    package let seed: UInt64
    package let catalogue: FormCatalogue
    package let corpus: CodeCorpus
    /// Indices of the forms to be tried.
    package let selected: [Int]
    private let singles: SingleGenerator
    private let sequences: SequenceGenerator
    private let isFiltered: Bool

    /// - Parameter filter: the operation to be tried, by itself; nil for all, sequences and real code.
    package init(seed: UInt64, filter: String?, corpusFiles: [String], decoder: Decoder) {
        self.seed = seed
        catalogue = FormCatalogue(decoder: decoder)
        corpus = CodeCorpus(files: corpusFiles, decoder: decoder)
        selected = catalogue.forms.indices.filter { [catalogue] in
            filter == nil || "\(catalogue.forms[$0].operation)" == filter
        }
        isFiltered = filter != nil
        singles = SingleGenerator(decoder: decoder)
        sequences = SequenceGenerator(decoder: decoder, catalogue: catalogue)
    }

    /// Case `number`; nil where it came to nothing that may be run.
    package func make(_ number: UInt64) -> (source: Source, record: CaseRecord)? {
        var random = SplitMix64(seed: seed &* 0x2545_F491_4F6C_DD1D &+ number)
        let caseSeed = random.next()
        // Of eight cases, five are single instructions, two are sequences and one is real code.
        let (round, place) = number.quotientAndRemainder(dividingBy: 8)
        if isFiltered || place < 5 {
            let index = isFiltered ? number : round * 5 + place
            let (turn, which) = index.quotientAndRemainder(dividingBy: UInt64(selected.count))
            let form = selected[Int(which)]
            let made = singles.make(catalogue.forms[form], seed: caseSeed, round: UInt32(truncatingIfNeeded: turn))
            return made.map { (.form(form), $0) }
        }
        if place == 7, !corpus.blocks.isEmpty { return (.corpus, realCode(&random)) }
        return sequences.make(seed: caseSeed).map { (.sequence, $0) }
    }

    private func realCode(_ random: inout SplitMix64) -> CaseRecord {
        let block = random.pick(corpus.blocks)
        var record = CaseRecord(code: block, at: 0x100 + random.below(0xC00))
        for index in 0..<8 {
            record.context.registers[index] =
                random.chance(3, 4) ? UserLayout.data + 0x200 + random.below(0x1C00) : EdgeValues.integer(&random)
        }
        record.context.registers[4] = EdgeValues.stack(&random)
        if random.chance(1, 2) { record.context.registers[5] = EdgeValues.stack(&random) }
        record.context.eflags = StateValues.flags(&random) & ~Flags.df
        record.extended = StateValues.extended(&random)
        return record
    }
}
