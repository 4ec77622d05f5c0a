#if arch(x86_64) && os(Linux)
    import X86

    /// The code round the blocks: the way in, and the one way out.
    struct NativeStubs {
        /// Offsets in the arena.
        let enter: Int
        let leave: Int
        /// Where host exceptions go on.
        let fault: Int
        let end: Int

        /// Registers the host's calling convention wants back (System V ABI, figure 3.4).
        private static let saved: [HostRegister] = [.rbp, .rbx, .r12, .r13, .r14, .r15]

        /// Emits both; `place` tells the offset of a field of `NativeContext` in the processor's state.
        init(_ host: inout HostAssembler, context: Int) {
            func place(_ field: PartialKeyPath<NativeContext>) -> Int {
                context + (MemoryLayout<NativeContext>.offset(of: field) ?? 0)
            }
            enter = host.offset
            for register in Self.saved { host.push(register) }
            host.move(.r13, .rdi, isWide: true)
            host.load(.r8, state: place(\.window), isWide: true)
            host.bytes(0xF3, 0x49, 0x0F, 0xAE, 0xD8)  // wrgsbase r8
            host.compareWithZero(state: place(\.hasUnits))
            let units = host.jump(if: Condition.equal.rawValue)
            host.load(.r8, state: place(\.unitsImage), isWide: true)
            host.bytes(0x41, 0x0F, 0xAE, 0x08)  // fxrstor [r8]
            host.patch(at: units, to: host.offset)
            host.load(.r15, state: place(\.jumpCache), isWide: true)
            host.load(.r14, state: place(\.budget), isWide: true)
            host.push(state: place(\.flags))
            host.byte(0x9D)  // popfq
            for number in 0..<8 as Range<UInt8> { host.load(HostRegister(guest: number), state: Int(number) * 4) }
            host.jump(state: place(\.entry))

            fault = host.offset
            host.move(.r8, immediate: NativeContext.fault)
            leave = host.offset
            for number in 0..<8 as Range<UInt8> { host.store(HostRegister(guest: number), state: Int(number) * 4) }
            host.store(.r14, state: place(\.budget), isWide: true)
            host.store(.r8, state: place(\.exit), isWide: true)
            host.byte(0x9C)  // pushfq
            host.pop(state: place(\.flags))
            host.compareWithZero(state: place(\.hasUnits))
            let noUnits = host.jump(if: Condition.equal.rawValue)
            host.load(.r8, state: place(\.unitsImage), isWide: true)
            host.bytes(0x41, 0x0F, 0xAE, 0x00)  // fxsave [r8]
            host.bytes(0xDB, 0xE3)  // fninit
            host.loadSSEControl(state: place(\.hostControl))
            host.patch(at: noUnits, to: host.offset)
            for register in Self.saved.reversed() { host.pop(register) }
            host.byte(0xC3)  // ret
            end = host.offset
        }
    }
#endif
