import Testing
import X86

@testable import InspectKit
@testable import Ring3

/// What the engine counts while it is inspected, against the interpreter.
@Suite struct ProfileTests {
    /// How often each instruction is begun, by linear address, when a guest is interpreted step by step.
    private func interpreted(_ image: [UInt8], upTo count: UInt64) throws -> [UInt32: UInt64] {
        let machine = try Machines.make(.interpret, booting: image)
        var counts: [UInt32: UInt64] = [:]
        while machine.cpu.pointee.instructions < count {
            machine.turn()
            let before = machine.cpu.pointee.instructions
            machine.follow(to: before + 1)
            guard machine.cpu.pointee.instructions > before else { break }
            counts[machine.cpu.pointee.cs.base &+ machine.cpu.pointee.instructionStart, default: 0] += 1
        }
        return counts
    }

    @Test(arguments: ["hello", "sensitive"])
    func executionsAreThoseOfTheInterpreter(name: String) throws {
        let image = try Machines.guest(name)
        let machine = try Machines.inspected(image)
        let expected = try interpreted(image, upTo: machine.statistics.instructions)
        let engine = try #require(machine.engine as? ThreadedEngine)
        let profile = try #require(engine.cache.profile)
        let inspector = try #require(machine.inspector)
        var compared = 0
        for number in 0..<inspector.count {
            let block = inspector.block(number)
            // What lies in the midst of another block is executed there as well, uncounted.
            guard inspector.blocks(at: block.address.value) == [number] else { continue }
            let outside = profile.callouts.interpreted[block.address.value] ?? 0
            #expect(
                block.executions + outside == expected[block.address.value] ?? 0,
                "\(name): \(block.address), \(outside) outside of blocks")
            compared += 1
        }
        #expect(compared > 30)
    }

    @Test(arguments: ["hello", "integer", "compute-collatz", "smc", "v86"], Machines.engines)
    func everyInstructionIsSomebodys(name: String, engine: Engine) throws {
        let machine = try Machines.inspected(try Machines.guest(name), on: engine)
        let totals = try #require(machine.inspector).totals
        // The wait for the serial port is interpreted when a slice ends in it.
        #expect(totals.instructionsInBlocks + totals.instructionsInterpreted == machine.statistics.instructions)
        #expect(abs(totals.executedByDisposition.values.reduce(0, +) - 1) < 1e-9)
    }

    @Test(arguments: Machines.engines)
    func profilingChangesNothing(engine: Engine) throws {
        for name in ["smc", "interrupts", "x87"] {
            let image = try Machines.guest(name)
            let plain = try Machines.make(engine, booting: image)
            _ = plain.run()
            let inspected = try Machines.inspected(image, on: engine)
            #expect(plain.statistics.instructions == inspected.statistics.instructions, "\(name)")
            #expect("\(plain.registers)" == "\(inspected.registers)", "\(name)")
            #expect(plain.inspector == nil)
        }
    }

    @Test(arguments: ["gates", "smc", "exceptions", "interrupts", "sensitive", "v86"], Machines.engines)
    func calloutsAreThoseOfTheCensus(name: String, engine: Engine) throws {
        let image = try Machines.guest(name)
        let reference = try Machines.make(.interpret, booting: image)
        reference.startCensus()
        _ = reference.run()
        let census = try #require(reference.census)
        let inspector = try #require(Machines.inspected(image, on: engine).inspector)
        var counts: [String: UInt64] = [:]
        for site in inspector.callouts { counts[site.form, default: 0] += site.executions }
        var allInlined: UInt64 = 0
        for row in Sensitivity.table where row.isSensitive {
            let expected = census.supervisor[Int(row.index)] + census.user[Int(row.index)]
            let inlined = (inspector as? NativeInspector)?.dispositions.inlined[row.index] ?? 0
            #expect((counts[row.form] ?? 0) + inlined == expected, "\(name): \(row.form)")
            allInlined += inlined
        }
        // Emitted code does some of them; elsewhere all are callouts.
        #expect((allInlined > 0) == (engine == .native), "\(name)")
    }

    @Test(arguments: Machines.engines)
    func calloutsOfAKnownGuest(engine: Engine) throws {
        // mov ecx, 10; loop: cpuid destroys it, so: mov esi, 10; again: cpuid; dec esi; jnz again; cli; hlt
        let code: [UInt8] = [0xBE, 10, 0, 0, 0, 0x0F, 0xA2, 0x4E, 0x75, 0xFB, 0xFA, 0xF4]
        let inspector = try #require(Machines.inspected(Machines.image(code), on: engine).inspector)
        let counts = inspector.callouts.map { "\($0.address) \($0.text): \($0.executions)" }
        // The engine `native` spares CLI the monitor.
        let cli = engine == .native ? [] : ["0010002a cli: 1"]
        #expect(counts == ["00100025 cpuid: 10"] + cli + ["0010002b hlt: 1"])
        #expect(inspector.callouts.allSatisfy { $0.leastNanoseconds <= $0.nanoseconds && $0.reason != "" })
    }

    @Test(arguments: Machines.engines)
    func invalidationsHaveReasons(engine: Engine) throws {
        let (report, _) = try Machines.report("smc") {
            $0.run.machine.engine = engine
            $0.places = ["arena"]
            $0.hottest = 10_000
        }
        let totals = report.totals
        // Every version but those in force has ended, and was told of.
        let ended = report.blocks.map { UInt64($0.version) - ($0.state == .current ? 1 : 0) }.reduce(0, +)
        #expect(ended == totals.blocksInvalidated)
        #expect(totals.blocksInvalidated > 500 && totals.evictions == 0)
        #expect(report.blocks.count == totals.places)
        let rewritten = report.blocks.flatMap(\.earlier).filter { $0.symbol?.hasPrefix("write_return") ?? false }
        #expect(!rewritten.isEmpty)
        for block in report.blocks {
            #expect(block.earlier.count <= TranslationProfile.Record.endingsKept)
            #expect(block.earlier.map(\.executions).reduce(0, +) <= block.executions)
            for version in block.earlier where version.cause != "adapted" {
                let (written, count) = try (#require(version.written).value, #require(version.count))
                // Versions may differ in length, but none is longer than a page.
                #expect(written &+ count > block.physical.value && written < block.physical.value + 4096)
                #expect(version.cause == "written to" && version.writer != nil)
                #expect(version.atInstruction > 0 && version.atInstruction <= report.instructions)
            }
        }
        // "a function rewritten before each of 200 calls", and many more.
        #expect(try #require(report.blocks.map(\.version).max()) > 200)
    }

    @Test(arguments: Machines.engines)
    func aWriteIsTracedToItsInstruction(engine: Engine) throws {
        // call f; mov byte [f + 1], 7; call f; hlt; f: mov al, 1; ret
        let (f, store) = (Machines.codeAddress + 23, Machines.codeAddress + 10)
        let address = (0..<4).map { UInt8(truncatingIfNeeded: (f + 1) >> (8 * $0)) }
        let code: [UInt8] =
            [0xBC, 0, 0, 9, 0] + [0xE8, 13, 0, 0, 0] + [0xC6, 0x05] + address + [7]
            + [0xE8, 1, 0, 0, 0] + [0xF4] + [0xB0, 1, 0xC3]
        let machine = try Machines.inspected(Machines.image(code), on: engine)
        #expect(machine.cpu.pointee.eax & 0xFF == 7)
        let inspector = try #require(machine.inspector)
        let number = try #require(inspector.blocks(at: f).first)
        let block = inspector.block(number)
        #expect(block.version == 2 && block.executions == 2 && block.state == .current)
        #expect(block.instructions.map(\.text) == ["mov al, 7", "ret"])
        let ending = try #require(block.earlier.first)
        #expect(ending.writer?.value == store && ending.written?.value == f + 1 && ending.count == 1)
        // mov esp; call; mov al; ret; mov byte: the fifth.
        #expect(ending.atInstruction == 5 && ending.executions == 1)
        #expect(ending.reason.contains("1 byte written to physical \(GuestAddress(f + 1)) at instruction 5"))
    }

    @Test func evictedBlocksAreStillShown() throws {
        let machine = try Machines.inspected(try Machines.guest("hello"))
        let before = try #require(machine.inspector).hottest.prefix(5)
        let listings = try #require(machine.inspector)
        let texts = before.map { listings.block($0).instructions.map(\.text) }
        try #require(machine.engine as? ThreadedEngine).cache.removeAll()
        let inspector = try #require(machine.inspector)
        #expect(Array(inspector.hottest.prefix(5)) == Array(before))
        for (number, text) in zip(before, texts) {
            let block = inspector.block(number)
            #expect(block.state == .evicted && block.earlier.last?.reason.contains("the cache was full") ?? false)
            #expect(block.instructions.map(\.text) == text)
            #expect(block.exits.allSatisfy { !$0.isLinked })
        }
    }
}
