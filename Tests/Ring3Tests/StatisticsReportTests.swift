import Foundation
import Testing

@testable import Ring3

@Suite struct StatisticsReportTests {
    /// Every counter of the translation is shown, under its own name.
    @Test func translationIsShown() throws {
        let counts = TranslationStatistics(
            blocksTranslated: 11, instructionsTranslated: 12, microOps: 13, blocksInvalidated: 14, blocksRepaired: 21,
            evictions: 15, links: 16, entries: 17, interpreted: 18, slowPaths: 19, bytes: 20)
        let machine = try VirtualMachine()
        let statistics = RunStatistics(machine.cpu.pointee, virtualNanoseconds: 0, translation: counts)
        let report = StatisticsReport(statistics, engine: .translate, hostSeconds: 1)
        let object = try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any]
        #expect(
            object?["translation"] as? [String: Int] == [
                "blocks": 11, "instructions": 12, "microOps": 13, "invalidated": 14, "repaired": 21, "evictions": 15,
                "links": 16, "entries": 17, "interpreted": 18, "slowPaths": 19, "bytes": 20,
            ])
        let lines = report.description.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        let shown = lines.filter { $0.first == "translation" }.map { $0.dropFirst().joined(separator: " ") }
        #expect(
            shown == [
                "blocks 11", "instructions 12", "micro-ops 13", "invalidated 14", "repaired 21", "evictions 15",
                "links 16", "entries 17", "interpreted 18", "slow paths 19", "bytes 20",
            ])
    }
}
