import Testing

@testable import InspectKit
@testable import Ring3

/// How blocks are shown: dispositions with honest reasons, micro-ops, links.
@Suite struct ListingTests {
    private func block(_ code: [UInt8]) throws -> InspectedBlock {
        let machine = try Machines.make(.translate, booting: Machines.image(code))
        try machine.startInspection()
        machine.translateAhead()
        return try #require(machine.inspector).block(0)
    }

    @Test func rewritings() throws {
        // mov eax, ebx; add eax, ecx; nop; inc edx; cmp edx, 5; jne back; hlt
        let block = try block([0x89, 0xD8, 0x01, 0xC8, 0x90, 0x42, 0x83, 0xFA, 5, 0x75, 0xF5, 0xF4])
        let lines = block.instructions
        let texts = ["mov eax, ebx", "add eax, ecx", "nop", "inc edx", "cmp edx, 5", "jne 0x100020", "hlt"]
        #expect(lines.map(\.text) == texts)
        #expect(
            lines.map(\.disposition) == [
                "rewritten", "rewritten", "identical", "rewritten", "rewritten", "control flow", "callout",
            ])
        #expect(lines[0].microOps == [] && lines[0].reason.contains("into the next instruction's operand"))
        #expect(lines[1].microOps.count == 1 && lines[1].microOps[0].hasSuffix("eax, ebx, ecx"))
        #expect(lines[1].reason.contains("the move before it") && lines[1].reason.contains("cmp at 00100026"))
        #expect(lines[2].microOps == [] && lines[2].reason.contains("no micro-op"))
        #expect(lines[3].reason.contains("Flags not computed: cmp at 00100026"))
        #expect(lines[4].microOps == [] && lines[4].reason.contains("Fused"))
        #expect(lines[5].microOps.count == 2 && lines[5].microOps[0].hasSuffix("edx, 5"))
        #expect(lines[6].reason != "" && lines[6].source != nil)
        #expect(block.exits.map(\.kind) == ["taken", "callout"])
        #expect(block.exits[0].target == block.address && block.exits[0].block == 0 && !block.exits[0].isLinked)
    }

    @Test func operands() throws {
        // Each with what its micro-op has to end in.
        let cases: [([UInt8], String)] = [
            ([0x8B, 0x44, 0x8B, 0x10], "eax, [ebx + ecx*4 + 0x10]"), ([0x89, 0x45, 0xFC], "[ebp - 4], eax"),
            ([0x6A, 0x12], " 0x12"), ([0x50], " eax"), ([0xC1, 0xE0, 3], "eax, eax, 3"),
            ([0xD3, 0xE8], "eax, eax, cl"),
            ([0x0F, 0xB6, 0xC3], "eax, bl"), ([0x80, 0x3D, 0x10, 0, 0, 0, 7], "[0x10], 7"),
            ([0x6B, 0xC1, 9], "eax, ecx, 9"), ([0x0F, 0x94, 0xC4], "ah, e"), ([0x66, 0x01, 0xC8], "ax, ax, cx"),
            ([0x8D, 0x04, 0x49], "eax, [ecx + ecx*2]"), ([0xA1, 0x10, 0, 0, 0], "eax, [0x10]"), ([0xF7, 0xE3], " ebx"),
            ([0x0F, 0xAC, 0xD8, 4], "eax, ebx, 4"), ([0x87, 0xCB], "ebx, ecx"),
            ([0xD8, 0x00], "[eax]"),
        ]
        for (code, suffix) in cases {
            // A flag store behind it, or what computes nothing else would be rewritten: pushf reads them.
            let listing = try block(code + [0x9C, 0xF4])
            let text = listing.instructions[0].microOps.joined(separator: "; ")
            #expect(text.hasSuffix(suffix), "\(listing.instructions[0].text): \(text)")
        }
    }

    @Test func instructionsAcrossPages() throws {
        // MOV EAX, imm32 begins two bytes before the page's end. Translating it needs the next page in the TLB: so first
        // behind it: mov esi, 0; jmp 0x101003; nops; mov eax, 0x4030201; inc esi; cmp esi, 2; je over; jmp back; hlt.
        let nops = [UInt8](repeating: 0x90, count: 0xFFE - 0x2A)
        let code: [UInt8] =
            [0xBE, 0, 0, 0, 0, 0xE9, 0xD9, 0x0F, 0, 0] + nops + [0xB8, 1, 2, 3, 4]
            + [0x46, 0x83, 0xFE, 2, 0x74, 2, 0xEB, 0xF3, 0xF4]
        let machine = try Machines.inspected(Machines.image(code))
        let inspector = try #require(machine.inspector)
        let number = try #require(inspector.blocks(at: 0x10_0FFE).first)
        let block = inspector.block(number)
        #expect(block.instructions[0].text == "mov eax, 0x4030201" && block.instructions[0].bytes == "b8 01 02 03 04")
        #expect(block.instructions[0].microOps[0].contains("begins with 02 03 04"))
        #expect(block.exits.count == 1 && block.exits[0].kind == "falls through")
    }

    @Test func linksAreSeenFromBothEnds() throws {
        let (report, _) = try Machines.report("compute-sieve") { $0.hottest = 100_000 }
        let byNumber = Dictionary(uniqueKeysWithValues: report.blocks.map { ($0.number, $0) })
        var links = 0
        for block in report.blocks {
            for exit in block.exits where exit.isLinked {
                let target = try #require(exit.block.flatMap { byNumber[$0] })
                let address = try #require(exit.target).value
                #expect(target.physical.value & 0xFFF == address & 0xFFF)
                #expect(target.entries.contains { $0.block == block.number })
                links += 1
            }
            for entry in block.entries {
                let source = try #require(byNumber[entry.block])
                #expect(source.exits.contains { $0.isLinked && $0.block == block.number })
            }
        }
        #expect(links > 20)
        #expect(report.blocks.map(\.instructionsExecuted) == report.blocks.map(\.instructionsExecuted).sorted(by: >))
    }

    @Test func staticallyNothingIsExecuted() throws {
        let (report, complaints) = try Machines.report("gates") {
            $0.isStatic = true
            $0.hottest = 100_000
        }
        #expect(complaints.isEmpty && report.instructions == 0 && report.isStatic)
        #expect(report.blocks.first?.symbol == "_start")
        #expect(report.blocks.allSatisfy { $0.executions == 0 && $0.nanoseconds == nil && $0.state == .current })
        #expect(report.blocks.count == report.totals.places)
        #expect(report.callouts.contains { $0.form == "LGDT" && $0.executions == 0 && $0.nanoseconds == 0 })
        #expect("\(TextReport(report))".contains("Reached by direct control flow"))
        // Through calls, far jumps and what falls through.
        let places = Set(report.blocks.compactMap(\.symbol))
        for name in ["guest_main", "descriptors_init", "print"] { #expect(places.contains(name), "\(name)") }
        #expect(report.blocks.flatMap(\.instructions).contains { $0.disposition == "callout" })
    }
}
