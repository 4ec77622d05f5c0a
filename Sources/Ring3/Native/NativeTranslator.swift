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
    final class NativeTranslator {
        private let cpu: Processor
        private let cache: NativeCache
        private let source: Interpreter
        private let rewriter = InstructionRewriter()
        /// Instructions that kept faulting: the monitor executes them without being asked by a fault. By physical address.
        var monitored: Set<UInt32> = []
        /// Where to store EIP, and what to jump to in order to leave.
        private let eipPlace: Int
        private let leave: Int

        private var host: HostAssembler
        private var block: NativeBlock
        /// Conditional jumps that await their exit: where the distance is, instruction, target.
        private var pending: [(place: Int, index: Int, target: UInt32)] = []

        init(cpu: Processor, cache: NativeCache, source: Interpreter, eipPlace: Int, leave: Int) {
            self.cpu = cpu
            self.cache = cache
            self.source = source
            self.eipPlace = eipPlace
            self.leave = leave
            host = cache.assembler
            block = NativeBlock(
                physical: 0, eip: 0, length: 0, entry: 0, staleExit: 0, end: 0, first: 0, count: 0, isStale: false,
                nextOnPage: NativeCache.none)
            pending.reserveCapacity(Translator.longest)
        }

        /// Emits the block at `eip`, which lies at `physical` in RAM; nil if its first instruction ends in another page.
        ///
        /// There must be room in the cache.
        func translate(_ physical: UInt32, eip: UInt32, _ mode: BlockMode) -> Int32? {
            host = cache.assembler
            pending.removeAll(keepingCapacity: true)
            block = NativeBlock(
                physical: physical, eip: eip, length: 0, entry: UInt32(host.offset), staleExit: 0, end: 0,
                first: UInt32(cache.instructionCount), count: 0, isStale: false, nextOnPage: NativeCache.none)
            let isTransfer = collect(mode)
            guard block.count > 0 else { return nil }
            host.lea(.r14, .r14, -Int32(block.count), isWide: true)
            host.bytes(0x45, 0x8B, 0x06)
            for index in 0..<Int(block.count) {
                instruction(index).pointee.host = UInt32(host.offset)
                emit(index)
            }
            instruction(Int(block.count)).pointee.host = UInt32(host.offset)
            if !isTransfer { emitExit(to: eip &+ block.length, after: Int(block.count) - 1) }
            for exit in pending {
                host.patch(at: exit.place, to: host.offset)
                emitExit(to: exit.target, after: exit.index)
            }
            block.staleExit = UInt32(host.offset)
            emitLeave(storing: eip, NativeSite(kind: .stale, index: 0, block: cache.nextBlock, place: 0))
            block.end = UInt32(host.offset)
            cache.instructionCount += Int(block.count) + 1
            return cache.insert(block)
        }

        private func instruction(_ index: Int) -> UnsafeMutablePointer<NativeInstruction> {
            cache.instructions + Int(block.first) + index
        }

        /// Finds the block's instructions; true if the last one leaves it.
        private func collect(_ mode: BlockMode) -> Bool {
            var isTransfer = false
            while block.count < Translator.longest, !isTransfer, block.physical & 0xFFF + block.length < 0x1000 {
                guard let next = source.decoded(at: block.physical &+ block.length, is32Bit: true) else { break }
                let role = BlockRole(next, mode: mode)
                instruction(Int(block.count)).initialize(
                    to: NativeInstruction(
                        instruction: next, offset: UInt16(truncatingIfNeeded: block.length), role: role, faults: 0,
                        host: 0))
                block.count += 1
                block.length += UInt32(next.length)
                isTransfer = role.endsBlock
            }
            let end = NativeInstruction(
                instruction: Instruction(.invalid), offset: UInt16(truncatingIfNeeded: block.length), role: .straight,
                faults: 0, host: 0)
            instruction(Int(block.count)).initialize(to: end)
            return isTransfer
        }

        // MARK: Instructions

        private func bytes(_ index: Int) -> UnsafeRawBufferPointer {
            let record = instruction(index).pointee
            let place = Int(block.physical) + Int(record.offset)
            return UnsafeRawBufferPointer(start: cpu.pointee.ramBase + place, count: Int(record.instruction.length))
        }

        private func emit(_ index: Int) {
            let record = instruction(index).pointee
            let i = record.instruction
            let next = block.eip &+ UInt32(record.offset) &+ UInt32(i.length)
            let target = next &+ i.immediate
            guard !monitored.contains(block.physical &+ UInt32(record.offset)) else { return emitCallout(index) }
            switch record.role {
            case .straight:
                if !rewriter.emit(i, bytes(index), &host) { emitCallout(index) }
            case .conditional: pending.append((host.jump(if: i.condition.rawValue), index, target))
            case .jump: emitExit(to: target, after: index)
            case .call:
                emitPush(next)
                emitExit(to: target, after: index)
            case .return:
                host.loadStack(.r8, 0)
                host.lea(.r12, .r12, Int32(bitPattern: 4 &+ i.immediate))
                emitLookup()
            case .indirectJump, .indirectCall:
                if i.operands.0.kind == .register {
                    host.move(.r8, HostRegister(guest: i.operands.0.register >> 2))
                } else if rewriter.canLoad(i) {
                    let bytes = bytes(index)
                    rewriter.emitLoad(.r8, i, InstructionLayout(bytes), bytes, &host)
                } else {
                    return emitCallout(index)
                }
                if record.role == .indirectCall { emitPush(next) }
                emitLookup()
            case .callout, .calloutEnd, .transfer: emitCallout(index)
            }
        }

        private func emitPush(_ value: UInt32) {
            host.storeStack(immediate: value, -4)
            host.lea(.r12, .r12, -4)
        }

        // MARK: Ways out

        /// Leaves for `target`, having executed the instructions through `index`: by a jump that can be linked if it lies
        /// on the same page, else through the jump cache.
        private func emitExit(to target: UInt32, after index: Int) {
            let uncounted = Int32(block.count) - Int32(index) - 1
            if uncounted != 0 { host.lea(.r14, .r14, uncounted, isWide: true) }
            guard target >> 12 == block.eip >> 12 else {
                host.move(.r8, immediate: target)
                return emitLookup()
            }
            let place = host.jump(to: host.offset + 5)
            emitLeave(
                storing: target,
                NativeSite(kind: .link, index: 0, block: cache.nextBlock, place: UInt32(place)))
        }

        private func emitLeave(storing eip: UInt32, _ site: NativeSite) {
            host.store(immediate: eip, state: eipPlace)
            emitLeave(site)
        }

        private func emitLeave(_ site: NativeSite) {
            host.move(.r8, immediate: cache.add(site))
            host.jump(to: leave)
        }

        private func emitCallout(_ index: Int) {
            emitLeave(
                NativeSite(kind: .callout, index: UInt16(truncatingIfNeeded: index), block: cache.nextBlock, place: 0))
        }

        /// Jumps to the block for the address in R8D, or leaves with it in EIP.
        ///
        /// Compares without a flag: tag + ~address + 1 is zero if they are equal, and JRCXZ knows.
        private func emitLookup() {
            let shift = UInt32(32 - JumpCache.bits)
            host.store(.r8, state: eipPlace)
            host.move(.r10, immediate: shift)
            host.bytes(0xC4, 0x42, 0x29, 0xF7, 0xC8)  // shlx r9d, r8d, r10d
            host.bytes(0xC4, 0x42, 0x2B, 0xF7, 0xC9)  // shrx r9d, r9d, r10d
            host.bytes(0x49, 0xF7, 0xD0)  // not r8
            host.bytes(0x4F, 0x8B, 0x1C, 0xCF)  // mov r11, [r15 + r9*8]
            host.move(.r10, .rcx)
            host.bytes(0x4B, 0x8D, 0x4C, 0x03, 0x01)  // lea rcx, [r11 + r8 + 1]
            let found = host.jumpIfZeroRCX()
            host.move(.rcx, .r10)
            emitLeave(NativeSite(kind: .miss, index: 0, block: cache.nextBlock, place: 0))
            host.patchShort(at: found, to: host.offset)
            host.move(.rcx, .r10)
            host.bytes(0x43, 0xFF, 0xA4, 0xCF)  // jmp [r15 + r9*8 + addresses]
            host.dword(UInt32(JumpCache.count * 8))
        }
    }
#endif
