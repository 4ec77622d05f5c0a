#if arch(x86_64) && os(Linux)
    import X86

    /// Emits SYSENTER from CPL 3 and SYSEXIT: what `Processor.sysenter` and `sysexit` do, and the change to the other
    /// privilege level's window, jump cache and part of the `CallStack`, with the target in R8D at the end.
    ///
    /// Flags stay: conditions are sums of what has to be zero, in RCX, and JRCXZ knows.
    enum SystemCallStub {
        /// SYSENTER.
        static func enter(_ host: inout HostAssembler, leave: Int) {
            host.move(.r10, .rcx)
            host.load(.r9, stateByte: place(\.cpl))
            host.lea(.rcx, .r9, -3)
            check(&host, leave: leave)
            host.copySegment(place(\.systemCall.entered.cs), to: place(\.cs))
            host.copySegment(place(\.systemCall.entered.ss), to: place(\.ss))
            host.load(.r9, state: place(\.systemFlags))
            host.keepBits(.r9, ~(Flags.vm | Flags.if | Flags.rf), by: .r11)
            host.store(.r9, state: place(\.systemFlags))
            // What the user has called waits; the supervisor begins above.
            host.store(.rsp, state: place(\.native.calls.user), isWide: true)
            host.store(.r15, state: place(\.native.calls.userJumpCache), isWide: true)
            host.bytes(0x48, 0x8D, 0x64, 0x24, 0xF8)  // lea rsp, [rsp - 8]
            host.load(.r9, state: place(\.native.calls.last), isWide: true)
            host.bytes(0x4C, 0x89, 0x0C, 0x24)  // mov [rsp], r9
            host.store(.rsp, state: place(\.native.calls.base), isWide: true)
            changeView(cpl: 0, &host)
            host.load(.guestESP, state: place(\.sysenterESP))
            host.load(.r8, state: place(\.sysenterEIP))
            host.move(.rcx, .r10)
        }

        /// SYSEXIT.
        static func leave(_ host: inout HostAssembler, leave: Int) {
            host.move(.r10, .rcx)
            host.load(.rcx, stateByte: place(\.cpl))
            host.load(.r9, stateByte: place(\.isProtected))
            host.bytes(0x42, 0x8D, 0x4C, 0x09, 0xFF)  // lea ecx, [rcx + r9 - 1]
            // With AC set, alignment is checked at CPL 3 perhaps, where nothing is emitted then.
            host.load(.r9, state: place(\.systemFlags))
            host.move(.r11, immediate: Flags.ac)
            host.extractBits(.r9, .r9, mask: .r11)
            addR9ToRCX(&host)
            check(&host, leave: leave)
            host.copySegment(place(\.systemCall.left.cs), to: place(\.cs))
            host.copySegment(place(\.systemCall.left.ss), to: place(\.ss))
            changeView(cpl: 3, &host)
            // RSP stays below what the user has pushed until it is known: a handler's frame goes there.
            host.load(.r9, state: place(\.native.calls.userJumpCache), isWide: true)
            host.bytes(0x49, 0xF7, 0xD1)  // not r9
            host.bytes(0x4B, 0x8D, 0x4C, 0x0F, 0x01)  // lea rcx, [r15 + r9 + 1]
            let isSame = host.jumpIfZeroRCX()
            host.load(.rsp, state: place(\.native.calls.bottom), isWide: true)
            let other = host.jump(to: host.offset)
            host.patchShort(at: isSame, to: host.offset)
            host.load(.rsp, state: place(\.native.calls.user), isWide: true)
            host.patch(at: other, to: host.offset)
            host.load(.r9, state: place(\.native.calls.bottom), isWide: true)
            host.store(.r9, state: place(\.native.calls.base), isWide: true)
            host.move(.guestESP, .r10)
            host.move(.r8, .rdx)
            host.move(.rcx, .r10)
        }

        /// Leaves by the site in R8D unless RCX is zero, both instructions are allowed, and nothing is to be noted of the
        /// x87 unit before CS changes. R10D holds ECX.
        private static func check(_ host: inout HostAssembler, leave: Int) {
            host.load(.r9, state: place(\.systemCall.areMissing))
            addR9ToRCX(&host)
            for field in [place(\.native.lastX87), place(\.native.lastX87WithOperand)] {
                // All ones for none.
                host.load(.r9, state: field)
                host.bytes(0x41, 0xF7, 0xD1)  // not r9d
                addR9ToRCX(&host)
            }
            let passed = host.jumpIfZeroRCX()
            host.move(.rcx, .r10)
            host.jump(to: leave)
            host.patchShort(at: passed, to: host.offset)
        }

        private static func place(_ field: PartialKeyPath<ProcessorState>) -> Int { ProcessorState.place(field) }

        private static func addR9ToRCX(_ host: inout HostAssembler) {
            host.bytes(0x4A, 0x8D, 0x0C, 0x09)  // lea rcx, [rcx + r9]
        }

        /// As `Processor.setCPL`, and the view with it. D and B of CS and SS stay set: code is flat before and after.
        private static func changeView(cpl: UInt8, _ host: inout HostAssembler) {
            host.store(immediateByte: cpl, state: place(\.cpl))
            host.store(immediate: 0, state: place(\.fetch.count))
            host.store(immediate: DataRegion.none, state: place(\.native.dataRegion.key))
            host.load(.r9, state: place(\.tlbBanks), isWide: true)
            if cpl == 3 {
                host.lea(.r9, .r9, Int32(TLB.entries * MemoryLayout<TLBEntry>.stride), isWide: true)
            }
            host.store(.r9, state: place(\.tlb), isWide: true)
            host.load(.r9, state: place(\.native.otherWindow), isWide: true)
            host.load(.r11, state: place(\.native.window), isWide: true)
            host.store(.r9, state: place(\.native.window), isWide: true)
            host.store(.r11, state: place(\.native.otherWindow), isWide: true)
            host.bytes(0xF3, 0x49, 0x0F, 0xAE, 0xD9)  // wrgsbase r9
            host.load(.r9, state: place(\.native.otherJumpCache), isWide: true)
            host.store(.r15, state: place(\.native.otherJumpCache), isWide: true)
            host.store(.r9, state: place(\.native.jumpCache), isWide: true)
            host.move(.r15, .r9, isWide: true)
        }
    }
#endif
