#if arch(x86_64) && os(Linux)
    import Hardware
    import Testing
    import X86

    @testable import Ring3

    @Suite(.enabled(if: NativeEngine.isSupported)) struct NativeEngineTests {
        /// An empty slot of the decode cache was taken for the instruction at address 0, where nothing had been fetched.
        @Test func aFreshProcessorFetchesWhatIsAtZero() throws {
            let runner = try CodeRunner()
            runner.memory.write(0, bytes: [0x40, 0xF4])  // inc eax; hlt
            runner.cpu.pointee.eip = 0
            #expect(runner.interpreter.run(until: 10) == .halted)
            #expect(runner.cpu.pointee.eax == 1)
        }

        /// inc eax; add ecx, eax; dec edx; jnz .+2; inc ebx; jmp to the start
        private static let loop: [UInt8] = [0x40, 0x01, 0xC1, 0x4A, 0x75, 0x01, 0x43, 0xEB, 0xF7]

        @Test func slicesEndAtTheInstructionAskedFor() throws {
            let pair = try NativePair()
            pair.start(Self.loop) { $0.pointee.edx = 5 }
            for count in 1...200 as ClosedRange<UInt64> {
                let before = pair.native.cpu.pointee.instructions
                #expect(pair.run(count) == [])
                #expect(pair.native.cpu.pointee.instructions == before + count)
            }
        }

        /// The flags that the manual leaves undefined, on the stack of both engines: PUSHFD, a store that could fault, a
        /// conditional jump, the end of a block.
        @Test(
            arguments: [
                [0xC1, 0xE0, 0x03],  // shl eax, 3
                [0xD3, 0xE0], [0xD3, 0xF8], [0xD3, 0x23],  // shl eax, cl; sar eax, cl; shl [ebx], cl
                [0xD3, 0xE1],  // shl ecx, cl
                [0x0F, 0xAF, 0xC2], [0xF7, 0xE2], [0x66, 0x0F, 0xAF, 0xC2], [0xF6, 0xE2],  // imul, mul
                [0x0F, 0xA4, 0xD0, 0x05], [0x0F, 0xA5, 0xD0], [0x0F, 0xAD, 0xD0],  // shld, shrd
                [0xF7, 0xF1], [0xF7, 0xF9],  // div ecx, idiv ecx
                // shl eax, 3; shld edi, edx, cl; shl esi, cl: the last two may do nothing
                [0xC1, 0xE0, 0x03, 0x0F, 0xA5, 0xD7, 0xD3, 0xE6],
                [0x0F, 0xA4, 0xD0, 0x01], [0x0F, 0xAC, 0xD0, 0x01], [0x66, 0x0F, 0xAC, 0xD0, 0x07],
                [0x0F, 0xBC, 0xC2], [0x0F, 0xBD, 0xC2], [0x66, 0x0F, 0xBC, 0xC1], [0x0F, 0xBC, 0x03],  // bsf, bsr
                [0x0F, 0xA3, 0xD0], [0x0F, 0xBA, 0xE8, 0x03],  // bt, bts
                [0xC1, 0xC0, 0x05], [0xD1, 0xC8], [0xD3, 0xD0], [0xC1, 0xD8, 0x03],  // rol, ror, rcl, rcr
            ] as [[UInt8]])
        func undefinedFlagsAreTheInterpreters(code: [UInt8]) throws {
            let pair = try NativePair()
            let observers: [[UInt8]] = [
                [0x9C], [0x89, 0x03, 0x9C], [0x89, 0xC8, 0x89, 0x03, 0x9C], [0x75, 0x00, 0x9C], [0xEB, 0x00, 0x9C],
                [0xE8, 0, 0, 0, 0, 0x9C], [0x04, 0x01, 0x9C], [0xBA, 0, 0, 0, 0, 0x9C],
            ]
            var random = SeededGenerator(seed: 5)
            for observer in observers {
                for _ in 0..<40 {
                    let values = (0..<4).map { _ in UInt32.random(in: 0 ... .max, using: &random) }
                    let count = Bool.random(using: &random) ? values[2] : values[2] & 1
                    pair.start(code + observer) { cpu in
                        cpu.pointee.status = StatusFlags(image: values[3])
                        cpu.pointee.eax = values[0]
                        cpu.pointee.edx = values[1] & 0xFFFF
                        cpu.pointee.ecx = count
                        cpu.pointee.ebx = 0x20000
                        cpu.pointee.esp = CodeRunner.stackTop
                    }
                    try #require(pair.run() == [], "\(code) \(observer) \(values)")
                }
            }
        }

        /// What they leave undefined can be made good, so that the monitor is not asked.
        @Test(
            arguments: [
                [0x0F, 0xA4, 0xD0, 0x05], [0x0F, 0xAC, 0xD0, 0x01], [0x0F, 0xBC, 0xC2], [0x0F, 0xBD, 0xC2],
            ] as [[UInt8]])
        func shiftsByConstantsAndScansAreEmitted(code: [UInt8]) throws {
            let pair = try NativePair()
            pair.start(code + [0x9C]) {
                ($0.pointee.edx, $0.pointee.esp) = (0x1234_5678, CodeRunner.stackTop)
            }
            #expect(pair.run() == [])
            let records = (0..<pair.engine.cache.instructionCount).map { pair.engine.cache.instructions[$0] }
            let operations: [X86.Operation] = [.shld, .shrd, .bsf, .bsr]
            let emitted = records.filter { operations.contains($0.instruction.operation) }
            #expect(!emitted.isEmpty && emitted.allSatisfy { !$0.isMonitored })
        }

        /// A loop is emitted as it is once it has been written to a few times.
        @Test func aLoopThatIsWrittenToIsNotUnrolled() throws {
            let pair = try NativePair()
            var counts: [UInt16] = []
            for value in 0..<8 as Range<UInt8> {
                // again: add eax, value; dec ecx; jnz again
                pair.start([0x83, 0xC0, value, 0x49, 0x75, 0xFA]) { $0.pointee.ecx = 200 }
                #expect(pair.run() == [])
                let loop = (0..<pair.engine.cache.blockCount).last {
                    pair.engine.cache.blocks[$0].eip == CodeRunner.codeAddress
                }
                counts.append(pair.engine.cache.blocks[try #require(loop)].count)
            }
            // With the HLT behind it.
            #expect(counts == [48, 48, 48, 48, 4, 4, 4, 4])
        }

        /// Conditional jumps lead to their targets themselves, and a block that they leave has counted what was executed:
        /// wherever a run ends, both engines stand at the same instruction.
        @Test func conditionalJumpsCountWhatWasExecuted() throws {
            let pair = try NativePair()
            // again: inc edx; test cl, 1; jnz odd; add eax, edx; test cl, 2; jnz two; xor eax, ecx; two: inc eax
            // odd: add eax, 3; dec ecx; jnz again
            let code: [UInt8] = [
                0x42, 0xF6, 0xC1, 0x01, 0x75, 0x0A, 0x01, 0xD0, 0xF6, 0xC1, 0x02, 0x75, 0x02, 0x31, 0xC8, 0x40,
                0x83, 0xC0, 0x03, 0x49, 0x75, 0xEA,
            ]
            func start() {
                pair.start(code) { ($0.pointee.eax, $0.pointee.ecx, $0.pointee.edx) = (0, 40, 0) }
            }
            start()
            #expect(pair.run() == [] && pair.native.cpu.pointee.ecx == 0)
            let total = pair.native.cpu.pointee.instructions
            let cache = pair.engine.cache
            let linked = (0..<cache.siteCount).map { cache.sites[$0] }.filter {
                guard $0.kind == .link, cache.arena.writable[Int($0.place) - 1] & 0xF0 == 0x80 else { return false }
                let distance = UnsafeRawPointer(cache.arena.writable + Int($0.place)).loadUnaligned(as: Int32.self)
                let target = Int($0.place) + 4 + Int(distance)
                return target != Int($0.unlinked)
                    && (0..<cache.blockCount).contains { Int(cache.blocks[$0].entry) == target }
            }
            #expect(linked.count >= 2)
            // Without a store to code the same blocks, linked by now, are executed again.
            for end in 1..<total {
                for runner in pair.runners {
                    runner.cpu.pointee.eip = CodeRunner.codeAddress
                    (runner.cpu.pointee.eax, runner.cpu.pointee.ecx, runner.cpu.pointee.edx) = (0, 40, 0)
                    runner.cpu.setAttention(.halted, false)
                }
                let before = pair.native.cpu.pointee.instructions
                try #require(pair.run(end) == [], "\(end)")
                try #require(pair.native.cpu.pointee.instructions == before + end)
            }
            #expect(pair.native.cpu.pointee.instructions > total)
        }

        /// Addresses wrap at 4 GiB, ESP does, and what lies beyond RAM is the bus's.
        @Test(
            arguments: [
                [0xA1, 0xFE, 0xFF, 0xFF, 0xFF],  // mov eax, [0xFFFFFFFE]
                [0xA3, 0xFF, 0xFF, 0xFF, 0xFF],  // mov [0xFFFFFFFF], eax
                [0x8B, 0x44, 0x08, 0x10],  // mov eax, [eax + ecx + 16], which wraps
                [0xBC, 2, 0, 0, 0, 0x50, 0x58],  // mov esp, 2; push eax; pop eax
                [0xBC, 0xFE, 0xFF, 0xFF, 0xFF, 0x58],  // mov esp, -2; pop eax
                [0xC7, 0x05, 0, 0, 0x40, 0, 1, 2, 3, 4],  // mov [4 MiB], 0x04030201: behind RAM
                [0xFF, 0x35, 0xFE, 0xFF, 0x3F, 0],  // push [4 MiB - 2]
                [0x0F, 0x6F, 0x05, 0xFC, 0xFF, 0x3F, 0],  // movq mm0, [4 MiB - 4]
                [0xFF, 0x25, 0xFF, 0xFF, 0xFF, 0xFF],  // jmp [0xFFFFFFFF]
            ] as [[UInt8]])
        func accessesAtTheEndsAreTheInterpreters(code: [UInt8]) throws {
            let pair = try NativePair()
            pair.start(code) { cpu in
                cpu.pointee.eax = 0xFFFF_FFF8
                cpu.pointee.ecx = 4
                cpu.pointee.esp = CodeRunner.stackTop
            }
            #expect(pair.run(50) == [])
        }

        /// POPFD had set AC, and the rest of the block went on without looking at alignment.
        @Test func alignmentIsCheckedFromTheInstructionBehindPopfOn() throws {
            let pair = try NativePair()
            // push eflags | AC; popfd; mov eax, [0x20001]
            pair.start([0x68, 0x02, 0x00, 0x04, 0x00, 0x9D, 0xA1, 1, 0, 2, 0]) { cpu in
                cpu.pointee.cr0 |= CR0.am
                cpu.pointee.cpl = 3
                cpu.pointee.eax = 5
                cpu.pointee.esp = CodeRunner.stackTop
                cpu.selectTLB()
            }
            #expect(pair.run(3) == [])
            #expect(pair.native.cpu.pointee.eax == 5)
        }

        /// LEA with a 16-bit address was copied with the ModR/M byte of a 32-bit one.
        @Test func leaWrapsA16BitAddress() throws {
            let pair = try NativePair()
            pair.start([0x67, 0x8D, 0x40, 0x12]) { cpu in  // lea eax, [bx + si + 0x12]
                cpu.pointee.ebx = 0x1FFF0
                cpu.pointee.esi = 1
            }
            #expect(pair.run() == [])
            #expect(pair.native.cpu.pointee.eax == 3)
        }

        /// The store changes the instruction behind it, in the same block.
        @Test func aBlockThatRewritesItselfRunsWhatItWrote() throws {
            let pair = try NativePair()
            // mov byte [eip of the immediate], 7; mov eax, 1
            pair.start([0xC6, 0x05, 0x08, 0x00, 0x01, 0x00, 0x07, 0xB8, 1, 0, 0, 0])
            #expect(pair.run() == [])
            #expect(pair.native.cpu.pointee.eax == 7)
            #expect(pair.native.cpu.pointee.instructions == 3)
        }

        @Test func anUnrolledLoopIsLeftWhereItEnds() throws {
            let pair = try NativePair()
            for rounds in 1...100 as ClosedRange<UInt32> {
                pair.start([0x40, 0x49, 0x75, 0xFC]) { $0.pointee.ecx = rounds }  // inc eax; dec ecx; jnz
                #expect(pair.run() == [], "\(rounds)")
                #expect(pair.native.cpu.pointee.ecx == 0)
            }
            pair.start([0x40, 0x49, 0x74, 0x02, 0xEB, 0xFA]) { $0.pointee.ecx = 77 }  // the same, by JZ out and JMP
            #expect(pair.run() == [])
        }

        /// A return goes where the guest says, also if that is not where the last call came from. In a loop of 20 rounds, so
        /// that everything is linked.
        @Test(
            arguments: [
                [0xE8, 0, 0, 0, 0, 0x58],  // call to the next instruction, pop eax
                // call .+4, behind which: inc ebx; inc edx; jmp to the end; called: add dword [esp], 1; ret
                [0xE8, 4, 0, 0, 0, 0x43, 0x42, 0xEB, 5, 0x83, 0x04, 0x24, 1, 0xC3],
                // call .+2, behind which: jmp to the end; called: add esp, 4; inc ebx
                [0xE8, 2, 0, 0, 0, 0xEB, 4, 0x83, 0xC4, 4, 0x43],
                // call .+2, behind which: jmp to the end; called: call .+2, behind which: jmp to the end; add esp, 4; ret
                [0xE8, 2, 0, 0, 0, 0xEB, 11, 0xE8, 2, 0, 0, 0, 0xEB, 4, 0x83, 0xC4, 4, 0xC3],
                // call .+1, which returns: ret; behind it: inc edi
                [0xEB, 1, 0xC3, 0xE8, 0xFA, 0xFF, 0xFF, 0xFF, 0x47],
            ] as [[UInt8]])
        func returnsGoWhereTheGuestSays(code: [UInt8]) throws {
            let pair = try NativePair()
            let back = UInt8(bitPattern: -Int8(code.count + 3))
            pair.start(code + [0x4E, 0x75, back]) { $0.pointee.esi = 20 }  // dec esi; jnz
            #expect(pair.run() == [])
            #expect(pair.native.cpu.pointee.esi == 0)
            // A call of the guest's is one of the host's, which predicts the return: CALL has the opcode E8.
            let cache = pair.engine.cache
            let links = (0..<cache.siteCount).map { cache.sites[$0] }.filter { $0.kind == .link }
            // What calls the next instruction does not return.
            let isReturnedTo = code != [0xE8, 0, 0, 0, 0, 0x58]
            #expect(links.contains { cache.arena.writable[Int($0.place) - 1] == 0xE8 } == isReturnedTo)
        }

        /// The pages of the first 4 MiB where they are in RAM; the last page of the address space is that at 0x30000.
        private func mapLastPage(_ pair: NativePair) {
            for runner in pair.runners {
                runner.memory.write(0x20000, UInt32(0x21067))
                runner.memory.write(0x20FFC, UInt32(0x22067))
                for page in 0..<UInt32(1024) { runner.memory.write(0x21000 + page * 4, page << 12 | 0x67) }
                runner.memory.write(0x22FFC, UInt32(0x30067))
                runner.cpu.pointee.cr3 = 0x20000
                runner.cpu.pointee.cr0 |= CR0.pg
                runner.cpu.flushTLB(keepingGlobal: false)
            }
        }

        /// An instruction that goes on beyond 4 GiB was executed, if the first page had been executed before.
        @Test func noInstructionGoesRoundTheEnd() throws {
            let pair = try NativePair()
            mapLastPage(pair)
            pair.start([0xE9, 0xFB, 0xFF, 0xFE, 0xFF]) { _ in }  // jmp to 0
            for runner in pair.runners {
                runner.memory.write(0, bytes: [0xE9, 0xF9, 0xFF, 0xFF, 0xFF])  // jmp to -2
                runner.memory.write(0x30FFE, bytes: [0xB8, 0x01])  // mov eax, the jump's first bytes and 1
            }
            #expect(pair.run() == [])
            #expect(pair.native.faultVector == UInt32(Vector.generalProtection))
            #expect(pair.native.cpu.pointee.eax == 0)
        }

        /// Where code was written, the verifier's collections shrank and grew in between two of the guest's instructions,
        /// and inexactly.
        @Test func theGuestsMXCSRIsItsOwnWhenCodeIsWritten() throws {
            let pair = try NativePair()
            // mov ecx, 5000; again: inc dword [behind mov eax]; mov eax, 0; addps xmm0, xmm1; dec ecx; jnz again
            pair.start([
                0xB9, 0x88, 0x13, 0, 0, 0xFF, 0x05, 0x0C, 0, 1, 0, 0xB8, 0, 0, 0, 0, 0x0F, 0x58, 0xC1, 0x49, 0x75, 0xEF,
            ]) { $0.pointee.cr4 |= CR4.osfxsr }
            // Where slices end, instructions are interpreted behind those that were emitted.
            for count in 2...120 as ClosedRange<UInt64> { #expect(pair.run(count) == [], "\(count)") }
            #expect(pair.native.cpu.pointee.eax > 1000)
        }

        /// What CS was when the last x87 instruction was executed was looked up behind an exception, in its handler.
        @Test func anExceptionKeepsTheSelectorOfTheLastX87Instruction() throws {
            let pair = try NativePair()
            for runner in pair.runners {
                runner.memory.write(0x1018, UInt64(0x00CF_FB00_0000_FFFF))
                runner.memory.write(0x1020, UInt64(0x00CF_F300_0000_FFFF))
                runner.memory.write(0x5004, UInt32(0x7000))
                runner.memory.write(0x5008, UInt32(0x10))
                runner.cpu.pointee.gdtr.limit = 0x27
                runner.cpu.pointee.tr = Segment(selector: 0x28, low: 0x5000_0067, high: 0x0000_8B00)
            }
            // In ring 3: fninit; fld1; cli, which raises #GP. The handler is a HLT.
            pair.start([0xDB, 0xE3, 0xD9, 0xE8, 0xFA]) { cpu in
                cpu.pointee.cr4 |= CR4.osfxsr
                cpu.setSegment(.cs, Segment(selector: 0x1B, low: 0xFFFF, high: 0x00CF_FB00))
                for register in [SegmentRegister.ss, .ds, .es] {
                    cpu.setSegment(register, Segment(selector: 0x23, low: 0xFFFF, high: 0x00CF_F300))
                }
                cpu.pointee.cpl = 3
                cpu.selectTLB()
            }
            #expect(pair.run() == [])
            #expect(pair.native.faultVector == UInt32(Vector.generalProtection))
            #expect(pair.native.cpu.pointee.fpu.instructionSelector == 0x1B)
        }

        /// Pages that the guest clears once, and does not come back to, cost a call to the host's kernel each.
        @Test func aRepeatedInstructionMapsAPageTheSecondTime() throws {
            let pair = try NativePair()
            let window = pair.engine.spaces.current.view(isUser: false).window
            for round in 1...3 {
                pair.start([0xF3, 0xAB]) { ($0.pointee.ecx, $0.pointee.edi) = (16, 0x4_0000) }  // rep stosd
                #expect(pair.run() == [])
                #expect((window.mappingCount > 0) == (round > 1))
                #expect(pair.engine.cache.statistics.pointee.slowPaths == 1)
            }
        }

        /// An instruction that clears one page after the other, as a kernel's for new pages, is the monitor's: two thirds of
        /// the time of a guest that touched new pages were the host's exceptions. It is given back once the pages are old.
        @Test func whatKeepsComingToNewPagesIsTheMonitors() throws {
            let pair = try NativePair()
            func clear(_ page: UInt32) {
                pair.start([0xF3, 0xAB]) { ($0.pointee.ecx, $0.pointee.edi) = (1024, page << 12) }  // rep stosd
                #expect(pair.run() == [])
            }
            let faults = { pair.engine.cache.statistics.pointee.slowPaths }
            for page in 0x100..<0x180 as Range<UInt32> { clear(page) }
            #expect(faults() == 8)
            for _ in 0..<130 { clear(0x100) }
            #expect(faults() == 8)
            #expect(pair.engine.translator.faults.releases(CodeRunner.codeAddress) == 1)
            #expect(pair.engine.spaces.current.view(isUser: false).window.mappingCount > 0)
        }

        /// A page that the guest has just provided is in the window when the instruction is tried again.
        @Test func whatTheGuestProvidesDoesNotFaultAgain() throws {
            let pair = try NativePair(keepsTranslations: true)
            mapLastPage(pair)
            let pages: UInt32 = 7
            for runner in pair.runners {
                for page in 0x200..<0x200 + pages { runner.memory.write(0x21000 + page * 4, page << 12 | 0x66) }
                // The handler of page faults: add esp, 4; or dword [edx], 1; iret
                runner.memory.write(0x30E0, bytes: [0x83, 0xC4, 4, 0x83, 0x0A, 1, 0xCF])
            }
            // again: mov [ebx], eax; add ebx, 4096; add edx, 4; dec ecx; jnz again
            pair.start([0x89, 0x03, 0x81, 0xC3, 0, 0x10, 0, 0, 0x83, 0xC2, 4, 0x49, 0x75, 0xF2]) {
                ($0.pointee.ebx, $0.pointee.edx, $0.pointee.ecx) = (0x20_0000, 0x2_1800, pages)
            }
            #expect(pair.run() == [])
            #expect(pair.native.cpu.pointee.statistics.exceptions[Int(Vector.pageFault)] == UInt64(pages))
            // Twice as many faults would have made the store the monitor's.
            #expect(pair.engine.cache.statistics.pointee.blocksInvalidated == 0)
            #expect(pair.engine.translator.faults.recentFaults(CodeRunner.codeAddress) == pages)
        }

        /// What PUSHFD shows between CLI, STI and POPFD, and selectors, on the stack of both engines.
        @Test(
            arguments: [0x202, 0x2, 0xAD7, 0x246, 0x3202, 0x4_0202, 0x20_0202, 0x4202, 0x602, 0x1_0202, 0xFFC0_82AA]
                as [UInt32])
        func flagsAreThoseOfTheSharedSemantics(image: UInt32) throws {
            let pair = try NativePair()
            let bytes = (0..<4).map { UInt8(truncatingIfNeeded: image >> UInt32($0 * 8)) }
            let code: [UInt8] =
                [0x01, 0xC8, 0x9C, 0xFA, 0x9C, 0xFB, 0x90, 0x9C]  // add eax, ecx; pushfd; cli; pushfd; sti; nop; pushfd
                + [0x68] + bytes + [0x9D, 0x9C]  // push image; popfd; pushfd
                + [0xFA, 0x68] + bytes + [0x9D, 0x9C]  // cli; push image; popfd; pushfd
                + [0x8C, 0xD8, 0x8C, 0xCB, 0x06, 0x0E, 0x16, 0x1E, 0x0F, 0xA0]  // mov eax, ds; mov ebx, cs; push each
                + [0x68, 0x02, 0x02, 0, 0, 0x9D]  // DF and others as they were
            for (eax, ecx) in [(0, 0), (0x7FFF_FFFF, 1), (0xFFFF_FFFF, 1), (8, 8)] as [(UInt32, UInt32)] {
                pair.start(code) {
                    $0.pointee.eax = eax
                    $0.pointee.ecx = ecx
                }
                #expect(pair.run() == [], "\(eax) \(ecx)")
            }
        }

        /// Code that was rewritten again and again was reached by way of all its predecessors: ever longer chains of jumps.
        @Test func noJumpLeadsToStaleCode() throws {
            let emitted = try EmittedBlocks(running: "compute-smc")
            let cache = emitted.engine.cache
            var entries: [Int: Int] = [:]
            for number in 0..<cache.blockCount { entries[Int(cache.blocks[number].entry)] = number }
            var links = 0
            for number in 0..<cache.siteCount where cache.sites[number].kind == .link {
                let place = Int(cache.sites[number].place)
                let distance = UnsafeRawPointer(cache.arena.writable + place).loadUnaligned(as: Int32.self)
                guard let target = entries[place + 4 + Int(distance)] else { continue }
                links += 1
                #expect(!cache.blocks[target].isStale)
            }
            #expect(links > 10)
            #expect(cache.statistics.pointee.blocksInvalidated > 10)
        }

        /// Blocks began wherever the one before ended, which made the guest's calls take up to a third longer.
        @Test func blocksBeginNearTheStartOfACacheLine() throws {
            let cache = try EmittedBlocks(running: "compute-smc").engine.cache
            #expect(cache.blockCount > 100)
            for number in 0..<cache.blockCount {
                let entry = cache.blocks[number].entry
                #expect(entry % 64 <= 16)
                if number > 0 { #expect(entry >= cache.blocks[number - 1].end) }
            }
        }

        /// While the guest's state stayed in the x87 unit, the monitor cleared its exception flags whenever a block was
        /// emitted.
        @Test func x87FlagsOutliveAnEmission() throws {
            let pair = try NativePair()
            // fninit; fld1; fldz; fdivp: ZE; jmp to the next instruction, another block; fnstsw ax; ffreep st(0), twice
            pair.start([0xDB, 0xE3, 0xD9, 0xE8, 0xD9, 0xEE, 0xDE, 0xF9, 0xEB, 0x00, 0xDF, 0xE0, 0xDF, 0xC0]) {
                $0.pointee.cr4 |= CR4.osfxsr
            }
            #expect(pair.run() == [])
            #expect(pair.native.cpu.pointee.eax & 4 != 0)
        }

        /// FLDCW takes the state from the unit only if it unmasks an exception: it took a quarter of the time of an awk script.
        @Test(arguments: [0x037F, 0x0F7F, 0x0C3F, 0x1F7F, 0x037B, 0x0B40, 0x0000, 0xFFFF, 0xE0BF] as [UInt16])
        func aControlWordIsLoadedWhereTheStateIs(control: UInt16) throws {
            let pair = try NativePair()
            // fninit; fldpi; fld1; fldz; fdivp: ZE; fldcw [0x9000]; fld st(1); frndint; fistp dword [0x9010]; fnstcw [0x9020]
            // fdivrp; fldcw [0x9002]; fnstsw ax; fld1
            let code: [UInt8] = [
                0xDB, 0xE3, 0xD9, 0xEB, 0xD9, 0xE8, 0xD9, 0xEE, 0xDE, 0xF9, 0xD9, 0x2D, 0, 0x90, 0, 0, 0xD9, 0xC1, 0xD9,
                0xFC,
                0xDB, 0x1D, 0x10, 0x90, 0, 0, 0xD9, 0x3D, 0x20, 0x90, 0, 0, 0xDE, 0xF1, 0xD9, 0x2D, 2, 0x90, 0, 0,
                0xDF, 0xE0, 0xD9, 0xE8,
            ]
            for isExternal in [false, true] {
                for runner in pair.runners { runner.memory.write(0x9000, UInt32(control) | 0x037F << 16) }
                pair.start(code) {
                    $0.pointee.cr4 |= CR4.osfxsr
                    $0.pointee.cr0 = isExternal ? $0.pointee.cr0 & ~CR0.ne : $0.pointee.cr0 | CR0.ne
                }
                #expect(pair.run() == [])
                if control & 0x3F == 0x3F {
                    // Nothing leaves the blocks but FNINIT and, where they end, HLT.
                    let before = pair.engine.cache.statistics.pointee.entries
                    for runner in pair.runners {
                        runner.cpu.pointee.eip = CodeRunner.codeAddress
                        runner.cpu.setAttention(.halted, false)
                    }
                    #expect(pair.run() == [])
                    let entries = pair.engine.cache.statistics.pointee.entries - before
                    #expect(entries <= 2, "\(entries)")
                }
                let isPending = control & 4 == 0 && !isExternal
                #expect(pair.native.faultVector == (isPending ? UInt32(Vector.floatingPoint) : nil))
            }
        }

        /// What has faulted often is the monitor's, and no longer once it would not have faulted for a while. When it then
        /// had to fault twice as often each time before it was the monitor's again, code that writes code took eight times
        /// as long.
        @Test func whatNoLongerFaultsIsReleased() throws {
            let pair = try NativePair()
            let place = CodeRunner.codeAddress
            let code: [UInt8] = [0x89, 0x07, 0x49, 0x75, 0xFB]  // mov [edi], eax; dec ecx; jnz
            for round in 1...5 as ClosedRange<UInt8> {
                pair.start(code) { ($0.pointee.ecx, $0.pointee.edi) = (40, 0xF000_0000) }
                #expect(pair.run() == [])
                #expect(pair.engine.translator.faults.releases(place) == round - 1)
                pair.start(code) { ($0.pointee.ecx, $0.pointee.edi) = (100 << UInt32(round - 1), 0x8000) }
                #expect(pair.run() == [])
                #expect(pair.engine.translator.faults.releases(place) == round)
            }
        }

        /// A jump at the end of a loop, where a store had been that was the monitor's, went on in the unrolled loop's next round
        /// when it was not taken.
        @Test func aJumpThatIsTheMonitorsLeavesItsLoop() throws {
            let pair = try NativePair()
            // nop; nop; mov [edi], eax; dec ecx; jnz to the start
            pair.start([0x90, 0x90, 0x89, 0x07, 0x49, 0x75, 0xF9]) {
                ($0.pointee.ecx, $0.pointee.edi) = (40, 0xF000_0000)
            }
            #expect(pair.run() == [])
            for count in 1...40 as ClosedRange<UInt32> {
                // inc eax; dec ecx; jnz to the start
                pair.start([0x40, 0x49, 0x75, 0xFC]) { ($0.pointee.ecx, $0.pointee.eax) = (count, 0) }
                #expect(pair.run() == [])
                #expect(pair.native.cpu.pointee.eax == count)
            }
        }

        @Test func aTextbookRemembersNothing() throws {
            let runner = try CodeRunner()
            let decoder = try Decoder()
            _ = try Interpreter(cpu: runner.cpu, decoder: decoder, usesCache: true)
            #expect(decoder.remembers)
            _ = try Interpreter(cpu: runner.cpu, decoder: decoder, usesCache: false)
            #expect(!decoder.remembers)
        }
    }
#endif
