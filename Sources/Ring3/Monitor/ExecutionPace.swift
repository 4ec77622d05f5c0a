/// How many instructions fit into a time of the host's, judged by those that were executed of late.
///
/// A slice that ends much too early is repeated, which costs; one that ends late delays an interrupt. Guests differ by a
/// factor of a thousand, from loops of additions on `native` to loops of faults on the textbook interpreter.
struct ExecutionPace {
    /// Instructions a microsecond.
    private var speed = 1000 / VirtualTime.nanosecondsPerInstruction
    /// Not yet part of `speed`.
    private var instructions: UInt64 = 0
    private var nanoseconds: UInt64 = 0
    /// Shorter times say little.
    private static let shortestMeasurement: UInt64 = 50_000
    /// Far more than any processor has.
    private static let highestSpeed: UInt64 = 100_000

    /// So many instructions took so many nanoseconds.
    mutating func executed(_ instructions: UInt64, in nanoseconds: UInt64) {
        self.instructions &+= instructions
        self.nanoseconds &+= nanoseconds
        guard self.nanoseconds >= Self.shortestMeasurement else { return }
        let measured = (self.instructions &* 1000) / self.nanoseconds
        // Slowly up and quickly down: rather a slice too many than one that lasts.
        speed = Swift.max(1, Swift.min(measured, speed * 2, Self.highestSpeed))
        (self.instructions, self.nanoseconds) = (0, 0)
    }

    /// Instructions, at least one, that take about so many nanoseconds, at most a second.
    func instructions(in nanoseconds: UInt64) -> UInt64 {
        Swift.max(1, Swift.min(nanoseconds, 1_000_000_000) * speed / 1000)
    }
}
