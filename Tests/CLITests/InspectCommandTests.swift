import Foundation
import Testing

/// `ring3 inspect`, run as users run it; the reports themselves are InspectKit's.
@Suite struct InspectCommandTests {
    @Test func formats() throws {
        try TemporaryFolder.with { folder in
            let guest = try folder.file("guest", Guest.debugExit(0))
            for (format, start) in [
                ("text", "Translations of \(guest)\n"), ("json", "{\n"), ("dot", "digraph"),
                ("html", "<!DOCTYPE html>"),
            ] {
                let result = try Command.run(["inspect", guest, "--format", format])
                #expect(result.status == 0 && result.errors == "", "\(result.errors)")
                #expect(result.output.hasPrefix(start) && result.output.hasSuffix("\n"))
                let path = "\(folder.path)/report.\(format)"
                let written = try Command.run(["inspect", guest, "--format", format, "--output", path, "--static"])
                #expect(written.status == 0 && written.output == "")
                #expect(try String(contentsOfFile: path, encoding: .utf8).hasPrefix(start))
            }
        }
    }

    @Test func ofHostCode() throws {
        try TemporaryFolder.with { folder in
            let guest = try folder.file("guest", Guest.debugExit(0))
            let result = try Command.run(["inspect", guest, "--engine", "native", "--callouts", "--hottest", "1"])
            guard result.status != 69 else {
                // This host cannot: one line, nothing else.
                #expect(result.output == "" && result.errorLines.count == 1 && result.errors.contains("native needs"))
                return
            }
            #expect(result.status == 0 && result.errors == "", "\(result.errors)")
            #expect(result.output.contains(" instructions on native, "))
            #expect(result.output.contains("> 4d 8d 76") && result.output.contains("lea r14, [r14 - "))
            #expect(result.output.contains("\nCallouts: ") && result.output.contains("Gives a device orders."))
            for (format, start) in [("json", "{\n"), ("dot", "digraph"), ("html", "<!DOCTYPE html>")] {
                let result = try Command.run(["inspect", guest, "--engine", "native", "--format", format])
                #expect(result.status == 0 && result.output.hasPrefix(start), "\(result.errors)")
            }
        }
    }

    @Test func whatIsNotThere() throws {
        try TemporaryFolder.with { folder in
            let guest = try folder.file("guest", Guest.debugExit(0))
            let map = try folder.file("map", Array("00100020 T start\n".utf8))
            let noMap = try folder.file("text", Array("no symbols here\n".utf8))
            var result = try Command.run(["inspect", guest, "--symbols", map, "--at", "start", "--at", "end"])
            #expect(result.status == 0 && result.output.contains("00100020 <start>"))
            #expect(result.errorLines == ["ring3: --at end: no such symbol, and no hexadecimal address"])
            for path in [noMap, "/nonexistent/map"] {
                result = try Command.run(["inspect", guest, "--symbols", path])
                #expect(result.status == 0 && result.output.contains("Block 0: 00100020"))
                #expect(result.errorLines.count == 1 && result.errors.contains(path), "\(result.errors)")
                #expect(result.errors.hasSuffix("going on without it\n"))
            }
            result = try Command.run(["inspect", guest, "--at", "5"])
            #expect(result.status == 64 && result.output == "" && result.errorLines.count == 2, "\(result.errors)")
        }
    }

    @Test(arguments: [
        (["--hottest", "0"], Int32(64), "--hottest 0: 1 to 1000000 are possible"),
        (["--format", "xml"], 64, "xml"), (["--engine", "interpret"], 64, "only translate and native"),
        (["--format", "json", "--serial", "stdio"], 64, "standard output for itself"),
        (["--output", "/nonexistent/report"], 73, "/nonexistent/report"), (["--output", "/tmp"], 73, "is a directory"),
    ])
    func mistakes(arguments: [String], status: Int32, line: String) throws {
        try TemporaryFolder.with { folder in
            let result = try Command.run(["inspect", try folder.file("guest", Guest.halt)] + arguments)
            #expect(result.status == status && result.output == "")
            #expect(result.errorLines.count == 1 && result.errors.contains(line), "\(result.errors)")
        }
        #expect(try Command.run(["inspect", "/nonexistent/kernel"]).status == 66)
    }
}
