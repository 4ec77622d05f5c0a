import Foundation

/// A report as a plot: for each workload a row with a mark for each contender, on a logarithmic scale.
public struct SVGReport: CustomStringConvertible {
    private let report: BenchReport

    public init(_ report: BenchReport) {
        self.report = report
    }

    private enum Layout {
        static let width = 900.0, margin = 20.0, labels = 150.0, rightMargin = 50.0
        static let row = 26.0, head = 84.0, axis = 34.0, gap = 34.0
    }

    /// Okabe and Ito's colours, which most colour-blind people can tell apart.
    private static let colors = ["#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]

    public var description: String {
        var document = SVGDocument()
        document.text("ring3 bench", x: Layout.margin, y: 28, size: 18, isBold: true)
        document.text(
            "\(report.host.processor), \(report.host.system). CPU time, median of \(report.settings.rounds) rounds; "
                + "the bar is the range.", x: Layout.margin, y: 47, size: 12, fill: "#555")
        legend(&document)
        var y = Layout.head
        for panel in panels { y = draw(panel, at: y, in: &document) + Layout.gap }
        return document.rendered(width: Layout.width, height: y)
    }

    /// Contenders keep colour and shape in both panels.
    private func style(_ contender: String) -> (color: String, shape: Int) {
        let index = report.contenders.firstIndex { $0.name == contender } ?? 0
        return (Self.colors[index % Self.colors.count], index)
    }

    private func legend(_ document: inout SVGDocument) {
        var x = Layout.margin + 6
        let shown = report.contenders.filter { contender in report.results.contains { $0.contender == contender.name } }
        for contender in shown {
            let (color, shape) = style(contender.name)
            document.mark(shape, x: x, y: 66, fill: color)
            document.text(contender.name, x: x + 10, y: 70)
            x += 34 + 7.2 * Double(contender.name.count)
        }
    }

    // MARK: Panels

    private struct Point {
        let contender: String
        let median: Double
        let minimum: Double
        let maximum: Double
    }

    private struct Panel {
        let title: String
        /// How a value is written.
        let write: (Double) -> String
        var rows: [(label: String, points: [Point])]
    }

    private var panels: [Panel] {
        var panels: [Panel] = []
        if let baseline = report.baseline {
            panels.append(computePanel(baseline))
        }
        let nano = report.workloads(of: .nano).map { workload in
            (workload.name, points(workload.name) { $0 })
        }
        if nano.contains(where: { !$0.1.isEmpty }) {
            panels.append(
                Panel(
                    title: "Operations of an operating system: time of one", write: Format.duration(nanoseconds:),
                    rows: nano))
        }
        return panels
    }

    private func computePanel(_ baseline: String) -> Panel {
        var rows = report.workloads(of: .compute).compactMap { workload -> (String, [Point])? in
            guard let unit = report.result(baseline, workload.name)?.cpu.median, unit > 0 else { return nil }
            return (workload.name, points(workload.name) { $0 / unit })
        }
        let means = report.contenders(with: .compute).compactMap { contender -> Point? in
            let mean =
                contender.name == baseline ? 1 : report.speedUp(of: baseline, over: contender.name)?.geometricMean
            return mean.map { Point(contender: contender.name, median: $0, minimum: $0, maximum: $0) }
        }
        if rows.count > 1 { rows.append(("geometric mean", means)) }
        let host = baseline == Contender.host ? "the host's, running the same code natively" : "that of \(baseline)"
        return Panel(title: "Computing: how many times \(host)", write: { "\(Format.short($0))×" }, rows: rows)
    }

    private func points(_ workload: String, _ scale: (Double) -> Double) -> [Point] {
        report.results.filter { $0.workload == workload }.map { result in
            Point(
                contender: result.contender, median: scale(result.cpu.median), minimum: scale(result.cpu.minimum),
                maximum: scale(result.cpu.maximum))
        }
    }

    /// Returns where it ends.
    private func draw(_ panel: Panel, at top: Double, in document: inout SVGDocument) -> Double {
        let left = Layout.margin + Layout.labels
        let values = panel.rows.flatMap(\.points).flatMap { [$0.minimum, $0.maximum] }
        guard let scale = LogScale(values, from: left, length: Layout.width - left - Layout.rightMargin) else {
            return top
        }
        document.text(panel.title, x: Layout.margin, y: top + 14, size: 14, isBold: true)
        let first = top + 26
        let bottom = first + Layout.row * Double(panel.rows.count)
        for index in panel.rows.indices where index.isMultiple(of: 2) {
            document.rectangle(
                x: Layout.margin, y: first + Layout.row * Double(index), width: Layout.width - 2 * Layout.margin,
                height: Layout.row, fill: "#f4f4f4")
        }
        for tick in scale.ticks {
            let x = scale(tick.value)
            document.line((x, first), (x, bottom), stroke: tick.isLabelled ? "#bbb" : "#e2e2e2")
            guard tick.isLabelled else { continue }
            document.text(
                panel.write(tick.value).trimmingTrailingZeros, x: x, y: bottom + 16, size: 12,
                anchor: .middle, fill: "#555")
        }
        for (index, row) in panel.rows.enumerated() {
            let y = first + Layout.row * (Double(index) + 0.5)
            document.text(row.label, x: left - 10, y: y + 4.5, anchor: .end, isBold: row.label == "geometric mean")
            for point in row.points { draw(point, of: row.label, panel.write, scale, y, in: &document) }
        }
        return bottom + Layout.axis - 10
    }

    private func draw(
        _ point: Point, of row: String, _ write: (Double) -> String, _ scale: LogScale, _ y: Double,
        in document: inout SVGDocument
    ) {
        let (color, shape) = style(point.contender)
        document.line((scale(point.minimum), y), (scale(point.maximum), y), stroke: color, width: 2)
        document.mark(
            shape, x: scale(point.median), y: y, fill: color,
            tooltip: "\(row), \(point.contender): \(write(point.median))")
    }
}

extension String {
    /// "1.00×" is "1×", "0.500 ms" is "0.5 ms"; "100 ns" stays.
    fileprivate var trimmingTrailingZeros: String { replacing(/(\.\d*?)0+(?=\D|$)/) { $0.1 == "." ? "" : $0.1 } }
}
