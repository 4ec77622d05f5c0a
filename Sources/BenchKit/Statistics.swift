import Foundation

/// Several measurements of one thing.
public struct Distribution: Codable, Equatable, Sendable {
    public let median: Double
    public let minimum: Double
    public let maximum: Double
    public let count: Int

    /// Nil without a single measurement.
    public init?(_ values: [Double]) {
        let sorted = values.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        let middle = sorted.count / 2
        median = sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
        minimum = first
        maximum = last
        count = sorted.count
    }

    /// Half the distance between the extremes, as a part of the median.
    public var spread: Double { median == 0 ? 0 : (maximum - minimum) / 2 / median }
}

/// The mean for ratios; nil for none, or if one is not positive.
public func geometricMean(_ values: [Double]) -> Double? {
    guard !values.isEmpty, values.allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
    return exp(values.reduce(0) { $0 + log($1) } / Double(values.count))
}
