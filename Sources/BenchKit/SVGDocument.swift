import Foundation

/// Just enough SVG for a plot.
struct SVGDocument {
    struct Style {
        var fill = "none"
        var stroke: String?
        var width = 1.0
    }

    enum Anchor: String {
        case start, middle, end
    }

    private var elements: [String] = []

    mutating func line(_ from: (x: Double, y: Double), _ to: (x: Double, y: Double), stroke: String, width: Double = 1)
    {
        elements.append(
            """
            <line x1="\(number(from.x))" y1="\(number(from.y))" x2="\(number(to.x))" y2="\(number(to.y))" \
            stroke="\(stroke)" stroke-width="\(number(width))"/>
            """)
    }

    mutating func rectangle(x: Double, y: Double, width: Double, height: Double, fill: String) {
        elements.append(
            """
            <rect x="\(number(x))" y="\(number(y))" width="\(number(width))" height="\(number(height))" fill="\(fill)"/>
            """)
    }

    mutating func text(
        _ text: String, x: Double, y: Double, size: Double = 13, anchor: Anchor = .start, isBold: Bool = false,
        fill: String = "#222"
    ) {
        elements.append(
            """
            <text x="\(number(x))" y="\(number(y))" font-size="\(number(size))" text-anchor="\(anchor.rawValue)" \
            fill="\(fill)"\(isBold ? " font-weight=\"bold\"" : "")>\(Self.escaped(text))</text>
            """)
    }

    /// A mark with a tooltip: shapes differ as well as colours, for those who cannot tell these apart.
    mutating func mark(_ shape: Int, x: Double, y: Double, fill: String, radius: Double = 5, tooltip: String? = nil) {
        let title = tooltip.map { "<title>\(Self.escaped($0))</title>" } ?? ""
        let r = radius
        let corners: [(Double, Double)]
        switch shape % 5 {
        case 0:
            elements.append(
                """
                <circle cx="\(number(x))" cy="\(number(y))" r="\(number(r))" fill="\(fill)">\(title)</circle>
                """)
            return
        case 1: corners = [(-r, -r), (r, -r), (r, r), (-r, r)].map { ($0.0 * 0.88, $0.1 * 0.88) }
        case 2: corners = [(0, -r * 1.3), (r * 1.3, 0), (0, r * 1.3), (-r * 1.3, 0)]
        case 3: corners = [(0, -r * 1.2), (r * 1.15, r * 0.9), (-r * 1.15, r * 0.9)]
        default: corners = [(0, r * 1.2), (r * 1.15, -r * 0.9), (-r * 1.15, -r * 0.9)]
        }
        let points = corners.map { "\(number(x + $0.0)),\(number(y + $0.1))" }.joined(separator: " ")
        elements.append("<polygon points=\"\(points)\" fill=\"\(fill)\">\(title)</polygon>")
    }

    func rendered(width: Double, height: Double) -> String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(number(width)) \(number(height))" \
        width="\(number(width))" height="\(number(height))" font-family="Helvetica, Arial, sans-serif">
        <rect width="100%" height="100%" fill="white"/>
        \(elements.joined(separator: "\n"))
        </svg>
        """
    }

    private func number(_ value: Double) -> String {
        let text = String(format: "%.1f", value)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    static func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
    }
}
