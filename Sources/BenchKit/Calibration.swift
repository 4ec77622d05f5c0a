/// Finds how many units of work make a run long enough to be measured and no longer.
///
/// Always a power of two: contenders of like speed then do the same number and can be checked against each other, and
/// few numbers have to be checked at all.
struct Calibration {
    /// CPU nanoseconds a run is to last, within a factor of about 1.4.
    let target: UInt64
    /// A run that mostly waits (a timer) is long enough when it has taken this many times the target.
    private static let patience: UInt64 = 6
    /// One step at most multiplies by this: a short run says little about a long one.
    private static let largestStep = 64.0
    static let mostUnits = 1 << 22

    /// The same after a run that was too short to be measured: how short is not known.
    private static let blindStep = 8

    /// What to try after a run of `units` that took so long, 0 if it could not be measured; nil if that was enough.
    func next(after units: Int, cpu: UInt64, wall: UInt64) -> Int? {
        guard cpu > 0, wall > 0 else {
            return units < Self.mostUnits ? min(units * Self.blindStep, Self.mostUnits) : nil
        }
        let enough = Double(target) / 2.0.squareRoot()
        guard Double(cpu) < enough, wall < target * Self.patience, units < Self.mostUnits else { return nil }
        let missing = min(Double(target) / Double(cpu), Self.largestStep)
        let wallLimit = max(2, Double(target * Self.patience) / Double(wall))
        var factor = 2
        while Double(factor) * 2.0.squareRoot() < min(missing, wallLimit) { factor *= 2 }
        return min(units * factor, Self.mostUnits)
    }
}
