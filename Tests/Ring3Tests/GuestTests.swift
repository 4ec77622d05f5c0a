import Foundation
import Testing

@testable import Ring3

/// What `Scripts/setup` and `Scripts/debian-guest` leave in `.build`.
enum BuiltGuests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent(".build")

    static func image(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: root.appendingPathComponent(name)))
    }

    static func exists(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appendingPathComponent(name).path)
    }

    /// In continuous integration nothing may be missing.
    static var isRequired: Bool { ProcessInfo.processInfo.environment["CI"] == "true" }
}

/// Collects what a guest says.
private final class Transcript {
    var bytes: [UInt8] = []
    var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// The self-checking kernels of Guests/, on every engine. Each must also pass on QEMU: `Scripts/guests-on-qemu`.
@Suite struct GuestTests {
    static let names = [
        "hello", "exceptions", "segmentation", "paging", "gates", "tasks", "interrupts", "v86", "smc", "x87",
        "sensitive",
        "integer", "multiboot2", "audit",
    ]

    @Test(arguments: names, Engine.available)
    func guestPasses(name: String, engine: Engine) throws {
        try check(request(name), named: name) { $0.engine = engine }
    }

    /// With the host's clock, where `native` keeps translations that the guest flushes: in lockstep on a whole boot of Linux,
    /// it once set an accessed bit later than the interpreter.
    @Test(arguments: names, Engine.available)
    func guestPassesInRealTime(name: String, engine: Engine) throws {
        try check(request(name), named: name) {
            $0.engine = engine
            $0.isDeterministic = false
        }
    }

    @Test(arguments: names)
    func guestPassesOnTheTextbookInterpreter(name: String) throws {
        try check(request(name), named: name) { $0.usesDecodeCache = false }
    }

    /// Every block of every guest leaves the state that the interpreter leaves.
    @Test(arguments: names, Engine.available.filter { $0 != .interpret })
    func enginesAgreeInLockstep(name: String, engine: Engine) throws {
        try check(request(name), named: name) {
            $0.engine = engine
            $0.lockstep = .interpret
        }
    }

    static let computations = [
        "hash", "collatz", "calls", "interpreter", "chase", "stream", "strings", "sieve", "sort", "matrix-x87",
        "matrix-sse", "smc",
    ]

    /// On `native`, inexactness left in MXCSR by the monitor's own arithmetic became the guest's in the SSE matrix.
    @Test(arguments: computations, Engine.available.filter { $0 != .interpret })
    func computationsAgreeInLockstep(name: String, engine: Engine) throws {
        var computation = try request("compute-\(name)")
        computation.commandLine = "units=2"
        try check(computation, named: "compute-\(name)") {
            $0.engine = engine
            $0.lockstep = .interpret
        }
    }

    private func request(_ name: String) throws -> BootRequest {
        BootRequest(image: try BuiltGuests.image("guests/\(name).elf"), imageName: name)
    }

    /// The loader's side of Multiboot 2, which GRUB 2 shows in `Scripts/multiboot2-on-qemu`.
    @Test(arguments: [("multiboot2.elf", []), ("multiboot2-flat.bin", ["skip ELF sections: the image is flat"])])
    func multiboot2GuestFindsWhatItWasGiven(file: String, skipped: [String]) throws {
        func numbers(to last: Int) -> [UInt8] { (1...last).flatMap { Array("\($0)\n".utf8) } }
        let request = BootRequest(
            image: try BuiltGuests.image("guests/\(file)"), imageName: file, commandLine: "one two",
            modules: [
                .init(arguments: "first three four", bytes: numbers(to: 2000)),
                .init(arguments: "", bytes: numbers(to: 3)),
            ])
        let lines = try check(request, named: "multiboot2")
        #expect(lines.filter { $0.hasPrefix("skip") } == skipped)
    }

    /// Runs a guest to its end, which has to be a good one, and answers the lines it prints.
    @discardableResult
    private func check(
        _ request: BootRequest, named name: String, configure: (inout MachineConfiguration) -> Void = { _ in }
    ) throws -> [String] {
        var configuration = MachineConfiguration()
        configuration.memorySize = 64 << 20
        configuration.isDeterministic = true
        configuration.timeout = 300_000_000_000
        configure(&configuration)
        configuration.verifiesEmittedCode = true
        let transcript = Transcript()
        let machine = try VirtualMachine(
            configuration, console: SerialConsole(output: { transcript.bytes.append($0) }))
        try machine.boot(request)
        let outcome = machine.run()
        let lines = transcript.text.split(whereSeparator: \.isNewline).map(String.init)
        #expect(lines.filter { $0.hasPrefix("FAIL") } == [])
        #expect(lines.last?.hasPrefix("\(name): ") == true)
        guard case .debugExit(1) = outcome else {
            Issue.record("\(name) ended in \(outcome), after: \(transcript.text.suffix(200))")
            return lines
        }
        return lines
    }
}

/// Debian's kernels, unmodified, to a shell that answers.
@Suite struct DebianBootTests {
    static var isAvailable: Bool {
        BuiltGuests.isRequired || BuiltGuests.exists("debian/initrd.gz")
    }

    @Test(
        .enabled(if: isAvailable, "SKIPPED: no Debian guest; run Scripts/debian-guest"),
        arguments: [
            ("vmlinuz-686", Engine.interpret), ("vmlinuz-686", .translate), ("vmlinuz-686-pae", .translate),
            ("vmlinuz-686", .native), ("vmlinuz-686-pae", .native),
        ].filter { Engine.available.contains($0.1) })
    func bootsToAShellThatAnswers(kernel: String, engine: Engine) throws {
        var configuration = MachineConfiguration()
        configuration.engine = engine
        configuration.memorySize = 256 << 20
        configuration.isDeterministic = true
        configuration.timeout = 900_000_000_000
        let transcript = Transcript()
        let console = SerialConsole(output: { transcript.bytes.append($0) })
        let machine = try VirtualMachine(configuration, console: console)
        var request = BootRequest(
            image: try BuiltGuests.image("debian/\(kernel)"), imageName: kernel, commandLine: "console=ttyS0")
        request.initrd = try BuiltGuests.image("debian/initrd.gz")
        try machine.boot(request)
        console.type(Array("uname -a; echo $((6 * 7)); md5sum /bin/busybox; poweroff -f\n".utf8))
        let outcome = machine.run()
        let text = transcript.text
        #expect(text.contains("BusyBox v"))
        #expect(text.contains(kernel.dropFirst("vmlinuz".count) + " #1"))
        #expect(text.contains("\n42"))
        #expect(text.contains(try md5(ofBuilt: "debian/busybox")))
        guard case .powerOff = outcome else {
            Issue.record("ended in \(outcome), after: \(text.suffix(500))")
            return
        }
    }

    /// What the host's md5sum says of a file.
    private func md5(ofBuilt name: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/md5sum")
        process.arguments = [BuiltGuests.root.appendingPathComponent(name).path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        process.waitUntilExit()
        return String(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).prefix(32))
    }
}
