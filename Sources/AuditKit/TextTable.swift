/// A table with pipes, as in Markdown, every column as wide as its widest cell.
struct TextTable {
    private var lines: [[String]]
    /// Columns of numbers, which are aligned on the right.
    private let numeric: Set<Int>

    init(_ titles: [String], numeric: Set<Int> = []) {
        lines = [titles]
        self.numeric = numeric
    }

    mutating func add(_ cells: [String]) {
        precondition(cells.count == lines[0].count)
        lines.append(cells)
    }

    var text: String {
        let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        let rule =
            "|"
            + widths.enumerated().map { column, width in
                String(repeating: "-", count: numeric.contains(column) ? width + 1 : width + 2)
                    + (numeric.contains(column) ? ":" : "")
            }.joined(separator: "|") + "|"
        var rows = lines.map { cells in
            "| "
                + cells.enumerated().map { column, cell in
                    let space = String(repeating: " ", count: widths[column] - cell.count)
                    return numeric.contains(column) ? space + cell : cell + space
                }.joined(separator: " | ") + " |"
        }
        rows.insert(rule, at: 1)
        return rows.joined(separator: "\n")
    }
}
