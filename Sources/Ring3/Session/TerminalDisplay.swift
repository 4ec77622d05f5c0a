import Hardware

/// Draws a text screen in a terminal: on its alternate screen, only what has changed.
final class TerminalDisplay {
    /// What brings the terminal's own screen back.
    static let closing: StaticString = "\u{1B}[0m\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l"

    private let output: HostOutput
    private let size: (columns: Int, rows: Int)
    private var shown: TextScreen?

    /// Cells outside `size` are not drawn.
    init(output: HostOutput, size: (columns: Int, rows: Int)) {
        self.output = output
        self.size = size
    }

    /// Alternate screen, no wrapping at its edge.
    func open() {
        output.put("\u{1B}[?1049h\u{1B}[?7l")
        shown = nil
        output.flush()
    }

    /// The screen as it was before `open`.
    func close() {
        output.put("\(Self.closing)")
        output.flush()
    }

    /// Shows `text` over the guest's screen until the next `draw`, which draws everything.
    func show(notice text: String) {
        output.put("\u{1B}[0m\u{1B}[2J\u{1B}[H" + text)
        output.flush()
        shown = nil
    }

    func draw(_ screen: TextScreen) {
        var old = shown
        if old?.columns != screen.columns || old?.rows != screen.rows {
            old = nil
            output.put("\u{1B}[0m\u{1B}[2J")
        }
        guard screen != old else { return }
        for row in 0..<min(screen.rows, size.rows) { draw(row: row, of: screen, over: old) }
        placeCursor(screen)
        shown = screen
        output.flush()
    }

    /// Draws the cells of a row that differ, run by run.
    private func draw(row: Int, of screen: TextScreen, over old: TextScreen?) {
        var position: Int?
        var attribute: UInt8?
        for column in 0..<min(screen.columns, size.columns) {
            let cell = screen[column, row]
            if let old, old[column, row] == cell, old.isBlanked == screen.isBlanked { continue }
            if position != column { output.put("\u{1B}[\(row + 1);\(column + 1)H") }
            if attribute != cell.attribute || position == nil { output.put(style(of: cell, on: screen)) }
            output.put(screen.isBlanked ? " " : String(CodePage437.character(cell.character)))
            attribute = cell.attribute
            position = column + 1
        }
    }

    private func placeCursor(_ screen: TextScreen) {
        guard let cursor = screen.cursor, !screen.isBlanked else { return output.put("\u{1B}[?25l") }
        output.put("\u{1B}[\(cursor.row + 1);\(cursor.column + 1)H\u{1B}[?25h")
    }

    /// The attribute in the terminal's own sixteen colours.
    private func style(of cell: TextScreen.Cell, on screen: TextScreen) -> String {
        guard !screen.isBlanked else { return "\u{1B}[0;40m" }
        let colors = screen.colors(of: cell)
        return "\u{1B}[0;\(Self.code(colors.foreground, normal: 30, bright: 90));"
            + "\(Self.code(colors.background, normal: 40, bright: 100))\(colors.blinks ? ";5" : "")m"
    }

    /// ECMA-48 counts red 1 and blue 4, the VGA blue 1 and red 4.
    private static func code(_ color: Int, normal: Int, bright: Int) -> Int {
        let swapped = color & 2 | (color & 1) << 2 | color >> 2 & 1
        return (color & 8 != 0 ? bright : normal) + swapped
    }
}
