import X86

/// What a guest executed: instructions begun, by their row of `Sensitivity.table`.
public struct InstructionCensus: Sendable {
    /// At CPL 0 to 2, and at CPL 3; indices are those of the table.
    public internal(set) var supervisor: [UInt64]
    public internal(set) var user: [UInt64]
    /// How often the software TLB was looked through meanwhile, and what was found.
    public internal(set) var memory = MemoryBoundsCheck()

    init() {
        supervisor = [UInt64](repeating: 0, count: Sensitivity.table.count)
        user = supervisor
    }
}

/// Counts for an interpreter. While there is one, the interpreter looks up before each instruction, and is several times
/// slower; without, it costs nothing.
final class CensusTaker {
    private let rows = Sensitivity.table.count
    private let counts: UnsafeMutablePointer<UInt64>
    private var memory = MemoryBoundsCheck()
    private var untilCheck = CensusTaker.checkInterval

    /// Instructions between two looks at the TLB.
    private static let checkInterval = 1 << 20

    init() {
        counts = .allocate(capacity: rows * 2)
        counts.initialize(repeating: 0, count: rows * 2)
    }

    deinit { counts.deallocate() }

    func count(_ instruction: Instruction, isUser: Bool, _ cpu: Processor) {
        counts[Int(instruction.sensitivityIndex) + (isUser ? rows : 0)] &+= 1
        untilCheck -= 1
        if untilCheck == 0 {
            memory.look(cpu)
            untilCheck = Self.checkInterval
        }
    }

    func result(_ cpu: Processor) -> InstructionCensus {
        var census = InstructionCensus()
        for row in 0..<rows {
            census.supervisor[row] = counts[row]
            census.user[row] = counts[row + rows]
        }
        census.memory = memory
        census.memory.look(cpu)
        return census
    }
}

extension Attention {
    /// A `CensusTaker` wants to see every instruction.
    static let census = Attention(rawValue: 1 << 31)
}
