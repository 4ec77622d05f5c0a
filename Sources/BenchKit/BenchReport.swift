/// Everything that one `ring3 bench` has found out.
public struct BenchReport: Codable, Equatable, Sendable {
    public struct Settings: Codable, Equatable, Sendable {
        public var rounds: Int
        /// CPU seconds that a run was made to last.
        public var secondsPerRun: Double
    }

    public struct ContenderRecord: Codable, Equatable, Sendable {
        public var name: String
        public var summary: String
        public var version: String?
        /// Why it did not take part at all.
        public var problem: String?
        /// Median wall time from its start to a guest that is ready, which is not part of any result.
        public var startSeconds: Double?
    }

    public struct WorkloadRecord: Codable, Equatable, Sendable {
        public var name: String
        public var kind: Workload.Kind
        public var summary: String
    }

    /// One contender on one workload.
    public struct Result: Codable, Equatable, Sendable {
        public var workload: String
        public var contender: String
        /// Units of work in a run.
        public var units: Int
        /// CPU nanoseconds an operation: a unit of work of a compute workload, one operation of the others.
        public var cpu: Distribution
        /// The same by the clock on the wall.
        public var wall: Distribution
        public var samples: [Sample]
    }

    public struct Problem: Codable, Equatable, Sendable {
        public var workload: String
        public var contender: String
        public var reason: String
        public var isWrongAnswer: Bool
    }

    /// `contender`'s speed-ups over others, geometric means over the compute workloads that both have results of.
    public struct SpeedUp: Codable, Equatable, Sendable {
        public var contender: String
        public var over: String
        public var geometricMean: Double
        public var smallest: Double
        public var smallestWorkload: String
        public var workloads: Int
    }

    public var host: HostDescription
    public var settings: Settings
    public var contenders: [ContenderRecord]
    public var workloads: [WorkloadRecord]
    public var results: [Result]
    public var problems: [Problem]
    /// Every pair of contenders; written for readers of the JSON.
    public var speedUps: [SpeedUp] = []

    /// Some contender gave a wrong answer or did not come to an end.
    public var hasFailures: Bool { problems.contains { $0.isWrongAnswer || !$0.isAbsence } }

    public func result(_ contender: String, _ workload: String) -> Result? {
        results.first { $0.contender == contender && $0.workload == workload }
    }

    /// The contenders with results for workloads of a kind, in order.
    func contenders(with kind: Workload.Kind) -> [ContenderRecord] {
        let names = Set(workloads(of: kind).map(\.name))
        return contenders.filter { contender in
            results.contains { $0.contender == contender.name && names.contains($0.workload) }
        }
    }

    func workloads(of kind: Workload.Kind) -> [WorkloadRecord] { workloads.filter { $0.kind == kind } }

    /// Who the others are compared with: the host where it took part, else the first.
    var baseline: String? { contenders(with: .compute).first?.name }

    /// How many times the baseline's time `contender` needs.
    func ratio(_ contender: String, _ workload: String, to baseline: String) -> Double? {
        guard let mine = result(contender, workload)?.cpu.median, let its = result(baseline, workload)?.cpu.median,
            its > 0
        else { return nil }
        return mine / its
    }

    func speedUp(of contender: String, over other: String) -> SpeedUp? {
        let ratios = workloads(of: .compute).compactMap { workload in
            ratio(other, workload.name, to: contender).map { (workload.name, $0) }
        }
        guard let mean = geometricMean(ratios.map(\.1)), let least = ratios.min(by: { $0.1 < $1.1 }) else { return nil }
        return SpeedUp(
            contender: contender, over: other, geometricMean: mean, smallest: least.1, smallestWorkload: least.0,
            workloads: ratios.count)
    }

    mutating func computeSpeedUps() {
        let names = contenders(with: .compute).map(\.name)
        speedUps = names.flatMap { name in names.filter { $0 != name }.compactMap { speedUp(of: name, over: $0) } }
    }
}

extension BenchReport.Problem {
    init(_ problem: RunProblem, contender: Contender, workload: Workload) {
        self.init(
            workload: workload.name, contender: contender.name, reason: problem.description,
            isWrongAnswer: problem.isWrongAnswer)
    }

    /// Something the contender does not have, which is nobody's fault.
    var isAbsence: Bool { reason.hasPrefix("cannot be done here") }
}
