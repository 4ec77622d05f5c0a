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

        /// Appends instructions that are their own host code and cannot fault, as long as there is one behind the other.
        ///
        /// All that is to be known of them is in their records: code that is written again and again has many of them.
        func appendCopies() {
            let (ram, mode) = (cpu.pointee.ramBase + Int(block.physical), rewriter.mode)
            let (first, start) = (instruction(0), Int(block.count))
            // Eight bytes of the page are looked at.
            let end = 0x1000 - 8 - Int(block.physical & 0xFFF)
            var (count, length, draft) = (start, Int(block.length), self.draft)
            while count < Translator.longest, length <= end, count == 0 || !isRewrittenLoop(length) {
                let record = first + count
                let bytes = UInt64(littleEndian: UnsafeRawPointer(ram + length).loadUnaligned(as: UInt64.self))
                let size = forms.makeRecordOfCopy(record, bytes, mode)
                guard size > 0 else { break }
                record.pointee.offset = UInt16(truncatingIfNeeded: length)
                record.pointee.draft = UInt16(truncatingIfNeeded: draft.offset)
                record.pointee.draftSize = UInt16(truncatingIfNeeded: size)
                draft.copy(bytes, count: size)
                count += 1
                length += size
            }
            self.draft = draft
            block.count = UInt16(truncatingIfNeeded: count)
            block.length = UInt32(truncatingIfNeeded: length)
            cpu.pointee.statistics.decodes &+= UInt64(count - start)
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
