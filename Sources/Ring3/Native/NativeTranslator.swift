#if arch(x86_64) && os(Linux)
    import X86

    /// Emits blocks of guest code as host code.
    ///
    /// ```
    /// entry:   lea r14, [r14 - instructions]   counts as far as the first conditional jump
    ///          mov r8d, [r14 - others]         faults if all of the block is more than is left
    ///          ...                             the guest's instructions, and callouts
    ///          jcc target / exit               linked once the target is known
    ///          lea r14, [r14 - instructions]   counts on
    ///          ...
    ///          jmp next / exit                 linked, too
    /// exits:   leave                           of conditional jumps that are not linked yet, or cannot be
    /// stale:   leave                           where the entry leads once the code has changed
    /// ```
    /// A short loop is unrolled: counting takes about as long as three of its instructions.
    ///
    /// The guest's calls and returns are the host's own, too, so that the host predicts them: a call leaves an address of
    /// the host's on a stack of ours, `CallStack`, and what is there sees whether the guest has come back to where that
    /// was.
    final class NativeTranslator {
        let cpu: Processor
        let cache: NativeCache
        private let source: Interpreter
        private(set) var rewriter = InstructionRewriter(mode: [])
        /// Which instructions are the monitor's because they fault.
        var faults = FaultHistory()
        let places = BlockPlaces()
        let stubs: NativeStubs
        let branch: ZeroBranch
        let targets: FarTargets
        /// Those of the instruction that crosses, if the block is that.
        private let crossingBuffer = UnsafeMutablePointer<UInt8>.allocate(capacity: 16)
        /// The block has made sure already that the guest's state is in the units.
        private var areUnitsReady = false
        /// It has instructions of the x87's.
        private var usesX87 = false
        /// It has instructions that leave moving ESP to others, or such that there may be no host code for.
        private var hasStackMoves = false
        private var mayHaveMonitored = false

        var host: HostAssembler
        var block: NativeBlock
        /// Conditional jumps that await their exit: where the distance is, instruction, target.
        private var pending: [(place: Int, index: Int, target: UInt32)] = []
        /// Instructions in a round of a loop that is unrolled. Longer ones gain nothing.
        private static let longestRound = 20
        /// Host code of straight instructions, which is the same wherever it lies and in each round of a loop.
        let draftBuffer = UnsafeMutablePointer<UInt8>.allocate(capacity: NativeCache.largestBlock)
        var draft: HostAssembler
        let forms: NativeForms

        init(
            cpu: Processor, cache: NativeCache, source: Interpreter, stubs: NativeStubs, branch: ZeroBranch,
            targets: FarTargets
        ) {
            self.cpu = cpu
            self.cache = cache
            self.source = source
            self.stubs = stubs
            self.branch = branch
            self.targets = targets
            forms = NativeForms(source.decoder)
            host = cache.assembler
            draft = HostAssembler(draftBuffer, at: 0)
            block = NativeBlock(
                physical: 0, eip: 0, length: 0, entry: 0, staleExit: 0, end: 0, first: 0, count: 0, mode: [],
                isStale: false)
            pending.reserveCapacity(Translator.longest)
        }

        deinit {
            crossingBuffer.deallocate()
            draftBuffer.deallocate()
        }

        /// Emits the block at `eip`, which lies at `physical` in RAM; nil if its first instruction ends in another page, of
        /// which the TLB does not know that it is executable RAM.
        ///
        /// There must be room in the cache.
        func translate(_ physical: UInt32, eip: UInt32, _ mode: NativeMode) -> Int32? {
            host = cache.blockAssembler
            rewriter = InstructionRewriter(mode: mode)
            areUnitsReady = false
            (usesX87, hasStackMoves, mayHaveMonitored) = (false, false, false)
            pending.removeAll(keepingCapacity: true)
            draft = HostAssembler(draftBuffer, at: 0)
            block = NativeBlock(
                physical: physical, eip: eip, length: 0, entry: UInt32(host.offset), staleExit: 0, end: 0,
                first: UInt32(cache.instructionCount), count: 0, mode: mode, isStale: false)
            var isTransfer = collect()
            if block.count == 0 { isTransfer = collectCrossing() }
            guard block.count > 0 else { return nil }
            flags.findDebts()
            if usesX87 { findX87Debts() }
            if hasStackMoves { findStackDebts() }
            divide()
            emitCount()
            cache.profile?.countEntry(&host)
            var index = 0
            while index < Int(block.count) {
                let drafts = usesX87 ? 0 : emitDrafts(index)
                index += drafts
                if drafts == 0 {
                    emitSettling(index)
                    index += 1
                }
            }
            instruction(Int(block.count)).pointee.host = UInt32(host.offset)
            let end = instruction(Int(block.count)).pointee
            if !isTransfer { emitExit(to: eip &+ block.length, after: Int(block.count) - 1, owing: end.debt) }
            for exit in pending { emitExit(to: exit.target, ofJumpAt: exit.place, exit.index) }
            block.staleExit = UInt32(host.offset)
            emitLeave(NativeSite(kind: .stale, block: cache.nextBlock, eip: eip))
            block.end = UInt32(host.offset)
            cache.instructionCount += Int(block.count) + 1
            return cache.insert(block)
        }

        /// Emits the instruction at `index`, and what settles behind it what it leaves to others.
        private func emitSettling(_ index: Int) {
            let record = instruction(index)
            record.pointee.host = UInt32(host.offset)
            if isDraft(record) { emitDraft(record) } else { emit(index) }
            let end = host.offset
            if usesX87 { emitX87Notes(behind: index) }
            if hasStackMoves { emitStackMove(behind: index) }
            record.pointee.settlingSize = UInt8(truncatingIfNeeded: host.offset - end)
        }

        private var flags: BlockFlags { BlockFlags(instructions: instruction(0), count: Int(block.count)) }

        func instruction(_ index: Int) -> UnsafeMutablePointer<NativeInstruction> {
            cache.instructions + Int(block.first) + index
        }

        /// Finds the block's instructions; true if the last one leaves it.
        private func collect() -> Bool {
            var isTransfer = false
            var isLoop = false
            while !isTransfer, !isLoop {
                appendCopies()
                guard block.count < Translator.longest, block.physical & 0xFFF + block.length < 0x1000,
                    block.count == 0 || !isRewrittenLoop(Int(block.length)), let role = appendNext()
                else { break }
                isTransfer = role.endsBlock
                isLoop = (role == .conditional || role == .jump) && self.isLoop
            }
            if block.count > 0 { source.mark(block.physical, count: block.length) }
            if mayHaveMonitored { findMonitored() }
            if isLoop { unroll() }
            appendEnd()
            return isTransfer
        }

        /// Whether a loop that is rewritten again and again begins so many bytes on: what leads into it need not be translated
        /// again with it.
        @inline(__always)
        func isRewrittenLoop(_ length: Int) -> Bool {
            cache.rewrites.areMany(at: block.physical &+ UInt32(truncatingIfNeeded: length))
        }

        /// The last instruction, a jump, leads back to the first, and there are few between them.
        private var isLoop: Bool {
            let last = instruction(Int(block.count) - 1)
            guard block.count <= Self.longestRound else { return false }
            // Copies are not worth it where the next write to the code undoes them.
            return block.eip &+ block.length &+ last.pointee.instruction.immediate == block.eip
                && !cache.rewrites.areMany(at: block.physical)
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
            block.isUnrolled = true
        }

        /// Makes the block of the one instruction that ends in the next page, if that is known.
        private func collectCrossing() -> Bool {
            let next = (block.eip | 0xFFF) &+ 1
            // Round 4 GiB no instruction goes: see `fetchByte`.
            guard next != 0, let second = cpu.executableRAM(next),
                let crossing = source.decodedAcrossPages(at: block.physical, linear: block.eip, is32Bit: true)
            else { return false }
            for index in 0..<16 { crossingBuffer[index] = crossing.bytes[index] }
            block.secondPage = second
            let form = forms.makeRecord(instruction(0), crossing.instruction, nil, rewriter.mode)
            let isTransfer = append(form, nil).endsBlock
            source.mark(second, count: block.length - (0x1000 - block.physical & 0xFFF))
            findMonitored()
            appendEnd()
            return isTransfer
        }

        /// Appends the instruction behind the block's last; nil if there is none on the page.
        private func appendNext() -> BlockRole? {
            let (record, bytes) = (instruction(Int(block.count)), nextBytes)
            guard let form = makeRecord(record, bytes) else { return nil }
            return append(form, bytes)
        }

        @inline(__always)
        private func makeRecord(
            _ record: UnsafeMutablePointer<NativeInstruction>, _ bytes: InstructionBytes?
        ) -> UnsafeMutablePointer<NativeForms.Form>? {
            if let bytes, let form = forms.makeRecord(record, bytes, rewriter.mode) {
                cpu.pointee.statistics.decodes &+= 1
                return form
            }
            guard let next = source.decode(at: block.physical &+ block.length, is32Bit: true) else { return nil }
            return forms.makeRecord(record, next, bytes, rewriter.mode)
        }

        /// Appends the instruction whose record has been made.
        ///
        /// - Parameter bytes: its first ones, if there are sixteen on its page.
        @inline(__always)
        private func append(_ form: UnsafeMutablePointer<NativeForms.Form>, _ bytes: InstructionBytes?) -> BlockRole {
            let index = Int(block.count)
            let record = instruction(index)
            if form.pointee.usesX87 { usesX87 = true }
            if form.pointee.stackUse.isMove { hasStackMoves = true }
            if form.pointee.mayLackCode { mayHaveMonitored = true }
            record.pointee.offset = UInt16(truncatingIfNeeded: block.length)
            block.count += 1
            block.length += UInt32(record.pointee.instruction.length)
            if form.pointee.mayFault, let number = faults.monitored(place(index)) {
                record.pointee.monitoring = .faulting(number)
            } else if form.pointee.role == .straight, !form.pointee.stackUse.isMove {
                appendDraft(index, form, bytes)
            }
            return form.pointee.role
        }

        private func appendEnd() {
            let end = NativeInstruction(
                instruction: Instruction(.invalid), offset: UInt16(truncatingIfNeeded: block.length), role: .straight)
            instruction(Int(block.count)).initialize(to: end)
        }

        /// The bytes of the block's next instruction, and of those behind it; nil where the page ends before.
        private var nextBytes: InstructionBytes? {
            let place = block.physical &+ block.length
            guard place & 0xFFF <= 0x1000 - 16 else { return nil }
            return InstructionBytes(at: cpu.pointee.ramBase + Int(place))
        }

        /// Finds what else is the monitor's, as far as flags do not matter.
        private func findMonitored() {
            for index in 0..<Int(block.count) where !instruction(index).pointee.isMonitored && !isEmittable(index) {
                instruction(index).pointee.monitoring = .notEmittable
            }
        }

        /// Whether there is host code for the instruction at `index`; that of a straight one has been made.
        private func isEmittable(_ index: Int) -> Bool {
            let record = instruction(index)
            switch record.pointee.role {
            case .callout: return isInlined(index)
            case .calloutEnd, .transfer:
                return isInlined(index) || ending(index) != nil || systemCall(index) != nil
            case .indirectJump, .indirectCall:
                return record.pointee.instruction.operands.0.kind == .register
                    || rewriter.isReachable(record.pointee.instruction)
            case .straight, .conditional, .jump, .call, .return: return true
            }
        }

        /// Where in RAM the instruction at `index` lies.
        private func place(_ index: Int) -> UInt32 { block.physical &+ UInt32(instruction(index).pointee.offset) }

        // MARK: Instructions

        func bytes(_ index: Int) -> UnsafeRawBufferPointer {
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
            let target = target(index)
            guard !record.isMonitored else {
                areUnitsReady = false
                return emitStoreToRegion(index) ? () : emitCallout(index)
            }
            switch record.role {
            case .straight where record.stackUse.isMove: rewriter.emitStackAccess(i, lacking: record.stackDebt, &host)
            case .straight:
                if i.usesUnits { emitUnitsCheck(index) }
                guard !i.isRepeated else { return emitRepeat(index) }
                if i.operation == .div || i.operation == .idiv, !flags.areOverwritten(behind: index) {
                    _ = rewriter.emit(i, bytes(index), keepsFlags: true, &host)
                } else {
                    emitDraft(instruction(index))
                }
                if record.isPaidAtOnce { host.payAtOnce(i) }
            case .conditional where i.isCountedJump:
                pending.append(
                    (emitCountedJump(i, ifTaken: !record.isFollowed), index, record.isFollowed ? next : target))
                emitCount(behind: index)
            case .conditional where record.isFollowed:
                pending.append((host.jump(if: i.condition.rawValue ^ 1), index, next))
            case .conditional:
                pending.append((host.jump(if: i.condition.rawValue), index, target))
                emitCount(behind: index)
            case .jump where record.isFollowed: break
            case .jump: emitExit(to: target, after: index, owing: record.debt)
            case .call:
                emitPush(next, record.stackDebt)
                // Code that wants to know where it is does not return from there.
                guard target != next else { return emitExit(to: target, after: index, owing: record.debt) }
                emitExit(to: target, after: index, owing: record.debt, returningTo: next)
            case .return:
                host.loadStack(.r8, record.stackDebt)
                host.lea(.r12, .r12, Int32(bitPattern: 4 &+ i.immediate) + Int32(record.stackDebt))
                host.pay(record.debt)
                host.byte(0xC3)  // ret
            case .indirectJump, .indirectCall:
                if i.operands.0.kind == .register {
                    host.move(.r8, HostRegister(guest: i.operands.0.register >> 2))
                } else {
                    rewriter.emitLoad(.r8, i, bytes(index), &host)
                }
                if record.role == .indirectCall { emitPush(next, record.stackDebt) }
                host.pay(record.debt)
                emitLookup(returningTo: record.role == .indirectCall ? next : nil, &host)
            case .callout: emitInline(index)
            case .calloutEnd where isInlined(index):
                emitInline(index)
                emitExit(to: next, after: index, owing: .none)
            case .calloutEnd where ending(index) != nil: emitEnding(index)
            case .calloutEnd, .transfer: emitSystemCall(index)
            }
        }

        /// LOOP, LOOPE, LOOPNE or JECXZ, by JRCXZ, which does not reach far; returns where the distance is of the jump that is
        /// taken if the guest's is, or if it is not.
        private func emitCountedJump(_ i: Instruction, ifTaken: Bool) -> Int {
            if i.operation != .jcxz { host.lea(.rcx, .rcx, -1) }
            let isZero = host.jumpIfZeroRCX()
            // Where LOOP goes on, too.
            let failed: Int? =
                switch i.operation {
                case .loope: host.jump(if: Condition.notEqual.rawValue)
                case .loopne: host.jump(if: Condition.equal.rawValue)
                default: nil
                }
            let isForOthers = (i.operation == .jcxz) != ifTaken
            let others = host.jump(to: host.offset)
            host.patchShort(at: isZero, to: host.offset)
            if let failed { host.patch(at: failed, to: host.offset) }
            guard !isForOthers else { return others }
            let zero = host.jump(to: host.offset)
            host.patch(at: others, to: host.offset)
            return zero
        }

        /// Leaves if the guest's state is not in the units, which the monitor may need meanwhile, or may not be.
        func emitUnitsCheck(_ index: Int) {
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

        private func emitPush(_ value: UInt32, _ debt: Int8) {
            host.storeStack(immediate: value, debt - 4)
            host.lea(.r12, .r12, Int32(debt) - 4)
        }
    }

    /// Places in the processor's state that blocks use.
    struct BlockPlaces {
        let lacksUnits = ProcessorState.place(\.native.lacksUnits)
        let lastX87 = ProcessorState.place(\.native.lastX87)
        let lastX87WithOperand = ProcessorState.place(\.native.lastX87WithOperand)
        let x87Operand = ProcessorState.place(\.native.x87Operand)
        let regionPage = ProcessorState.place(\.native.dataRegion.page)
        let regionShift = ProcessorState.place(\.native.dataRegion.shift)
        let regionKey = ProcessorState.place(\.native.dataRegion.key)
    }
#endif
