import Foundation
import Testing

/// Users' mistakes: one line that says what and where, and an exit status from sysexits.h.
@Suite struct MistakeTests {
    private func expect(
        _ result: Command.Result, status: Int32, line: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(result.status == status, sourceLocation: sourceLocation)
        #expect(result.errorLines.count == 1, "\(result.errors)", sourceLocation: sourceLocation)
        #expect(result.errors.hasPrefix("ring3: "), sourceLocation: sourceLocation)
        #expect(result.errors.contains(line), "\(result.errors)", sourceLocation: sourceLocation)
        #expect(result.output == "", sourceLocation: sourceLocation)
    }

    @Test(arguments: [
        (["run"], "Missing expected argument '<image>'"),
        (["run", "x", "--memroy", "64M"], "--memroy"),
        (["run", "x", "--memory", "5G"], "'--memory <size>': a guest can have from 2 MiB to 3 GiB"),
        (["run", "x", "--memory", "2047K"], "from 2 MiB"),
        (["run", "x", "--memory", "4097K"], "not a multiple of 4 KiB"),
        (["run", "x", "--memory", "99999999999999999999G"], "from 2 MiB"),
        (["run", "x", "--memory", "lots"], "lots"),
        (["run", "x", "--engine", "warp"], "warp"),
        (["run", "x", "--engine", "translate", "--verify"], "--verify: only --engine native emits code"),
        (["run", "x", "--serial", "file:"], "--serial"),
        (["run", "x", "--timeout", "0"], "--timeout"),
        (["run", "x", "--max-instructions", "0"], "--max-instructions"),
        (["run", "x", "--display", "text", "--serial", "stdio"], "the terminal for itself"),
        (["frobnicate"], "frobnicate"),
        (["audit", "--initrd", "x"], "--initrd is for an image, and there is none"),
        (["audit", "--max-instructions", "5"], "(see 'ring3 audit --help')"),
        (["audit", "x", "--format", "xml"], "xml"),
        (["audit", "x", "--format", "json", "--serial", "stdio"], "standard output for itself"),
    ])
    func commandLines(arguments: [String], line: String) throws {
        expect(try Command.run(arguments), status: 64, line: line)
    }

    @Test(arguments: [
        ("/nonexistent/kernel", "/nonexistent/kernel: No such file"),
        ("/tmp", "/tmp: is a directory"),
        ("/dev/zero", "/dev/zero: is neither a file nor a pipe"),
        ("/proc/self/mem", "/proc/self/mem: "),
        ("/dev/null", "/dev/null: is neither"),
    ])
    func unreadableImages(path: String, line: String) throws {
        expect(try Command.run(["run", path]), status: 66, line: line)
        expect(try Command.run(["audit", path]), status: 66, line: line)
    }

    @Test func pipesWithoutWritersDoNotHang() throws {
        try TemporaryFolder.with { folder in
            let path = "\(folder.path)/fifo"
            mkfifo(path, 0o600)
            expect(try Command.run(["run", path]), status: 66, line: "\(path): is empty")
        }
    }

    @Test func hugeFiles() throws {
        try TemporaryFolder.with { folder in
            let huge = try folder.file("huge", [])
            truncate(huge, 1 << 40)
            expect(try Command.run(["run", huge]), status: 66, line: "huge: is larger than 256 MiB")
            let kernel = try folder.file("kernel", Guest.halt)
            truncate(huge, 9 << 20)
            for option in ["--initrd", "--module"] {
                let result = try Command.run(["run", kernel, option, huge, "--memory", "8M"])
                expect(result, status: 66, line: "huge: is larger than 8 MiB")
            }
        }
    }

    @Test func filesThatAreNoKernels() throws {
        try TemporaryFolder.with { folder in
            let elf64 = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 57)
            let cases: [(String, [UInt8], String)] = [
                ("empty", [], "empty: is empty"),
                ("text", Array("not a kernel".utf8), "text: not a bootable image"),
                ("wide", elf64, "wide: a 64-bit kernel"),
                ("short", Array(Guest.halt.dropLast()), "short: truncated"),
            ]
            for (name, bytes, line) in cases {
                expect(try Command.run(["run", try folder.file(name, bytes)]), status: 66, line: line)
            }
        }
    }

    @Test func modulesThatDoNotFit() throws {
        try TemporaryFolder.with { folder in
            let kernel = try folder.file("kernel", Guest.halt)
            let module = try folder.file("module", [UInt8](repeating: 1, count: 2_000_000))
            let result = try Command.run(["run", kernel, "--module", "\(module),x=1", "--memory", "2M"])
            expect(result, status: 64, line: "module")
        }
    }

    @Test func outputsThatCannotBeCreated() throws {
        try TemporaryFolder.with { folder in
            let kernel = try folder.file("kernel", Guest.halt)
            for options in [["--serial", "file:/nonexistent/log"], ["--screen", "/nonexistent/screen"]] {
                expect(try Command.run(["run", kernel] + options), status: 73, line: "/nonexistent/")
            }
            expect(try Command.run(["run", kernel, "--screen", folder.path]), status: 73, line: "is a directory")
        }
    }

    @Test func fullDevices() throws {
        expect(try Command.run(Guest.flood, ["--serial", "file:/dev/full"]), status: 74, line: "No space left")
    }

    @Test func helpAndVersion() throws {
        for arguments in [["--help"], ["run", "--help"], ["--version"], []] {
            let result = try Command.run(arguments)
            #expect(result.status == 0)
            #expect(result.errors == "")
            #expect(!result.output.isEmpty)
        }
        let help = try Command.run(["run", "--help"]).output
        for part in ["--engine", "--deterministic", "--no-decode-cache", "EXIT STATUS", "EXAMPLES", "Ctrl-A x"] {
            #expect(help.contains(part), "\(part)")
        }
        #expect(help.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }
}
