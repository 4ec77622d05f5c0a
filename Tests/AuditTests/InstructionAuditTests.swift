import Foundation
import Ring3
import Testing
import X86

@testable import AuditKit

/// Verdicts and the report, from outcomes made up.
@Suite struct InstructionAuditTests {
    private let ended = Outcome.answer([8])
    private let fault = Outcome.vector(13, errorCode: 0)

    private func row(
        _ form: String, native: Outcome?, must: Outcome? = .answer([8]), ring0: Outcome = .answer([8]),
        ring3: Outcome = .vector(13, errorCode: 0), umip: Bool = false
    ) throws -> InstructionAudit.Row {
        let entry = try #require(Sensitivity.table.first { $0.form == form })
        let guest = GuestProbe.Row(form: form, code: [0xF4], words: 1, must: must, ring0: ring0, ring3: ring3)
        let answer = native.map { outcome in
            var signal: String?
            if case .vector = outcome { signal = "SIGSEGV" }
            return HostProbe.Answer(outcome: outcome, signal: signal, instruction: nil)
        }
        let host = HostFacts(processorInformation: umip ? "flags\t\t: fpu umip sse" : "flags : fpu")
        return InstructionAudit.Row(entry, guest: guest, native: answer, host: host)
    }

    @Test func verdicts() throws {
        #expect(try row("HLT", native: fault).verdict == .traps)
        #expect(try row("STR", native: .answer([0x40])).verdict == .silentlyWrong)
        #expect(try row("STR", native: .answer([8])).verdict == .coincides)
        #expect(try row("INT n", native: .systemCall).verdict == .entersHost)
        #expect(try row("STR", native: nil).verdict == .unknown)
        #expect(try row("STR", native: .lost("gone")).verdict == .unknown)
    }

    @Test func wrongIsWhatRing0ShouldNotSeeOrRing3ShouldNotDo() throws {
        #expect(try row("HLT", native: fault).isRight)
        #expect(try !row("HLT", native: fault, ring0: .answer([9])).isRight)
        #expect(try !row("HLT", native: fault, ring0: fault).isRight)
        #expect(try !row("HLT", native: fault, ring3: ended).isRight)
        #expect(try !row("IN", native: fault, ring3: .vector(13, errorCode: 8)).isRight)
        #expect(try row("MOV r/m, Sreg", native: ended, ring3: .answer([0x1B])).isRight)
    }

    @Test func hostFactsShowInTheRow() throws {
        #expect(try row("STR", native: .answer([0x40]), umip: true).nativeText == "TR 0040 (UMIP)")
        #expect(try row("STR", native: .answer([0x40])).nativeText == "TR 0040")
        #expect(try row("STR", native: fault, umip: true).nativeText == "#GP(0), SIGSEGV")
        #expect(try row("STR", native: nil, umip: true).nativeText == "-")
        #expect(try row("MOV r/m, Sreg", native: .answer([0x23]), umip: true).nativeText == "CS=0023")
    }

    @Test func reportWithoutAnAnsweringHost() {
        var host = HostFacts(processorInformation: "model name\t: A processor\n")
        host.nativeFailure = "the host does not run 32-bit programs"
        let audit = InstructionAudit(host: host, engine: "interpret", guest: [], natives: [])
        #expect(!audit.isRight)
        #expect(audit.missing.count == Sensitivity.table.count(where: \.isSensitive))
        #expect(audit.description.contains("The host could not be asked: the host does not run 32-bit programs."))
        #expect(audit.description.contains("A processor"))
        #expect(!audit.description.contains("Natively in ring 3,"))
    }

    @Test func everyEngineIsAsked() throws {
        let engines = Engine.available
        let audit = try InstructionAudit.run(engine: .interpret, and: engines.filter { $0 != .interpret })
        #expect(audit.isRight, "\(audit)")
        #expect(audit.engines.map(\.engine) == engines.map(\.rawValue))
        #expect(audit.engines.allSatisfy { $0.right == audit.rows.count && $0.wrong.isEmpty })
        for engine in engines {
            #expect(audit.description.contains("Under Ring3's \(engine.rawValue), ring 0 of a guest saw what it must"))
        }
    }

    @Test func oneWrongEngineIsEnough() throws {
        let table = Sensitivity.table.filter(\.isSensitive)
        func rows(_ ring0: Outcome) -> [GuestProbe.Row] {
            table.map {
                GuestProbe.Row(form: $0.form, code: [0xF4], words: 1, must: ended, ring0: ring0, ring3: fault)
            }
        }
        let audit = InstructionAudit(
            host: HostFacts(processorInformation: ""), engine: "interpret", guest: rows(ended),
            natives: table.map { _ in nil }, others: [("native", rows(fault))])
        #expect(!audit.isRight && audit.engines.map(\.right) == [table.count, 0])
        #expect(audit.description.contains("WRONG on native: HLT: ring 0 saw #GP(0)"))
        #expect(audit.description.contains("0 of \(table.count) rows"))
    }

    /// The whole of it, on this host.
    @Test func onThisHost() throws {
        let audit = try InstructionAudit.run(engine: .interpret)
        #expect(audit.isRight, "\(audit)")
        #expect(audit.description.split(separator: "\n").allSatisfy { $0.count <= 120 })
        guard audit.host.nativeFailure == nil else { return }
        // What no host does otherwise. SYSENTER is #UD on AMD's processors, a system call on Intel's.
        let verdicts = Dictionary(uniqueKeysWithValues: audit.rows.map { ($0.form, $0.verdict) })
        for form in ["HLT", "CLI", "IN", "MOV r, CRn", "MOV CRn, r", "LGDT", "INVLPG", "RDMSR"] {
            #expect(verdicts[form] == .traps, "\(form)")
        }
        for form in ["PUSHF", "POPF", "IRET", "MOV r/m, Sreg", "CALL far", "LAR", "VERR", "SGDT", "SMSW", "CPUID"] {
            #expect(verdicts[form] == .silentlyWrong, "\(form)")
        }
        #expect(verdicts["INT n"] == .entersHost)
    }

    @Test func json() throws {
        let audit = try InstructionAudit.run(engine: .interpret)
        let object = try JSONSerialization.jsonObject(with: Data(audit.reportJSON.utf8))
        let rows = try #require((object as? [String: Any])?["rows"] as? [[String: Any]])
        #expect(rows.count == audit.rows.count)
        let halt = try #require(rows.first { $0["form"] as? String == "HLT" })
        #expect(halt["verdict"] as? String == "traps")
        #expect(halt["isRight"] as? Bool == true)
        #expect(((halt["native"] as? [String: Any])?["vector"] as? Int) == 13)
    }
}
