#if arch(x86_64) && os(Linux)
    import X86

    /// Emits blocks of guest code as host code.
    ///
    /// ```
    /// entry:   lea r14, [r14 - instructions]   counts the block
    ///          mov r8d, [r14]                  faults if that is more than is left
    ///          ...                             the guest's instructions, and callouts
    ///          jmp next / exit                 linked once the next block is known
    /// exits:   lea r14, [r14 + not executed]   of conditional jumps on the way
    ///          jmp target / exit
    /// stale:   leave                           where the entry leads once the code has changed
    /// ```
    /// A short loop is unrolled: counting takes about as long as three of its instructions.
    ///
    /// The guest's calls and returns are the host's own, too, so that the host predicts them: a call leaves an address of
    /// the host's on a stack of ours, `CallStack`, and what is there sees whether the guest has come back to where that
    /// was.
    final class NativeTranslator {
        private let cpu: Processor
        private let cache: NativeCache
        private let source: Interpreter
        private var rewriter = InstructionRewriter(mode: [])
        /// Instructions that keep faulting, or did: the monitor executes those that do without being asked by a fault.
        private struct Monitored {
            var isActive = false
            var releases: UInt8 = 0
        }
        /// By physical address.
        private var monitored: [UInt32: Monitored] = [:]
        /// More of them are forgotten: a guest could go on for ever.
        private static let mostMonitored = 1 << 16
        private let places = Places()
        /// What to jump to in order to leave.
        private let leave: Int
        /// What to jump to with an address in R8D for which there may be a block.
        private let lookup: Int
        /// The block ends where an instruction begins that crosses into the next page.
        private var isBeforeCrossing = false
        /// Those of the instruction that crosses, if the block is that.
        private let crossingBuffer = UnsafeMutablePointer<UInt8>.allocate(capacity: 16)
        /// The block has made sure already that the guest's state is in the units.
        private var areUnitsReady = false

        private var host: HostAssembler
        private var block: NativeBlock
        /// Conditional jumps that await their exit: where the distance is, instruction, target.
        private var pending: [(place: Int, index: Int, target: UInt32)] = []
        /// Of a loop that is unrolled: the instructions of a round. Longer ones gain nothing.
        private static let longestRound = 20

        init(cpu: Processor, cache: NativeCache, source: Interpreter, stubs: NativeStubs) {
            self.cpu = cpu
            self.cache = cache
            self.source = source
            leave = stubs.leave
            lookup = stubs.lookup
            host = cache.assembler
            block = NativeBlock(
                physical: 0, eip: 0, length: 0, entry: 0, staleExit: 0, end: 0, first: 0, count: 0, mode: [],
                isStale: false)
            pending.reserveCapacity(Translator.longest)
        }

        deinit { crossingBuffer.deallocate() }

        /// Emits the block at `eip`, which lies at `physical` in RAM; nil if its first instruction ends in another page, of
        /// which the TLB does not know that it is executable RAM.
        ///
        /// There must be room in the cache.
        func translate(_ physical: UInt32, eip: UInt32, _ mode: NativeMode) -> Int32? {
            host = cache.assembler
            rewriter = InstructionRewriter(mode: mode)
            areUnitsReady = false
            pending.removeAll(keepingCapacity: true)
            block = NativeBlock(
                physical: physical, eip: eip, length: 0, entry: UInt32(host.offset), staleExit: 0, end: 0,
                first: UInt32(cache.instructionCount), count: 0, mode: mode, isStale: false)
            isBeforeCrossing = false
            var isTransfer = collect()
            if block.count == 0 { isTransfer = collectCrossing() }
            guard block.count > 0 else { return nil }
            findDebts()
            host.lea(.r14, .r14, -Int32(block.count), isWide: true)
            host.bytes(0x45, 0x8B, 0x06)
            cache.profile?.countEntry(&host)
            for index in 0..<Int(block.count) {
                instruction(index).pointee.host = UInt32(host.offset)
                emit(index)
            }
            instruction(Int(block.count)).pointee.host = UInt32(host.offset)
            let end = instruction(Int(block.count)).pointee
            if !isTransfer { emitExit(to: eip &+ block.length, after: Int(block.count) - 1, owing: end.debt) }
            for exit in pending {
                host.patch(at: exit.place, to: host.offset)
                emitExit(to: exit.target, after: exit.index, owing: instruction(exit.index).pointee.debt)
            }
            block.staleExit = UInt32(host.offset)
            emitLeave(storing: eip, NativeSite(kind: .stale, index: 0, block: cache.nextBlock))
            block.end = UInt32(host.offset)
            cache.instructionCount += Int(block.count) + 1
            return cache.insert(block)
        }

        /// From now on, the instruction at `physical` is the monitor's.
        func monitor(_ physical: UInt32) {
            if monitored.count >= Self.mostMonitored { monitored.removeAll() }
            monitored[physical, default: Monitored()].isActive = true
        }

        /// The instruction at `physical` no longer faults.
        func release(_ physical: UInt32) {
            monitored[physical]?.isActive = false
            monitored[physical]?.releases &+= 1
        }

        /// How often the instruction at `physical` was released, up to 8.
        func releases(_ physical: UInt32) -> UInt8 { Swift.min(monitored[physical]?.releases ?? 0, 8) }

        private func instruction(_ index: Int) -> UnsafeMutablePointer<NativeInstruction> {
            cache.instructions + Int(block.first) + index
        }

        /// Finds the block's instructions; true if the last one leaves it.
        private func collect() -> Bool {
            var isTransfer = false
            while block.count < Translator.longest, !isTransfer, block.physical & 0xFFF + block.length < 0x1000 {
                guard let next = source.decoded(at: block.physical &+ block.length, is32Bit: true) else {
                    isBeforeCrossing = true
                    break
                }
                isTransfer = append(next)
                if isLoop {
                    unroll()
                    break
                }
            }
            appendEnd()
            return isTransfer
        }

        /// The last instruction is a jump back to the first, and there are few between them.
        private var isLoop: Bool {
            let last = instruction(Int(block.count) - 1).pointee
            guard last.role == .conditional || last.role == .jump, block.count <= Self.longestRound else {
                return false
            }
            return block.eip &+ block.length &+ last.instruction.immediate == block.eip
        }

        /// Appends rounds of a loop, of which there is one, as long as there is room.
        private func unroll() {
            let round = Int(block.count)
            for _ in 1..<Translator.longest / round {
                instruction(Int(block.count) - 1).pointee.isFollowed = true
                instruction(Int(block.count)).update(from: instruction(0), count: round)
                block.count += UInt16(round)
                instruction(Int(block.count) - 1).pointee.isFollowed = false
            }
        }

        /// Makes the block of the one instruction that ends in the next page, if that is known.
        private func collectCrossing() -> Bool {
            let next = (block.eip | 0xFFF) &+ 1
            // Round 4 GiB no instruction goes: see `fetchBytes`.
            guard next != 0, let second = cpu.executableRAM(next),
                let crossing = source.decodedAcrossPages(at: block.physical, linear: block.eip, is32Bit: true)
            else { return false }
            for index in 0..<16 { crossingBuffer[index] = crossing.bytes[index] }
            block.secondPage = second
            let isTransfer = append(crossing.instruction)
            source.mark(second, count: block.length - (0x1000 - block.physical & 0xFFF))
            appendEnd()
            return isTransfer
        }

        /// True if it leaves the block.
        private func append(_ next: Instruction) -> Bool {
            let role = next.changesOnlyDataSegment ? .callout : BlockRole(next, mode: .allFlat)
            instruction(Int(block.count)).initialize(
                to: NativeInstruction(
                    instruction: next, offset: UInt16(truncatingIfNeeded: block.length), role: role))
            block.count += 1
            block.length += UInt32(next.length)
            return role.endsBlock
        }

        private func appendEnd() {
            let end = NativeInstruction(
                instruction: Instruction(.invalid), offset: UInt16(truncatingIfNeeded: block.length), role: .straight)
            instruction(Int(block.count)).initialize(to: end)
        }

        // MARK: Flags

        /// Finds the instructions that are the monitor's, and what the host's flags lack before each instruction.
        private func findDebts() {
            for index in 0..<Int(block.count) { instruction(index).pointee.monitoring = monitoring(index) }
            var debt = HostFlagDebt.none
            for index in 0..<Int(block.count) {
                let record = instruction(index)
                record.pointee.debt = debt
                if !record.pointee.isMonitored, !canPay(index) { record.pointee.monitoring = .flags }
                // How it ends decides whether there are new flags.
                if record.pointee.instruction.isRepeatedComparison, debt != .none { record.pointee.monitoring = .flags }
                // The monitor pays before it does anything.
                let isPaid = record.pointee.isMonitored || record.pointee.role == .callout || paysAtOnce(index)
                debt = isPaid ? .none : debt.after(record.pointee.instruction)
            }
            instruction(Int(block.count)).pointee.debt = debt
        }

        /// Why the instruction at `index` cannot be emitted, as far as its flags do not matter.
        private func monitoring(_ index: Int) -> NativeInstruction.Monitoring? {
            let isFaulting = monitored[block.physical &+ UInt32(instruction(index).pointee.offset)]?.isActive ?? false
            return isFaulting ? .faulting : isEmittable(index) ? nil : .notEmittable
        }

        private func isEmittable(_ index: Int) -> Bool {
            let record = instruction(index).pointee
            switch record.role {
            case .callout: return InlineSensitive(record.instruction, isLast: index + 1 == Int(block.count)) != nil
            case .calloutEnd, .transfer: return false
            case .indirectJump, .indirectCall:
                return record.instruction.operands.0.kind == .register || rewriter.isReachable(record.instruction)
            case .straight:
                var attempt = host
                return rewriter.emit(record.instruction, bytes(index), keepsFlags: false, &attempt)
            case .conditional, .jump, .call, .return: return true
            }
        }

        /// Whether emitted code makes good what an instruction leaves undefined right behind it, because somebody may look
        /// later.
        private func paysAtOnce(_ index: Int) -> Bool {
            let record = instruction(index).pointee
            switch HostFlagEffect(record.instruction) {
            case .multiply(let register?): return !canPay(index, from: register)
            case .countedShift: return record.debt != .adjust && !canPay(index, from: 4)
            default: return false
            }
        }

        private func payAtOnce(_ index: Int) {
            switch HostFlagEffect(instruction(index).pointee.instruction) {
            case .multiply(let low?): emitProductFlags(HostRegister(guest: low >> 2))
            case .countedShift: emitCountedFlags()
            default: break
            }
        }

        /// Emits what clears AF if CL is a count other than zero.
        private func emitCountedFlags() {
            host.move(.r8, immediate: 0)
            host.bytes(0x41, 0x0F, 0x90, 0xC0)  // seto r8b
            host.move(.r9, .rax)
            host.byte(0x9F)  // lahf
            host.bytes(0x0F, 0xB6, 0xC4)  // movzx eax, ah
            host.bytes(0xF6, 0xC1, 0x1F)  // test cl, 31
            host.bytes(0x74, 0x02)  // jz
            host.bytes(0x24, 0xEF)  // and al, ~AF
            host.bytes(0x88, 0xC4)  // mov ah, al
            host.bytes(0x41, 0x80, 0xC0, 0x7F)  // add r8b, 127: overflows if it was 1
            host.byte(0x9E)  // sahf
            host.move(.rax, .r9)
        }

        /// Emits what gives the flags of a product, of which OF is right: CF as OF, SF and PF by the low half, ZF and AF
        /// clear.
        private func emitProductFlags(_ low: HostRegister) {
            host.move(.r8, immediate: 0)
            host.bytes(0x41, 0x0F, 0x90, 0xC0)  // seto r8b
            host.move(.r9, .rax)
            host.test(low)
            host.byte(0x9F)  // lahf
            host.bytes(0x0F, 0xB6, 0xC4)  // movzx eax, ah
            host.bytes(0x25, 0x86, 0, 0, 0)  // and eax, SF | PF | 2
            host.bytes(0x44, 0x08, 0xC0)  // or al, r8b
            host.bytes(0x88, 0xC4)  // mov ah, al
            host.bytes(0x41, 0x80, 0xC0, 0x7F)  // add r8b, 127: overflows if it was 1
            host.byte(0x9E)  // sahf
            host.move(.rax, .r9)
        }

        /// Whether what the instruction at `index` leaves undefined can be made good wherever somebody may look.
        private func canPay(_ index: Int) -> Bool {
            let record = instruction(index).pointee
            switch HostFlagEffect(record.instruction) {
            case .countedShift:
                // The count must still be there behind the shift.
                return record.debt == .adjust || record.instruction.operands.0.kind == .memory
                    || record.instruction.operands.0.register & 0x1C != 4
            // A whole product's flags can be made good by emitted code, at once.
            case .multiply(let register): return register != nil || canPay(index, from: nil)
            case .doubleShift:
                return canPay(index, from: nil, isCounted: record.instruction.operands.2.kind == .register)
            default: return true
            }
        }

        /// Whether, behind the instruction at `index`, flags are overwritten before the block is left or they are read, and
        /// `register` still holds what they can be recovered from wherever the monitor may look at them till then.
        ///
        /// - Parameter isCounted: a count in CL decides whether there are new flags at all, so that another shift by the same
        ///   count overwrites them just as well.
        private func canPay(_ index: Int, from register: UInt8?, isCounted: Bool = false) -> Bool {
            var isIntact = register != nil
            var isSameCount = isCounted
            for next in (index + 1)..<max(Int(block.count), index + 1) {
                let follower = instruction(next).pointee
                guard follower.role == .straight, isIntact || !follower.mayLookAtFlags else { return false }
                switch HostFlagEffect(follower.instruction) {
                case .defines, .shift: return true
                case .countedShift where isSameCount: return true
                case .none:
                    isIntact = isIntact && register.map { follower.isMove(sparing: $0) } ?? false
                    isSameCount = isSameCount && follower.isMove(sparing: 4)
                default: return false
                }
            }
            return false
        }

        /// Emits what makes the flags good where a block is left: only AF can be lacking there.
        private func pay(_ debt: HostFlagDebt) {
            guard debt != .none else { return }
            host.move(.r11, .rax)
            host.byte(0x9F)  // lahf
            host.move(.r10, immediate: ~0x1000)
            host.extractBits(.rax, .rax, mask: .r10)
            host.depositBits(.rax, .rax, mask: .r10)
            host.byte(0x9E)  // sahf
            host.move(.rax, .r11)
        }

        // MARK: Instructions

        private func bytes(_ index: Int) -> UnsafeRawBufferPointer {
            let record = instruction(index).pointee
            let length = Int(record.instruction.length)
            guard block.secondPage == nil else {
                return UnsafeRawBufferPointer(start: crossingBuffer, count: length)
            }
            return UnsafeRawBufferPointer(
                start: cpu.pointee.ramBase + Int(block.physical) + Int(record.offset), count: length)
        }

        private func emit(_ index: Int) {
            let record = instruction(index).pointee
            let i = record.instruction
            let next = block.eip &+ UInt32(record.offset) &+ UInt32(i.length)
            let target = next &+ i.immediate
            guard !record.isMonitored else {
                areUnitsReady = false
                return emitCallout(index)
            }
            switch record.role {
            case .straight:
                if i.usesUnits { emitUnitsCheck(index) }
                guard !i.isRepeated else { return emitRepeat(index) }
                let isDivision = i.operation == .div || i.operation == .idiv
                _ = rewriter.emit(i, bytes(index), keepsFlags: isDivision && !canPay(index, from: nil), &host)
                if i.isRememberedByX87 { emitX87Note(index) }
                if paysAtOnce(index) { payAtOnce(index) }
            case .conditional where record.isFollowed:
                pending.append((host.jump(if: i.condition.rawValue ^ 1), index, next))
            case .conditional: pending.append((host.jump(if: i.condition.rawValue), index, target))
            case .jump where record.isFollowed: break
            case .jump: emitExit(to: target, after: index, owing: record.debt)
            case .call:
                emitPush(next)
                // Code that wants to know where it is does not return from there.
                guard target != next else { return emitExit(to: target, after: index, owing: record.debt) }
                emitExit(to: target, after: index, owing: record.debt, returningTo: next)
            case .return:
                host.loadStack(.r8, 0)
                host.lea(.r12, .r12, Int32(bitPattern: 4 &+ i.immediate))
                pay(record.debt)
                host.byte(0xC3)  // ret
            case .indirectJump, .indirectCall:
                if i.operands.0.kind == .register {
                    host.move(.r8, HostRegister(guest: i.operands.0.register >> 2))
                } else {
                    rewriter.emitLoad(.r8, i, bytes(index), &host)
                }
                if record.role == .indirectCall { emitPush(next) }
                pay(record.debt)
                emitLookup(returningTo: record.role == .indirectCall ? next : nil)
            case .callout: emitInline(index)
            case .calloutEnd, .transfer: emitCallout(index)
            }
        }

        private func emitInline(_ index: Int) {
            guard
                let inline = InlineSensitive(
                    instruction(index).pointee.instruction, isLast: index + 1 == Int(block.count))
            else { return emitCallout(index) }
            pay(instruction(index).pointee.debt)
            inline.emit(&host) { host in
                host.move(
                    .r8,
                    immediate: cache.add(
                        NativeSite(kind: .callout, index: UInt16(truncatingIfNeeded: index), block: cache.nextBlock)))
                host.jump(to: leave)
            }
        }

        /// Leaves if the guest's state is not in the units, which the monitor may need meanwhile, or may not be.
        private func emitUnitsCheck(_ index: Int) {
            guard !areUnitsReady else { return }
            areUnitsReady = true
            host.move(.r10, .rcx)
            host.load(.rcx, state: places.lacksUnits)
            let ready = host.jumpIfZeroRCX()
            host.move(.rcx, .r10)
            emitLeave(
                NativeSite(kind: .units, index: UInt16(truncatingIfNeeded: index), block: cache.nextBlock))
            host.patchShort(at: ready, to: host.offset)
            host.move(.rcx, .r10)
        }

        /// A repetition; behind 4096 times the monitor takes over, as it has its breaks in the shared semantics.
        ///
        /// R10 keeps ECX meanwhile: see `NativeEngine.settleRepeat`.
        private func emitRepeat(_ index: Int) {
            let i = instruction(index).pointee.instruction
            let slice = Int32(Processor.repeatSlice)
            host.move(.r10, .rcx)
            host.move(.r9, immediate: UInt32(slice.trailingZeroBitCount))
            host.bytes(0xC4, 0xE2, 0x33, 0xF7, 0xC9)  // shrx ecx, ecx, r9d
            let isShort = host.jumpIfZeroRCX()
            host.move(.rcx, immediate: UInt32(slice))
            _ = rewriter.emit(i, bytes(index), keepsFlags: false, &host)
            let isOver = host.jumpIfZeroRCX()
            host.bytes(0x41, 0x8D, 0x8C, 0x0A)  // lea ecx, [r10 + rcx - slice]
            host.dword(UInt32(bitPattern: -slice))
            let done = host.jump(to: host.offset + 5)
            host.patchShort(at: isOver, to: host.offset)
            host.lea(.rcx, .r10, -slice)
            emitLeave(
                NativeSite(
                    kind: .repeated, index: UInt16(truncatingIfNeeded: index), block: cache.nextBlock))
            host.patchShort(at: isShort, to: host.offset)
            host.move(.rcx, .r10)
            _ = rewriter.emit(i, bytes(index), keepsFlags: false, &host)
            host.patch(at: done, to: host.offset)
        }

        /// Notes an x87 instruction, which has just been executed, as the last one, and where its operand was.
        private func emitX87Note(_ index: Int) {
            let i = instruction(index).pointee.instruction
            host.store(immediate: block.first + UInt32(index), state: places.lastX87)
            guard i.operands.0.kind == .memory || i.operands.1.kind == .memory else { return }
            host.store(immediate: block.first + UInt32(index), state: places.lastX87WithOperand)
            rewriter.emitOffset(.r8, i, bytes(index), &host)
            host.store(.r8, state: places.x87Operand)
        }

        private func emitPush(_ value: UInt32) {
            host.storeStack(immediate: value, -4)
            host.lea(.r12, .r12, -4)
        }

        // MARK: Ways out

        /// Leaves for `target`, having executed the instructions through `index`, whose flags lack `debt`: by a jump that
        /// can be linked if it lies on the same page, else through the jump cache. By a call, if the guest may return.
        private func emitExit(
            to target: UInt32, after index: Int, owing debt: HostFlagDebt, returningTo next: UInt32? = nil
        ) {
            pay(debt)
            cache.profile?.countExit(after: index, &host)
            let uncounted = Int32(block.count) - Int32(index) - 1
            if uncounted != 0 { host.lea(.r14, .r14, uncounted, isWide: true) }
            emitJump(to: target, returningTo: next)
        }

        private func emitJump(to target: UInt32, returningTo next: UInt32? = nil) {
            // Where a block ends that crosses pages may change with the page tables, and where one begins, too.
            let isFixed = target >> 12 == block.eip >> 12 && block.secondPage == nil
            guard isFixed, !(isBeforeCrossing && target == block.eip &+ block.length) else {
                return emitLookup(of: target, returningTo: next)
            }
            let place = next == nil ? host.jump(to: host.offset + 5) : host.call(host.offset + 5)
            if let next { emitReturn(to: next) }
            host.patch(at: place, to: host.offset)
            let unlinked = UInt32(host.offset)
            emitLeave(
                storing: target,
                NativeSite(
                    kind: .link, index: 0, block: cache.nextBlock, place: UInt32(place), unlinked: unlinked))
        }

        /// Where a call comes back to: goes on at `eip` if R8D says that the guest has come back there, or wherever it
        /// has.
        ///
        /// Compares without a flag: JRCXZ knows.
        private func emitReturn(to eip: UInt32) {
            host.move(.r10, .rcx)
            host.bytes(0x41, 0x8D, 0x88)  // lea ecx, [r8 - eip]
            host.dword(0 &- eip)
            let isThere = host.jumpIfZeroRCX()
            host.move(.rcx, .r10)
            host.jump(to: lookup)
            host.patchShort(at: isThere, to: host.offset)
            host.move(.rcx, .r10)
            emitJump(to: eip)
        }

        private func emitLeave(storing eip: UInt32, _ site: NativeSite) {
            host.store(immediate: eip, state: places.eip)
            emitLeave(site)
        }

        private func emitLeave(_ site: NativeSite) {
            host.move(.r8, immediate: cache.add(site))
            host.jump(to: leave)
        }

        private func emitCallout(_ index: Int) {
            emitLeave(
                NativeSite(kind: .callout, index: UInt16(truncatingIfNeeded: index), block: cache.nextBlock))
        }

        /// Jumps to, or calls, the block for the address in R8D, or leaves with it in EIP.
        private func emitLookup(returningTo next: UInt32? = nil) {
            host.store(.r8, state: places.eip)
            let lookup = JumpCacheLookup(&host)
            emitLeave(NativeSite(kind: .miss, index: 0, block: cache.nextBlock))
            lookup.emitJump(&host, isCall: next != nil)
            if let next { emitReturn(to: next) }
        }

        /// The same for a known address.
        private func emitLookup(of eip: UInt32, returningTo next: UInt32?) {
            let lookup = JumpCacheLookup(of: eip, &host)
            emitLeave(storing: eip, NativeSite(kind: .miss, index: 0, block: cache.nextBlock))
            lookup.emitJump(&host, isCall: next != nil)
            if let next { emitReturn(to: next) }
        }
    }

    extension Instruction {
        /// Loads DS, ES, FS or GS, and so may change the mode, but will not as a rule.
        var changesOnlyDataSegment: Bool {
            guard operation == .popSegment || operation == .movSegment, operands.0.kind == .segment else {
                return false
            }
            return operands.0.register != SegmentRegister.ss.rawValue
                && operands.0.register != SegmentRegister.cs.rawValue
        }
    }

    /// Places in the processor's state that blocks use.
    private struct Places {
        let eip = ProcessorState.place(\.eip)
        let lacksUnits = ProcessorState.place(\.native.lacksUnits)
        let lastX87 = ProcessorState.place(\.native.lastX87)
        let lastX87WithOperand = ProcessorState.place(\.native.lastX87WithOperand)
        let x87Operand = ProcessorState.place(\.native.x87Operand)
    }
#endif
