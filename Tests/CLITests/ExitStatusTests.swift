import Foundation
import Ring3
import Testing

@Suite struct ExitStatusTests {
    @Test(arguments: [0, 1, 2, 0x3F, 0x7F, 0x80] as [UInt8])
    func debugExitTakesEffectAtOnce(value: UInt8) throws {
        let result = try Command.run(Guest.debugExit(value))
        #expect(result.status == Int32((UInt32(value) << 1 | 1) & 0xFF))
        #expect(result.errors == "")
    }

    @Test func guestsThatEndByThemselves() throws {
        let halted = try Command.run(Guest.halt)
        #expect(halted.status == 0)
        #expect(halted.errors.contains("nothing can wake it"))
        let reset = try Command.run(Guest.reset)
        #expect(reset.status == 0)
        #expect(reset.errors == "ring3: note: the guest asked for a reset, which ends the run\n")
        #expect(try Command.run(Guest.reset, ["--log-level", "error"]).errors == "")
    }

    @Test func timeout() throws {
        let start = ContinuousClock.now
        let result = try Command.run(Guest.endlessLoop, ["--timeout", "0.5"])
        #expect(result.status == 124)
        #expect(result.errors.contains("as --timeout asks"))
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test func enginesInLockstep() throws {
        let result = try Command.run(Guest.debugExit(1), ["--engine", "translate", "--lockstep", "interpret"])
        #expect(result.status == 3)
        #expect(result.errors.contains("translate agreed with interpret"))
        let same = try Command.run(Guest.halt, ["--engine", "translate", "--lockstep", "translate"])
        #expect(same.status == 64)
        #expect(same.errors.contains("another engine than --engine is needed"))
    }

    @Test(arguments: [[], ["--deterministic"], ["--no-decode-cache"]])
    func instructionLimitIsExact(options: [String]) throws {
        let result = try Command.run(Guest.endlessLoop, ["--max-instructions", "123457", "--stats", "json"] + options)
        #expect(result.status == 122)
        let object = try #require(result.errors.firstIndex(of: "{"))
        let statistics = try JSONSerialization.jsonObject(with: Data(result.errors[object...].utf8)) as? [String: Any]
        #expect(statistics?["instructions"] as? Int == 123_457)
        let fastest = Engine.fastest.rawValue
        #expect(statistics?["engine"] as? String == (options == ["--no-decode-cache"] ? "interpret" : fastest))
        #expect(statistics?["callouts"] is [String: Any])
    }

    @Test func translationIsCounted() throws {
        func run(_ options: [String]) throws -> String {
            try Command.run(Guest.endlessLoop, ["--max-instructions", "1000"] + options).errors
        }
        let errors = try run(["--engine", "translate", "--stats", "json"])
        let object = try #require(errors.firstIndex(of: "{"))
        let statistics = try JSONSerialization.jsonObject(with: Data(errors[object...].utf8)) as? [String: Any]
        let translation = try #require(statistics?["translation"] as? [String: Int])
        #expect(translation["blocks"] == 1 && translation["instructions"] == 1 && translation["links"] == 1)
        #expect(translation["invalidated"] == 0 && translation["evictions"] == 0)
        let text = try run(["--engine", "translate", "--stats", "text"])
        #expect(text.contains("translation blocks ") && text.contains("translation slow paths "))
        let stepwise = try run(["--engine", "interpret", "--stats", "json"])
        #expect(stepwise.contains("\"taskSwitches\"") && !stepwise.contains("translation"))
    }

    @Test func tripleFaultIsExplained() throws {
        let result = try Command.run(Guest.tripleFault, ["--stats", "text"])
        #expect(result.status == 120)
        let parts = [
            "Triple fault", "#UD invalid opcode", "#GP general protection", "error code", "IDT entries", "ud2", "CR0=",
            "CS  =", "EIP=", "Last instructions", "exceptions #UD",
        ]
        for part in parts {
            #expect(result.errors.contains(part), "\(part)")
        }
    }

    @Test(arguments: [(SIGTERM, 143), (SIGINT, 130), (SIGHUP, 129)] as [(Int32, Int32)])
    func signalsEndTheRun(signal: Int32, status: Int32) throws {
        try TemporaryFolder.with { folder in
            let process = Process()
            process.executableURL = Command.executable
            process.arguments = ["run", try folder.file("guest", Guest.flood), "--timeout", "30"]
            let output = Pipe()
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = output
            try process.run()
            // Its first output means that it runs.
            #expect(try output.fileHandleForReading.read(upToCount: 2) == Data("y\n".utf8))
            kill(process.processIdentifier, signal)
            _ = try output.fileHandleForReading.readToEnd()
            process.waitUntilExit()
            #expect(process.terminationReason == .exit)
            #expect(process.terminationStatus == status)
        }
    }

    @Test func aReaderThatHasSeenEnoughEndsTheRunQuietly() throws {
        try TemporaryFolder.with { folder in
            let guest = try folder.file("guest", Guest.flood)
            let errors = try folder.file("errors", [])
            let shell = Process()
            shell.executableURL = URL(fileURLWithPath: "/bin/bash")
            let run = "'\(Command.executable.path)' run '\(guest)' --timeout 30 2>'\(errors)'"
            shell.arguments = ["-c", "\(run) | head -n 3; exit ${PIPESTATUS[0]}"]
            let output = Pipe()
            shell.standardInput = FileHandle.nullDevice
            shell.standardOutput = output
            try shell.run()
            #expect(try output.fileHandleForReading.readToEnd() == Data("y\ny\ny\n".utf8))
            shell.waitUntilExit()
            #expect(shell.terminationStatus == 128 + SIGPIPE)
            #expect(try Data(contentsOf: URL(fileURLWithPath: errors)).isEmpty)
        }
    }
}
