import Foundation
import Testing

@testable import BenchKit

extension ProcessTests {
    /// `ring3 bench` as users run it.
    @Suite struct CommandTests {
        /// Exit status and both outputs; after `delay` seconds gets `signal`.
        private func run(_ arguments: [String], signal: Int32? = nil, after delay: Double = 0) throws -> (
            Int32?, String
        ) {
            let output = try OutputPipe()
            let child = try ChildProcess(
                [Guests.ring3, "bench"] + arguments, standardOutput: output.writer, standardError: output.writer)
            output.closeWriter()
            var bytes: [UInt8] = []
            let start = ContinuousClock.now
            var pending = signal
            while !child.hasEnded() {
                bytes += output.read()
                usleep(5000)
                if let signal = pending, ContinuousClock.now - start > .seconds(delay) {
                    kill(child.pid, signal)
                    pending = nil
                }
            }
            bytes += output.read()
            return (child.end?.exitStatus, String(decoding: bytes, as: UTF8.self))
        }

        @Test(
            arguments: [
                (["--engine", "warp"], 64, "--engine warp: known are host, interpret"),
                (["--only", "everything"], 64, "--only everything: known are hash"),
                (["--rounds", "0"], 64, "--rounds 0"),
                (["--seconds", "0"], 64, "--seconds 0"),
                (["--timeout", "-1"], 64, "--timeout"),
                (["--format", "pdf"], 64, "pdf"),
                (["--guests", "/nonexistent"], 66, "/nonexistent/compute-hash.elf"),
                (["--output", "/nonexistent/file"], 73, "/nonexistent/file: No such file"),
                (["--from", "/nonexistent/file"], 66, "/nonexistent/file"),
                (["--from", "/etc/passwd"], 66, "/etc/passwd: is no report"),
                (["--plot", "/tmp"], 73, "/tmp: is a directory"),
            ] as [([String], Int32, String)])
        func mistakes(arguments: [String], status: Int32, line: String) throws {
            let (got, text) = try run(arguments)
            #expect(got == status)
            #expect(text.hasPrefix("ring3: ") && text.contains(line), "\(text)")
            #expect(text.split(separator: "\n").count == 1, "\(text)")
        }

        @Test func list() throws {
            let (status, text) = try run(["--list"])
            #expect(status == 0)
            for name in ["host", "interpret", "textbook", "qemu", "bochs", "sieve", "timer"] {
                #expect(text.contains(name))
            }
        }

        @Test func files() throws {
            let folder = try WorkFolder()
            let (output, plot) = ("\(folder.path)/out.json", "\(folder.path)/plot.svg")
            let (status, text) = try run([
                "--only", "calls", "--engine", "host", "--engine", "interpret", "--rounds", "1", "--seconds", "0.02",
                "--format", "json", "--output", output, "--plot", plot,
            ])
            #expect(status == 0, "\(text)")
            #expect(text.contains("round 1 of 1: calls: host "))
            let report = try JSONDecoder().decode(
                BenchReport.self, from: Data(contentsOf: URL(fileURLWithPath: output)))
            #expect(report.results.map(\.contender) == ["host", "interpret"])
            #expect(try String(contentsOfFile: plot, encoding: .utf8).contains("<svg"))
            let (shown, again) = try run(["--from", output])
            #expect(shown == 0 && again == "\(TextReport(report))\n")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 2)
        }

        @Test(arguments: [SIGINT, SIGTERM]) func signals(number: Int32) throws {
            let (status, text) = try run(
                ["--only", "sieve", "--engine", "interpret", "--seconds", "100"], signal: number, after: 0.5)
            #expect(status == 128 + number)
            #expect(text.contains("interrupted by signal \(number)"))
        }
    }
}
