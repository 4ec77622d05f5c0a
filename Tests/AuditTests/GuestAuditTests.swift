import Foundation
import Logging
import Ring3
import Testing
import X86

@testable import AuditKit

/// The report on a run: counted on a real one, and rendered from numbers made up.
@Suite struct GuestAuditTests {
    private func audit(_ guest: String, _ change: (inout RunOptions) -> Void = { _ in }) throws -> GuestAudit {
        var options = RunOptions(image: try BuiltFiles.find(guest))
        options.machine.isDeterministic = true
        change(&options)
        return try GuestAudit.run(options, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test func everyInstructionIsCountedOnce() throws {
        for guest in ["hello.elf", "gates.elf", "smc.elf"] {
            let audit = try audit(guest)
            let efficiency = try #require(audit.efficiency)
            #expect(audit.ending == "debug exit, status 1", "\(guest)")
            #expect(efficiency.shares.map(\.executed).reduce(0, +) == efficiency.executed, "\(guest)")
            // The processor also counts fetches that fault, and long repeats more than once.
            let surplus = audit.instructions - efficiency.executed
            #expect(surplus < audit.instructions / 100, "\(guest): \(audit.instructions), \(efficiency.executed)")
            #expect(audit.isRight)
        }
    }

    /// Emitted code is proved before it runs, counts itself, and reaches nothing but guest RAM.
    @Test(
        .enabled(if: Engine.available.contains(.native)), arguments: ["integer.elf", "smc.elf", "gates.elf", "x87.elf"])
    func ofEmittedCode(guest: String) throws {
        let audit = try audit(guest) { $0.machine.engine = .native }
        #expect(audit.isRight && audit.engine == "native" && audit.ending == "debug exit, status 1", "\(audit)")
        let equivalence = try #require(audit.equivalence)
        #expect(equivalence.tested == "native" && equivalence.divergences == 0)
        #expect(equivalence.instructions == audit.instructions)
        let efficiency = try #require(audit.efficiency)
        let shares = Dictionary(uniqueKeysWithValues: efficiency.shares.map { ($0.disposition, $0.executed) })
        // Every instruction is somebody's; callouts are those that the reference counted.
        #expect(efficiency.executed == audit.instructions)
        let sensitive = efficiency.callouts.map(\.executed).reduce(0, +)
        #expect(try #require(shares["callout"]) <= sensitive)
        #expect(try #require(shares["callout"]) + (try #require(shares["interpreted"])) >= sensitive)
        let proofs = try #require(audit.resources.proofs)
        #expect(proofs.blocks > 100 && proofs.links > 50 && proofs.instructions > 1000 && proofs.refused == 0)
        let windows = try #require(audit.resources.windows)
        #expect(
            windows.windows >= 2 && windows.windows.isMultiple(of: 2) && windows.mappings > 0 && windows.bytes > 0
                && windows.violations == 0, "\(windows)")
        let lines = audit.description.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 120 })
        #expect(audit.description.contains("- emitted code, proved before it was executed: "))
    }

    /// The host's list of them is longer than it gives away at a time.
    @Test func allMappingsAreLookedAt() throws {
        // Neighbours differ in what they allow.
        let count = 200
        let place = try #require(mmap(nil, count * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
        try #require(place != MAP_FAILED)
        defer { munmap(place, count * 4096) }
        for page in stride(from: 0, to: count, by: 2) { mprotect(place + page * 4096, 4096, PROT_NONE) }
        let lines = try ProcessCheck.maps().split(separator: "\n")
        for page in 0..<count {
            let start = String(UInt(bitPattern: place + page * 4096), radix: 16)
            #expect(page == 0 || lines.contains { $0.hasPrefix(start + "-") })
        }
        #expect(try ProcessCheck.now().mappings >= count)
    }

    @Test func windowsHoldGuestRAMOnly() {
        func check(_ lines: [String]) -> WindowCheck {
            WindowCheck([0x10_0000_0000..<0x11_0001_0000], maps: lines.joined(separator: "\n"), ramSize: 1 << 20)
        }
        let ram = "1000001000-1000003000 rw-s 00001000 00:01 42                 /memfd:ring3-ram (deleted)"
        let sound = check([
            "7f0000000000-7f0000001000 rw-p 00000000 00:00 0", "1000000000-1000001000 ---p 00000000 00:00 0 ", ram,
            "1000003000-1100010000 ---p 00000000 00:00 0 ",
        ])
        #expect(sound.mappings == 1 && sound.bytes == 0x2000 && sound.violations == 0 && sound.windows == 1)
        for wrong in [
            "1000004000-1000005000 rw-p 00000000 00:00 0", "1000004000-1000005000 r--s 00000000 00:01 7 /etc/passwd",
            "1000004000-1000005000 r--s 00100000 00:01 42 /memfd:ring3-ram (deleted)",
            "1000004000-1000005000 r-xs 00000000 00:01 42 /memfd:ring3-ram (deleted)",
            "1000004000-1000005000 r-xs 00000000 00:01 43 /memfd:ring3-code (deleted)",
        ] {
            #expect(check([ram, wrong]).violations == 1, "\(wrong)")
        }
    }

    @Test func refusedCodeIsWrong() throws {
        let machine = try VirtualMachine()
        let statistics = StatisticsReport(machine.statistics, engine: .native, hostSeconds: 1)
        let process = ProcessCheck(maps: "", files: [])
        func resources(_ proofs: EmittedCodeProofs) -> ResourceControl {
            ResourceControl(MemoryBoundsCheck(), statistics, process: process, proofs: proofs)
        }
        #expect(resources(EmittedCodeProofs()).isRight)
        #expect(!resources(EmittedCodeProofs(refused: 1)).isRight)
    }

    @Test func countingChangesNothing() throws {
        var counts: [UInt64] = []
        for counted in [false, true] {
            let path = try BuiltFiles.find("interrupts.elf")
            var configuration = MachineConfiguration()
            configuration.isDeterministic = true
            let machine = try VirtualMachine(configuration, console: SerialConsole(input: nil) { _ in })
            try machine.boot(BootRequest(image: try InputFile.read(path, limit: 1 << 24), imageName: path))
            if counted { machine.startCensus() }
            _ = machine.run()
            counts.append(machine.statistics.instructions)
            #expect((machine.census != nil) == counted)
        }
        #expect(counts[0] == counts[1])
    }

    @Test func runsThatAreCutShort() throws {
        let audit = try audit("gates.elf") { $0.machine.maximumInstructions = 1000 }
        #expect(audit.ending == "stopped by --max-instructions")
        #expect(audit.instructions == 1000)
        #expect(audit.efficiency?.executed == 1000)
    }

    private func made(lockstep: LockstepSummary?, violations: Bool = false) throws -> GuestAudit {
        let real = try audit("hello.elf")
        let process = ProcessCheck(
            maps: "1000-2000 rw-p 0 0:0 0\n2000-3000 \(violations ? "rwxp" : "r-xp") 0 0:0 0 /bin/x\n",
            files: violations ? ["/dev/kvm"] : ["/dev/null"])
        let machine = try VirtualMachine()
        let statistics = StatisticsReport(machine.statistics, engine: .interpret, hostSeconds: 1)
        return GuestAudit(
            image: "image", engine: "interpret", ending: "power-off", instructions: 1_234_567, hostSeconds: 2,
            equivalence: lockstep, efficiency: real.efficiency,
            resources: ResourceControl(MemoryBoundsCheck(), statistics, process: process))
    }

    @Test func equivalence() throws {
        #expect(try made(lockstep: nil).description.contains("Equivalence: not compared."))
        let same = LockstepSummary(
            reference: "interpret", tested: "translate", blocks: 1000, instructions: 7000, divergences: 0)
        let equal = try made(lockstep: same)
        #expect(
            equal.description.contains(
                "Equivalence: translate against interpret, 1,000 blocks, 7,000 instructions, no divergence."))
        #expect(equal.isRight)
        let different = LockstepSummary(
            reference: "interpret", tested: "translate", blocks: 1000, instructions: 7000, divergences: 1,
            first: "EAX at 00100000")
        let wrong = try made(lockstep: different)
        #expect(wrong.description.contains("First divergence: EAX at 00100000"))
        #expect(!wrong.isRight)
    }

    @Test func resources() throws {
        let right = try made(lockstep: nil)
        #expect(right.isRight)
        #expect(right.description.contains("this process: 2 mappings, 0 both writable and executable"))
        let wrong = try made(lockstep: nil, violations: true)
        #expect(!wrong.isRight)
        #expect(wrong.description.contains("1 both writable and executable"))
        #expect(wrong.description.contains("KVM: /dev/kvm"))
    }

    @Test func reportFitsTheScreen() throws {
        for guest in ["gates.elf", "segmentation.elf"] {
            let lines = try audit(guest).description.split(separator: "\n")
            #expect(lines.allSatisfy { $0.count <= 120 }, "\(lines.filter { $0.count > 120 })")
        }
    }

    @Test func json() throws {
        let object = try JSONSerialization.jsonObject(with: Data(try made(lockstep: nil).reportJSON.utf8))
        let report = try #require(object as? [String: Any])
        #expect(report["instructions"] as? Int == 1_234_567)
        #expect(report["equivalence"] == nil)
        let efficiency = try #require(report["efficiency"] as? [String: Any])
        #expect((efficiency["shares"] as? [[String: Any]])?.count == 3)
    }
}
