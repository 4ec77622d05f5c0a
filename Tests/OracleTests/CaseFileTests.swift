import Foundation
import Testing
import X86

@testable import OracleKit
@testable import Ring3

@Suite struct CaseFileTests {
    private func parse(_ text: String) throws -> CaseFile { try CaseFile(Array(text.utf8), name: "x") }

    private func complaint(_ bytes: [UInt8]) -> String {
        do {
            _ = try CaseFile(bytes, name: "x")
            return "none"
        } catch {
            return error.description
        }
    }

    @Test func textIsReadBackAsItWas() throws {
        let decoder = try Decoder()
        let plan = try CasePlan(
            seed: 3, kind: nil, filter: nil, corpusFiles: [], decoder: decoder, traits: Set(HostTrait.allCases))
        for number in UInt64(0)..<3000 {
            guard let record = plan.make(number)?.record else { continue }
            let text = CaseFile(seed: 3, record: record).text
            let file = try parse(text)
            #expect(file.seed == 3 && file.text == text)
        }
    }

    @Test func commentsBlankLinesAndDefaults() throws {
        let file = try parse("# a case\r\n\r\n  code 0f 0b # ud2\nebx ff\n")
        #expect(file.seed == 1 && file.record.codeBytes == [0x0F, 0x0B])
        #expect(file.record.context.registers[3] == 0xFF)
        #expect(file.record.context.registers[4] == UserLayout.stack + 0x800)
    }

    @Test(arguments: [
        ("", "x:1:1: ends without a line 'code'"),
        ("code\n", "x:1:5: no code"),
        ("code 90 9g\n", "x:1:9: '9g' is no hexadecimal number"),
        ("code 90\n\ncode 90\n", "x:3:1: 'code' is there twice"),
        ("code 190\n", "x:1:6: '190' has more than 8 bits"),
        ("code 90\neax\n", "x:2:4: a value is missing"),
        ("code 90\neax 1 2\n", "x:2:7: '2' is too much"),
        ("code 90\neax 100000000\n", "x:2:5: '100000000' has more than 32 bits"),
        ("code 90\neax -1\n", "x:2:5: '-1' is no hexadecimal number"),
        ("code 90\n rax 1\n", "x:2:2: nothing is called 'rax'"),
        ("code 90\nst8 0:0\n", "x:2:1: nothing is called 'st8'"),
        ("code 90\nst0 0\n", "x:2:5: no colon in '0'"),
        ("code 90\nst0 10000:0\n", "x:2:5: '10000' has more than 16 bits"),
        ("code 90\nxmm0 0:z\n", "x:2:8: 'z' is no hexadecimal number"),
        ("code 90\nat 300000\n", "x:2:4: not in the code pages, 200000 to 201fff"),
        ("at 201fff\ncode 90 90\n", "x:3:1: the code goes beyond the code pages, 200000 to 201fff"),
        ("code 90\neflags 302\n", "x:2:8: TF is set: the start would be traced"),
        ("code 90\neflags 20202\n", "x:2:8: flags that no program starts with"),
        ("code 90\nmxcsr 10000\n", "x:2:7: reserved bits are set"),
        ("code 90\nseed x\n", "x:2:6: no decimal number"),
        ("code 90\nignore 0 201\n", "x:2:10: more than 512 bytes to be ignored"),
        ("code 90\nignore 0 1\nignore 0 1\nignore 0 1\n", "x:4:8: a third range to be ignored"),
        ("code 90\neax \u{7}\n", "x:2:5: is not text"),
        ("code" + String(repeating: " 90", count: 252), "x:1:759: more than 251 bytes of code"),
    ])
    func corruptFileIsRefused(text: String, complaint: String) {
        #expect(self.complaint(Array(text.utf8)) == complaint)
    }

    @Test func anyBytesAreReadOrRefused() {
        var random = SplitMix64(seed: 5)
        let text = Array(CaseFile(seed: 1, record: CaseRecord(code: [0x90])).text.utf8)
        for _ in 0..<20_000 {
            var bytes = text
            for _ in 0...random.below(4) { bytes[Int(random.below(UInt32(bytes.count)))] = UInt8(random.below(256)) }
            if random.chance(1, 4) { bytes.removeLast(Int(random.below(UInt32(bytes.count)))) }
            _ = complaint(bytes)
        }
    }

    /// The command, beside the test bundle.
    private func command(_ arguments: [String]) throws -> (status: Int32, errors: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent("ring3-oracle")
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    @Test func commandRefusesInOneLine() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("case-\(UUID())").path
        try Data("code 90\nrax 1\n".utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let corrupt = try command(["--case", path])
        #expect(corrupt.status == 65)
        #expect(corrupt.errors == "ring3-oracle: \(path):2:1: nothing is called 'rax'\n")
        let missing = try command(["--case", path + "-missing"])
        #expect(missing.status == 66 && missing.errors.hasSuffix("No such file or directory\n"))
        #expect(try command(["--oracle", path]).status == 69)
        #expect(try command(["--engine", "quantum"]).status == 64)
        let noCode = try command(["--oracle", OracleHost.program, "--code", path])
        #expect(noCode.status == (OracleHost.obstacle == nil ? 66 : 69))
    }
}
