/// What a guest says it has done. It is there even if the run was too short to be measured.
struct Answer: Equatable {
    let operations: Int
    let checksum: UInt32
}

/// What the guests have to answer, and who says so.
///
/// The answer to a compute workload of so many units is the host's, where the host can run it; otherwise that of whoever
/// came first. A nanobenchmark's is the number of operations.
struct Answers {
    private struct Question: Hashable {
        let workload: String
        let units: Int
    }

    private var known: [Question: (checksum: UInt32, by: String)] = [:]

    func isKnown(_ workload: Workload, units: Int) -> Bool {
        workload.kind == .nano || known[Question(workload: workload.name, units: units)] != nil
    }

    /// Throws if `answer` is not right; takes it for the right one if none is known.
    mutating func check(
        _ answer: Answer, of workload: Workload, units: Int, by contender: Contender
    ) throws(RunProblem) {
        switch workload.kind {
        case .nano:
            guard answer.checksum == UInt32(truncatingIfNeeded: answer.operations) else {
                throw .checkFailed("\(answer.checksum) of \(answer.operations) operations had their effect")
            }
        case .compute:
            guard answer.operations == units else {
                throw .checkFailed("did \(answer.operations) units of \(units)")
            }
            let question = Question(workload: workload.name, units: units)
            guard let right = known[question] else {
                known[question] = (answer.checksum, contender.name)
                return
            }
            guard answer.checksum == right.checksum else {
                throw .wrongChecksum(got: answer.checksum, expected: right.checksum, by: right.by)
            }
        }
    }
}
