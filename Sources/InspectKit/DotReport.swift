import Ring3

/// The blocks as a graph for Graphviz: boxes are blocks, edges are exits; solid where they are linked.
package struct DotReport: CustomStringConvertible {
    private let report: InspectReport
    private static let mostLines = 14

    package init(_ report: InspectReport) { self.report = report }

    package var description: String {
        var lines = [
            "digraph translations {",
            "  graph [label=\(quoted("Translations of \(report.image)")), labelloc=t, fontname=\"sans-serif\"];",
            "  node [shape=box, style=filled, fontname=\"monospace\", fontsize=10];",
            "  edge [fontname=\"sans-serif\", fontsize=9];",
        ]
        let most = report.blocks.map(\.instructionsExecuted).max() ?? 0
        for block in report.blocks {
            lines.append("  b\(block.number) [label=\(label(block)), fillcolor=\"\(color(block, most))\"];")
        }
        let shown = Set(report.blocks.map(\.number))
        var outside: [String: String] = [:]
        for block in report.blocks {
            for exit in block.exits {
                guard let target = exit.target else { continue }
                let style = exit.isLinked ? "solid" : "dashed"
                let node: String
                if let number = exit.block, shown.contains(number) {
                    node = "b\(number)"
                } else {
                    node = "a\(target)"
                    outside[node] = Show.place(target, exit.symbol)
                }
                lines.append("  b\(block.number) -> \(node) [label=\(quoted(exit.kind)), style=\(style)];")
            }
        }
        for (node, label) in outside.sorted(by: { $0.key < $1.key }) {
            lines.append("  \(node) [label=\(quoted(label)), shape=plaintext, style=solid, fontcolor=gray40];")
        }
        return (lines + ["}"]).joined(separator: "\n")
    }

    /// The block's name, how hot it is, its instructions; lines end in \l, which aligns them left.
    private func label(_ block: InspectedBlock) -> String {
        var lines = [Show.place(block.address, block.symbol)]
        if !report.isStatic {
            let time = block.totalNanoseconds.map { ", about \(Show.time($0))" } ?? ""
            lines.append("\(Show.times(block.executions))\(time)")
        }
        lines.append("")
        lines += block.instructions.prefix(Self.mostLines).map { instruction in
            let mark = ["rewritten": "~", "callout": "!", "control flow": ">"][instruction.disposition] ?? " "
            return "\(mark) \(instruction.text)"
        }
        if block.instructions.count > Self.mostLines { lines.append("  ... \(block.instructions.count) instructions") }
        return "\"" + lines.map { escaped($0) + "\\l" }.joined() + "\""
    }

    /// From white to a warm orange, by the share of the hottest block.
    private func color(_ block: InspectedBlock, _ most: UInt64) -> String {
        guard most > 0 else { return "white" }
        let share = (Double(block.instructionsExecuted) / Double(most)).squareRoot()
        func part(_ full: Double) -> String {
            let text = String(Int(255 - (255 - full) * share), radix: 16)
            return text.count < 2 ? "0" + text : text
        }
        return "#\(part(255))\(part(190))\(part(120))"
    }

    private func quoted(_ text: String) -> String { "\"\(escaped(text))\"" }

    private func escaped(_ text: String) -> String {
        String(
            text.flatMap { character -> [Character] in
                switch character {
                case "\"", "\\": ["\\", character]
                case "\n", "\r", "\r\n": [" "]
                default: [character]
                }
            })
    }
}
