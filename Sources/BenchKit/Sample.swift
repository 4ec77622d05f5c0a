/// One run, measured between the guest's "begin" and "end".
public struct Sample: Codable, Equatable, Sendable {
    /// User and system time of the process that runs the guest, all threads.
    public let cpuNanoseconds: UInt64
    public let wallNanoseconds: UInt64
    /// From the start of the process to "begin": boot and preparation, not part of the above.
    public let startNanoseconds: UInt64
    public let operations: Int
    public let checksum: UInt32
    /// Most memory the process had, in bytes.
    public let peakMemory: Int

    var answer: Answer { Answer(operations: operations, checksum: checksum) }

    /// Cost of an operation.
    public var nanosecondsPerOperation: Double { Double(cpuNanoseconds) / Double(max(operations, 1)) }
}
