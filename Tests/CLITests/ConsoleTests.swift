import Foundation
import Testing

@Suite struct ConsoleTests {
    @Test(arguments: [[], ["--deterministic"]])
    func pipedInputReachesTheGuest(options: [String]) throws {
        let result = try Command.run(Guest.echo, options, input: "one\ntwo\nq")
        #expect(result.status == 1)
        #expect(result.output == "> one\ntwo\nq")
    }

    @Test func serialPortToFileAndToNowhere() throws {
        try TemporaryFolder.with { folder in
            let log = try folder.file("log", Array("what was there before".utf8))
            let limit = ["--max-instructions", "19"]
            let filed = try Command.run(Guest.flood, limit + ["--serial", "file:\(log)"])
            #expect(filed.output == "")
            #expect(try String(contentsOfFile: log, encoding: .utf8) == "y\ny\ny\ny")
            #expect(try Command.run(Guest.flood, limit + ["--serial", "none"]).output == "")
        }
    }

    @Test func debugConsole() throws {
        #expect(try Command.run(Guest.debugConsole).output == "")
        let result = try Command.run(Guest.debugConsole, ["--debug-console", "stdio"])
        #expect(result.output == "hello")
        #expect(result.status == 1)
    }

    @Test func commandLineAndModuleReachTheGuest() throws {
        try TemporaryFolder.with { folder in
            let kernel = try folder.file("kernel", Guest.givenFiles)
            let module = try folder.file("module", Array("its contents".utf8))
            let result = try Command.run([
                "run", kernel, "--append", "one two", "--module", "\(module),three,four", "--debug-console", "stdio",
                "--timeout", "30",
            ])
            #expect(result.output == "\(kernel) one two\0\(module) three,four\0its contents")
            #expect(result.status == 1)
        }
    }

    @Test func finalScreen() throws {
        try TemporaryFolder.with { folder in
            let path = "\(folder.path)/screen"
            let result = try Command.run(Guest.keyOnScreen, ["--screen", path, "--max-instructions", "100"])
            #expect(result.status == 122)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "VGA\n")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["screen"])
        }
        let toPipe = try Command.run(Guest.keyOnScreen, ["--screen", "/dev/stdout", "--max-instructions", "100"])
        #expect(toPipe.output == "VGA\n")
    }

    /// Two runs with timer interrupts, halts and timestamps must agree in all but the host's time.
    @Test(arguments: [[], ["--no-decode-cache"]])
    func deterministicRunsAreIdentical(options: [String]) throws {
        let options = ["--deterministic", "--stats", "text"] + options
        let first = try Command.run(Guest.timer(ticks: 30), options)
        let second = try Command.run(Guest.timer(ticks: 30), options)
        #expect(first.status == 120)
        #expect(first.output.count == 30)
        #expect(Set(first.output).count > 10, "the timestamps differ from tick to tick")
        #expect(first.output == second.output)
        func guestsShare(_ result: Command.Result) -> [Substring] {
            result.errorLines.filter { !$0.hasPrefix("host seconds") && !$0.hasPrefix("MIPS") }
        }
        #expect(guestsShare(first) == guestsShare(second))
        #expect(guestsShare(first).contains { $0.hasPrefix("interrupts hardware") && $0.hasSuffix(" 30") })
        #expect(guestsShare(first).contains { $0.contains("EAX=") })
    }
}
