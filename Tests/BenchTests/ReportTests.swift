import Foundation
import Testing

#if canImport(FoundationXML)
    import FoundationXML
#endif

@testable import BenchKit

@Suite struct ReportTests {
    @Test func ratios() throws {
        let report = Samples.report
        #expect(report.baseline == "host")
        #expect(report.ratio("interpret", "sieve", to: "host") == 10)
        #expect(report.ratio("interpret", "syscall", to: "host") == nil)
        let speedUp = try #require(report.speedUp(of: "host", over: "interpret"))
        #expect(abs(speedUp.geometricMean - 20) < 1e-9)
        #expect(speedUp.smallest == 10 && speedUp.smallestWorkload == "sieve" && speedUp.workloads == 2)
        #expect(report.speedUps.count == 2)
        #expect(!report.hasFailures)
    }

    @Test func text() {
        let text = "\(TextReport(Samples.report))"
        #expect(text.contains("bochs is not installed"))
        #expect(text.contains("geometric mean"))
        #expect(text.split(separator: "\n").contains { $0.hasPrefix("sieve") && $0.contains("1.00 ±15%") })
        #expect(text.split(separator: "\n").contains { $0.hasPrefix("geometric mean") && $0.hasSuffix("20.0") })
        #expect(text.split(separator: "\n").contains { $0.hasPrefix("syscall") && $0.hasSuffix("650 ±2%") })
        #expect(!text.contains { $0 == "\t" })
    }

    @Test func wrongAnswersAreReported() throws {
        var report = Samples.report
        let problem = RunProblem.wrongChecksum(got: 1, expected: 2, by: "host")
        report.problems.append(
            .init(problem, contender: try Samples.contender("qemu"), workload: try Samples.workload("sort")))
        #expect(report.hasFailures)
        #expect("\(TextReport(report))".hasSuffix("qemu, sort: WRONG: checksum 0x1, but host has 0x2"))
        #expect(report.json.contains("\"isWrongAnswer\" : true"))
    }

    @Test func whatAContenderLacksIsNoFailure() throws {
        var report = Samples.report
        report.problems.append(
            .init(
                .skipped("sysenter: CPUID lacks SYSENTER"), contender: try Samples.contender("qemu"),
                workload: try Samples.workload("sysenter")))
        #expect(!report.hasFailures)
    }

    @Test func jsonReadsBack() throws {
        let report = Samples.report
        #expect(try BenchReport(reportJSON: Data(report.json.utf8)) == report)
        #expect(try JSONDecoder().decode(BenchReport.self, from: Data(report.json.utf8)) == report)
    }

    /// JSON has no such numbers, and no measurement should; a report of them is still a report.
    @Test func numbersThatAreNoneAreReported() throws {
        var report = Samples.report
        report.host.loadAfter = .infinity
        report.speedUps[0].geometricMean = .nan
        let back = try BenchReport(reportJSON: Data(report.json.utf8))
        #expect(back.host.loadAfter == .infinity)
        #expect(back.speedUps[0].geometricMean.isNaN)
        #expect(back.results == report.results)
    }

    /// A file may hold any number.
    @Test(arguments: [1e300, .leastNonzeroMagnitude, -1e300, 0, .infinity])
    func anyNumberCanBeShown(median: Double) throws {
        var report = Samples.report
        report.results = try report.results.map { result in
            var result = result
            result.cpu = try #require(Distribution([median, median, 1]))
            return result
        }
        #expect("\(TextReport(report))".contains("sieve"))
        #expect(XMLParser(data: Data("\(SVGReport(report))".utf8)).parse())
    }

    /// Everything that is drawn lies on the paper, and the document is well-formed.
    @Test func plot() throws {
        let reader = PlotReader()
        let parser = XMLParser(data: Data("\(SVGReport(Samples.report))".utf8))
        parser.delegate = reader
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        // Two contenders' marks in sieve, sort, their mean and the legend, one in syscall; the host's are circles.
        #expect(reader.counts["circle"] == 4)
        #expect(reader.counts["polygon"] == 5)
        #expect(reader.text.contains("A <fast> & \"new\" one"))
        #expect(!reader.text.contains("bochs"), "who has no marks needs no legend")
        #expect(reader.outside.isEmpty, "\(reader.outside)")
    }

    @Test func plotsOfNothing() {
        var report = Samples.report
        report.results = []
        let parser = XMLParser(data: Data("\(SVGReport(report))".utf8))
        #expect(parser.parse())
        #expect(!"\(TextReport(report))".isEmpty)
    }
}

private final class PlotReader: NSObject, XMLParserDelegate {
    var counts: [String: Int] = [:]
    var text = ""
    var outside: [String] = []
    private var size = (width: 0.0, height: 0.0)

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        counts[name, default: 0] += 1
        func number(_ key: String) -> Double? { attributes[key].flatMap(Double.init) }
        if name == "svg" { size = (number("width") ?? 0, number("height") ?? 0) }
        for key in ["x", "x1", "x2", "cx"] where !(0...size.width).contains(number(key) ?? 0) { outside.append(name) }
        for key in ["y", "y1", "y2", "cy"] where !(0...size.height).contains(number(key) ?? 0) { outside.append(name) }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
}
