#if arch(x86_64) && os(Linux)
    import Testing
    import X86

    @testable import Ring3

    /// What emitted code does of sensitive and of counting instructions, beside the interpreter.
    @Suite(.enabled(if: NativeEngine.isSupported)) struct InlineSensitiveTests {
        /// LOOP, LOOPE, LOOPNE and JECXZ, back as a loop, which is unrolled, and on.
        @Test(arguments: [0xE0, 0xE1, 0xE2, 0xE3] as [UInt8])
        func countedJumpsAreTheInterpreters(opcode: UInt8) throws {
            let pair = try NativePair()
            for count in [0, 1, 2, 3, 47, 48, 49, 100, 0xFFFF_FFFF] as [UInt32] {
                for value in [0, 1, 5, 40] as [UInt32] {
                    for code in [
                        [0x40, 0x39, 0xD8, opcode, 0xFB],  // inc eax; cmp eax, ebx; back
                        [0x39, 0xD8, opcode, 1, 0x42, 0x46],  // cmp eax, ebx; on, across inc edx; inc esi
                        [0x39, 0xD8, 0x67, opcode, 1, 0x42, 0x46],  // the same with CX
                        [0xD3, 0xE0, opcode, 1, 0x42, 0x9C],  // shl eax, cl; on, across inc edx; pushfd
                    ] as [[UInt8]] {
                        pair.start(code) {
                            ($0.pointee.eax, $0.pointee.ebx, $0.pointee.ecx) = (0, value, count)
                            $0.pointee.esp = CodeRunner.stackTop
                        }
                        try #require(pair.run(500) == [], "\(code) \(count) \(value)")
                    }
                }
            }
        }

        /// Descriptors at `gdt`: flat code at 8, flat data for CPL 3 at 0x10 and, with another base, at 0x18.
        private static let gdt: UInt32 = 0x5000
        private static func prepareTable(_ runner: CodeRunner) {
            runner.memory.write(gdt + 8, UInt64(0x00CF_9B00_0000_FFFF))
            runner.memory.write(gdt + 0x10, UInt64(0x00CF_F300_0000_FFFF))
            runner.memory.write(gdt + 0x18, UInt64(0x00CF_F300_1000_FFFF))
            runner.cpu.pointee.gdtr = DescriptorTable(base: gdt, limit: 0x1F)
        }

        /// A segment that is loaded again is what its descriptor says now: the loop changes that on the way.
        @Test(
            arguments: [
                [0xC7, 0x05, 0x10, 0x50, 0, 0, 0xFF, 0xFF, 0, 0x20],  // mov dword [descriptor], base 0x2000
                [0xC7, 0x05, 0x14, 0x50, 0, 0, 0, 0x73, 0xCF, 0],  // mov dword [descriptor + 4], not present
                [0xC7, 0x05, 0x14, 0x50, 0, 0, 0, 0xF1, 0xCF, 0],  // ..., read only
                [0xC7, 0x05, 0x14, 0x50, 0, 0, 0, 0xF2, 0xCF, 0],  // ..., not accessed
                [0xB9, 0x1B, 0, 0, 0],  // mov ecx, the other selector
                [0xB9, 0x10, 0, 0, 0],  // mov ecx, the same with another RPL
                [0xB9, 0, 0, 0, 0],  // mov ecx, null
                [0x0F, 0x01, 0x15, 0, 0x40, 0, 0],  // lgdt [0x4000]: nothing in it
            ] as [[UInt8]])
        func aReloadedSegmentIsWhatItsDescriptorSays(change: [UInt8]) throws {
            for load in [[0x8E, 0xD9], [0x8E, 0xC1], [0x51, 0x1F], [0x51, 0x0F, 0xA9]] as [[UInt8]] {
                let pair = try NativePair()
                for runner in pair.runners { Self.prepareTable(runner) }
                // again: load; mov eax, es:[ebx]; dec edx; jnz again; change; load
                let body = load + [0x26, 0x8B, 0x03, 0x4A]
                let code = body + [0x75, UInt8(bitPattern: -Int8(body.count + 2))] + change + load + [0x8B, 0x03]
                pair.start(code) {
                    ($0.pointee.ecx, $0.pointee.edx, $0.pointee.ebx) = (0x13, 40, 0x20000)
                    $0.pointee.esp = CodeRunner.stackTop
                }
                #expect(pair.run(400) == [], "\(load)")
                #expect(pair.native.cpu.pointee.edx == 0)
            }
        }

        /// At CPL 3, a descriptor that only the supervisor may read was looked at with the user's rights: no fault of the
        /// guest's, but it was left in CR2.
        @Test func aLoadOfASupervisorsDescriptorLeavesCR2Alone() throws {
            let pair = try NativePair()
            for runner in pair.runners {
                Self.prepareTable(runner)
                runner.memory.write(0x2_0000, UInt32(0x2_1007))
                for page in 0..<0x400 as Range<UInt32> {
                    runner.memory.write(0x2_1000 + page * 4, page << 12 | (page == Self.gdt >> 12 ? 3 : 7))
                }
            }
            pair.start([0x8E, 0xD9, 0x8E, 0xD9, 0x8E, 0xD9]) { cpu in  // mov ds, ecx, three times
                (cpu.pointee.ecx, cpu.pointee.cr2, cpu.pointee.cr3) = (0x13, 0x1234_5678, 0x2_0000)
                cpu.pointee.cr0 |= CR0.pg
                cpu.setCPL(3)
                cpu.flushTLB(keepingGlobal: false)
            }
            #expect(pair.run(3) == [])
            #expect(pair.native.cpu.pointee.cr2 == 0x1234_5678)
        }

        /// What changes what a load means makes the engine forget what it knows of the last one.
        @Test func loadsAreRememberedAsLongAsTheyHold() throws {
            let pair = try NativePair()
            for runner in pair.runners { Self.prepareTable(runner) }
            let cpu = pair.native.cpu
            var known: LoadedDescriptors { cpu.pointee.native.descriptors }
            pair.start([0x8E, 0xD9, 0x8E, 0xE1]) { $0.pointee.ecx = 0x13 }  // mov ds, ecx; mov fs, ecx
            #expect(pair.run(2) == [])
            #expect(known.ds.selector == 0x13 && known.ds.address == Self.gdt + 0x10)
            #expect(known.fs.selector == 0x13 && known.fs.high == 0x00CF_F300)
            cpu.setSegment(.ds, cpu.pointee.es)
            #expect(known.ds.selector == LoadedDescriptor.none)
            // What FS was loaded from may be loaded again, wherever it is now.
            cpu.setSegment(.fs, cpu.pointee.es)
            #expect(known.fs.selector == 0x13)
            cpu.forgetDescriptors()
            #expect(known.fs.selector == LoadedDescriptor.none)
            // Another privilege level may not load what CPL 0 did.
            cpu.setCPL(3)
            cpu.noteDescriptor(of: .fs)
            #expect(known.fs.selector == LoadedDescriptor.none)
        }

        /// CR0.TS, alone and with other bits, at CPL 0 and 3, while the guest's x87 state is in the unit and while it is not.
        @Test(arguments: [0, 3] as [UInt8], [false, true])
        func taskSwitchedIsTheInterpreters(cpl: UInt8, hasUnits: Bool) throws {
            let pair = try NativePair()
            let toggles: [[UInt8]] = [
                [0x0F, 0x06], [0x83, 0xF0, 8, 0x0F, 0x22, 0xC0],  // clts; xor eax, TS; mov cr0, eax
                [0x83, 0xF0, 0x0C, 0x0F, 0x22, 0xC0],  // xor eax, TS | EM; mov cr0, eax
                [0x0F, 0x20, 0xC3, 0x80, 0xCF, 0x80, 0x0F, 0x22, 0xC3],  // mov ebx, cr0; or bh, 0x80; mov cr0, ebx
            ]
            for first in toggles {
                for second in toggles {
                    let start: [UInt8] = (hasUnits ? [0xD9, 0xE8] : []) + [0x39, 0xC8]  // fld1; cmp eax, ecx
                    // inc eax; pushfd; mov edx, cr0; fld1
                    let rest: [UInt8] = [0x40, 0x9C, 0x0F, 0x20, 0xC2, 0xD9, 0xE8]
                    pair.start(start + first + second + rest) { cpu in
                        cpu.pointee.cr4 |= CR4.osfxsr
                        cpu.pointee.cr0 = cpu.pointee.cr0 & ~(CR0.ts | CR0.em) | CR0.ne
                        (cpu.pointee.eax, cpu.pointee.esp) = (cpu.pointee.cr0, CodeRunner.stackTop)
                        cpu.setCPL(cpl)
                    }
                    for count in [2, 1, 3, 20] as [UInt64] {
                        try #require(pair.run(cpl == 3 ? 4 : count) == [], "\(first) \(second)")
                        if cpl == 3 { break }
                    }
                }
            }
        }

        /// From CPL 0 to 3 by SYSEXIT and back, and what may be different on the way: x87 instructions, whose place has to be
        /// noted, AC with CR0.AM, a null IA32_SYSENTER_CS.
        @Test(
            arguments: [
                [0x90], [0xD9, 0xE8], [0xD9, 0x03],  // nop; fld1; fld [ebx]
                [0x68, 0x02, 0x02, 0x04, 0, 0x9D],  // push eflags | AC | IF; popfd
                [0x9C, 0x58],  // pushfd; pop eax
            ] as [[UInt8]], [(0x8, 0), (0xB, CR0.am), (0, 0)] as [(UInt32, UInt32)])
        func systemCallsAreTheInterpreters(onTheWay: [UInt8], how: (code: UInt32, cr0: UInt32)) throws {
            let pair = try NativePair()
            let user = CodeRunner.codeAddress + 0x100
            let userBytes: [UInt8] =
                onTheWay + [0xBA] + Self.bytes(user)  // mov edx, user
                + [0x8D, 0x4C, 0x24, 0x40, 0x0F, 0x34]  // lea ecx, [esp + 64]; sysenter
            for runner in pair.runners {
                runner.memory.write(user, bytes: userBytes)
                runner.cpu.pointee.sysenterCS = how.code
                runner.cpu.pointee.sysenterESP = CodeRunner.stackTop
                runner.cpu.pointee.sysenterEIP = CodeRunner.codeAddress
            }
            // onTheWay; inc esi; pushfd; sysexit
            pair.start(onTheWay + [0x46, 0x9C, 0x0F, 0x35]) {
                ($0.pointee.edx, $0.pointee.ecx, $0.pointee.ebx) = (user, 0x70000, 0x20000)
                $0.pointee.esp = CodeRunner.stackTop
                $0.pointee.cr0 |= how.cr0
                $0.pointee.cr4 |= CR4.osfxsr
            }
            for count in [1, 7, 100, 333, 1000] as [UInt64] { #expect(pair.run(count) == []) }
            guard how.code != 0 else { return }
            #expect(pair.native.cpu.pointee.esi > 5)
            // The monitor enters emitted code where it has made a block or ended a slice, and not at each of the calls.
            if onTheWay == [0x90] { #expect(pair.engine.cache.statistics.pointee.entries < 20) }
        }

        private static func bytes(_ value: UInt32) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32($0 * 8)) }
        }
    }
#endif
