/// What a text-mode display shows at one moment.
public struct TextScreen: Equatable, Sendable {
    /// One character position.
    public struct Cell: Equatable, Sendable {
        /// In code page 437.
        public var character: UInt8
        /// Foreground in bits 0–3, background in bits 4–6 or 4–7.
        public var attribute: UInt8

        public init(character: UInt8, attribute: UInt8) {
            self.character = character
            self.attribute = attribute
        }
    }

    /// An entry of the palette, 8 bits a component.
    public struct Color: Equatable, Sendable {
        public var red: UInt8
        public var green: UInt8
        public var blue: UInt8
    }

    public struct Position: Equatable, Sendable {
        public var column: Int
        public var row: Int
    }

    public var columns: Int
    public var rows: Int
    /// Row by row from the top left, `columns * rows` of them.
    public var cells: [Cell]
    /// Nil when it is switched off or outside the screen.
    public var cursor: Position?
    /// The 16 colours that attributes name.
    public var palette: [Color]
    /// Whether bit 7 of attributes means blinking; otherwise it brightens the background.
    public var isBlinkEnabled: Bool
    /// Whether the guest darkened the screen, or chose a graphics mode: a monitor would not show these cells.
    public var isBlanked: Bool

    /// The cell at `column`, `row`, both from 0 and inside the screen.
    public subscript(column: Int, row: Int) -> Cell { cells[row * columns + column] }

    /// Indexes into `palette` of a cell's two colours, and whether it blinks.
    public func colors(of cell: Cell) -> (foreground: Int, background: Int, blinks: Bool) {
        let background = Int(cell.attribute >> 4)
        return (
            Int(cell.attribute & 15), isBlinkEnabled ? background & 7 : background,
            isBlinkEnabled && background & 8 != 0
        )
    }

    /// The rows as Unicode text, without blanks at their ends.
    public var lines: [String] {
        (0..<rows).map { row in
            var line = cells[row * columns..<(row + 1) * columns].map { CodePage437.character($0.character) }
            while line.last == " " || line.last == "\u{A0}" { line.removeLast() }
            return String(line)
        }
    }

    /// `lines` joined by newlines, without empty lines at the end.
    public var text: String {
        var lines = lines
        while lines.last == "" { lines.removeLast() }
        return lines.joined(separator: "\n")
    }
}
