import Testing
import X86

@testable import OracleKit

/// What is tried, what is left out, and what is masked.
@Suite struct CatalogueTests {
    private let decoder: Decoder
    private let catalogue: FormCatalogue

    init() throws {
        decoder = try Decoder()
        catalogue = FormCatalogue(decoder: decoder)
    }

    @Test func everyOperationIsTriedOrLeftOutForAReason() {
        let known = Set((catalogue.forms + catalogue.excluded.map(\.form)).map(\.operation))
        let real = X86.Operation.allCases.filter { $0.rawValue > X86.Operation.overlong.rawValue }
        #expect(real.filter { !known.contains($0) }.isEmpty)
    }

    @Test func nothingElseIsLeftOut() {
        let tried = Set(catalogue.forms.map(\.operation))
        let untried = Set(catalogue.excluded.map(\.form.operation)).subtracting(tried)
        #expect(
            untried == [.cpuid, .rdtsc, .rdpmc, .sysenter, .sgdt, .sidt, .sldt, .str, .smsw])
        #expect(Set(catalogue.excluded.map(\.form.operation)).subtracting(untried) == [.bswap, .fstp])
    }

    private func effects(_ bytes: [UInt8], cl: UInt8? = nil) -> FlagEffects {
        let padded = bytes + [UInt8](repeating: 0, count: 15 - bytes.count)
        return FlagTable.effects(of: padded.withUnsafeBytes { decoder.decode($0, size: .bits32) }, cl: cl)
    }

    @Test func shiftsLeaveUndefinedWhatTheManualSays() {
        #expect(effects([0xD1, 0xE0]).undefined == Flags.af)  // shl eax, 1
        #expect(effects([0xC1, 0xE0, 2]).undefined == Flags.af | Flags.of)
        #expect(effects([0xC1, 0xE0, 0x20]).undefined == 0)
        #expect(effects([0xD3, 0xE0], cl: 0).undefined == 0)
        #expect(effects([0xD3, 0xE0], cl: 0).written == 0)
        #expect(effects([0x66, 0xC1, 0xE8, 17]).undefined == Flags.af | Flags.of | Flags.cf)  // shr ax, 17
        #expect(effects([0xC0, 0xF8, 17]).undefined == Flags.af | Flags.of)  // sar al, 17
        #expect(effects([0xC1, 0xC0, 3]).undefined == Flags.of)  // rol eax, 3
        #expect(effects([0x01, 0xC0]).undefined == 0)  // add
        #expect(effects([0xF7, 0xF1]).undefined == Flags.status)  // div
    }

    @Test func sequencesReadNoUndefinedFlag() throws {
        let sequences = SequenceGenerator(decoder: decoder, catalogue: catalogue)
        let analysis = CodeAnalysis(decoder: decoder)
        for seed in UInt64(0)..<5000 {
            guard let record = sequences.make(seed: seed) else { continue }
            #expect(!analysis.readsUndefined(record))
            #expect(analysis.isRunnable(record.codeBytes))
        }
    }

    @Test func analysisFindsTheReaderOfAnUndefinedFlag() {
        let analysis = CodeAnalysis(decoder: decoder)
        #expect(analysis.readsUndefined(CaseRecord(code: [0x0F, 0xAF, 0xC1, 0x37])))  // imul eax, ecx; aaa
        // imul eax, ecx; jc over the comparison; cmp eax, eax; aaa
        #expect(analysis.readsUndefined(CaseRecord(code: [0x0F, 0xAF, 0xC1, 0x72, 2, 0x39, 0xC0, 0x37])))
        #expect(!analysis.readsUndefined(CaseRecord(code: [0x0F, 0xAF, 0xC1, 0x39, 0xC0, 0x37])))
    }
}
