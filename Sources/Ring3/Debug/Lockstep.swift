import Glibc
import Hardware
import X86

/// Two engines found in different states after the same number of instructions.
public struct Divergence: Sendable, CustomStringConvertible {
    public let tested: Engine
    public let reference: Engine
    /// Instructions executed when it was noticed, and when the engines were last known to agree.
    public let instructions: UInt64
    public let agreedAt: UInt64
    /// What differs of the processor.
    public let differences: [StateDifference]
    /// What differs of RAM: first some of it, by physical address.
    public let memory: [StateDifference]
    /// The instructions in between, oldest first, as the reference executed them (the last 16 at most).
    public let listing: [String]
    public let testedRegisters: RegisterDump
    public let referenceRegisters: RegisterDump

    public var description: String {
        var lines = [
            "Engines diverge at instruction \(instructions); they agreed at \(agreedAt).",
            "Differences (\(tested.rawValue) | \(reference.rawValue)):",
        ]
        lines += (differences + memory).map { "  \($0.name): \($0.tested) | \($0.reference)" }
        lines.append("Instructions in between:")
        lines += listing.map { "  " + $0 }
        for (engine, registers) in [(tested, testedRegisters), (reference, referenceRegisters)] {
            lines.append("Registers on \(engine.rawValue):")
            lines += registers.description.split(separator: "\n").map { "  " + $0 }
        }
        return lines.joined(separator: "\n")
    }
}

/// How much was compared.
public struct LockstepProgress: Sendable, CustomStringConvertible {
    public let tested: Engine
    public let reference: Engine
    /// Times the states were compared, and the instructions executed by then.
    public var comparisons: UInt64 = 0
    public var instructions: UInt64 = 0
    /// Bytes written by the reference, each compared with the same place of the tested machine.
    public var bytesWritten: UInt64 = 0
    /// Times the whole of RAM was compared.
    public var fullComparisons: UInt64 = 0

    public var description: String {
        "\(tested.rawValue) agreed with \(reference.rawValue) \(comparisons) times in \(instructions) instructions, "
            + "\(bytesWritten) bytes written, and \(fullComparisons) times in all of RAM"
    }
}

/// Runs an engine block by block, and a second machine with another engine behind it, and compares.
///
/// The second machine has its own RAM and devices, time that counts instructions, and the same input: whatever the first
/// does at some instruction, the second does at the same one.
final class LockstepEngine: ExecutionEngine {
    private let tested: any BlockEngine
    private let cpu: Processor
    private let reference: VirtualMachine
    private let log = WriteLog()
    private let comparison: ProcessorComparison
    private(set) var progress: LockstepProgress
    private(set) var divergence: Divergence?
    private var nextFullComparison = LockstepEngine.fullComparisonInterval

    /// Instructions between two comparisons of the whole RAM, for writes that only the tested engine made.
    private static let fullComparisonInterval: UInt64 = 100_000_000

    /// - Parameter reference: a machine of the same configuration but for its engine.
    init(testing engine: any BlockEngine, _ cpu: Processor, named name: Engine, reference: VirtualMachine) {
        tested = engine
        self.cpu = cpu
        self.reference = reference
        comparison = ProcessorComparison(tested: cpu, reference: reference.cpu)
        progress = LockstepProgress(tested: name, reference: reference.configuration.engine)
        reference.cpu.pointee.writeLog = Unmanaged.passUnretained(log)
    }

    deinit { reference.cpu.pointee.writeLog = nil }

    /// Instructions are counted where each of them is seen.
    var interpreter: Interpreter { reference.engine.interpreter }

    var finding: EmittedCodeFinding? { tested.finding }
    var translation: TranslationStatistics? { tested.translation }

    func codeWritten(_ physical: UInt32, count: UInt32) { tested.codeWritten(physical, count: count) }

    func run(until sliceEnd: UInt64) -> EngineStop {
        // The machine this engine belongs to has just looked at its devices and its input.
        reference.turn()
        while true {
            let agreedAt = cpu.pointee.instructions
            let stop = tested.runBlock(until: sliceEnd)
            reference.follow(to: cpu.pointee.instructions)
            guard agrees() else {
                diverge(since: agreedAt)
                return .diverged
            }
            if let stop { return stop }
        }
    }

    /// Compares all there is; false, and `divergence`, if the machines differ.
    func agreesInTheEnd() -> Bool {
        if divergence == nil, !comparison.differences.isEmpty || firstDifference() != nil {
            diverge(since: cpu.pointee.instructions)
        }
        progress.fullComparisons += 1
        return divergence == nil
    }

    private func agrees() -> Bool {
        progress.comparisons += 1
        progress.instructions = cpu.pointee.instructions
        guard comparison.isEqual else { return false }
        guard !log.isIncomplete, progress.instructions < nextFullComparison else {
            nextFullComparison = progress.instructions + Self.fullComparisonInterval
            progress.fullComparisons += 1
            log.removeAll()
            return firstDifference() == nil
        }
        for entry in log.all {
            progress.bytesWritten += UInt64(entry.count)
            if !isSame(Int(entry.physical), Int(entry.count)) { return false }
        }
        log.removeAll()
        return true
    }

    private func isSame(_ physical: Int, _ count: Int) -> Bool {
        memcmp(cpu.pointee.ramBase + physical, reference.cpu.pointee.ramBase + physical, count) == 0
    }

    /// First RAM page that differs.
    private func firstDifference() -> Int? {
        let size = Int(cpu.pointee.ramSize)
        if isSame(0, size) { return nil }
        return stride(from: 0, to: size, by: 4096).first { !isSame($0, 4096) }
    }

    private func diverge(since agreedAt: UInt64) {
        var memory: [StateDifference] = []
        if let page = firstDifference() {
            for address in stride(from: page, to: page + 4096, by: 4) where memory.count < 8 && !isSame(address, 4) {
                func word(_ cpu: Processor) -> String {
                    hex((cpu.pointee.ramBase + address).load(as: UInt32.self), 8)
                }
                memory.append(
                    StateDifference(
                        name: "[\(hex(address, 8))]", tested: word(cpu), reference: word(reference.cpu)))
            }
        }
        let executed = Swift.min(16, reference.cpu.pointee.instructions &- agreedAt)
        divergence = Divergence(
            tested: progress.tested, reference: progress.reference, instructions: cpu.pointee.instructions,
            agreedAt: agreedAt, differences: comparison.differences, memory: memory,
            listing: reference.cpu.lastInstructions(Int(executed), reference.decoder),
            testedRegisters: RegisterDump(cpu), referenceRegisters: RegisterDump(reference.cpu))
    }
}
