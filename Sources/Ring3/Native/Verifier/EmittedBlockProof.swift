import X86

/// The proof of one block: every instruction by itself, then what is known wherever control can come.
///
/// Jumps within a block lead forwards, so one pass in the order of addresses sees every way to an instruction before the
/// instruction itself.
struct EmittedBlockProof {
    private let verifier: EmittedCodeVerifier
    private let block: EmittedBlock
    private let instructions: [HostInstruction]
    /// Index of the instruction at an offset.
    private var places: [Int: Int] = [:]
    private var forms: [EmittedInstructionCheck.Form] = []
    /// What is known before each instruction; nil if nothing has led there yet.
    private var states: [EmittedCodeState?]
    /// What is known where the monitor enters, by index.
    private var resumed: [Int: EmittedCodeState] = [:]
    /// Words that are known.
    private var constants: [Int: UInt32] = [:]

    init(_ verifier: EmittedCodeVerifier, _ block: EmittedBlock, _ instructions: [HostInstruction]) {
        self.verifier = verifier
        self.block = block
        self.instructions = instructions
        states = Array(repeating: nil, count: instructions.count)
        for (index, instruction) in instructions.enumerated() { places[Int(instruction.address)] = index }
    }

    /// Numbers for the words that instruction `index` computes, and those that come together before it.
    private static func number(_ index: Int) -> Int { index * 16 }
    private static func joinNumber(_ index: Int) -> Int { index * 16 + 8 }

    mutating func prove() throws(EmittedCodeFinding) {
        try checkInstructions()
        try checkPlaces()
        let isEntered = places[block.entry] == 0
        if isEntered { states[0] = EmittedCodeState(credit: 0, counted: 0) }
        if let stale = places[block.staleExit] { arrive(at: stale, EmittedCodeState(credit: 1)) }
        for resumption in block.resumptions {
            guard let index = places[resumption.offset] else { throw misplaced() }
            // One more than the block may give back there: the monitor has executed an instruction.
            resumed[index] = EmittedCodeState(credit: resumption.ahead + 1, counted: resumption.counted)
        }
        for index in instructions.indices {
            if var entered = resumed[index] {
                // The monitor goes on in a block only if the units are as the block left them.
                entered.hasUnits = states[index]?.hasUnits ?? false
                // And by its count.
                if let known = states[index], known.counted != entered.counted { throw violation(.budget, index) }
                arrive(at: index, entered)
            }
            guard let state = states[index] else { continue }
            try follow(index, state)
        }
    }

    private func violation(_ rule: EmittedCodeFinding.Rule, _ index: Int) -> EmittedCodeFinding {
        verifier.finding(rule, instructions[index], block)
    }

    private func misplaced() -> EmittedCodeFinding {
        EmittedCodeFinding(rule: .shape, offset: block.entry, blockOffset: 0, bytes: [], text: "")
    }

    // MARK: Each by itself

    private mutating func checkInstructions() throws(EmittedCodeFinding) {
        forms.reserveCapacity(instructions.count)
        for (index, instruction) in instructions.enumerated() {
            let check = EmittedInstructionCheck(
                kind: verifier.kind(of: instruction), layout: verifier.layout, block: block)
            do throws(EmittedInstructionCheck.Violation) {
                forms.append(try check.form(of: instruction))
            } catch {
                throw violation(error.rule, index)
            }
        }
    }

    /// What the monitor will jump to or overwrite is where it takes it to be; and a block counts and tests before it does
    /// anything, and then counts the rest of what it has tested for, and no more.
    private func checkPlaces() throws(EmittedCodeFinding) {
        let isEntered = places[block.entry] == 0
        guard !instructions.isEmpty, places[block.staleExit] != nil else { throw misplaced() }
        guard block.patches.keys.allSatisfy({ isLink(places[$0 - 1], 5) || isLink(places[$0 - 2], 6) }) else {
            throw misplaced()
        }
        // Jumps lead forwards: what a way through the block counts is no more than all that is counted, which was tested.
        var counted: Int64 = 0
        for (index, form) in forms.enumerated() {
            switch form {
            case .count(let amount):
                counted += max(-amount, 0)
            case .testBudget: guard index == 1, isEntered else { throw violation(.budget, index) }
            default: break
            }
        }
        guard isEntered else { return }
        // Behind a callout, too, no more is counted; the next block tests as much below that at most.
        guard 1...verifier.layout.budgetGuard / 2 ~= block.count, forms.count > 1, case .count(let first) = forms[0],
            first < 0, counted == block.count, forms[1] == .testBudget(-Int64(block.count) - first)
        else { throw violation(.budget, 0) }
        // A jump will be written there once the block is stale, and nobody may come to the middle of it.
        guard instructions[0].length + instructions[1].length >= 5,
            block.resumptions.allSatisfy({ $0.offset >= block.entry + 5 })
        else { throw violation(.shape, 0) }
    }

    /// Whether the instruction at an index is a jump or call of that length, the last four bytes of which are its distance.
    private func isLink(_ index: Int?, _ length: Int) -> Bool {
        guard let index, case .jump = forms[index], instructions[index].length == length else { return false }
        switch verifier.kind(of: instructions[index]) {
        case .jump, .call: return length == 5
        case .conditional: return length == 6
        default: return false
        }
    }

    // MARK: What is known

    private mutating func arrive(at index: Int, _ state: EmittedCodeState) {
        guard var known = states[index] else {
            states[index] = state
            return
        }
        known.join(state, number: Self.joinNumber(index))
        states[index] = known
    }

    private mutating func follow(_ index: Int, _ before: EmittedCodeState) throws(EmittedCodeFinding) {
        let i = instructions[index]
        var state = before
        try checkReads(index, state)
        try checkStack(index, &state)
        try checkWindowed(index, &state)
        let kind = verifier.kind(of: i)
        guard state.hasUnits || kind != .x87 && kind != .vector else { throw violation(.units, index) }
        switch forms[index] {
        case .pushFlags, .popIntoState, .pushState, .popFlags: break
        case .jump(let target):
            // It may be made to lead to a block later.
            if let unlinked = block.patches[Int(i.end) - 4] {
                guard state.credit >= 1 else { throw violation(.budget, index) }
                guard let place = places[unlinked], place > index else { throw violation(.target, index) }
                arrive(at: place, state)
            }
            try jump(index, to: target, state)
            if kind == .jump { return }
            if kind == .call { state = .returned }
            if kind == .loop { state[EmittedCodeState.rcxNumber] = .any }
        case .jumpByCache:
            guard case .word = state[8] else { throw violation(.jumpCache, index) }
            guard state.credit >= 1 else { throw violation(.budget, index) }
            if kind == .jump { return }
            state = .returned
        case .farJump:
            // Where nothing is known it leads out, and R8 tells the monitor where it was left.
            guard hasSite(state) else { throw violation(.site, index) }
            guard state.credit >= 1 else { throw violation(.budget, index) }
            if kind == .jump { return }
            state = .returned
        case .return:
            guard state.credit >= 1 else { throw violation(.budget, index) }
            guard state.isReadable(HostOperandRegister(.general, 8, size: 4)) else { throw violation(.unset, index) }
            return
        case .loadWindow(let target): state[target] = .window
        case .loadPage(let target): state[target] = .page
        case .pageAccess(let base, let place):
            guard state[base] == .page, state[place] == .pageIndex else { throw violation(.memory, index) }
            compute(index, &state)
        case .addWindow: break
        case .string: state[EmittedCodeState.rcxNumber] = .any
        case .count(let amount):
            state.credit -= Int(amount)
            state.counted = state.counted.map { $0 - Int(amount) }
            guard state.credit >= 0, amount > 0 || state.isTested else { throw violation(.budget, index) }
        case .loadCounter(let site):
            guard block.sites.contains(site) else { throw violation(.counter, index) }
            state[8] = .counter(site)
        case .addToCounter:
            guard case .counter(let site) = state[8] else { throw violation(.counter, index) }
            state[8] = .counted(site)
        case .storeCounter(let site):
            guard state[8] == .counted(site) else { throw violation(.counter, index) }
            state[8] = .unset
        case .bit(let selector):
            // Any other number would select a bit of another word.
            guard state[selector] == .bitNumber else { throw violation(.memory, index) }
        case .guest, .testBudget, .state, .dropWindow: compute(index, &state)
        }
        guard index + 1 < instructions.count else { throw violation(.end, index) }
        arrive(at: index + 1, state)
    }

    private mutating func jump(
        _ index: Int, to target: Int, _ before: EmittedCodeState
    ) throws(EmittedCodeFinding) {
        var state = before
        if verifier.kind(of: instructions[index]) == .jumpIfZeroRCX {
            if state[EmittedCodeState.rcxNumber] == .lacksUnits { state.hasUnits = true }
        }
        if verifier.kind(of: instructions[index]) == .loop { state[EmittedCodeState.rcxNumber] = .any }
        let isCall = verifier.kind(of: instructions[index]) == .call
        let isSystemCall = verifier.layout.systemCalls.contains(target)
        let continuation = verifier.layout.continuations[target]
        let isStub = isSystemCall || continuation != nil || target == verifier.layout.leave
        guard !isCall || !isStub else { throw violation(.target, index) }
        if let continuation {
            guard isMet(continuation, state) else { throw violation(.target, index) }
            guard state.credit >= 1 else { throw violation(.budget, index) }
            guard state.isReadable(HostOperandRegister(.general, 8, size: 4)) else { throw violation(.unset, index) }
        } else if isSystemCall || target == verifier.layout.leave {
            guard !isSystemCall || state.credit >= 1 else { throw violation(.budget, index) }
            guard hasSite(state) else { throw violation(.site, index) }
        } else if target == block.entry || verifier.entries.contains(target) {
            guard state.credit >= 1 else { throw violation(.budget, index) }
        } else if block.entry..<block.end ~= target {
            // A call leads into its own block only to leave it.
            let isOut = block.patches[Int(instructions[index].end) - 4] == target
            guard let place = places[target], isOut || !isCall else {
                throw violation(.target, index)
            }
            guard place > index else { throw violation(.backwards, index) }
            arrive(at: place, state)
        } else {
            throw violation(.target, index)
        }
    }

    /// Whether R8 tells the monitor where it was left.
    private func hasSite(_ state: EmittedCodeState) -> Bool {
        guard case .word(let word) = state[8], let site = constants[word] else { return false }
        return block.sites.contains(site)
    }

    private func isMet(_ condition: EmittedCodeLayout.Condition, _ state: EmittedCodeState) -> Bool {
        switch condition {
        case .none: true
        case .has(let bits): block.mode.isSuperset(of: bits)
        case .lacks(let bits): block.mode.isDisjoint(with: bits)
        case .hasUnits: state.hasUnits
        }
    }

    /// Flags are pushed, popped into their field, pushed from there and popped, and nothing happens while they are on the
    /// stack.
    private func checkStack(_ index: Int, _ state: inout EmittedCodeState) throws(EmittedCodeFinding) {
        switch (forms[index], state.stack) {
        case (.pushFlags, .empty): state.stack = .flags
        case (.popIntoState, .flags):
            state.stack = .empty
            state.hasSavedFlags = true
        case (.pushState, .empty) where state.hasSavedFlags: state.stack = .savedFlags
        case (.popFlags, .savedFlags): state.stack = .empty
        case (.pushFlags, _), (.popIntoState, _), (.pushState, _), (.popFlags, _): throw violation(.stack, index)
        default: guard state.stack == .empty else { throw violation(.stack, index) }
        }
    }

    /// The window's base is added to a register, which is used by a string instruction and by nothing else, and dropped.
    private func checkWindowed(_ index: Int, _ state: inout EmittedCodeState) throws(EmittedCodeFinding) {
        switch forms[index] {
        case .addWindow(let register, let base):
            guard state.windowed.isSubset(of: [.source, .destination]), state.windowed.isDisjoint(with: register),
                state[base] == .window
            else { throw violation(.window, index) }
            state.windowed.insert(register)
        case .loadWindow where state.windowed.isEmpty: break
        case .string(let registers):
            guard state.windowed == registers else { throw violation(.window, index) }
        case .dropWindow(let register) where state.windowed.isSuperset(of: register): state.windowed.remove(register)
        default: guard state.windowed.isEmpty else { throw violation(.window, index) }
        }
    }

    // MARK: Registers

    /// R8 to R11 hold what the same guest instruction put there, or are not read.
    private func checkReads(_ index: Int, _ state: EmittedCodeState) throws(EmittedCodeFinding) {
        switch forms[index] {
        // These have rules of their own.
        case .loadCounter, .addToCounter, .storeCounter, .addWindow: return
        default: break
        }
        let i = instructions[index]
        for (position, operand) in i.operands.enumerated() {
            switch operand {
            case .register(let register) where position > 0 || !isOnlyWritten(i, register):
                guard state.isReadable(register) else { throw violation(.unset, index) }
            case .memory(let memory):
                if case .pageAccess = forms[index] { continue }
                for register in [memory.base, memory.index] {
                    guard let register else { continue }
                    guard state.isReadable(register) else { throw violation(.unset, index) }
                }
            default: break
            }
        }
    }

    /// Whether an instruction replaces all of its first operand, a register.
    private func isOnlyWritten(_ i: HostInstruction, _ register: HostOperandRegister) -> Bool {
        switch verifier.kind(of: i) {
        case .load, .move, .lea, .shift, .extract: true
        default: false
        }
    }

    /// What an instruction leaves in registers that are kept track of.
    private mutating func compute(_ index: Int, _ state: inout EmittedCodeState) {
        let i = instructions[index]
        if verifier.kind(of: i) == .move, case .memory? = i.operands.first { return }
        let result = value(index, state)
        // More than one operand may be written, and the flags of what is written do not tell.
        for operand in i.operands {
            guard case .register(let register) = operand else { continue }
            guard register.file == .general || register.file == .highByte else { continue }
            if result != nil, operand != i.operands[0] { continue }
            state.set(register, .any)
        }
        if let result, case .register(let target)? = i.operands.first { state.set(target, result) }
    }

    /// The value of the first operand behind instruction `index`, if that is all it writes and something is known of it.
    private mutating func value(_ index: Int, _ state: EmittedCodeState) -> EmittedValue? {
        let i = instructions[index]
        guard case .register(let target)? = i.operands.first, target.file == .general else { return nil }
        let fresh = EmittedValue.word(Self.number(index))
        func operand(_ position: Int) -> EmittedValue {
            guard position < i.operands.count, case .register(let register) = i.operands[position],
                register.file == .general
            else { return .any }
            return state[register.number]
        }
        switch verifier.kind(of: i) {
        case .move where target.size == 4:
            if case .immediate(let constant)? = i.operands.last {
                constants[Self.number(index)] = UInt32(truncatingIfNeeded: constant)
                return fresh
            }
            if forms[index] == .state, let memory = i.memory, memory.displacement == verifier.layout.lacksUnits.offset {
                return .lacksUnits
            }
            // A word is the same in any register; of anything else this is the low half.
            if case .word = operand(1) { return operand(1) }
            return fresh
        case .extract where target.size == 4:
            guard case .word(let word) = operand(2), let mask = constants[word] else { return .any }
            return switch mask {
            case 31: .bitNumber
            case 0xFFF: .pageIndex
            default: .any
            }
        case .load where target.size == 4, .lea where target.size == 4, .shift where target.size == 4: return fresh
        case .move, .load, .lea, .not, .shift, .extract: return .any
        default: return nil
        }
    }
}
