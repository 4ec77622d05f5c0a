#if arch(x86_64) && os(Linux)
    import X86

    /// The code round the blocks: the way in, the one way out, the search for a block at a return, fast system calls, and
    /// the rest of what `InlineEnding` emits.
    struct NativeStubs {
        /// Offsets in the arena.
        let enter: Int
        let leave: Int
        /// Goes on at the address in R8D.
        let lookup: Int
        /// Leaves for the address in R8D, for which there is no block in the jump cache.
        let missing: Int
        /// SYSENTER and SYSEXIT, or, where these need the monitor, the way out by the site in R8D.
        let enterSystem: Int
        let leaveSystem: Int
        /// RDTSC; goes on at the address in R8D.
        let readClock: Int
        /// FLDCW of the word in R9D, while the guest's state is in the unit; goes on at the address in R8D.
        let loadControl: Int
        private var loads: [Int] = []
        /// Where the address at the bottom of the `CallStack` leads.
        let bottom: Int
        /// Where host exceptions go on.
        let fault: Int
        /// A function that stores an FXSAVE image at its argument, and puts the x87 unit in order again for the monitor.
        let takeX87: Int
        let end: Int

        /// Loads FS or GS and goes on at the address in R8D: a null selector, in R9D, or the segment noted last.
        func load(_ extra: Extra, wasOpen: Bool) -> Int { loads[extra.rawValue * 4 + (wasOpen ? 1 : 0)] }
        func loadNull(_ extra: Extra, wasOpen: Bool) -> Int { loads[extra.rawValue * 4 + (wasOpen ? 3 : 2)] }

        /// All that go on at the address in R8D, and what they rely on.
        var continuations: [Int: EmittedCodeLayout.Condition] {
            var all: [Int: EmittedCodeLayout.Condition] = [lookup: .none, readClock: .none, loadControl: .hasUnits]
            for extra in Extra.allCases {
                for stub in [load(extra, wasOpen: true), loadNull(extra, wasOpen: true)] {
                    all[stub] = .has(extra.mode)
                }
                for stub in [load(extra, wasOpen: false), loadNull(extra, wasOpen: false)] {
                    all[stub] = .lacks(extra.mode)
                }
            }
            return all
        }

        /// Registers the host's calling convention wants back (System V ABI, figure 3.4).
        private static let saved: [HostRegister] = [.rbp, .rbx, .r12, .r13, .r14, .r15]

        /// Emits them.
        init(_ host: inout HostAssembler) {
            enter = host.offset
            for register in Self.saved { host.push(register) }
            host.move(.r13, .rdi, isWide: true)
            host.load(.r8, state: ProcessorState.place(\.native.window), isWide: true)
            // Writing it takes ten times as long as reading.
            host.bytes(0xF3, 0x49, 0x0F, 0xAE, 0xC9)  // rdgsbase r9
            host.bytes(0x4D, 0x39, 0xC1)  // cmp r9, r8
            let isThere = host.jump(if: Condition.equal.rawValue)
            host.bytes(0xF3, 0x49, 0x0F, 0xAE, 0xD8)  // wrgsbase r8
            host.patch(at: isThere, to: host.offset)
            host.compareWithZero(state: ProcessorState.place(\.native.lacksUnits))
            let units = host.jump(if: Condition.notEqual.rawValue)
            host.load(.r8, state: ProcessorState.place(\.native.unitsImage), isWide: true)
            host.compareWithZero(state: ProcessorState.place(\.native.isX87Loaded))
            let x87 = host.jump(if: Condition.notEqual.rawValue)
            host.bytes(0x41, 0x0F, 0xAE, 0x08)  // fxrstor [r8]
            host.store(immediate: 1, state: ProcessorState.place(\.native.isX87Loaded))
            host.patch(at: x87, to: host.offset)
            for number in 0..<8 as Range<UInt8> {
                host.bytes(0x41, 0x0F, 0x28, 0x80 | number << 3)  // movaps xmm, [r8 + place]
                host.dword(UInt32(GuestUnits.Place.xmm) + UInt32(number) * 16)
            }
            host.bytes(0x41, 0x0F, 0xAE, 0x50, UInt8(GuestUnits.Place.mxcsr))  // ldmxcsr [r8 + place]
            host.patch(at: units, to: host.offset)
            host.load(.r15, state: ProcessorState.place(\.native.jumpCache), isWide: true)
            host.load(.r14, state: ProcessorState.place(\.native.budget), isWide: true)
            host.store(.rsp, state: ProcessorState.place(\.native.hostStack), isWide: true)
            host.load(.rsp, state: ProcessorState.place(\.native.calls.stack), isWide: true)
            // POPFQ takes eight times as long.
            host.load(.rax, state: ProcessorState.place(\.native.flags))
            host.move(.rcx, .rax)
            host.bytes(0xC1, 0xE9, 0x0B)  // shr ecx, 11
            host.bytes(0x80, 0xE1, 0x01)  // and cl, 1: OF
            host.bytes(0x88, 0xC4)  // mov ah, al
            host.bytes(0x80, 0xC1, 0x7F)  // add cl, 127: overflows if it was 1
            host.byte(0x9E)  // sahf
            for number in 0..<8 as Range<UInt8> { host.load(HostRegister(guest: number), state: Int(number) * 4) }
            host.jump(state: ProcessorState.place(\.native.entry))

            fault = host.offset
            host.store(.r10, state: ProcessorState.place(\.native.repeatCount), isWide: true)
            host.move(.r8, immediate: NativeContext.fault)
            leave = host.offset
            for number in 0..<8 as Range<UInt8> { host.store(HostRegister(guest: number), state: Int(number) * 4) }
            host.store(.rsp, state: ProcessorState.place(\.native.calls.stack), isWide: true)
            host.load(.rsp, state: ProcessorState.place(\.native.hostStack), isWide: true)
            host.store(.r14, state: ProcessorState.place(\.native.budget), isWide: true)
            host.store(.r8, state: ProcessorState.place(\.native.exit), isWide: true)
            host.byte(0x9F)  // lahf
            host.bytes(0x0F, 0x90, 0xC0)  // seto al
            host.bytes(0x0F, 0xB6, 0xCC)  // movzx ecx, ah
            host.bytes(0x0F, 0xB6, 0xC0)  // movzx eax, al
            host.bytes(0xC1, 0xE0, 0x0B)  // shl eax, 11: OF
            host.bytes(0x09, 0xC8)  // or eax, ecx
            host.store(.rax, state: ProcessorState.place(\.native.flags), isWide: true)
            host.compareWithZero(state: ProcessorState.place(\.native.lacksUnits))
            let noUnits = host.jump(if: Condition.notEqual.rawValue)
            host.load(.r8, state: ProcessorState.place(\.native.unitsImage), isWide: true)
            for number in 0..<8 as Range<UInt8> {
                host.bytes(0x41, 0x0F, 0x29, 0x80 | number << 3)  // movaps [r8 + place], xmm
                host.dword(UInt32(GuestUnits.Place.xmm) + UInt32(number) * 16)
            }
            host.bytes(0x41, 0x0F, 0xAE, 0x58, UInt8(GuestUnits.Place.mxcsr))  // stmxcsr [r8 + place]
            host.loadSSEControl(state: ProcessorState.place(\.native.hostControl))
            host.patch(at: noUnits, to: host.offset)
            for register in Self.saved.reversed() { host.pop(register) }
            host.byte(0xC3)  // ret

            takeX87 = host.offset
            host.bytes(0x0F, 0xAE, 0x07)  // fxsave [rdi]
            host.bytes(0xDB, 0xE3)  // fninit
            host.byte(0xC3)  // ret

            lookup = host.offset
            // What the guest has returned to may be more than a word to the verifier.
            host.move(.r8, .r8)
            JumpCacheLookup.emitJump(&host, isCall: false)
            missing = host.offset
            host.store(.r8, state: ProcessorState.place(\.eip))
            host.move(.r8, immediate: NativeContext.miss)
            host.jump(to: leave)

            bottom = host.offset
            // It stays there: the guest may return once more.
            host.bytes(0x48, 0x8D, 0x64, 0x24, 0xF8)  // lea rsp, [rsp - 8]
            host.jump(to: self.lookup)

            enterSystem = host.offset
            SystemCallStub.enter(&host, leave: leave)
            host.jump(to: self.lookup)
            leaveSystem = host.offset
            SystemCallStub.leave(&host, leave: leave)
            host.jump(to: self.lookup)

            for extra in Extra.allCases {
                for isNull in [false, true] {
                    for wasOpen in [false, true] {
                        loads.append(host.offset)
                        Self.emitLoad(extra, isNull: isNull, wasOpen: wasOpen, &host)
                        host.jump(to: self.lookup)
                    }
                }
            }
            readClock = host.offset
            Self.emitReadClock(&host)
            host.jump(to: self.lookup)
            loadControl = host.offset
            // Whoever comes here: nothing is ever unmasked.
            host.keepBits(.r9, UInt32(UInt16.max & ~X87Status.exceptions), by: .r11)
            host.lea(.r9, .r9, Int32(X87Status.exceptions))
            host.store(.r9, state: ProcessorState.place(\.native.x87Control))
            host.loadX87Control(state: ProcessorState.place(\.native.x87Control))
            host.jump(to: self.lookup)
            end = host.offset
        }

        /// RDTSC by the `HostClock`.
        private static func emitReadClock(_ host: inout HostAssembler) {
            host.move(.r11, .r8)
            host.bytes(0x0F, 0x31)  // rdtsc
            host.move(.r9, immediate: 32)
            host.bytes(0xC4, 0xE2, 0xB1, 0xF7, 0xD2)  // shlx rdx, rdx, r9
            host.bytes(0x48, 0x8D, 0x04, 0x10)  // lea rax, [rax + rdx]
            host.load(.r9, state: ProcessorState.place(\.native.clock.negatedTicks), isWide: true)
            host.bytes(0x4A, 0x8D, 0x14, 0x08)  // lea rdx, [rax + r9]
            host.load(.r9, state: ProcessorState.place(\.native.clock.scale), isWide: true)
            host.bytes(0xC4, 0x42, 0xB3, 0xF6, 0xC1)  // mulx r8, r9, r9: the upper half of rdx * r9
            host.load(.r9, state: ProcessorState.place(\.native.clock.base), isWide: true)
            host.bytes(0x4F, 0x8D, 0x04, 0x08)  // lea r8, [r8 + r9]
            host.store(.r8, state: ProcessorState.place(\.native.clock.last), isWide: true)
            host.load(.r9, state: ProcessorState.place(\.statistics.timestampReads), isWide: true)
            host.lea(.r9, .r9, 1, isWide: true)
            host.store(.r9, state: ProcessorState.place(\.statistics.timestampReads), isWide: true)
            host.load(.r9, state: ProcessorState.place(\.timestampOffset), isWide: true)
            host.bytes(0x4F, 0x8D, 0x04, 0x08)  // lea r8, [r8 + r9]
            host.move(.rax, .r8)
            host.move(.r9, immediate: 32)
            host.bytes(0xC4, 0xC2, 0xB3, 0xF7, 0xD0)  // shrx rdx, r8, r9
            host.move(.r8, .r11)
        }
    }
#endif
