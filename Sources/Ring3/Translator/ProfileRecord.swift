/// How a translation ended.
struct ProfileEnding {
    enum Cause {
        /// The instruction at linear address `writer` wrote `count` bytes there.
        case write(physical: UInt32, count: UInt32, writer: UInt32)
        /// The cache was full.
        case eviction
        /// The instruction at that linear address kept faulting: from then on it is the monitor's.
        case adaptation(UInt32)
    }

    var cause: Cause
    /// Which of the translations it was, from 1.
    var version: UInt32
    /// How often this one was executed, and how many instructions the machine had executed when it ended.
    var executions: UInt64
    var instructions: UInt64
}

/// A place in RAM that has been translated, on any engine: `Block` is what that knows a translation by, `Remains` a copy
/// of one that had to go.
struct ProfileRecord<Block, Remains> {
    /// Physical address of the first byte, and what the translation is specialised on.
    var key: UInt64
    /// Linear address at the first translation: the same place may be executed at others.
    var firstLinear: UInt32
    /// The translation in force; nil if it has ended.
    var block: Block?
    /// The guest's bytes, as last translated.
    var bytes: [UInt8] = []
    var versions: UInt32 = 0
    /// Executions before this version.
    var executionsBefore: UInt64 = 0
    /// The latest; older ones are only counted.
    var endings: [ProfileEnding] = []
    /// What the last translation was, if its memory has been reused.
    var remains: Remains?

    init(key: UInt64, firstLinear: UInt32) {
        self.key = key
        self.firstLinear = firstLinear
    }

    /// Endings kept.
    static var endingsKept: Int { 8 }

    /// The translation in force has ended.
    ///
    /// - Parameters:
    ///   - executions: of all versions of this place.
    ///   - instructions: that the machine has executed.
    mutating func end(_ cause: ProfileEnding.Cause, executions: UInt64, instructions: UInt64) {
        block = nil
        if endings.count == Self.endingsKept { endings.removeFirst() }
        endings.append(
            ProfileEnding(
                cause: cause, version: versions, executions: executions &- executionsBefore, instructions: instructions)
        )
        executionsBefore = executions
    }
}
