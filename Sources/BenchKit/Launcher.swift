import Foundation
import Glibc

/// A program to start, and where what the guest prints comes from.
struct Launch {
    var command: [String]
    /// A named pipe that gets the guest's output; nil: standard output is.
    var serialPipe: String?
    /// Exit status that means that all is well; nil: it has no end of its own and is ended.
    var goodStatus: Int32?
}

/// Knows how each contender is made to run a workload.
final class Launcher {
    private let guests: String
    /// The `ring3` command: this very program. Started anew for each run, as the peers are.
    private let ring3: String
    private let work: WorkFolder
    private let programs: ProgramSearch

    init(guests: String, ring3: String, searchPath: String?) throws(ErrorNumber) {
        self.guests = guests
        self.ring3 = ring3
        work = try WorkFolder()
        programs = ProgramSearch(path: searchPath ?? ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")
    }

    /// Guest RAM of every contender, in MiB.
    private static let memory = 64

    /// Why `contender` cannot be had here, in one line, with the remedy.
    func problem(with contender: Contender) -> RunProblem? {
        switch contender.method {
        case .ring3: nil
        case .qemu:
            programs.find(Self.qemu) == nil
                ? .unavailable("\(Self.qemu) is not installed (Debian: qemu-system-x86)") : nil
        case .bochs:
            if programs.find(Self.bochs) == nil {
                .unavailable("bochs is not installed (Debian: bochs, bochsbios)")
            } else if !access(BochsMachine.bios) || !access(BochsMachine.videoBIOS) {
                .unavailable("Bochs has no BIOS: \(BochsMachine.bios) is missing (Debian: seabios)")
            } else if !access("\(guests)/\(BochsMachine.bootSector)") {
                .unavailable("\(guests)/\(BochsMachine.bootSector) is missing: run Guests/build")
            } else {
                nil
            }
        case .host: hostProblem()
        }
    }

    private func access(_ path: String) -> Bool { Glibc.access(path, R_OK) == 0 }

    /// Whether the host runs 32-bit programs at all: kernels can be built, and machines be made, that do not.
    private func hostProblem() -> RunProblem? {
        guard let program = Workload.all.lazy.compactMap(\.hostProgram).first else { return nil }
        let path = "\(guests)/\(program)"
        guard access(path) else { return .unavailable("\(path) is missing: run Guests/build") }
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        do {
            let child = try ChildProcess([path, "units=1"], standardOutput: null, standardError: null)
            for _ in 0..<10_000 where !child.hasEnded() { usleep(1000) }
            guard let end = child.end else { return .unavailable("\(path) does not end") }
            return end.exitStatus == 0 ? nil : .unavailable("the host does not run 32-bit programs")
        } catch {
            return .unavailable("the host does not run 32-bit programs: \(error)")
        }
    }

    private static let qemu = "qemu-system-i386"
    private static let bochs = "bochs"

    /// First line of what a peer says of its version.
    func version(of contender: Contender) -> String? {
        switch contender.method {
        case .qemu: programs.firstLine([Self.qemu, "--version"])
        case .bochs, .ring3, .host: nil
        }
    }

    func launch(_ contender: Contender, _ workload: Workload, units: Int) throws(RunProblem) -> Launch {
        let image = "\(guests)/\(workload.image)"
        let commandLine = workload.commandLine(units: units)
        switch contender.method {
        case .ring3(let options):
            // Debug exit with 0 is status 1, as with QEMU.
            return Launch(
                command: [ring3, "run", image, "--memory", "\(Self.memory)M", "--append", commandLine] + options,
                goodStatus: 1)
        case .qemu:
            // -nodefaults: no network card or screen, whose threads would count.
            return Launch(
                command: [
                    programs.find(Self.qemu) ?? Self.qemu, "-accel", "tcg", "-cpu", "max", "-m", "\(Self.memory)",
                    "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none", "-serial", "stdio",
                    "-no-reboot",
                    "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", "-kernel", image, "-append", commandLine,
                ], goodStatus: 1)
        case .bochs:
            do {
                return try BochsMachine(
                    program: programs.find(Self.bochs) ?? Self.bochs, folder: work.path, guests: guests,
                    memory: Self.memory
                ).launch(image: image, commandLine: commandLine)
            } catch { throw .unavailable("cannot set Bochs up: \(error)") }
        case .host:
            guard let program = workload.hostProgram else { throw .unavailable("no program of the host") }
            return Launch(command: ["\(guests)/\(program)", commandLine], goodStatus: 0)
        }
    }
}

/// A temporary folder that goes when it is no longer needed.
final class WorkFolder {
    let path: String

    init() throws(ErrorNumber) {
        let parent = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        var template = Array("\(parent)/ring3-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw ErrorNumber(errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Finds programs as a shell does.
struct ProgramSearch {
    let path: String

    func find(_ name: String) -> String? {
        path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// What a program prints first when it is asked about itself, without what is in parentheses.
    func firstLine(_ command: [String]) -> String? {
        var command = command
        guard let program = find(command[0]) else { return nil }
        command[0] = program
        guard let output = try? OutputPipe(),
            let child = try? ChildProcess(
                command, standardOutput: output.writer, standardError: output.writer)
        else { return nil }
        output.closeWriter()
        var bytes: [UInt8] = []
        for _ in 0..<200 {
            bytes += output.read()
            if child.hasEnded() { break }
            usleep(10_000)
        }
        bytes += output.read()
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").first?.split(separator: " (").first
            .map(String.init)
    }
}
