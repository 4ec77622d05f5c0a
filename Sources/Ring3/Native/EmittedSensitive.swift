#if arch(x86_64) && os(Linux)
    import X86

    /// The sensitive instructions that `NativeTranslator` emits code for, and the ways to the monitor for what that code leaves
    /// to it.
    extension NativeTranslator {
        func isInlined(_ index: Int) -> Bool { inlined(index) != nil }

        func inlined(_ index: Int) -> InlineSensitive? {
            let i = instruction(index).pointee.instruction
            return InlineSensitive(
                i, isLast: index + 1 == Int(block.count), isReachable: rewriter.isReachable(i))
        }

        func ending(_ index: Int) -> InlineEnding? {
            let i = instruction(index).pointee.instruction
            return InlineEnding(i, isReachable: rewriter.isReachable(i), block.mode, stubs)
        }

        func emitEnding(_ index: Int) {
            guard let ending = ending(index) else { return emitCallout(index) }
            let record = instruction(index).pointee
            host.pay(record.debt)
            if record.instruction.usesUnits { emitUnitsCheck(index) }
            ending.emit(
                &host, next: block.eip &+ UInt32(record.offset) &+ UInt32(record.instruction.length),
                loadSource: { emitSource(index, &$0) }, callOut: { emitLeave(calloutSite(index), &$0) })
        }

        /// Loads R8D with the word that an instruction reads: from the stack, a register or memory.
        func emitSource(_ index: Int, _ host: inout HostAssembler) {
            let i = instruction(index).pointee.instruction
            let source = i.operation == .movSegment ? i.operands.1 : i.operands.0
            switch (i.operation, source.kind) {
            // Of the stack's four bytes two are read.
            case (.popSegment, _): host.loadStackWord(.r8, 0)
            case (_, .register): host.move(.r8, HostRegister(guest: source.register >> 2))
            default: rewriter.emitLoadWord(.r8, i, bytes(index), &host)
            }
        }

        /// The stub for SYSENTER or SYSEXIT; nil for anything else.
        func systemCall(_ index: Int) -> Int? {
            switch instruction(index).pointee.instruction.operation {
            case .sysenter: stubs.enterSystem
            case .sysexit: stubs.leaveSystem
            default: nil
            }
        }

        func emitSystemCall(_ index: Int) {
            guard let stub = systemCall(index) else { return emitCallout(index) }
            host.pay(instruction(index).pointee.debt)
            host.move(.r8, immediate: cache.add(calloutSite(index)))
            host.jump(to: stub)
        }

        func calloutSite(_ index: Int) -> NativeSite {
            NativeSite(kind: .callout, index: UInt16(truncatingIfNeeded: index), block: cache.nextBlock)
        }

        func emitInline(_ index: Int) {
            guard let inline = inlined(index) else { return emitCallout(index) }
            host.pay(instruction(index).pointee.debt)
            inline.emit(
                &host, loadSource: { emitSource(index, &$0) }, callOut: { emitLeave(calloutSite(index), &$0) })
        }
    }
#endif
