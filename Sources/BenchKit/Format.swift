import Foundation
import Ring3

/// Numbers as reports show them.
enum Format {
    /// Three significant digits without an exponent: 0.0123, 1.23, 12.3, 123, 1,230. What no measurement yields, but a
    /// file may hold, has one.
    static func short(_ value: Double) -> String {
        guard value.isFinite else { return "-" }
        guard value != 0 else { return "0" }
        guard (1e-9..<1e18).contains(abs(value)) else { return String(format: "%.2e", value) }
        let magnitude = Int(floor(log10(abs(value))))
        if magnitude >= 3 { return Int(value.rounded()).grouped }
        let text = String(format: "%.\(max(0, 2 - magnitude))f", value)
        // 9.996 is 10.0 and not 10.00.
        let rounded = abs(Double(text) ?? value)
        return rounded >= pow(10, Double(magnitude + 1)) ? short(rounded * (value < 0 ? -1 : 1)) : text
    }

    /// Part of the whole as "4%", "<1%".
    static func percent(_ part: Double) -> String { part < 0.005 ? "<1%" : String(format: "%.0f%%", part * 100) }

    static func hex(_ value: UInt32) -> String { "0x" + String(value, radix: 16, uppercase: true) }

    static func seconds(_ value: Double) -> String { "\(String(format: "%g", value)) s" }

    /// A time in the unit that suits it.
    static func duration(nanoseconds: Double) -> String {
        switch nanoseconds {
        case ..<1e3: "\(short(nanoseconds)) ns"
        case ..<1e6: "\(short(nanoseconds / 1e3)) µs"
        case ..<1e9: "\(short(nanoseconds / 1e6)) ms"
        default: "\(short(nanoseconds / 1e9)) s"
        }
    }
}
