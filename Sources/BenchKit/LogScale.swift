import Foundation

/// Maps values to positions by their logarithm.
struct LogScale {
    let lowest: Double
    let highest: Double
    private let position: Double
    private let length: Double

    /// Covers `values`, which must be positive, from one round number to another.
    init?(_ values: [Double], from position: Double, length: Double) {
        let positive = values.filter { $0 > 0 && $0.isFinite }
        guard let least = positive.min(), let most = positive.max() else { return nil }
        lowest = Self.steps.reversed().first { $0 <= least * 0.999 } ?? least
        highest = Self.steps.first { $0 >= most * 1.001 } ?? most
        self.position = position
        self.length = length
    }

    /// 1, 2, 5, 10 and so on, from far below to far above anything.
    private static let steps = (-12...15).flatMap { exponent in [1, 2, 5].map { $0 * pow(10, Double(exponent)) } }

    func callAsFunction(_ value: Double) -> Double {
        position + length * log(max(value, lowest) / lowest) / log(highest / lowest)
    }

    /// Where lines go, and which of them are labelled: the powers of ten, and all if there are few.
    var ticks: [(value: Double, isLabelled: Bool)] {
        let inside = Self.steps.filter { $0 >= lowest * 0.999 && $0 <= highest * 1.001 }
        return inside.map { value in
            let exponent = log10(value)
            return (value, inside.count <= 10 || abs(exponent - exponent.rounded()) < 1e-6)
        }
    }
}
