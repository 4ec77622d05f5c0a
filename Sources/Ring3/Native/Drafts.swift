#if arch(x86_64) && os(Linux)
    import X86

    /// Host code of straight instructions, made where they are collected: it is the same wherever it lies, and in each round
    /// of a loop.
    extension NativeTranslator {
        /// Makes the host code of a straight instruction, or finds that it is the monitor's.
        @inline(__always)
        func appendDraft(
            _ index: Int, _ form: UnsafeMutablePointer<NativeForms.Form>, _ first: InstructionBytes?
        ) {
            let (record, start) = (instruction(index), draft.offset)
            if let size = form.pointee.codeSize, let first {
                draft.copy(form.pointee.code, count: Int(size))
                let headSize = Int(form.pointee.headSize)
                draft.copy(
                    (first.word(from: headSize), 0), count: Int(record.pointee.instruction.length) - headSize)
            } else {
                makeDraft(index, form)
            }
            record.pointee.draft = UInt16(truncatingIfNeeded: start)
            record.pointee.draftSize = UInt16(truncatingIfNeeded: draft.offset - start)
        }

        private func makeDraft(_ index: Int, _ form: UnsafeMutablePointer<NativeForms.Form>) {
            let (record, bytes, start) = (instruction(index), bytes(index), draft.offset)
            if rewriter.emit(record.pointee.instruction, bytes, keepsFlags: false, &draft) {
                let code = UnsafeRawBufferPointer(start: draftBuffer + start, count: draft.offset - start)
                if rewriter.copiesTail(record.pointee.instruction) { forms.keep(code, of: bytes, in: form) }
            } else {
                record.pointee.monitoring = .notEmittable
            }
        }

        /// Whether the draft of an instruction is all that is emitted for it.
        func isDraft(_ record: UnsafeMutablePointer<NativeInstruction>) -> Bool {
            record.pointee.isPlain && !record.pointee.isMonitored && !record.pointee.isPaidAtOnce
        }

        func emitDraft(_ record: UnsafeMutablePointer<NativeInstruction>) {
            host.copy(
                UnsafeRawBufferPointer(
                    start: draftBuffer + Int(record.pointee.draft), count: Int(record.pointee.draftSize)))
        }

        /// Emits instructions from the one at `index` on that are only their drafts, as long as these lie in a row; returns how
        /// many.
        func emitDrafts(_ index: Int) -> Int {
            let first = instruction(index).pointee.draft
            var (next, end) = (index, first)
            while next < Int(block.count) {
                let record = instruction(next)
                guard isDraft(record), record.pointee.draft == end,
                    record.pointee.stackDebt == instruction(next + 1).pointee.stackDebt
                else { break }
                record.pointee.host = UInt32(host.offset + Int(end - first))
                end += record.pointee.draftSize
                next += 1
            }
            host.copy(UnsafeRawBufferPointer(start: draftBuffer + Int(first), count: Int(end - first)))
            return next - index
        }
    }
#endif
