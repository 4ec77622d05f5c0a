import Ring3
import X86

/// What a case is made of.
package enum CaseKind: String, CaseIterable, Sendable {
    /// One instruction.
    case single
    /// Random instructions.
    case sequence
    /// Instructions of a real program.
    case code
}

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
    private let kind: CaseKind?

    /// - Parameters:
    ///   - filter: the operation to be tried, by itself; nil for all.
    ///   - kind: nil for all three.
    package init(
        seed: UInt64, kind: CaseKind?, filter: String?, corpusFiles: [String], decoder: Decoder,
        traits: Set<HostTrait>
    ) throws(CodeCorpus.Failure) {
        self.seed = seed
        catalogue = FormCatalogue(decoder: decoder)
        corpus = try CodeCorpus(files: corpusFiles, decoder: decoder)
        selected = catalogue.forms.indices.filter { [catalogue] in
            filter == nil || "\(catalogue.forms[$0].operation)" == filter
        }
        self.kind = filter == nil ? kind : .single
        singles = SingleGenerator(decoder: decoder, traits: traits)
        sequences = SequenceGenerator(decoder: decoder, catalogue: catalogue)
    }

    /// Case `number`; nil where it came to nothing that may be run.
    package func make(_ number: UInt64) -> (source: Source, record: CaseRecord)? {
        var random = SplitMix64(seed: seed &* 0x2545_F491_4F6C_DD1D &+ number)
        let caseSeed = random.next()
        let (chosen, index) = kind.map { ($0, number) } ?? Self.mixed(number)
        switch chosen {
        case .single:
            let (turn, which) = index.quotientAndRemainder(dividingBy: UInt64(selected.count))
            let form = selected[Int(which)]
            let made = singles.make(catalogue.forms[form], seed: caseSeed, round: UInt32(truncatingIfNeeded: turn))
            return made.map { (.form(form), $0) }
        case .code where !corpus.blocks.isEmpty: return (.corpus, realCode(&random))
        case .sequence, .code: return sequences.make(seed: caseSeed).map { (.sequence, $0) }
        }
    }

    /// Of eight cases, five are single instructions, two are sequences and one is real code. The first of these are
    /// numbered, so that all forms have their turn.
    private static func mixed(_ number: UInt64) -> (CaseKind, UInt64) {
        let (round, place) = number.quotientAndRemainder(dividingBy: 8)
        return switch place {
        case ..<5: (.single, round * 5 + place)
        case 7: (.code, number)
        default: (.sequence, number)
        }
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
