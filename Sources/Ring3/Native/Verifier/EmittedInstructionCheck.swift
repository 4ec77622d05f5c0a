import X86

/// What a single instruction of a block may look like, whatever comes before it.
struct EmittedInstructionCheck {
    /// The kinds of memory access, and whatever else the proof has to look at in its context.
    enum Form: Equatable {
        /// No memory, or that of the guest's window.
        case guest
        /// BT or the like, of a word in the window: the register that selects the bit.
        case bit(UInt8)
        /// `lea r14, [r14 + n]`.
        case count(Int64)
        /// `mov r8d, [r14 + n]`.
        case testBudget(Int64)
        /// `jmp [r15 + r8 * 8]`, or a call.
        case jumpByCache
        /// `jmp [r15 - ...]`, or a call, to one of the far targets.
        case farJump
        /// Reads or writes a listed field of the processor's state.
        case state
        /// `mov r64, [r13 + window]`: destination.
        case loadWindow(UInt8)
        /// `mov r64, [r13 + page]`: destination.
        case loadPage(UInt8)
        /// Writes up to four bytes to `[r64 + r64]`: the registers with the page and the place in it. That the guest may write
        /// there, and that there is no code, is asked before and not proved: it is the guest's own RAM, or what nobody can
        /// access behind it (`PhysicalMemory`).
        case pageAccess(base: UInt8, index: UInt8)
        /// `lea r, [base + r]`: RSI or RDI, and the register with the window's base.
        case addWindow(EmittedCodeState.Windowed, base: UInt8)
        /// A repeated string instruction: the registers that it goes by.
        case string(EmittedCodeState.Windowed)
        /// `mov esi, esi`, and the like.
        case dropWindow(EmittedCodeState.Windowed)
        /// `mov r8, [rip + ...]`, `lea r8, [r8 + 1]`, `mov [rip + ...], r8`: with the number of a site's counter.
        case loadCounter(UInt32), addToCounter, storeCounter(UInt32)
        /// Leads to an offset in the arena. So may a call.
        case jump(Int)
        /// Goes where a call has come from.
        case `return`
        /// PUSHFQ and POP into the field for flags; PUSH of that and POPFQ.
        case pushFlags, popIntoState, pushState, popFlags
    }

    let kind: EmittedInstructionKind
    let layout: EmittedCodeLayout
    let block: EmittedBlock

    /// The form of an instruction, or the rule that it breaks.
    func form(of i: HostInstruction) throws(Violation) -> Form {
        guard i.prefixes.isCanonical else { throw Violation(.prefixes) }
        switch kind {
        case .forbidden, .writeGSBase, .stateImage: throw Violation(.instruction)
        case .push, .pop, .pushFlags, .popFlags: return try stack(i)
        case .jump, .conditional, .jumpIfZeroRCX, .loop, .call: return try jump(i)
        case .return:
            guard i.prefixes.isEmpty, i.operands.isEmpty else { throw Violation(.instruction) }
            return .return
        case .string: return try string(i)
        default: break
        }
        try checkPrefixes(i)
        guard let memory = i.memory else {
            // What the encoding accesses, Capstone has to show.
            guard i.modRM.map({ $0 >> 6 == 3 }) ?? true, i.prefixes.segment == 0, !i.prefixes.hasAddressSize else {
                throw Violation(.memory)
            }
            try checkRegisters(i)
            if kind == .move, case .register(let target)? = i.operands.first, i.operands.last == i.operands.first,
                target.file == .general, target.size == 4,
                let register = EmittedCodeState.Windowed(register: target.number)
            {
                return .dropWindow(register)
            }
            return .guest
        }
        if kind == .lea { return try lea(i, memory) }
        return try access(i, memory)
    }

    struct Violation: Error {
        let rule: EmittedCodeFinding.Rule
        init(_ rule: EmittedCodeFinding.Rule) { self.rule = rule }
    }

    // MARK: Prefixes and registers

    private func checkPrefixes(_ i: HostInstruction) throws(Violation) {
        let prefixes = i.prefixes
        guard prefixes.repeating == 0 || kind == .vector else { throw Violation(.prefixes) }
        if kind == .vector {
            guard MandatoryPrefixes.areDefined(i) else { throw Violation(.prefixes) }
        }
        if prefixes.isLocked {
            guard kind.isLockable, case .memory? = i.operands.first else { throw Violation(.prefixes) }
        }
    }

    /// Whether a register may be named: those of the guest, and R8 to R11.
    static func isAllowed(_ register: HostOperandRegister) -> Bool {
        switch register.file {
        case .general: register.number != 4 && register.number < 13
        case .highByte, .x87, .mmx: true
        case .vector: register.number < 8 && register.size == 16
        case .instructionPointer, .other: false
        }
    }

    private static func isOurs(_ register: HostOperandRegister) -> Bool {
        register.file == .general && 8...11 ~= register.number
    }

    private func checkRegisters(_ i: HostInstruction) throws(Violation) {
        for operand in i.operands {
            switch operand {
            case .register(let register):
                guard Self.isAllowed(register) else { throw Violation(.register) }
                guard register.file != .general || register.size < 8 else { throw Violation(.width) }
            case .unknown: throw Violation(.instruction)
            case .immediate, .memory: break
            }
        }
        guard !i.prefixes.isWide else { throw Violation(.width) }
    }

    // MARK: Memory

    private func access(_ i: HostInstruction, _ memory: HostMemoryOperand) throws(Violation) -> Form {
        if i.prefixes.segment != 0 {
            try checkWindow(i, memory)
            if kind == .bitTest || kind == .bitChange, case .register(let selector)? = i.operands.last {
                guard selector.size == 4 else { throw Violation(.memory) }
                return .bit(selector.number)
            }
            return .guest
        }
        if memory.base?.file == .instructionPointer { return try counter(i, memory) }
        if let base = memory.base, Self.isOurs(base) { return try page(i, memory, base) }
        let isState = memory.base?.number == 13
        guard kind == .move || isState && kind == .load, memory.segment == .standard, let base = memory.base,
            base.file == .general, base.size == 8,
            i.prefixes.rex != 0, i.prefixes.count == 1
        else { throw Violation(.memory) }
        switch base.number {
        case 13:
            let field = StateField(offset: Int(memory.displacement), size: Int(memory.size))
            if field == layout.window || field == layout.page {
                guard case .register(let target)? = i.operands.first, target.size == 8, Self.isOurs(target),
                    memory.index == nil
                else { throw Violation(.state) }
                return field == layout.window ? .loadWindow(target.number) : .loadPage(target.number)
            }
            try checkState(i, memory)
            return .state
        case 14:
            let target = HostOperandRegister(.general, 8, size: 4)
            guard i.operands == [.register(target), .memory(memory)], memory.index == nil,
                -Int64(layout.budgetGuard)...0 ~= memory.displacement
            else { throw Violation(.memory) }
            return .testBudget(memory.displacement)
        case 15: throw Violation(.jumpCache)
        default: throw Violation(.memory)
        }
    }

    private static let counterRegister = HostOperandRegister(.general, 8, size: 8)

    /// A counter, which is loaded to R8 and stored from there.
    private func counter(_ i: HostInstruction, _ memory: HostMemoryOperand) throws(Violation) -> Form {
        guard kind == .move, !layout.counters.isEmpty, memory.segment == .standard, memory.base?.size == 8,
            memory.index == nil, memory.size == 8, i.prefixes.rex != 0, i.prefixes.count == 1
        else { throw Violation(.memory) }
        let place = Int(i.end) + Int(memory.displacement) - layout.counters.lowerBound
        guard place >= 0, place + 8 <= layout.counters.count, place % 8 == 0 else { throw Violation(.counter) }
        let number = UInt32(truncatingIfNeeded: place / 8)
        switch i.operands {
        case [.register(Self.counterRegister), .memory(memory)]: return .loadCounter(number)
        case [.memory(memory), .register(Self.counterRegister)]: return .storeCounter(number)
        default: throw Violation(.counter)
        }
    }

    /// Guest memory: GS, whose base is the window's, and a sum of 32 bits.
    private func checkWindow(_ i: HostInstruction, _ memory: HostMemoryOperand) throws(Violation) {
        guard i.prefixes.segment == 0x65, memory.segment == .gs, i.prefixes.hasAddressSize else {
            throw Violation(.memory)
        }
        for register in [memory.base, memory.index] {
            guard let register else { continue }
            guard register.file == .general, register.size == 4 else { throw Violation(.memory) }
            guard Self.isAllowed(register) else { throw Violation(.register) }
        }
        try checkRegisters(i)
    }

    /// A page of RAM, by its address and a place in it.
    private func page(
        _ i: HostInstruction, _ memory: HostMemoryOperand, _ base: HostOperandRegister
    ) throws(Violation) -> Form {
        guard kind == .move || kind == .not || kind == .lockable && !i.prefixes.isLocked,
            i.operands.first == .memory(memory), memory.segment == .standard, memory.displacement == 0,
            base.size == 8, let index = memory.index, index.size == 8, Self.isOurs(index), 1...4 ~= memory.size,
            memory.scale == 1, !i.prefixes.hasAddressSize
        else { throw Violation(.memory) }
        try checkRegisters(i)
        return .pageAccess(base: base.number, index: index.number)
    }

    private func checkState(_ i: HostInstruction, _ memory: HostMemoryOperand) throws(Violation) {
        guard memory.index == nil else { throw Violation(.state) }
        let field = StateField(offset: Int(memory.displacement), size: Int(memory.size))
        try checkRegisters(i)
        guard i.operands.first == .memory(memory) else {
            guard layout.readable.contains(field) else { throw Violation(.state) }
            return
        }
        switch layout.writable[field] {
        case .any?: break
        case .instruction?:
            guard case .immediate(let number)? = i.operands.last,
                block.records.contains(UInt32(truncatingIfNeeded: number))
            else { throw Violation(.state) }
        case nil: throw Violation(.state)
        }
    }

    /// The host's stack is used to get at flags, and for nothing else.
    private func stack(_ i: HostInstruction) throws(Violation) -> Form {
        guard kind == .push || kind == .pop else {
            guard i.prefixes.isEmpty else { throw Violation(.prefixes) }
            return kind == .pushFlags ? .pushFlags : .popFlags
        }
        guard let memory = i.memory, memory.base == HostOperandRegister(.general, 13, size: 8), memory.index == nil,
            memory.segment == .standard, i.prefixes.count == 1, i.prefixes.rex != 0
        else { throw Violation(.instruction) }
        let field = StateField(offset: Int(memory.displacement), size: Int(memory.size))
        guard field == layout.savedFlags else { throw Violation(.state) }
        return kind == .push ? .pushState : .popIntoState
    }

    private func lea(_ i: HostInstruction, _ memory: HostMemoryOperand) throws(Violation) -> Form {
        guard i.prefixes.segment == 0, case .register(let target)? = i.operands.first else {
            throw Violation(.prefixes)
        }
        if target.number == 14 || memory.base?.number == 14 {
            guard target == HostOperandRegister(.general, 14, size: 8), memory.base == target, memory.index == nil,
                !i.prefixes.hasOperandSize, !i.prefixes.hasAddressSize
            else { throw Violation(.register) }
            return .count(memory.displacement)
        }
        if target.size == 8, let register = EmittedCodeState.Windowed(register: target.number) {
            guard let base = memory.base, Self.isOurs(base), base.size == 8, memory.index == target, memory.scale == 1,
                memory.displacement == 0, !i.prefixes.hasOperandSize, !i.prefixes.hasAddressSize
            else { throw Violation(.width) }
            return .addWindow(register, base: base.number)
        }
        if !layout.counters.isEmpty, target == Self.counterRegister, memory.base == target, memory.index == nil,
            memory.displacement == 1, !i.prefixes.hasOperandSize, !i.prefixes.hasAddressSize
        {
            return .addToCounter
        }
        let sources = [memory.base, memory.index].compactMap { $0 }
        guard sources.allSatisfy(Self.isAllowed) else { throw Violation(.register) }
        // JRCXZ compares all of RCX, which then gets the guest's value back.
        let isComparison = target == HostOperandRegister(.general, 1, size: 8) && sources.allSatisfy(Self.isOurs)
        if !isComparison { try checkRegisters(i) }
        return .guest
    }

    /// SDM 2B, "REP": MOVS and STOS take F3, CMPS and SCAS either. Without one they would be as good, but are not emitted.
    private func string(_ i: HostInstruction) throws(Violation) -> Form {
        let prefixes = i.prefixes
        guard prefixes.segment == 0, !prefixes.hasAddressSize, !prefixes.isLocked, prefixes.rex == 0 else {
            throw Violation(.prefixes)
        }
        let compares = i.opcode & 6 == 6
        guard prefixes.repeating == 0xF3 || compares && prefixes.repeating == 0xF2 else {
            throw Violation(.instruction)
        }
        return .string(i.opcode < 0xA8 ? [.source, .destination] : .destination)
    }

    // MARK: Jumps

    private func jump(_ i: HostInstruction) throws(Violation) -> Form {
        if case .immediate(let target)? = i.operands.first {
            // An operand-size prefix would cut the target on some processors and not on others.
            guard i.prefixes.isEmpty else { throw Violation(.prefixes) }
            return .jump(Int(target))
        }
        guard kind == .jump || kind == .call, let memory = i.memory, memory.segment == .standard,
            memory.base == HostOperandRegister(.general, 15, size: 8), i.prefixes.count == 1, i.prefixes.rex != 0
        else { throw Violation(.target) }
        if memory.index == HostOperandRegister(.general, 8, size: 8), memory.scale == 8, memory.size == 8,
            memory.displacement == 0
        {
            return .jumpByCache
        }
        let place = Int(memory.displacement)
        guard memory.index == nil, memory.size == 8, place % 8 == 0, -8 * layout.farTargetCount..<0 ~= place else {
            throw Violation(.jumpCache)
        }
        return .farJump
    }
}
