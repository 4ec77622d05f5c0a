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
