#if arch(x86_64) && os(Linux)
    import CHost
    import Glibc
    import Hardware
    import X86

    /// Runs the guest's code as the host's own: blocks are copied with the changes that `InstructionRewriter` makes, memory
    /// is the host's page tables, and whatever is sensitive, faults or is not known goes through the shared semantics.
    ///
    /// Code that is not flat and 32-bit, and code that is being debugged, is interpreted.
    final class NativeEngine {
        let interpreter: Interpreter
        let cpu: Processor
        let cache: NativeCache
        let translator: NativeTranslator
        let budget: InstructionBudget
        let calls: CallStack
        let spaces: AddressSpaces
        private let targets: FarTargets
        private let verification: CodeVerification?
        let units: GuestUnits
        let regions: DataRegions
        let stubs: NativeStubs
        private let enter: @convention(c) (UnsafeMutableRawPointer) -> Void
        /// The site by which emitted code was left for a block that was missing, and where that begins.
        private var left: (site: UInt32, eip: UInt32)?
        /// An access for which the guest has to provide a page, and the instruction and address space that will then try it
        /// again.
        var awaited: (eip: UInt32, root: UInt32, linear: UInt32, isWrite: Bool)?
        /// Real time: nobody has to be able to repeat the run.
        let keepsTranslations: Bool
        private var clock = HostClockComparison()
        /// The access that made the last page come to a window.
        private var lastFault: (place: UInt64, address: UInt64) = (0, 0)

        /// Bytes for emitted code.
        static let cacheSize = 64 << 20
        /// Instructions interpreted in one go where nothing can be emitted.
        private static let interpretedStretch: UInt64 = 200

        /// Whether the host's processor and kernel have what emitted code needs.
        static var isSupported: Bool { ring3_has_native_features() != 0 }

        init(
            cpu: Processor, memory: PhysicalMemory, interpreter: Interpreter, verifies: Bool = false,
            keepsTranslations: Bool = false, branch: ZeroBranch = .ofHost
        ) throws(CodeArena.Failure) {
            self.cpu = cpu
            self.interpreter = interpreter
            self.keepsTranslations = keepsTranslations
            cache = try NativeCache(memory.base, ramSize: memory.size, capacity: Self.cacheSize)
            budget = try InstructionBudget()
            var host = cache.assembler
            stubs = NativeStubs(&host)
            cache.reserve(through: stubs.end)
            targets = try FarTargets(
                unknown: cache.arena.executable + UInt64(stubs.leave),
                missing: cache.arena.executable + UInt64(stubs.missing))
            spaces = try AddressSpaces(memory, targets, keepsTranslations: keepsTranslations)
            translator = NativeTranslator(
                cpu: cpu, cache: cache, source: interpreter, stubs: stubs, branch: branch, targets: targets)
            units = GuestUnits(cpu, cache, takeX87: cache.arena.executable + UInt64(stubs.takeX87))
            regions = DataRegions(cpu, cache, interpreter)
            do throws(Decoder.Failure) {
                verification =
                    verifies ? try CodeVerification(cache.arena, stubs) : nil
            } catch {
                throw CodeArena.Failure(errno: ENOMEM)
            }
            cache.verification = verification
            let start = cache.arena.executable
            calls = try CallStack(last: start + UInt64(stubs.bottom))
            cpu.pointee.native.calls = calls.places
            enter = unsafeBitCast(
                UInt(start) + UInt(stubs.enter), to: (@convention(c) (UnsafeMutableRawPointer) -> Void).self)
            guard
                HostFaults.register(
                    start: start, end: start + UInt64(cache.arena.size), blocks: start + UInt64(stubs.end),
                    exit: start + UInt64(stubs.fault), stack: calls.addresses,
                    missing: start + UInt64(stubs.missing))
            else { throw CodeArena.Failure(errno: EMFILE) }
            cpu.pointee.translationObserver = self
        }

        deinit {
            HostFaults.unregister(start: cache.arena.executable)
        }

        /// RAM that holds translated or decoded code was written.
        func codeWritten(_ physical: UInt32, count: UInt32) {
            cache.invalidate(physical, count: count)
            interpreter.codeWritten(physical, count: count) { cache.holdsCode($0, count: 64) }
            // Of the SSE unit's flags none is used before the next instruction; of the x87 unit's those of this store.
            if !units.areGiven { SSEUnit.settle(cpu.pointee.sse.mxcsr) }
        }

        /// Runs until `sliceEnd` instructions have been counted, or something else stops it.
        func run(until sliceEnd: UInt64) -> EngineStop {
            cpu.settleUnits()
            // Somebody may have been at the processor between two runs.
            cpu.forgetDescriptors()
            calls.reset(&cpu.pointee.native.calls)
            if keepsTranslations {
                clock.update(
                    &cpu.pointee.native.clock, now: cpu.pointee.platform.takeUnretainedValue().timestamp)
            }
            cpu.pointee.sliceEnd = sliceEnd
            cpu.setAttention([], true)
            // The block here is longer than what is left: any other would lead back to it soon, which costs an exception.
            var isTail = false
            // Whoever looks at the processor between two runs shall find all of its state there.
            defer { units.take() }
            cache.profile?.sampler?.begin()
            defer { cache.profile?.takeSamples() }
            while finding == nil {
                if cpu.pointee.instructions >= cpu.pointee.stopAt {
                    if passResumeFlag() { continue }
                    units.take()
                    if let stop = stepping({ interpreter.attend() }) { return stop }
                    continue
                }
                guard canExecute else {
                    units.take()
                    interpret(until: sliceEnd)
                    continue
                }
                guard provideAwaited() else { continue }
                guard !isTail, let number = blockHere() else {
                    units.take()
                    cache.statistics.pointee.interpreted &+= 1
                    stepping { interpreter.stepAlone() }
                    continue
                }
                guard cpu.pointee.instructions &+ UInt64(cache.blocks[Int(number)].count) <= cpu.pointee.stopAt else {
                    isTail = true
                    continue
                }
                if finding == nil { execute(from: number) }
            }
            return .unsafeCode
        }

        /// Clears RF, if that is all that wants attention: it is for one instruction, to which it makes no difference without
        /// breakpoints.
        private func passResumeFlag() -> Bool {
            guard cpu.pointee.attention == .resumeFlag, cpu.pointee.instructions < cpu.pointee.sliceEnd else {
                return false
            }
            cpu.setSystemFlag(Flags.rf, false)
            return true
        }

        /// What the verifier has against the code; nothing is executed from then on.
        var finding: EmittedCodeFinding? { verification?.finding }

        /// Runs a few blocks: as far as a number of instructions leads.
        func runBlock(until sliceEnd: UInt64) -> EngineStop? {
            let next = Swift.min(sliceEnd, cpu.pointee.instructions &+ 500)
            let stop = run(until: next)
            return stop == .sliceEnd && cpu.pointee.instructions < sliceEnd ? nil : stop
        }

        /// Interprets some instructions that cannot be emitted.
        private func interpret(until sliceEnd: UInt64) {
            let end = Swift.min(sliceEnd, cpu.pointee.instructions &+ Self.interpretedStretch)
            let stop = cache.profile?.interpret(with: interpreter, until: end) ?? interpreter.run(until: end)
            cpu.pointee.sliceEnd = sliceEnd
            // Whatever else stopped it is still there.
            cpu.setAttention(stop == .external ? .external : [], true)
        }

        /// Lets the interpreter execute an instruction, or find something else to do.
        private func stepping<T>(_ step: () -> T) -> T {
            guard let profile = cache.profile else { return step() }
            return profile.callouts.interpret(with: interpreter, step)
        }

        /// The mode is one that code is emitted for, and nobody has to see single accesses.
        private var canExecute: Bool {
            cpu.blockMode == .allFlat && cpu.pointee.cs.base == 0 && !cpu.pointee.hasDataBreakpoints
                && cpu.pointee.writeLog == nil && !cpu.isAlignmentChecked
        }

        var isUser: Bool { cpu.pointee.cpl == 3 }
        private var view: AddressSpace.View { spaces.current.view(isUser: isUser) }

        // MARK: Blocks

        /// The block at EIP, emitted now if need be; nil where there can be none.
        private func blockHere() -> Int32? {
            let eip = cpu.pointee.eip
            let translated: UInt64
            do throws(Fault) {
                translated = try cpu.translate(eip, .execute, isUser: isUser)
            } catch {
                return nil
            }
            guard cpu.isRAM(translated) else { return nil }
            let physical = UInt32(truncatingIfNeeded: translated)
            let mode = cpu.nativeMode
            guard let number = cache.find(physical, eip: eip, mode) ?? emit(physical, eip, mode) else { return nil }
            if let second = cache.blocks[Int(number)].secondPage, cpu.executableRAM((eip | 0xFFF) &+ 1) != second {
                return nil
            }
            if let left, left.eip == eip { lead(left.site, to: number) } else { remember(cache.blocks[Int(number)]) }
            left = nil
            return number
        }

        /// Spares whoever leaves by a site the monitor from now on.
        private func lead(_ number: UInt32, to target: Int32) {
            guard number != NativeContext.miss else { return remember(cache.blocks[Int(target)]) }
            let site = cache.sites[Int(number)]
            let (source, block) = (cache.blocks[Int(site.block)], cache.blocks[Int(target)])
            switch site.kind {
            case .link: if source.canLead(to: block) { cache.link(number, to: target) }
            case .far: remember(block, isFar: true)
            case .stale:
                if source.canLead(to: block) { cache.moveLinks(from: site.block, to: target) }
                remember(block)
            case .own, .units, .repeated, .callout: break
            }
        }

        /// Enters a block in the jump cache.
        private func remember(_ block: NativeBlock, isFar: Bool = false) {
            let host = cache.arena.executable + UInt64(block.entry)
            if let verification, !verification.mayEnter(host, isLinked: true) { return }
            view.jumps(block.mode).insert(block, host, isFar: isFar)
        }

        private func emit(_ physical: UInt32, _ eip: UInt32, _ mode: NativeMode) -> Int32? {
            if !cache.hasRoom || !targets.hasRoom || cache.isMostlyStale { removeAllBlocks() }
            defer { settleUnits() }
            return translator.translate(physical, eip: eip, mode)
        }

        /// Forgets everything that was emitted.
        func removeAllBlocks() {
            units.noteLast()
            cache.removeAll()
            spaces.forgetBlocks()
            targets.removeAll()
            calls.reset(&cpu.pointee.native.calls)
            left = nil
        }

        // MARK: Execution

        /// Where emitted code goes on, how many instructions are counted there that have not been executed yet, and how many
        /// there are to the block's end.
        struct Resumption {
            var host: UInt32
            var ahead: UInt64
            var left: UInt64
            /// What emitted code there takes for lacking in ESP.
            var stackDebt: Int8
        }

        /// What follows once the monitor has answered an exit.
        enum Sequel {
            case resume(Resumption)
            /// Another block: the processor stands where it begins.
            case block
            /// Something has to be looked at, or a block to be emitted.
            case stop
        }

        /// Executes emitted code from the start of a block on, until something has to be looked at or a block is missing.
        /// EIP and the instruction count are exact on return.
        private func execute(from start: Int32) {
            var host = cache.arena.executable + UInt64(cache.blocks[Int(start)].entry)
            var (ahead, stackDebt): (UInt64, Int8) = (0, 0)
            cache.statistics.pointee.entries &+= 1
            lastFault = (0, 0)
            // Since emitted code was left, some may have been decoded.
            regions.forget()
            takeUpView()
            while verification?.mayEnter(host) ?? true {
                cpu.moveStack(by: -Int(stackDebt))
                let total = goOn(at: host, counting: ahead)
                let exit = UInt32(truncatingIfNeeded: cpu.pointee.native.exit)
                switch exit == NativeContext.fault ? answerFault(counted: total) : answer(exit, counted: total) {
                case .resume(let place):
                    cache.profile?.resumed(at: place.host, left: place.left)
                    host = cache.arena.executable + UInt64(place.host)
                    (ahead, stackDebt) = (place.ahead, place.stackDebt)
                case .block:
                    guard let known = knownBlock() else { return }
                    cache.statistics.pointee.entries &+= 1
                    lastFault = (0, 0)
                    (host, ahead, stackDebt) = (known, 0, 0)
                case .stop: return
                }
            }
        }

        /// The host's address for EIP, if the jump cache has it and nothing else is to be done first; takes up its view.
        private func knownBlock() -> UInt64? {
            // A handler that returns from a fault sets RF.
            guard cpu.pointee.instructions < cpu.pointee.stopAt || passResumeFlag(), canExecute, provideAwaited() else {
                return nil
            }
            takeUpView()
            let (eip, place) = (cpu.pointee.eip, cpu.pointee.native.jumpCache)
            if let host = JumpCache.find(eip, in: place, unknown: targets.missing) { return host }
            view.jumps(cpu.nativeMode).noteMiss(of: eip)
            return nil
        }

        /// Emitted code faulted, with `total` instructions counted.
        private func answerFault(counted total: UInt64) -> Sequel {
            let fault = (place: cpu.pointee.native.faultPlace, address: cpu.pointee.native.faultAddress)
            guard let (block, index) = cache.locate(fault.place) else {
                preconditionFailure("a fault in emitted code, but in no block")
            }
            let isPageFault = cpu.pointee.native.faultVector == UInt64(Vector.pageFault)
            if isPageFault, budget.isExhausted(at: fault.address) {
                stand(before: 0, of: block, counted: total)
                return .stop
            }
            stand(before: index, of: block, counted: total)
            cache.profile?.left(block, before: index)
            let mayGoOn = settleRepeat(record(block, index).pointee)
            let linear = isPageFault ? view.window.linear(fault.address) : nil
            var filling = ShadowWindow.Filling.refused
            if let linear, fault != lastFault { filling = fill(linear, for: record(block, index).pointee) }
            noteFault(block, index, linear, filling)
            switch filling {
            case .done:
                lastFault = fault
                guard mayGoOn else { break }
                // The walk may have written to code (A and D bits), and whatever sees that may want attention.
                let here = resumption(block, index)
                guard hasRoom(for: here) else { return .stop }
                return cache.blocks[Int(block)].isStale ? .block : .resume(here)
            case .fault: if let linear { expectPage(linear) }
            case .refused, .failed, .postponed: cache.statistics.pointee.slowPaths &+= 1
            }
            return callOut(block, index, .faulted)
        }

        /// Emitted code left by a site, with `total` instructions counted.
        @inline(__always)
        private func answer(_ exit: UInt32, counted total: UInt64) -> Sequel {
            guard exit != NativeContext.miss else {
                view.jumps(cpu.nativeMode).noteMiss(of: cpu.pointee.eip)
                return leave(by: exit, counted: total)
            }
            let site = cache.sites[Int(exit)]
            let index = Int(site.index)
            switch site.kind {
            case .link, .own, .far, .stale:
                cpu.pointee.eip = site.eip
                return leave(by: exit, counted: total)
            case .units:
                stand(before: index, of: site.block, counted: total)
                cache.profile?.left(site.block, before: index)
                if units.give() { return .resume(resumption(site.block, index)) }
                _ = callOut(site.block, index, .units)
                // What follows in the block takes it that they are given.
                return .block
            case .repeated:
                stand(before: index, of: site.block, counted: total)
                cache.profile?.left(site.block, before: index + 1)
                return goOnRepeating(site.block, index)
            case .callout:
                stand(before: index, of: site.block, counted: total)
                cache.profile?.left(site.block, before: index)
                return callOut(site.block, index)
            }
        }

        /// A block is missing, to which the site can lead then.
        private func leave(by site: UInt32, counted total: UInt64) -> Sequel {
            cpu.pointee.instructions = total
            left = (site, cpu.pointee.eip)
            return .stop
        }

        /// Makes the processor's state that before an instruction of a block, where `total` have been counted.
        @inline(__always)
        private func stand(before index: Int, of block: Int32, counted total: UInt64) {
            let record = record(block, index)
            cpu.pointee.instructions = total &- (UInt64(record.pointee.counted) &- UInt64(index))
            cpu.pointee.eip = cache.blocks[Int(block)].eip &+ UInt32(record.pointee.offset)
            cpu.moveStack(by: Int(record.pointee.stackDebt))
            cpu.settle(record.pointee.debt)
            if !record.pointee.x87.isNone {
                units.note(record.pointee.x87, before: cache.blocks[Int(block)].first &+ UInt32(index))
            }
        }

        @inline(__always)
        func resumption(_ block: Int32, _ index: Int) -> Resumption {
            let record = record(block, index)
            return Resumption(
                host: record.pointee.host, ahead: UInt64(record.pointee.counted) &- UInt64(index),
                left: UInt64(cache.blocks[Int(block)].count) &- UInt64(index),
                stackDebt: record.pointee.stackDebt)
        }

        /// Whether the rest of a block may be executed: only where one begins is that looked at.
        @inline(__always)
        func hasRoom(for resumption: Resumption) -> Bool {
            cpu.pointee.instructions &+ resumption.left <= cpu.pointee.stopAt
        }

        @inline(__always)
        func record(_ block: Int32, _ index: Int) -> UnsafeMutablePointer<NativeInstruction> {
            cache.instructions + Int(cache.blocks[Int(block)].first) + index
        }

        /// Where an instruction of a block lies: a guest-physical address.
        func place(_ block: Int32, _ index: Int) -> UInt32 {
            cache.blocks[Int(block)].physical &+ UInt32(record(block, index).pointee.offset)
        }

        /// Enters emitted code; returns the instruction count as the blocks have counted it, which is ahead of what was
        /// executed if one was left on the way.
        @inline(__always)
        private func goOn(at host: UInt64, counting ahead: UInt64) -> UInt64 {
            let counted = cpu.pointee.instructions &+ ahead
            let left = Swift.min(cpu.pointee.stopAt &- counted, InstructionBudget.largest)
            cpu.pointee.native.entry = host
            cpu.pointee.native.budget = budget.end + left
            cpu.pointee.native.flags = UInt64(cpu.pointee.status.image | Flags.reserved1)
            if calls.isLong(cpu.pointee.native.calls) { calls.reset(&cpu.pointee.native.calls) }
            enter(cpu)
            cpu.pointee.status = StatusFlags(image: UInt32(truncatingIfNeeded: cpu.pointee.native.flags))
            return counted &+ left &- (cpu.pointee.native.budget &- budget.end)
        }

        /// Has emitted code use the window and the jump cache for the mode at the start of a block. They stay till the next
        /// one, but for what stubs change.
        @inline(__always)
        private func takeUpView() {
            let (isUser, mode) = (isUser, cpu.nativeMode)
            let (window, jumpCache) = spaces.places(isUser: isUser, mode)
            if window != cpu.pointee.native.window { regions.forget() }
            // Whoever called did so with other page tables, privilege or mode.
            if jumpCache != cpu.pointee.native.jumpCache { calls.reset(&cpu.pointee.native.calls) }
            (cpu.pointee.native.window, cpu.pointee.native.jumpCache) = (window, jumpCache)
            (cpu.pointee.native.otherWindow, cpu.pointee.native.otherJumpCache) =
                spaces.places(isUser: !isUser, mode)
        }
    }

    extension NativeEngine: BlockEngine {
        var translation: TranslationStatistics? { cache.statistics.pointee }
    }

    extension NativeEngine: TranslationObserver {
        func translationsFlushed(keepingGlobal: Bool) {
            regions.forget()
            calls.reset(&cpu.pointee.native.calls)
            spaces.flush(cpu, keepingGlobal: keepingGlobal)
        }

        func pageFlushed(_ linear: UInt32) {
            regions.forget()
            calls.reset(&cpu.pointee.native.calls)
            spaces.pageFlushed(cpu, linear)
        }

        func codeProtected(_ physical: UInt32) { spaces.protect(physical) }
    }
#endif
