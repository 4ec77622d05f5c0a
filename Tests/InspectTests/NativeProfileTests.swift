#if arch(x86_64) && os(Linux)
    import Testing
    import X86

    @testable import InspectKit
    @testable import Ring3

    /// What emitted code counts while it is inspected, and how it is shown.
    @Suite(.enabled(if: NativeEngine.isSupported)) struct NativeProfileTests {
        private func inspected(_ code: [UInt8]) throws -> (machine: VirtualMachine, inspector: any Inspector) {
            let machine = try Machines.inspected(Machines.image(code), on: .native)
            return (machine, try #require(machine.inspector))
        }

        /// How often each instruction is begun, by linear address, when a guest is interpreted step by step; nothing of
        /// those that repeat, which are begun more than once.
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

        /// Exits on the way, callouts, faults and slices that end: every instruction is counted, as the interpreter does.
        @Test(arguments: ["hello", "sensitive", "x87"])
        func everyInstructionIsCountedExactly(name: String) throws {
            let image = try Machines.guest(name)
            let machine = try Machines.inspected(image, on: .native)
            let engine = try #require(machine.engine as? NativeEngine)
            let profile = try #require(engine.cache.profile)
            let inspector = try #require(machine.inspector)
            // Versions that have ended were executed as well: what they held is left out, and what repeats.
            var (counts, others): ([UInt32: UInt64], Set<UInt32>) = (profile.callouts.interpreted, [])
            for number in 0..<inspector.count {
                let block = inspector.block(number)
                if block.version > 1 {
                    others.formUnion((0..<UInt32(block.length)).map { block.address.value &+ $0 })
                }
                for instruction in block.instructions {
                    counts[instruction.address.value, default: 0] += try #require(instruction.executions)
                    if instruction.text.hasPrefix("rep") { others.insert(instruction.address.value) }
                }
            }
            let expected = try interpreted(image, upTo: machine.statistics.instructions)
            var compared = 0
            for (address, count) in expected where !others.contains(address) {
                #expect(counts[address] == count, "\(name): \(GuestAddress(address))")
                compared += 1
            }
            #expect(compared > 100)
        }

        @Test(arguments: ["integer", "smc", "x87", "paging"])
        func everyByteIsShown(name: String) throws {
            let (report, _) = try Machines.report(name) {
                $0.run.machine.engine = .native
                $0.hottest = 100_000
            }
            #expect(report.blocks.count == report.totals.places && report.totals.microOps == nil)
            for block in report.blocks {
                guard let whole = block.hostBytes else { continue }
                let parts =
                    [block.prologue, block.staleExit] + block.exits.map(\.hostCode) + block.instructions.map(\.hostCode)
                let code = parts.flatMap { $0 ?? [] }
                #expect(code.allSatisfy { $0.text != "" && $0.text != "(bad)" })
                let bytes = code.map { $0.bytes.split(separator: " ").count }.reduce(0, +)
                #expect(bytes == whole, "\(name): \(block.address)")
            }
        }

        @Test func hostCodeOfAKnownBlock() throws {
            // mov esp, 0x90000; push ebx; add eax, [ebx + 8]; xlatb; shl eax, 3; jne +1; nop; hlt
            let code: [UInt8] = [
                0xBC, 0, 0, 9, 0, 0x53, 0x03, 0x43, 8, 0xD7, 0xC1, 0xE0, 3, 0x75, 1, 0x90, 0xF4,
            ]
            let block = try inspected(code).inspector.block(0)
            let lines = block.instructions
            #expect(
                lines.map(\.text) == [
                    "mov esp, 0x90000", "push ebx", "add eax, dword ptr [ebx + 8]", "xlatb byte ptr [ebx]",
                    "shl eax, 3", "jne 0x100030", "nop",
                    "hlt",
                ])
            #expect(
                lines.map(\.disposition) == [
                    "identical", "rewritten", "identical", "callout", "identical", "control flow", "identical",
                    "callout",
                ])
            #expect(lines[0].hostCode == [.init(bytes: "41 bc 00 00 09 00", text: "mov r12d, 0x90000")])
            #expect(lines[1].hostCode?.map(\.text) == ["mov dword ptr gs:[r12d - 4], ebx"] && lines[1].note == nil)
            #expect(
                lines[2].hostCode?.map(\.text) == ["add eax, dword ptr gs:[ebx + 8]", "lea r12d, [r12 - 4]"])
            #expect(lines[2].note == "R12 is 4 more than ESP here: made good if the monitor takes over.")
            #expect(lines[3].hostCode?.last?.text.hasSuffix("<monitor>") ?? false)
            #expect(lines[3].reason.contains("not emittable") && lines[3].source == nil)
            #expect(lines[6].hostCode == [] && lines[7].source != nil)
            #expect(block.prologue?.first?.text == "lea r14, [r14 - 8]")
            #expect(block.prologue?.last?.text.hasSuffix("<counter>") ?? false)
            #expect(block.exits.map(\.kind) == ["taken", "callout"])
            // AF is undefined behind SHL, and cleared where the block is left.
            #expect(block.exits[0].hostCode?.contains { $0.text == "lahf" } ?? false)
            #expect(block.staleExit?.last?.text.hasSuffix("<monitor>") ?? false)
            #expect(block.mode.suffix(1) == ["DF clear"])
        }

        @Test func exitsAreCounted() throws {
            // mov ecx, 100; again: dec ecx; jz done; test cl, 3; jnz again; jmp again; done: hlt
            let code: [UInt8] = [0xB9, 100, 0, 0, 0, 0x49, 0x74, 7, 0xF6, 0xC1, 3, 0x75, 0xF8, 0xEB, 0xF6, 0xF4]
            let inspector = try inspected(code).inspector
            let number = try #require(inspector.blocks(at: Machines.codeAddress + 5).last)
            let block = inspector.block(number)
            // Of the 99 rounds, the first of which is in the block before, 74 are followed by another, within the block: it is
            // unrolled.
            #expect(block.address.value == Machines.codeAddress + 5 && block.executions == 25)
            #expect(block.exits.map(\.kind) == ["falls through", "taken", "taken"])
            #expect(block.exits.map(\.executions) == [24, 1, 0])
            // The last is never taken, but leads to the block's own start.
            #expect(block.exits.map(\.isLinked) == [true, true, true])
            var rounds = [UInt64](repeating: 0, count: 4)
            for (index, instruction) in block.instructions.enumerated() {
                rounds[index % 4] += instruction.executions ?? 0
            }
            #expect(rounds == [99, 99, 98, 98])
            #expect(block.instructionsExecuted == 99 + 99 + 98 + 98)
        }

        /// A constant is patched forty times: without somebody who looks, that would be one block.
        @Test func patchedConstantsAreVersions() throws {
            // mov esp, 0x90000; mov ecx, 40; again: mov [patched + 1], ecx; call patched; dec ecx; jnz again; hlt;
            // patched: mov eax, 0; ret
            let patched = Machines.codeAddress + 25
            let address = (0..<4).map { UInt8(truncatingIfNeeded: (patched + 1) >> UInt32($0 * 8)) }
            var code: [UInt8] = [0xBC, 0, 0, 9, 0, 0xB9, 40, 0, 0, 0, 0x89, 0x0D] + address
            code += [0xE8, 4, 0, 0, 0, 0x49, 0x75, 0xF2, 0xF4, 0xB8, 0, 0, 0, 0, 0xC3]
            let inspector = try inspected(code).inspector
            let block = inspector.block(try #require(inspector.blocks(at: patched).last))
            #expect(block.version == 40 && block.executions == 40)
            #expect(block.instructions[0].text == "mov eax, 1")
        }

        /// What is in the last bytes of a page is not linked to, as an instruction there may cross into the next.
        @Test func exitsToThePagesEndAreByTheJumpCache() throws {
            let (start, end) = (Machines.codeAddress, Machines.codeAddress | 0xFF0)
            let distance = end &+ 3 &- (start &+ 5)
            // jmp to the page's end, 13 bytes before it: hlt
            var code: [UInt8] = [0xE9] + (0..<4).map { UInt8(truncatingIfNeeded: distance >> UInt32($0 * 8)) }
            code += [UInt8](repeating: 0x90, count: Int(end &+ 3 &- start) - code.count) + [0xF4]
            let inspector = try inspected(code).inspector
            let block = inspector.block(try #require(inspector.blocks(at: start).last))
            #expect(block.exits.map(\.how) == ["at the page's end: by the jump cache"])
            #expect(block.exits.map(\.executions) == [1] && block.exits.map(\.isLinked) == [false])
        }

        @Test func innocuousInstructionsOfTheMonitorsHaveCauses() throws {
            // mov ecx, 20; again: mov al, [0xB8000]; xlatb; shld edx, ebx, cl; seto ah; dec ecx; jnz again; hlt
            let code: [UInt8] = [
                0xB9, 20, 0, 0, 0, 0xA0, 0, 0x80, 0x0B, 0, 0xD7, 0x0F, 0xA5, 0xDA, 0x0F, 0x90, 0xC4, 0x49, 0x75, 0xF1,
                0xF4,
            ]
            let inspector = try inspected(code).inspector
            let groups = CalloutGroup.groups(inspector.callouts)
            #expect(groups.map(\.form) == ["HLT", "flags", "not emittable", "kept faulting", "faulted"])
            #expect(groups.map(\.executions) == [1, 20, 20, 12, 8])
            #expect(groups.map(\.isSensitive) == [true, false, false, false, false])
            #expect(groups[3].sites.map(\.text) == ["mov al, byte ptr [0xb8000]"] && groups[3].reason.contains("MMIO"))
            #expect(groups.allSatisfy { $0.source.isEmpty != $0.isSensitive })
            // It faulted once in the first block, which has the MOV, and seven times in that of the loop: emitted anew.
            let number = try #require(inspector.blocks(at: Machines.codeAddress + 5).last)
            let block = inspector.block(number)
            let ending = try #require(block.earlier.first)
            #expect(ending.cause == "adapted" && ending.faulting?.value == Machines.codeAddress + 5)
            #expect(ending.reason.contains("kept faulting") && block.version == 2)
            #expect(block.instructions[0].disposition == "callout" && block.instructions[0].reason.contains("kept"))
        }

        /// Loading a segment register again with what is there takes the monitor the first time; LOOP and CR0.TS never do.
        @Test func whatIsInlinedIsNoCallout() throws {
            // mov esp, 0x90000; mov eax, ds; mov ecx, 20; mov ebx, cr0
            // again: mov es, eax; push eax; pop ds; xor ebx, TS; mov cr0, ebx; clts; loop again; hlt
            let code: [UInt8] = [
                0xBC, 0, 0, 9, 0, 0x8C, 0xD8, 0xB9, 20, 0, 0, 0, 0x0F, 0x20, 0xC3,
                0x8E, 0xC0, 0x50, 0x1F, 0x83, 0xF3, 8, 0x0F, 0x22, 0xC3, 0x0F, 0x06, 0xE2, 0xF2, 0xF4,
            ]
            let (machine, inspector) = try inspected(code)
            let groups = CalloutGroup.groups(inspector.callouts)
            #expect(groups.map(\.form) == ["HLT", "MOV Sreg, r/m", "MOV r, CRn", "POP Sreg"])
            #expect(groups.map(\.executions) == [1, 1, 1, 1])
            let engine = try #require(machine.engine as? NativeEngine)
            let inlined = try #require(engine.cache.profile).executedByDisposition.inlined
            // The store of a selector, 19 loads by each of the two, 20 of CR0 and CLTS each.
            let total: UInt64 = inlined.values.reduce(0, &+)
            #expect(total == 79)
        }

        @Test func timeIsSampled() throws {
            let (report, _) = try Machines.report("compute-sieve") { $0.run.machine.engine = .native }
            try #require(report.timing.contains("every 97 µs"))
            let samples = report.blocks.compactMap(\.samples).reduce(0, +)
            #expect(samples > 10)
            for block in report.blocks where block.samples ?? 0 > 0 {
                let time = try #require(block.totalNanoseconds)
                #expect(abs(time - Double(block.samples ?? 0) * 97_000) < 1)
            }
            // Where most was executed, most was found.
            #expect(report.blocks.prefix(3).contains { $0.samples == report.blocks.compactMap(\.samples).max() })
        }

        @Test func evictedBlocksAreStillShown() throws {
            let machine = try Machines.inspected(try Machines.guest("hello"), on: .native)
            let before = try #require(machine.inspector)
            let numbers = before.hottest.prefix(5)
            let blocks = numbers.map { before.block($0) }
            let executed = before.totals
            try #require(machine.engine as? NativeEngine).removeAllBlocks()
            let inspector = try #require(machine.inspector)
            for (number, old) in zip(numbers, blocks) {
                let block = inspector.block(number)
                #expect(block.state == .evicted && block.earlier.last?.reason.contains("the cache was full") ?? false)
                #expect(block.instructions.map(\.text) == old.instructions.map(\.text))
                #expect(block.prologue == old.prologue && block.executions == old.executions)
                #expect(block.instructionsExecuted == old.instructionsExecuted)
                #expect(block.exits.allSatisfy { !$0.isLinked })
            }
            #expect(inspector.totals.instructionsInBlocks == executed.instructionsInBlocks)
            #expect(inspector.totals.executedByDisposition == executed.executedByDisposition)
        }

        @Test func staticallyNothingIsExecuted() throws {
            let (report, complaints) = try Machines.report("gates") {
                $0.run.machine.engine = .native
                $0.isStatic = true
                $0.hottest = 100_000
            }
            #expect(complaints.isEmpty && report.instructions == 0)
            #expect(report.blocks.allSatisfy { $0.executions == 0 && $0.state == .current })
            let places = Set(report.blocks.compactMap(\.symbol))
            for name in ["guest_main", "descriptors_init", "print"] { #expect(places.contains(name), "\(name)") }
        }

        @Test func withoutAProfileNothingCounts() throws {
            let image = try Machines.guest("integer")
            let plain = try Machines.make(.native, booting: image)
            _ = plain.run()
            let inspected = try Machines.inspected(image, on: .native)
            let engines = try [plain, inspected].map { try #require($0.engine as? NativeEngine) }
            let profile = try #require(engines[1].cache.profile)
            #expect(engines[0].cache.profile == nil)
            // What is emitted without a profile is what a profile says of it.
            let statistics = engines.map(\.cache.statistics.pointee)
            #expect(statistics[0].blocksTranslated == statistics[1].blocksTranslated)
            let blocks = UnsafeBufferPointer(start: engines[0].cache.blocks, count: engines[0].cache.blockCount)
            #expect(blocks.reduce(0) { $0 + UInt64($1.end - $1.entry) } == profile.emittedBytes)
            #expect(engines[0].cache.arena.counters.allSatisfy { $0 == 0 })
        }
    }
#endif
