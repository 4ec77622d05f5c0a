#if arch(x86_64) && os(Linux)
    import X86

    /// Emits the frequent and cheap sensitive instructions as what the monitor would do, on the processor's state, instead
    /// of a callout to it, which takes as long as some hundred instructions.
    ///
    /// ```
    /// pushfd:  [sys] + the host's flags, to the stack     popfd:  is this CPL 0, is no interrupt waiting, and do none
    /// cli:     is this CPL 0? clears IF in [sys]                  but IF and the status flags change?
    /// mov ds:  was DS loaded from there, and is the descriptor what it was then? then nothing changes
    /// verw:    was that writable the last time, and is the descriptor what it was then?
    /// mov cr0: is this CPL 0, is the x87 and SSE state the monitor's, and does nothing but TS change? so CLTS
    /// ```
    /// Where the answer is no, they are callouts after all. While emitted code runs, EFLAGS.TF, RF and VM are clear.
    struct InlineSensitive {
        private let i: Instruction

        /// Nil if the instruction is not one of them.
        ///
        /// - Parameters:
        ///   - isLast: no other instruction follows in the block. Behind STI, interrupts are held off until after the next
        ///     instruction, and blocks are where they are let in.
        ///   - isReachable: its memory operand can be loaded by emitted code, if its segment is not CS.
        init?(_ i: Instruction, isLast: Bool, isReachable: Bool) {
            self.i = i
            switch i.operation {
            case .cli: break
            case .sti: guard !isLast else { return nil }
            case .pushf, .popf: guard i.operandSize == 4 else { return nil }
            case .clts: break
            case .movControl:
                guard i.operands.0.kind == .control, i.operands.0.register == 0 else { return nil }
            case .pushSegment: guard i.operandSize == 4, i.operands.0.kind == .segment else { return nil }
            case .popSegment: guard i.operandSize == 4, i.reloadsFlatSegment else { return nil }
            case .movSegment where i.changesOnlyDataSegment:
                guard i.reloadsFlatSegment, i.operands.1.kind == .register || isReachable else { return nil }
            case .verw:
                guard i.operands.0.kind == .register || isReachable || i.readsFlatCode else { return nil }
            case .movSegment:
                guard i.operandSize == 4, i.operands.0.kind == .register, i.operands.1.kind == .segment else {
                    return nil
                }
            default: return nil
            }
        }

        /// - Parameters:
        ///   - loadSource: puts the selector that is the source into the low half of R8D.
        ///   - callOut: emits the way to the monitor.
        func emit(
            _ host: inout HostAssembler, loadSource: (inout HostAssembler) -> Void,
            callOut: (inout HostAssembler) -> Void
        ) {
            switch i.operation {
            case .cli:
                host.callOutUnlessZero(callOut) { $0.load(.rcx, stateByte: Places.cpl) }
                emitSystemFlags(.r8, keeping: ~Flags.if, &host)
                host.store(.r8, state: Places.systemFlags)
            case .sti:
                host.callOutUnlessZero(callOut, Self.emitMayInterrupt)
                emitSystemFlags(.r8, keeping: ~Flags.if, &host)
                host.lea(.r8, .r8, Int32(Flags.if))
                host.store(.r8, state: Places.systemFlags)
            case .clts:
                host.load(.r8, state: Places.cr0)
                host.keepBits(.r8, ~CR0.ts, by: .r9)
                emitTaskSwitched(&host, callOut: callOut)
            case .movControl:
                host.move(.r8, HostRegister(guest: i.operands.1.register >> 2))
                emitTaskSwitched(&host, callOut: callOut)
            case .pushf: emitPushFlags(&host)
            case .popf: emitPopFlags(&host, callOut: callOut)
            case .pushSegment:
                host.load(.r8, stateWord: Places.selector(i.operands.0))
                // The upper half of the stack's word stays as it is.
                host.storeStackWord(.r8, -4)
                host.lea(.r12, .r12, -4)
            case .popSegment:
                loadSource(&host)
                emitReload(&host, callOut: callOut)
                host.lea(.r12, .r12, 4)
            case .movSegment where i.changesOnlyDataSegment:
                loadSource(&host)
                emitReload(&host, callOut: callOut)
            case .verw:
                if i.readsFlatCode { host.callOutUnlessZero(callOut, Self.emitIsCodeReadable) }
                loadSource(&host)
                emitVerify(&host, callOut: callOut)
            default:
                host.load(HostRegister(guest: i.operands.0.register >> 2), stateWord: Places.selector(i.operands.1))
            }
        }

        /// Makes R8D the new CR0 if it differs in TS alone.
        private func emitTaskSwitched(_ host: inout HostAssembler, callOut: (inout HostAssembler) -> Void) {
            host.callOutUnlessZero(callOut) { Self.emitDifference(from: Places.cr0, in: ~CR0.ts, &$0) }
            host.callOutUnlessZero(callOut) { host in
                host.load(.rcx, state: Places.lacksUnits)
                host.lea(.r9, .rcx, -1)
                host.load(.rcx, stateByte: Places.cpl)
                host.bytes(0x41, 0x8D, 0x0C, 0x89)  // lea ecx, [r9 + rcx*4]
            }
            host.store(.r8, state: Places.cr0)
        }

        /// Puts zero into ECX if R8D is what is at `place`, as far as those bits go. Uses R11.
        private static func emitDifference(from place: Int, in mask: UInt32, _ host: inout HostAssembler) {
            host.move(.r9, immediate: mask)
            host.extractBits(.r11, .r8, mask: .r9)
            host.load(.rcx, state: place)
            host.extractBits(.rcx, .rcx, mask: .r9)
            host.bytes(0x41, 0xF7, 0xD3)  // not r11d
            host.bytes(0x42, 0x8D, 0x4C, 0x19, 0x01)  // lea ecx, [rcx + r11 + 1]
        }

        /// Puts zero into ECX at CPL 0 while no interrupt is waiting to be let in.
        private static func emitMayInterrupt(_ host: inout HostAssembler) {
            host.load(.rcx, stateByte: Places.cpl)
            host.load(.r9, stateByte: Places.interruptLine)
            host.bytes(0x42, 0x8D, 0x0C, 0x09)  // lea ecx, [rcx + r9]
        }

        /// Loads the system flags in `mask`. Uses R9.
        private func emitSystemFlags(_ register: HostRegister, keeping mask: UInt32, _ host: inout HostAssembler) {
            host.load(register, state: Places.systemFlags)
            host.keepBits(register, mask, by: .r9)
        }

        private func emitPushFlags(_ host: inout HostAssembler) {
            host.move(.r9, .rax)
            host.byte(0x9F)  // lahf
            host.bytes(0x0F, 0x90, 0xC0)  // seto al
            host.bytes(0x44, 0x0F, 0xB6, 0xC0)  // movzx r8d, al
            host.bytes(0x0F, 0xB6, 0xC4)  // movzx eax, ah
            host.move(.r10, immediate: UInt32(Flags.of.trailingZeroBitCount))
            host.bytes(0xC4, 0x42, 0x29, 0xF7, 0xC0)  // shlx r8d, r8d, r10d
            host.bytes(0x46, 0x8D, 0x04, 0x00)  // lea r8d, [rax + r8]
            host.load(.r10, state: Places.systemFlags)
            // Bit 1 is set in both.
            host.bytes(0x47, 0x8D, 0x44, 0x10, 0xFE)  // lea r8d, [r8 + r10 - 2]
            host.move(.rax, .r9)
            host.storeStack(.r8, -4)
            host.lea(.r12, .r12, -4)
        }

        private func emitPopFlags(_ host: inout HostAssembler, callOut: (inout HostAssembler) -> Void) {
            /// What must not change.
            let kept =
                Flags.tf | Flags.df | Flags.iopl | Flags.nt | Flags.rf | Flags.vm | Flags.ac | Flags.vif
                | Flags.vip | Flags.id
            host.loadStack(.r8, 0)
            host.callOutUnlessZero(callOut, Self.emitMayInterrupt)
            host.callOutUnlessZero(callOut) { Self.emitDifference(from: Places.systemFlags, in: kept, &$0) }
            host.lea(.r12, .r12, 4)
            host.move(.r9, immediate: kept | Flags.if)
            host.extractBits(.r11, .r8, mask: .r9)
            host.depositBits(.r11, .r11, mask: .r9)
            host.lea(.r11, .r11, Int32(Flags.reserved1))
            host.store(.r11, state: Places.systemFlags)
            host.move(.r9, .rax)
            host.move(.rax, .r8)
            host.bytes(0x41, 0xC1, 0xE8, 0x0B)  // shr r8d, 11
            host.bytes(0x41, 0x83, 0xE0, 0x01)  // and r8d, 1: OF
            host.loadFlagsFromAL()
        }

        /// Calls out unless the segment register has what the selector in R8W would load.
        private func emitReload(_ host: inout HostAssembler, callOut: (inout HostAssembler) -> Void) {
            host.bytes(0x45, 0x0F, 0xB7, 0xC0)  // movzx r8d, r8w
            host.callOutUnlessLoaded(from: Places.descriptor(i.operands.0), callOut)
        }

        /// Sets ZF if the selector in R8W is the one that VERW found writable last; else calls out.
        private func emitVerify(_ host: inout HostAssembler, callOut: (inout HostAssembler) -> Void) {
            host.bytes(0x45, 0x0F, 0xB7, 0xC0)  // movzx r8d, r8w
            host.callOutUnlessLoaded(from: Places.verified, callOut)
            host.move(.r9, .rax)
            host.byte(0x9F)  // lahf
            host.keepBits(.rax, ~(Flags.zf << 8), by: .r10)
            host.lea(.rax, .rax, Int32(Flags.zf << 8))
            host.byte(0x9E)  // sahf
            host.move(.rax, .r9)
        }

        /// Puts zero into ECX if CS, whose base is 0, can be read up to 4 GiB.
        private static func emitIsCodeReadable(_ host: inout HostAssembler) {
            host.load(.r9, state: Places.readEndOfCS)
            host.lea(.rcx, .r9, -1)
        }

        /// Places in the processor's state.
        private enum Places {
            static let cpl = ProcessorState.place(\.cpl)
            static let cr0 = ProcessorState.place(\.cr0)
            static let lacksUnits = ProcessorState.place(\.native.lacksUnits)
            static let interruptLine = ProcessorState.place(\.interruptLine)
            static let systemFlags = ProcessorState.place(\.systemFlags)
            private static let selectors = [
                ProcessorState.place(\.es.selector), ProcessorState.place(\.cs.selector),
                ProcessorState.place(\.ss.selector), ProcessorState.place(\.ds.selector),
                ProcessorState.place(\.fs.selector), ProcessorState.place(\.gs.selector),
            ]

            static func selector(_ operand: Operand) -> Int { selectors[Int(operand.register) % selectors.count] }

            static let verified = ProcessorState.place(\.native.descriptors.verified)
            /// Its upper half.
            static let readEndOfCS = ProcessorState.place(\.cs.readEnd) + 4

            /// The `LoadedDescriptor` of DS or ES.
            static func descriptor(_ operand: Operand) -> Int {
                ProcessorState.place(
                    operand.register == SegmentRegister.ds.rawValue
                        ? \.native.descriptors.ds : \.native.descriptors.es)
            }
        }
    }
#endif
