import Ring3
import Testing

@testable import AuditKit

/// What the audit guest reports, read.
@Suite struct GuestProbeTests {
    @Test func lines() throws {
        let text = """
            row MOV r/m, Sreg;8cc8;1;30 00000000 00000008 00000000;30 00000000 00000008 00000000;30 00000000 0000001b 00000000
            row INT n;cd80;0;80 00000000 00000000 00000000;80 00000000 00000000 00000000;0d 00000402 00000000 00000000
            row CPUID;0fa2;2;-;30 00000000 000006d8 00000001;30 00000000 000006d8 00000001

            """
        let rows = try GuestProbe.parse(text, from: "test")
        #expect(rows.map(\.form) == ["MOV r/m, Sreg", "INT n", "CPUID"])
        #expect(rows[0].code == [0x8C, 0xC8])
        #expect(rows[0].must == .answer([8]))
        #expect(rows[0].ring3 == .answer([0x1B]))
        #expect(rows[1].must == .vector(0x80, errorCode: 0))
        #expect(rows[1].ring3 == .vector(13, errorCode: 0x402))
        #expect(rows[2].must == nil)
        #expect(rows[2].ring0 == .answer([0x6D8, 1]))
    }

    @Test(arguments: [
        "nonsense", "row X;90;1;-;30 0 0 0", "row X;9;1;-;30 0 0 0;30 0 0 0", "row X;;1;-;30 0 0 0;30 0 0 0",
        "row X;90;one;-;30 0 0 0;30 0 0 0", "row X;90;1;;30 0 0 0;30 0 0 0", "row X;90;1;-;1030 0 0 0;30 0 0 0",
        "row X;zz;1;-;30 0 0 0;30 0 0 0",
    ])
    func damagedLines(line: String) {
        do {
            let rows = try GuestProbe.parse("row Y;90;0;-;30 0 0 0;30 0 0 0\n\(line)\n", from: "test")
            Issue.record("taken for \(rows)")
        } catch {
            #expect(error.exitStatus == ExitStatus.wrongResult)
            #expect(error.description.contains("line 2: \(line)"))
        }
    }

    @Test func guestTriesEveryRow() throws {
        let path = try BuiltFiles.find("audit.elf")
        let rows = try GuestProbe.run(try InputFile.read(path, limit: 1 << 24), named: path, engine: .interpret)
        let audit = InstructionAudit(
            host: HostFacts(processorInformation: ""), engine: "interpret", guest: rows,
            natives: rows.map { _ in nil })
        #expect(audit.missing.isEmpty)
        #expect(audit.rows.filter { !$0.isRight }.map(\.form) == [])
        #expect(audit.isRight)
        #expect(audit.rows.allSatisfy { $0.verdict == .unknown })
    }

    @Test func missingImagesAreUsersMistakes() {
        #expect { try BuiltFiles.find("no such guest.elf") } throws: { error in
            (error as? RunFailure)?.exitStatus == ExitStatus.noInput && "\(error)".contains("Guests/build")
        }
    }
}
