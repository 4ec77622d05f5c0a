import Testing

@testable import InspectKit

/// Symbol files, good and bad.
@Suite struct SymbolTests {
    private func map(_ text: String) throws -> SymbolTable { try SymbolTable(file: Array(text.utf8)) }

    @Test func systemMap() throws {
        let lines = ["c1000000 T _text", "c1000040 t startup", "c1000040 T startup_32", "00000010 A constant"]
        let table = try map(lines.joined(separator: "\n") + "\nc1000100 D data\n")
        #expect(table.symbols.count == 4)
        #expect(table.name(for: 0xC100_0000) == "_text")
        #expect(table.name(for: 0xC100_003F) == "_text+0x3f")
        #expect(table.name(for: 0xC100_0041) == "startup+0x1")
        #expect(table.name(for: 0xC0FF_FFFF) == nil)
        #expect(table.name(for: 0xD000_0000) == nil)
        #expect(table.address(of: "startup_32") == 0xC100_0040)
        #expect(table.address(of: "constant") == nil)
    }

    @Test func addressesOnTheCommandLine() throws {
        let table = try map("00001000 T add\n00002000 T a+b\n")
        #expect(table.resolve("add") == 0x1000)  // a number as well
        #expect(table.resolve("add+0x10") == 0x1010)
        #expect(table.resolve("add+10") == 0x1010)
        #expect(table.resolve("a+b") == 0x2000)
        #expect(table.resolve("0xC0000000") == 0xC000_0000)
        #expect(table.resolve("00100034") == 0x10_0034)
        for bad in ["", "0x", "sub", "sub+4", "add+", "-4", "+4", "0x100000000", "add+zz", "+"] {
            #expect(table.resolve(bad) == nil, "\(bad)")
        }
    }

    @Test(arguments: [
        ("", "neither"), ("root:x:0:0:root:/root:/bin/bash\n", "neither"), ("hello\nworld\n12 T x\n", "neither"),
        ("ffffffff81000000 T _text\n", "beyond 4 GiB"), ("c1000000 T\nc1000000\n", "neither"),
        ("\u{0}\u{0}\u{0}", "neither"), ("c1000000 TT name\n", "neither"), ("xyz T name\n", "neither"),
    ])
    func noSystemMap(text: String, reason: String) throws {
        let error = #expect(throws: SymbolTable.Failure.self) { try map(text) }
        #expect(error?.description.contains(reason) ?? false, "\(error?.description ?? "")")
    }

    @Test func namesCannotHarm() throws {
        let long = String(repeating: "x", count: 5000)
        let table = try map("00001000 T a\u{1B}[31mb\u{7F}\u{202E}\r\n00002000 T \(long)\n")
        #expect(table.name(for: 0x1000) == "a?[31mb??")
        #expect(table.name(for: 0x2000)?.count == 200)
    }

    @Test func elf() throws {
        let table = try SymbolTable(file: try Machines.guest("hello"))
        let start = try #require(table.address(of: "_start"))
        #expect(start >= 0x10_0000 && start < 0x11_0000)
        #expect(table.name(for: start) == "_start")
        #expect(table.address(of: "guest_main") != nil)
        // Nothing without a name, and no files or sections.
        #expect(
            table.symbols.allSatisfy { !$0.name.isEmpty && !$0.name.hasSuffix(".c") && !$0.name.hasPrefix(".text") })
    }

    @Test func damagedELF() throws {
        let good = try Machines.guest("hello")
        func fails(_ bytes: [UInt8], _ reason: String) {
            let error = #expect(throws: SymbolTable.Failure.self) { try SymbolTable(file: bytes) }
            #expect(error?.description.contains(reason) ?? false, "\(error?.description ?? "")")
        }
        fails(Array(good.prefix(40)), "damaged")
        fails(Array(good.prefix(2000)), "truncated")
        var changed = good
        changed[4] = 2
        fails(changed, "64-bit")
        changed = good
        changed[48...49] = [0, 0]
        fails(changed, "no symbol table")
        changed = good
        changed[32...35] = [0xFF, 0xFF, 0xFF, 0xFF]
        fails(changed, "truncated")
    }

    /// Whatever a file holds, there are symbols or a reason.
    @Test func fuzz() throws {
        let good = try Machines.guest("hello")
        let headers = Int(good[32]) | Int(good[33]) << 8
        var state: UInt64 = 42
        func random(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        for round in 0..<300 {
            var bytes = good
            // Half of them where it hurts: the header and the section headers.
            for _ in 0..<(1 + random(20)) {
                let place = round & 1 == 0 ? random(bytes.count) : random(2) == 0 ? random(52) : headers + random(400)
                if place < bytes.count { bytes[place] = UInt8(random(256)) }
            }
            bytes[0...3] = [0x7F, 0x45, 0x4C, 0x46]
            if random(4) == 0 { bytes.removeLast(random(bytes.count)) }
            guard let table = try? SymbolTable(file: bytes) else { continue }
            for address in [0, 0x10_0000, UInt32.max] { _ = table.name(for: address) }
        }
        for _ in 0..<200 {
            let bytes = (0..<random(400)).map { _ in UInt8(random(256)) }
            _ = try? SymbolTable(file: bytes)
            _ = try? SymbolTable(file: [0x7F, 0x45, 0x4C, 0x46] + bytes)
        }
    }
}
