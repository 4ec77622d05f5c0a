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

    /// Throws if `sample` is not the answer; takes it for the answer if none is known.
    mutating func check(
        _ sample: Sample, of workload: Workload, units: Int, by contender: Contender
    ) throws(RunProblem) {
        switch workload.kind {
        case .nano:
            guard sample.checksum == UInt32(truncatingIfNeeded: sample.operations) else {
                throw .checkFailed("\(sample.checksum) of \(sample.operations) operations had their effect")
            }
        case .compute:
            guard sample.operations == units else {
                throw .checkFailed("did \(sample.operations) units of \(units)")
            }
            let question = Question(workload: workload.name, units: units)
            guard let answer = known[question] else {
                known[question] = (sample.checksum, contender.name)
                return
            }
            guard sample.checksum == answer.checksum else {
                throw .wrongChecksum(got: sample.checksum, expected: answer.checksum, by: answer.by)
            }
        }
    }
}
