#if arch(x86_64) && os(Linux)
    import X86

    /// Emits sensitive instructions behind which a block cannot go on, because the mode may be another one or a stub does
    /// the rest: loads of FS and GS at CPL 0, or with null, and RDTSC. And one that is not sensitive, but not the guest's
    /// alone: FLDCW.
    ///
    /// ```
    /// mov fs:  is the selector null, or CPL 0 and the descriptor the one that FS was loaded from last?
    /// rdtsc:   is it allowed, and is the host's clock known?
    /// fldcw:   do all exceptions stay masked?
    /// ```
    /// Kernels have FS or GS for themselves and load it on every way in and out: null, and their own again.
    struct InlineEnding {
        private enum Kind {
            case load(NativeStubs.Extra)
            case readClock
            case loadControl
        }

        private let i: Instruction
        private let kind: Kind
        private let stubs: NativeStubs
        private let mode: NativeMode

        /// Nil if the instruction is not one of them.
        ///
        /// - Parameter isReachable: its memory operand can be loaded by emitted code.
        init?(_ i: Instruction, isReachable: Bool, _ mode: NativeMode, _ stubs: NativeStubs) {
            (self.i, self.stubs, self.mode) = (i, stubs, mode)
            switch i.operation {
            case .rdtsc: kind = .readClock
            case .fldcw:
                guard isReachable else { return nil }
                kind = .loadControl
            case .popSegment, .movSegment:
                guard i.changesOnlyDataSegment, let extra = NativeStubs.Extra(i.operands.0),
                    i.operation == .movSegment || i.operandSize == 4,
                    i.operation == .popSegment || i.operands.1.kind == .register || isReachable
                else { return nil }
                kind = .load(extra)
            default: return nil
            }
        }

        /// - Parameters:
        ///   - next: EIP behind it.
        ///   - loadSource: puts what is to be loaded into the low half of R8D.
        ///   - callOut: emits the way to the monitor.
        func emit(
            _ host: inout HostAssembler, next: UInt32, loadSource: (inout HostAssembler) -> Void,
            callOut: (inout HostAssembler) -> Void
        ) {
            switch kind {
            case .readClock:
                host.callOutUnlessZero(callOut, Self.emitMayReadClock)
                host.move(.r8, immediate: next)
                host.jump(to: stubs.readClock)
            case .loadControl:
                loadSource(&host)
                host.callOutUnlessZero(callOut, Self.emitMayLoadControl)
                host.move(.r9, .r8)
                host.move(.r8, immediate: next)
                host.jump(to: stubs.loadControl)
            case .load(let extra):
                loadSource(&host)
                host.bytes(0x45, 0x0F, 0xB7, 0xC0)  // movzx r8d, r8w
                let others = Self.emitJumpUnlessNull(&host)
                host.move(.r9, .r8)
                emitLoad(&host, next, stubs.loadNull(extra, wasOpen: mode.contains(extra.mode)))
                host.patch(at: others, to: host.offset)
                host.callOutUnlessLoaded(from: extra.descriptor, callOut)
                emitLoad(&host, next, stubs.load(extra, wasOpen: mode.contains(extra.mode)))
            }
        }

        private func emitLoad(_ host: inout HostAssembler, _ next: UInt32, _ stub: Int) {
            if i.operation == .popSegment { host.lea(.r12, .r12, 4) }
            host.move(.r8, immediate: next)
            host.jump(to: stub)
        }

        /// A jump for selectors in R8D other than null ones in protected mode; returns where its distance is.
        private static func emitJumpUnlessNull(_ host: inout HostAssembler) -> Int {
            host.move(.r10, .rcx)
            host.move(.r11, immediate: 2)
            host.bytes(0xC4, 0x42, 0x23, 0xF7, 0xC8)  // shrx r9d, r8d, r11d
            host.load(.r11, stateByte: ProcessorState.place(\.isProtected))
            host.lea(.r11, .r11, -1)
            host.addToRCX()
            let null = host.jumpIfZeroRCX()
            host.move(.rcx, .r10)
            let others = host.jump(to: host.offset)
            host.patchShort(at: null, to: host.offset)
            host.move(.rcx, .r10)
            return others
        }

        /// Puts zero into ECX if CPL is 0 or CR4.TSD clear, and the clock can be read.
        private static func emitMayReadClock(_ host: inout HostAssembler) {
            host.load(.r9, state: ProcessorState.place(\.cr4))
            host.move(.r11, immediate: CR4.tsd)
            host.extractBits(.r9, .r9, mask: .r11)
            host.bytes(0x47, 0x8D, 0x0C, 0x49)  // lea r9d, [r9 + r9*2]: 3 if it is set
            host.load(.r11, stateByte: ProcessorState.place(\.cpl))
            host.extractBits(.rcx, .r11, mask: .r9)
            host.load(.r9, state: ProcessorState.place(\.native.clock.isMissing))
            host.bytes(0x42, 0x8D, 0x0C, 0x09)  // lea ecx, [rcx + r9]
        }

        /// Puts zero into ECX if R8D masks all exceptions.
        private static func emitMayLoadControl(_ host: inout HostAssembler) {
            host.move(.r9, immediate: UInt32(X87Status.exceptions))
            host.extractBits(.r11, .r8, mask: .r9)
            host.bytes(0x41, 0xF7, 0xD3)  // not r11d
            host.lea(.rcx, .r11, Int32(X87Status.exceptions) + 1)
        }
    }

    extension NativeStubs {
        /// FS or GS: the registers that may be more than flat, or less.
        enum Extra: Int, CaseIterable {
            case fs, gs

            init?(_ operand: Operand) {
                switch SegmentRegister(rawValue: operand.register) {
                case .fs: self = .fs
                case .gs: self = .gs
                default: return nil
                }
            }

            /// Its bit of the mode, and what it is where.
            var mode: NativeMode { self == .fs ? .openFS : .openGS }

            fileprivate var descriptor: Int {
                ProcessorState.place(self == .fs ? \.native.descriptors.fs : \.native.descriptors.gs)
            }

            fileprivate var segment: Int { ProcessorState.place(self == .fs ? \.fs : \.gs) }

            fileprivate var openSegment: Int {
                ProcessorState.place(self == .fs ? \.native.openSegments.fs : \.native.openSegments.gs)
            }
        }

        /// Emits the load of a register, with the segment taken down last, or with a null selector in R9D, and what follows of
        /// it for the mode; the target is in R8D.
        static func emitLoad(_ extra: Extra, isNull: Bool, wasOpen: Bool, _ host: inout HostAssembler) {
            if isNull {
                host.store(.r9, state: extra.segment)
                for offset in stride(from: 4, to: MemoryLayout<Segment>.size, by: 4) {
                    host.store(immediate: 0, state: extra.segment + offset)
                }
            } else {
                host.copySegment(extra.openSegment, to: extra.segment)
            }
            guard isNull == wasOpen else { return }
            // The jump caches of an address space lie in the order of their modes.
            let distance = Int(extra.mode.rawValue) * JumpCache.size
            host.move(.r11, wideImmediate: isNull ? -distance : distance)
            host.bytes(0x4F, 0x8D, 0x3C, 0x1F)  // lea r15, [r15 + r11]
            host.store(.r15, state: ProcessorState.place(\.native.jumpCache), isWide: true)
            host.load(.r9, state: ProcessorState.place(\.native.otherJumpCache), isWide: true)
            host.bytes(0x4F, 0x8D, 0x0C, 0x19)  // lea r9, [r9 + r11]
            host.store(.r9, state: ProcessorState.place(\.native.otherJumpCache), isWide: true)
            // Whoever called did so in the other mode.
            host.load(.rsp, state: ProcessorState.place(\.native.calls.base), isWide: true)
        }
    }
#endif
