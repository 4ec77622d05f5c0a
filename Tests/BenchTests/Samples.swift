import Testing

@testable import BenchKit

/// Pieces that several tests need.
enum Samples {
    static func contender(_ name: String) throws -> Contender {
        try #require(Contender.all.first { $0.name == name })
    }

    static func workload(_ name: String) throws -> Workload {
        try #require(Workload.all.first { $0.name == name })
    }

    static func sample(cpu: UInt64 = 1000, operations: Int = 10, checksum: UInt32 = 7) -> Sample {
        Sample(
            cpuNanoseconds: cpu, wallNanoseconds: cpu * 2, startNanoseconds: 5, operations: operations,
            checksum: checksum, peakMemory: 0)
    }

    /// host needs 1 and 2 us, interpret 10 and 80, and host runs no nanobenchmarks.
    static var report: BenchReport {
        var report = BenchReport(
            host: HostDescription(
                processor: "A <fast> & \"new\" one", processors: 2, system: "Linux 6", date: "2026-01-01T00:00:00Z",
                loadBefore: 0.5, loadAfter: 1),
            settings: .init(rounds: 3, secondsPerRun: 0.3),
            contenders: [
                .init(name: "host", summary: "natively"), .init(name: "interpret", summary: "interpreter"),
                .init(name: "bochs", summary: "Bochs", problem: "bochs is not installed"),
            ],
            workloads: [
                .init(name: "sieve", kind: .compute, summary: ""), .init(name: "sort", kind: .compute, summary: ""),
                .init(name: "syscall", kind: .nano, summary: ""),
            ], results: [], problems: [])
        report.results = [
            result("sieve", "host", [900, 1000, 1200]), result("sieve", "interpret", [10_000, 9000, 11_000]),
            result("sort", "host", [2000]), result("sort", "interpret", [80_000]),
            result("syscall", "interpret", [640, 650, 660]),
        ]
        report.computeSpeedUps()
        return report
    }

    private static func result(_ workload: String, _ contender: String, _ costs: [Double]) -> BenchReport.Result {
        let samples = costs.map { sample(cpu: UInt64($0 * 10)) }
        let cpu = Distribution(samples.map(\.nanosecondsPerOperation))!
        return .init(workload: workload, contender: contender, units: 10, cpu: cpu, wall: cpu, samples: samples)
    }
}
