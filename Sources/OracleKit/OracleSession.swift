import Ring3
import X86

/// The real processor and an engine, side by side: takes cases, says what differs.
package final class OracleSession {
    /// What became of one case.
    package struct Verdict {
        package let input: CaseRecord
        package let host: CaseRecord
        package let ours: CaseRecord
        /// Empty if the two agree.
        package let differences: [String]
    }

    /// What became of a batch: how many cases were compared, and those that differ, by their index.
    package struct BatchResult {
        package var compared: [Int] = []
        package var mismatches: [(index: Int, verdict: Verdict)] = []
    }

    /// Cases in a batch.
    package static let batchSize = 512

    package let decoder: Decoder
    private let machine: UserModeMachine
    private let process: OracleProcess
    private let window: MemoryWindow
    private let analysis: CodeAnalysis
    /// Results of the host that it did not repeat.
    package private(set) var disturbances = 0
    /// What this host does in its own way.
    package private(set) var traits: Set<HostTrait> = []

    /// One batch runs on the host while the next is made and run here, in turns.
    private var batches = [Batch(first: 0), Batch(first: OracleSession.batchSize)]
    /// The one to be filled next.
    private var half = 0

    private struct Batch {
        /// Of its first record in the case file.
        let first: Int
        var ours: [CaseRecord] = []
        /// Index of each among the cases given.
        var indices: [Int] = []
        var isPending = false
        /// The oracle has said that it is done.
        var isDone = false
    }

    package init(engine: EngineKind, program: String, seed: UInt64) throws {
        window = MemoryWindow(seed: seed)
        decoder = try Decoder()
        analysis = CodeAnalysis(decoder: decoder)
        machine = try UserModeMachine(engine)
        window.fill(machine.memory)
        process = try OracleProcess(program: program, window: window, capacity: 2 * Self.batchSize + 1)
        for trait in HostTrait.allCases where trait.isShown(by: try runOnHost(trait.probe)) { traits.insert(trait) }
    }

    /// How often the oracle was ended by a case.
    package var restarts: Int { process.restarts }

    /// Has `cases` (at most `batchSize`) run on both sides. Returns what became of the batch before, if there was one.
    package func submit(_ cases: [CaseRecord]) throws -> BatchResult? {
        precondition(cases.count <= Self.batchSize)
        let first = batches[half].first
        batches[half].ours.removeAll(keepingCapacity: true)
        batches[half].indices.removeAll(keepingCapacity: true)
        for index in cases.indices {
            batches[half].ours.append(cases[index])
            runHere(&batches[half].ours[batches[half].indices.count])
            guard isComparable(batches[half].ours[batches[half].indices.count], cases[index]) else {
                batches[half].ours.removeLast()
                continue
            }
            process.place(cases[index], at: first + batches[half].indices.count)
            batches[half].indices.append(index)
        }
        process.submit(first..<first + batches[half].indices.count)
        (batches[half].isPending, batches[half].isDone) = (true, false)
        half = 1 - half
        return try finish(half)
    }

    /// What became of the last batch.
    package func finish() throws -> BatchResult? { try finish(1 - half) }

    private func finish(_ which: Int) throws -> BatchResult? {
        guard batches[which].isPending else { return nil }
        batches[which].isPending = false
        if !batches[which].isDone { try process.finish() }
        var result = BatchResult()
        result.compared.reserveCapacity(Self.batchSize)
        let first = batches[which].first
        for (index, number) in batches[which].indices.enumerated() {
            let isEqual = batches[which].ours.withUnsafeBufferPointer {
                process.isEqual($0.baseAddress.unsafelyUnwrapped + index, at: first + index, traits)
            }
            if isEqual {
                result.compared.append(number)
                continue
            }
            let (input, host) = (process.input(at: first + index), process.result(at: first + index))
            guard var verdict = judge(input, host, batches[which].ours[index]) else { continue }
            if !verdict.differences.isEmpty {
                guard let second = try secondOpinion(verdict) else { continue }
                verdict = second
            }
            result.compared.append(number)
            if !verdict.differences.isEmpty { result.mismatches.append((number, verdict)) }
        }
        return result
    }

    /// Asks the host again, alone: what it says differently the second time was not the processor's doing, but that of a
    /// case before, which ran into the oracle's own memory. What the engine made of the case stands.
    private func secondOpinion(_ verdict: Verdict) throws -> Verdict? {
        let again = judge(verdict.input, try runOnHost(verdict.input), verdict.ours)
        if again?.differences != verdict.differences { disturbances += 1 }
        return again
    }

    /// One case by itself; nil if it is one that cannot be compared.
    package func run(_ input: CaseRecord) throws -> Verdict? {
        var ours = input
        runHere(&ours)
        guard isComparable(ours, input) else { return nil }
        return judge(input, try runOnHost(input), ours)
    }

    /// One case on the real processor.
    package func runOnHost(_ input: CaseRecord) throws -> CaseRecord {
        // Answers come in the order of submission: first that of the batch under way.
        let last = 1 - half
        if batches[last].isPending, !batches[last].isDone {
            try process.finish()
            batches[last].isDone = true
        }
        let spare = 2 * Self.batchSize
        process.place(input, at: spare)
        process.submit(spare..<spare + 1)
        try process.finish()
        return process.result(at: spare)
    }

    /// Nil if it turns out that the case cannot be compared.
    private func judge(_ input: CaseRecord, _ host: CaseRecord, _ ours: CaseRecord) -> Verdict? {
        if host.context.vector == UserContext.systemCall { return nil }
        var comparison = Comparison(host: host, ours: ours, traits: traits)
        let end = analysis.end(of: input, at: host.context.eip)
        comparison.undefined = end.undefined
        if let instruction = end.instruction, host.context.vector < 32 {
            comparison.latitude = Latitude(faultingAt: instruction, host: host, traits: traits)
            comparison.instruction = instruction
            if comparison.latitude.mayEndHere, ours.context.eip != host.context.eip { return nil }
        }
        return Verdict(input: input, host: host, ours: ours, differences: comparison.differences)
    }

    /// Whether the engine ended with #GP where a host with this bit in MXCSR may not have.
    private func isMisalignedModeRefused(_ input: CaseRecord, _ ours: CaseRecord) -> Bool {
        guard traits.contains(.misalignedModeBit) else { return false }
        let operation = analysis.operation(of: input, at: ours.context.eip)
        return operation == .ldmxcsr || operation == .fxrstor
    }

    /// Makes of a case what becomes of it on the engine.
    private func runHere(_ record: inout CaseRecord) {
        let (length, offset) = (Int(record.codeLength), record.codeOffset)
        let machine = machine
        withUnsafeMutablePointer(to: &record) { record in
            withUnsafeBytes(of: &record.pointee.code) { code in
                withUnsafeMutableBytes(of: &record.pointee.extended) { extended in
                    machine.run(
                        UnsafeRawBufferPointer(rebasing: code[..<length]), at: offset,
                        context: &record.pointee.context, extended: extended.baseAddress.unsafelyUnwrapped)
                }
            }
        }
        record.changes = window.collectChanges(in: machine.memory, of: record)
    }

    /// False where the two processes are not alike: the reserved addresses hold the oracle's own code and data there and
    /// nothing here; and the last descriptor of the host's GDT (selector 0x78) has the processor's number for a limit.
    private func isComparable(_ ours: CaseRecord, _ input: CaseRecord) -> Bool {
        let context = ours.context
        switch context.vector {
        case 14: return !UserLayout.reserved.contains(context.cr2)
        case 13:
            return context.errorCode & ~7 != 0x78 && (context.errorCode != 0 || !isMisalignedModeRefused(input, ours))
        case UserContext.runaway: return false
        default: return true
        }
    }
}
