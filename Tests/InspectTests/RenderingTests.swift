import Foundation
import Testing

@testable import InspectKit
@testable import Ring3

/// The four formats: well-formed, whatever the names in it.
@Suite struct RenderingTests {
    /// A report full of what must be escaped.
    private func report(_ change: (inout InspectOptions) -> Void = { _ in }) throws -> InspectReport {
        var report = try Machines.report("smc", change).report
        report.addNames(from: SymbolTable([.init(name: "</script>\"&'\\<b>", address: 0, size: 0xFFFF_FFFF)]))
        return report
    }

    @Test func text() throws {
        let text = TextReport(
            try Machines.report("smc") {
                $0.wantsCallouts = true; $0.hottest = 20
            }.report
        ).description
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0].hasPrefix("Translations of "))
        #expect(lines.count { $0.hasPrefix("Block ") } == 20)
        #expect(text.contains("Callouts: sensitive instructions executed"))
        #expect(text.contains("rewritten") && text.contains("linked to block"))
        #expect(lines.allSatisfy { !$0.hasSuffix(" ") || $0.hasPrefix("    ") })
    }

    @Test(.enabled(if: Engine.available.contains(.native))) func hostCode() throws {
        func change(_ options: inout InspectOptions) {
            options.run.machine.engine = .native
            options.hottest = 30
        }
        let text = TextReport(try Machines.report("smc", change).report).description
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.allSatisfy { $0.count <= 120 || $0.contains(" > ") }, "\(lines.filter { $0.count > 120 })")
        #expect(lines.contains { $0.hasPrefix("    before the first instruction:") })
        #expect(lines.contains { $0.contains("> 4d 8d 76 ") && $0.contains("  lea r14, [r14 - ") })
        #expect(lines.contains { $0.hasPrefix("  out: taken to ") && $0.hasSuffix(" times") })
        let json = try JSONSerialization.jsonObject(with: Data(try report(change).json.utf8)) as? [String: Any]
        let block = try #require((json?["blocks"] as? [[String: Any]])?.first)
        for key in ["prologue", "staleExit"] { #expect((block[key] as? [[String: Any]])?.isEmpty == false, "\(key)") }
        let instruction = try #require((block["instructions"] as? [[String: Any]])?.first)
        let code = try #require(instruction["hostCode"] as? [[String: Any]])
        #expect(code.allSatisfy { $0["bytes"] is String && $0["text"] is String })
        #expect(instruction["executions"] is Int && (json?["totals"] as? [String: Any])?["emittedBytes"] is Int)
        let html = HTMLReport(try report(change)).description
        #expect(html.contains("<div class=\"lines\"><code>lea r14, [r14 - ") && html.contains("bytes of host code"))
    }

    @Test func json() throws {
        let object = try JSONSerialization.jsonObject(with: Data(try report().json.utf8))
        let json = try #require(object as? [String: Any])
        let blocks = try #require(json["blocks"] as? [[String: Any]])
        #expect(blocks.count == InspectSession.defaultHottest)
        let first = try #require(blocks.first)
        #expect((first["address"] as? String)?.hasPrefix("0x") ?? false)
        let instructions = try #require(first["instructions"] as? [[String: Any]])
        for key in ["address", "bytes", "text", "disposition", "reason", "microOps"] {
            #expect(instructions[0][key] != nil, "\(key)")
        }
        #expect((json["callouts"] as? [Any])?.isEmpty == false)
        #expect((json["totals"] as? [String: Any])?["blocksInvalidated"] as? Int ?? 0 > 500)
    }

    @Test(arguments: Machines.engines)
    func dot(engine: Engine) throws {
        let dot = DotReport(
            try report {
                $0.hottest = 40; $0.run.machine.engine = engine
            }
        ).description
        #expect(dot.hasPrefix("digraph translations {") && dot.hasSuffix("}"))
        // Outside of quotes: balanced; every quote is closed on its line.
        for line in dot.split(separator: "\n") {
            let plain = line.replacing("\\\\", with: "").replacing("\\\"", with: "")
            #expect(plain.count { $0 == "\"" } % 2 == 0, "\(line)")
        }
        #expect(dot.contains(" -> ") && dot.contains("style=solid") && dot.contains("style=dashed"))
        // Graphviz itself, where it is installed.
        let program = "/usr/bin/dot"
        guard FileManager.default.isExecutableFile(atPath: program) else { return }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("ring3-\(UUID().uuidString).dot").path
        try dot.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["-Tcanon", "-o", "/dev/null", path]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test(arguments: [false, true], Machines.engines)
    func html(isStatic: Bool, engine: Engine) throws {
        let html = HTMLReport(
            try report {
                $0.hottest = 30; $0.isStatic = isStatic; $0.run.machine.engine = engine; $0.wantsCallouts = true
            }
        ).description
        #expect(html.hasPrefix("<!DOCTYPE html>"))
        expectBalanced(html)
        // One script, which only the page itself ends; nothing from elsewhere.
        #expect(html.components(separatedBy: "</script>").count == 2)
        for outside in ["http:", "https:", "src=", "url(", "@import", "<link"] {
            #expect(!html.contains(outside), "\(outside)")
        }
        #expect(html.contains("&lt;/script&gt;&quot;&amp;&#39;"))
        #expect(html.contains("class=\"d-callout\"") && html.contains("class=\"d-rewritten\""))
        #expect(html.components(separatedBy: "<tbody id=\"b").count == 31)
        // Links to blocks lead to blocks that are there.
        for part in html.components(separatedBy: "href=\"#").dropFirst() {
            let name = part.prefix { $0 != "\"" }
            #expect(html.contains("id=\"\(name)\""), "\(name)")
        }
    }

    /// Every tag is closed, in order; attributes are quoted.
    private func expectBalanced(_ html: String) {
        let void: Set<String> = ["meta", "input", "br", "!doctype"]
        var open: [String] = []
        var rest = html[...]
        while let start = rest.firstIndex(of: "<") {
            rest = rest[start...].dropFirst()
            guard let end = rest.firstIndex(of: ">") else {
                Issue.record("a tag without end")
                return
            }
            let tag = rest[..<end]
            rest = rest[end...].dropFirst()
            let name = tag.drop { $0 == "/" }.prefix { $0.isLetter || $0.isNumber || $0 == "!" }.lowercased()
            #expect(tag.count { $0 == "\"" } % 2 == 0, "<\(tag)>")
            if tag.hasPrefix("/") {
                #expect(open.popLast() == name, "</\(name)>")
            } else if !void.contains(name) {
                open.append(name)
                if name == "script" || name == "style", let end = rest.range(of: "</\(name)>") {
                    rest = rest[end.lowerBound...]
                }
            }
        }
        #expect(open.isEmpty, "\(open)")
    }

    @Test func places() throws {
        let (report, complaints) = try Machines.report("smc") {
            $0.places = ["call+0x3", "call", "0x10", "nonsense", "guest_main"]
        }
        let symbols = report.blocks.compactMap(\.symbol)
        #expect(symbols.contains("call") && symbols.contains("guest_main"))
        #expect(symbols.allSatisfy { $0.hasPrefix("call") || $0 == "guest_main" })
        #expect(complaints.count == 2)
        #expect(complaints.first == "--at 0x10: no translated block holds 00000010")
        #expect(complaints.last == "--at nonsense: no such symbol, and no hexadecimal address")
    }

    @Test func nothingToShow() throws {
        let error = #expect(throws: RunFailure.self) { try Machines.report("hello") { $0.places = ["0x10"] } }
        #expect(error?.exitStatus == ExitStatus.usage)
    }

    @Test func numbers() {
        #expect(1_234_567.grouped == "1,234,567")
        #expect(Show.times(1) == "once" && Show.times(1000) == "1,000 times")
        let times: [(Double, String)] = [
            (0, "0.0 ns"), (9.94, "9.9 ns"), (12.4, "12 ns"), (1234, "1.23 µs"), (45_600_000, "45.6 ms"),
            (2e9, "2.00 s"),
        ]
        for (value, text) in times { #expect(Show.time(value) == text) }
        #expect(Show.percent(0.0001) == "< 0.1 %" && Show.percent(0.5) == "50.0 %")
    }
}
