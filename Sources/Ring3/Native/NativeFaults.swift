#if arch(x86_64) && os(Linux)
    import X86

    /// What `NativeEngine` does about accesses that have faulted, and about instructions that were interrupted on the way.
    extension NativeEngine {
        /// The guest is about to get a page fault.
        func expectPage(_ linear: UInt32) {
            guard keepsTranslations else { return }
            awaited = (cpu.pointee.eip, cpu.pointee.cr3, linear, cpu.pointee.native.faultCode & 2 != 0)
        }

        /// Spares an instruction that the guest tries again, now that it has provided a page, another fault. False if something
        /// wants attention: the walk may have written to code (A and D bits), and somebody may have seen that.
        func provideAwaited() -> Bool {
            if let awaited, awaited.eip == cpu.pointee.eip, awaited.root == cpu.pointee.cr3 {
                self.awaited = nil
                // Without a page the instruction faults again, and finds out for itself.
                _ = spaces.fill(cpu, awaited.linear, isUser: isUser, isWrite: awaited.isWrite)
            }
            return cpu.pointee.instructions < cpu.pointee.stopAt
        }

        /// Makes the state that of a repeated instruction which faulted on the way, and goes on where it got to; true for
        /// any other. False if emitted code cannot go on there: it would not end the slice where it has to end.
        func settleRepeat(_ record: NativeInstruction) -> Bool {
            guard record.instruction.isRepeated, !record.isMonitored else { return true }
            restoreFlags(record.instruction)
            let count = UInt32(truncatingIfNeeded: cpu.pointee.native.repeatCount)
            guard count >= Processor.repeatSlice else { return true }
            cpu.pointee.repeatsDone = Processor.repeatSlice &- cpu.pointee.ecx
            cpu.pointee.ecx = count &- cpu.pointee.repeatsDone
            return cpu.pointee.repeatsDone == 0
        }

        /// Flags are those before a comparison that is repeated, as long as that is not over.
        func restoreFlags(_ i: Instruction) {
            guard i.isRepeatedComparison else { return }
            cpu.pointee.status = StatusFlags(image: UInt32(truncatingIfNeeded: cpu.pointee.native.savedFlags))
        }

        /// A slice of a repeated instruction has been executed, before which the processor stands.
        func goOnRepeating(_ block: Int32, _ index: Int) -> Sequel {
            let i = record(block, index).pointee.instruction
            let next = cpu.pointee.eip &+ UInt32(i.length)
            cpu.begin(cpu.pointee.eip, next: next)
            let isOver = i.isRepeatedComparison && cpu.pointee.status.zf == i.prefixes.contains(.repne)
            guard cpu.pointee.ecx != 0, !isOver else {
                let resumption = resumption(block, index + 1)
                return hasRoom(for: resumption) ? .resume(resumption) : .stop
            }
            restoreFlags(i)
            cpu.endRepeatSlice()
            cache.profile?.charged(block, index, UInt64(Processor.repeatSlice / 16))
            return .stop
        }

        /// A page was missing in the window.
        func fill(_ linear: UInt32, for record: NativeInstruction) -> ShadowWindow.Filling {
            if record.instruction.isRepeated,
                translator.faults.postpones(linear, isProvided: cpu.peek(linear, isUser: isUser) != nil)
            {
                return .postponed
            }
            // Bit 1 of the error code: a write (SDM 3A 4.7).
            return spaces.fill(cpu, linear, isUser: isUser, isWrite: cpu.pointee.native.faultCode & 2 != 0)
        }

        /// An instruction faulted, by an access to `linear` if that is known.
        func noteFault(_ block: Int32, _ index: Int, _ linear: UInt32?, _ filling: ShadowWindow.Filling) {
            let isNew = translator.faults.faulted(
                place(block, index), at: cpu.pointee.instructions, on: linear, filling,
                isRepeated: record(block, index).pointee.instruction.isRepeated)
            if isNew { emitAnew(place(block, index)) }
        }

        func emitAnew(_ place: UInt32) {
            guard Int(place >> 12) < Int(cpu.pointee.ramSize >> 12) else { return }
            cache.invalidate(place, count: 1, isAdaptation: true)
            settleUnits()
        }

        /// Collections that grow compute with fractions, whose inexactness must not become the guest's. Where emitted code
        /// has the units, it is not in them, but the guest's x87 flags are.
        func settleUnits() {
            if !units.areGiven { cpu.settleUnits() }
        }
    }
#endif
