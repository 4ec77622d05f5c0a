import Testing

/// `ring3 audit`, run as users run it; the reports themselves are AuditKit's.
@Suite struct AuditCommandTests {
    @Test func ofThisMachine() throws {
        let result = try Command.run(["audit"])
        #expect(result.status == 0)
        #expect(result.errors == "")
        #expect(result.output.contains("| POPF "))
        #expect(result.output.contains("55 of 55 rows"))
    }

    @Test func ofARun() throws {
        try TemporaryFolder.with { folder in
            let guest = try folder.file("guest", Guest.halt)
            let result = try Command.run(["audit", guest])
            #expect(result.status == 0)
            #expect(result.output.hasPrefix("Audit of \(guest)\n"))
            #expect(result.output.contains("| HLT "))
            #expect(result.output.contains("Equivalence: translate against interpret, "))
            #expect(result.output.contains("no divergence."))
            let json = try Command.run(["audit", guest, "--format", "json"])
            #expect(json.status == 0)
            #expect(json.output.hasPrefix("{\n"))
            let native = try Command.run(["audit", guest, "--engine", "native"])
            if native.status == 69 {
                #expect(native.output == "" && native.errorLines.count == 1)
            } else {
                #expect(native.status == 0)
                #expect(native.output.contains("Equivalence: native against interpret, "))
                #expect(native.output.contains("- emitted code, proved before it was executed: "))
                #expect(native.output.contains("; 0 refused"))
                #expect(native.output.contains("- windows: 2, "))
            }
            let interpreted = try Command.run(["audit", guest, "--engine", "interpret"])
            #expect(interpreted.status == 0)
            #expect(interpreted.output.contains("Equivalence: not compared."))
        }
    }
}
