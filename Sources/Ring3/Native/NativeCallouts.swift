#if arch(x86_64) && os(Linux)
    import X86

    /// What `NativeEngine` does about instructions that are the monitor's.
    extension NativeEngine {
        /// Executes an instruction, as `perform` does, for that cause or the one that emitted code was made for.
        @inline(__always)
        func callOut(_ block: Int32, _ index: Int, _ cause: CalloutCause? = nil) -> Sequel {
            guard let profile = cache.profile else { return perform(block, index) }
            return profile.calledOut(block, index, cause) { perform(block, index) }
        }

        /// Executes IN or OUT at CPL 0, which does not fault, and changes neither mode nor segments nor the units' state.
        @inline(__always)
        private func accessPort(_ block: Int32, _ index: Int) -> Sequel {
            let next = resumption(block, index + 1)
            let isNext = withUnsafePointer(to: &record(block, index).pointee.instruction) {
                cpu.perform($0, at: cpu.pointee.eip) { cpu, i throws(Fault) in
                    if i.pointee.operation == .in { try cpu.portInput(i) } else { try cpu.portOutput(i) }
                }
            }
            return isNext && hasRoom(for: next) && !cache.blocks[Int(block)].isStale ? .resume(next) : .block
        }

        /// Executes the instruction of a block before which the processor stands by the shared semantics.
        @inline(__always)
        private func perform(_ block: Int32, _ index: Int) -> Sequel {
            let record = record(block, index)
            if record.pointee.isPortAccess, cpu.pointee.cpl == 0 { return accessPort(block, index) }
            // What follows in the block may rely on the units as it found them.
            let areUnitsGiven = units.areGiven
            if record.pointee.instruction.usesUnits { units.take() }
            let loadsSegment = record.pointee.instruction.changesOnlyDataSegment
            // Selectors may change, also by an exception, or the task and with it the right to use the units.
            units.noteLast()
            let (witnessed, esi, edi) = (cpu.pointee.witnessed, cpu.pointee.esi, cpu.pointee.edi)
            let isNext = cpu.perform(
                withUnsafePointer(to: &record.pointee.instruction) { $0 }, at: cpu.pointee.eip)
            if loadsSegment, isNext {
                cpu.noteDescriptor(of: cpu.segmentRegister(record.pointee.instruction.operands.0))
            }
            if isNext, record.pointee.storesToRegion { regions.provide(for: record) }
            if case .faulting(let number) = record.pointee.monitoring {
                let isHarmless =
                    isNext && cpu.pointee.witnessed == witnessed
                    && translator.faults.visitsKnownPages(record.pointee.instruction, source: esi, destination: edi)
                let place = place(block, index)
                if translator.faults.executed(number, place, isHarmless: isHarmless) { emitAnew(place) }
            }
            if !units.areUsable { units.take() }
            // Behind a loop's jump there may be another round of it, which is not what follows the jump.
            guard isNext, !record.pointee.role.endsBlock, !record.pointee.isFollowed else { return .block }
            let next = resumption(block, index + 1)
            let mayGoOn =
                units.areGiven == areUnitsGiven
                && cpu.nativeMode == cache.blocks[Int(block)].mode && !cpu.isAlignmentChecked
                && (!loadsSegment || cpu.blockMode == .allFlat)
                && hasRoom(for: next) && !cache.blocks[Int(block)].isStale
            return mayGoOn ? .resume(next) : .block
        }
    }
#endif
