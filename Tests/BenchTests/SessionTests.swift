import Foundation
import Ring3
import Testing

@testable import BenchKit

/// Tests that start processes, one at a time: they measure and end them.
@Suite(.serialized, .enabled(if: Guests.areBuilt, "Guests/build has not been run")) struct ProcessTests {}

extension ProcessTests {
    /// Whole benchmarks with peers of straw: shell scripts in QEMU's place, which say what is needed here.
    @Suite struct SessionTests {
        /// Prints a little, works a little, prints the rest.
        private static func script(_ end: String) -> String {
            """
            #!/bin/sh
            for word; do case $word in units=*) units=${word#units=} ;; esac; done
            echo begin; i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); done
            \(end)
            """
        }

        /// Makes a program, by another process: were the file open for writing here, a child that some test starts in this
        /// moment would have it open, too, and the program could not be executed (ETXTBSY).
        private static func install(_ script: String, _ path: String) throws {
            try script.write(toFile: "\(path).sh", atomically: true, encoding: .utf8)
            let install = try Process.run(
                URL(fileURLWithPath: "/usr/bin/install"), arguments: ["-m", "755", "\(path).sh", path])
            install.waitUntilExit()
            #expect(install.terminationStatus == 0)
        }

        private static let honest = script(
            "echo end; echo operations $units; echo checksum 0xBAD; echo x: 1 passed, 0 failed; exit 1")

        private func run(
            qemu: String?, workloads: [String] = ["sieve"], contenders: [String] = ["host", "qemu"],
            change: (inout BenchOptions) -> Void = { _ in }
        ) throws -> (report: BenchReport, progress: [String]) {
            let folder = try WorkFolder()
            if let qemu {
                try Self.install(qemu, "\(folder.path)/qemu-system-i386")
            }
            var options = BenchOptions(guests: Guests.folder, ring3: Guests.ring3)
            options.searchPath = folder.path
            options.workloads = Workload.all.filter { workloads.contains($0.name) }
            options.contenders = Contender.all.filter { contenders.contains($0.name) }
            options.rounds = 2
            options.secondsPerRun = 0.001
            options.timeout = 10
            change(&options)
            var progress: [String] = []
            let session = try BenchSession(options) { progress.append($0) }
            return (try session.run(), progress)
        }

        @Test func missingPeers() throws {
            let (report, progress) = try run(qemu: nil, contenders: ["host", "qemu", "bochs"])
            #expect(report.contenders.map { $0.problem?.contains("is not installed") ?? false } == [false, true, true])
            #expect(progress.filter { $0.contains("is not installed") && $0.hasSuffix("the rest goes on") }.count == 2)
            #expect(report.result("host", "sieve")?.cpu.count == 2)
            #expect(!report.hasFailures)
        }

        /// One round goes from the fastest to the slowest, the next one back.
        @Test func thoseOfOneSpeedAreNextToEachOther() throws {
            let (_, progress) = try run(qemu: nil, contenders: ["textbook", "interpret", "host"])
            let rounds = progress.filter { $0.contains(" of 2: sieve: ") }
            let orders = rounds.map { line in
                line.split(separator: ": ").last?.split(separator: ", ").compactMap { $0.split(separator: " ").first }
            }
            #expect(orders == [["host", "interpret", "textbook"], ["textbook", "interpret", "host"]])
        }

        @Test func wrongChecksumsAreNotTimed() throws {
            let (report, _) = try run(qemu: Self.honest)
            #expect(report.result("qemu", "sieve") == nil)
            #expect(report.result("host", "sieve") != nil)
            let problem = try #require(report.problems.first)
            #expect(problem.isWrongAnswer && problem.reason.hasPrefix("WRONG: checksum 0xBAD, but host has 0x"))
            #expect(report.hasFailures)
        }

        /// The host is asked even when it does not take part.
        @Test func theHostJudgesFromOutside() throws {
            let (report, _) = try run(qemu: Self.honest, contenders: ["qemu"])
            #expect(report.results.isEmpty)
            #expect(report.problems.first?.isWrongAnswer == true)
        }

        @Test func failedChecksAreNotTimed() throws {
            let (report, _) = try run(
                qemu: Self.script("echo end; echo operations $units; echo FAIL checksum: got 1, expected 2; exit 3"))
            #expect(report.problems.first?.reason == "WRONG: checksum: got 1, expected 2")
            #expect(report.result("qemu", "sieve") == nil)
        }

        @Test func hangingPeersAreEnded() throws {
            let start = ContinuousClock.now
            // A child of its own, which has to go as well.
            let (report, _) = try run(qemu: Self.script("sleep 1000 & wait")) { $0.timeout = 0.3 }
            #expect(ContinuousClock.now - start < .seconds(10))
            #expect(report.problems.map(\.reason) == ["ended after 0.3 s, as --timeout asks"])
            #expect(report.result("host", "sieve") != nil, "the rest goes on")
        }

        @Test func dyingPeersAreReported() throws {
            let (report, _) = try run(qemu: Self.script("echo oh dear >&2; kill -9 $$"))
            #expect(report.problems.map(\.reason) == ["ended by signal 9; begin; oh dear"])
            #expect(report.hasFailures)
        }

        @Test func missingGuests() throws {
            #expect(throws: RunFailure.self) { try run(qemu: nil) { $0.guests = "/nonexistent" } }
        }

        /// The children's clocks: what is measured is what was used.
        @Test func cpuTimeOfChildren() throws {
            let child = try ChildProcess(
                ["/bin/sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done"], standardOutput: 1,
                standardError: 2)
            var last: UInt64 = 0
            while !child.hasEnded() {
                last = max(last, child.cpuTime)
                usleep(1000)
            }
            let end = try #require(child.end)
            #expect(end.exitStatus == 0 && end.signal == nil)
            #expect(last > 0 && Double(last) <= Double(end.cpuTime) * 1.1 + 2e7)
        }

        /// The real thing, small: every engine of Ring3, the textbook and the host.
        @Test func enginesAgree() throws {
            let names = Contender.all.map(\.name).filter { $0 != "qemu" && $0 != "bochs" }
            let (report, _) = try run(
                qemu: nil, workloads: ["calls", "smc", "matrix-sse", "syscall", "context-switch"], contenders: names
            ) {
                $0.rounds = 1
                $0.secondsPerRun = 0.02
            }
            #expect(report.problems.isEmpty)
            #expect(report.results.count == names.count * 5 - 2, "the host has no nanobenchmarks")
            #expect(report.results.allSatisfy { $0.cpu.median > 0 })
        }
    }
}

/// What the build has left for these tests.
enum Guests {
    static let ring3 = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent("ring3").path
    static let folder = BenchOptions.guestFolder(near: ring3)
    static var areBuilt: Bool { access("\(folder)/nano.elf", R_OK) == 0 && access("\(folder)/native/sieve", R_OK) == 0 }
}
