import Foundation

/// A report as text: what a person wants to know first.
public struct TextReport: CustomStringConvertible {
    private let report: BenchReport

    public init(_ report: BenchReport) {
        self.report = report
    }

    public var description: String {
        let parts = [
            head, contenders, times(.compute), ratios, speedUps, times(.nano), problems,
        ]
        return parts.filter { !$0.isEmpty }.joined(separator: "\n\n")
    }

    private var head: String {
        let host = report.host
        return """
            \(host.processor), \(host.processors) CPUs, \(host.system); \(host.date); load \
            \(host.loadBefore) before, \(host.loadAfter) after
            CPU time, user and system, of the process that runs the guest, between the guest's "begin" and "end": boot and
            preparation are not part of it. Median of \(report.settings.rounds) rounds; ± half the distance of the \
            extremes. Everybody does
            as much work as takes about \(Format.seconds(report.settings.secondsPerRun)), so slow ones do less of it; \
            times are for one unit of work or one operation.
            """
    }

    private var contenders: String {
        var table = TextTable(["", "", "units a run", "ready after"], leftAligned: 2)
        for contender in report.contenders {
            let units = report.results.filter { $0.contender == contender.name }.map(\.units)
            let range = units.min().map { "\($0.grouped)–\((units.max() ?? $0).grouped)" }
            let what = contender.problem ?? contender.version.map { "\(contender.summary): \($0)" } ?? contender.summary
            table.add([
                contender.name, what, range ?? "-",
                contender.startSeconds.map { Format.duration(nanoseconds: $0 * 1e9) } ?? "-",
            ])
        }
        return "\(table)"
    }

    private func times(_ kind: Workload.Kind) -> String {
        let contenders = report.contenders(with: kind)
        guard !contenders.isEmpty else { return "" }
        // One unit for the whole table, or columns could not be compared.
        let (title, unit, scale) =
            kind == .compute ? ("Compute", "µs a unit of work", 1e3) : ("Operations", "ns an operation", 1.0)
        var table = TextTable(["\(title), \(unit)"] + contenders.map(\.name))
        for workload in report.workloads(of: kind) {
            table.add(
                [workload.name]
                    + contenders.map { contender in
                        guard let cpu = report.result(contender.name, workload.name)?.cpu else { return "-" }
                        return "\(Format.short(cpu.median / scale)) ±\(Format.percent(cpu.spread))"
                    })
        }
        return "\(table)"
    }

    private var ratios: String {
        let contenders = report.contenders(with: .compute)
        guard let baseline = report.baseline, contenders.count > 1 else { return "" }
        var table = TextTable(["Compute, times \(baseline)"] + contenders.map(\.name))
        for workload in report.workloads(of: .compute) {
            table.add(
                [workload.name]
                    + contenders.map { contender in
                        report.ratio(contender.name, workload.name, to: baseline).map(Format.short) ?? "-"
                    })
        }
        table.add(
            ["geometric mean"]
                + contenders.map { contender in
                    report.speedUp(of: baseline, over: contender.name).map { Format.short($0.geometricMean) } ?? "-"
                })
        return "\(table)"
    }

    private var speedUps: String {
        let names = report.contenders(with: .compute).map(\.name)
        guard names.count > 1 else { return "" }
        var table = TextTable(["Times as fast as: mean (least)"] + names)
        // The slowest is faster than nobody.
        for name in names.filter({ name in names.contains { isFaster(name, than: $0) } }) {
            table.add(
                [name]
                    + names.map { other in
                        // The other half of the table would say the same.
                        guard isFaster(name, than: other), let speedUp = report.speedUp(of: name, over: other) else {
                            return ""
                        }
                        return "\(Format.short(speedUp.geometricMean)) (\(Format.short(speedUp.smallest)))"
                    })
        }
        return "\(table)"
    }

    private func isFaster(_ name: String, than other: String) -> Bool {
        name != other && report.speedUp(of: name, over: other).map { $0.geometricMean >= 1 } ?? false
    }

    private var problems: String {
        report.problems.map { "\($0.contender), \($0.workload): \($0.reason)" }.joined(separator: "\n")
    }
}

/// Columns of text, numbers to the right.
struct TextTable: CustomStringConvertible {
    private var rows: [[String]]
    private let leftAligned: Int

    init(_ header: [String], leftAligned: Int = 1) {
        rows = [header]
        self.leftAligned = leftAligned
    }

    mutating func add(_ row: [String]) { rows.append(row) }

    var description: String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return column < leftAligned ? cell + padding : padding + cell
            }
            var line = cells.joined(separator: "  ")
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }
}
