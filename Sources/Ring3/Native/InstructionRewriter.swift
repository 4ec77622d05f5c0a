import X86

/// Writes a guest instruction as a host instruction that does the same: the same opcode, with ESP moved to R12, memory
/// reached through GS and 32-bit addresses, and those encodings replaced that 64-bit mode does not have.
///
/// What it does not know, or what cannot be encoded (AH next to a register that needs REX), is for the monitor.
struct InstructionRewriter {
    /// Segments that can be used, besides flat DS, ES and SS.
    let mode: NativeMode
    private static let baseOfFS = ProcessorState.place(\.fs.base)
    private static let baseOfGS = ProcessorState.place(\.gs.base)
    private static let savedFlags = ProcessorState.place(\.native.savedFlags)
    private static let window = ProcessorState.place(\.native.window)

    /// Emits `i`, whose bytes are `bytes`; false if there is no way to, and then nothing that was emitted counts. The
    /// instruction is innocuous.
    ///
    /// - Parameter keepsFlags: the flags behind it are of interest. Division leaves them undefined.
    func emit(
        _ i: Instruction, _ bytes: UnsafeRawBufferPointer, keepsFlags: Bool, _ host: inout HostAssembler
    ) -> Bool {
        switch i.operation {
        // There is one processor, and it executes in order. NOP may name memory, in any segment, and not access it.
        case .nop, .pause, .prefetch, .sfence, .lfence, .mfence: return true
        default: break
        }
        let source = GuestCode(i, bytes)
        if source.layout.hasMemory, i.addressSize != 4 { return false }
        if source.accessesMemory, !isReachable(i) { return false }
        switch i.operation {
        case .cld: return mode.contains(.stringsGoUp)
        case .movs, .cmps, .scas, .lods, .stos: return emitString(i, &host)
        case .push, .pop, .leave: return emitStack(source, &host)
        case .bt, .bts, .btr, .btc:
            let isSelected = source.layout.hasMemory && i.operands.1.kind == .register
            return isSelected ? emitBitInMemory(source, &host) : emitCopy(source, &host)
        case .div, .idiv:
            if keepsFlags {
                host.byte(0x9C)  // pushfq
                host.pop(state: Self.savedFlags)
            }
            guard emitCopy(source, &host) else { return false }
            if keepsFlags {
                host.push(state: Self.savedFlags)
                host.byte(0x9D)  // popfq
            }
            return true
        default: return emitCopy(source, &host)
        }
    }

    /// Whether the host code of an instruction ends with the bytes that its own has behind ModR/M and SIB byte, and nothing
    /// else in it depends on them.
    func copiesTail(_ i: Instruction) -> Bool {
        // Of these the address comes first.
        guard i.memory.segment != .fs, i.memory.segment != .gs else { return false }
        switch i.operation {
        case .bt, .bts, .btr, .btc: return i.operands.1.kind == .immediate || i.operands.0.kind == .register
        // Some have bytes behind the head that are not copied.
        case .nop, .prefetch, .push, .pop: return false
        default: return true
        }
    }

    /// Whether the memory operand's segment needs no checks.
    func isReachable(_ i: Instruction) -> Bool {
        guard i.addressSize == 4 else { return false }
        return switch i.memory.segment {
        case .ds, .es, .ss: true
        case .fs: mode.contains(.openFS)
        case .gs: mode.contains(.openGS)
        case .cs: false
        }
    }

    /// Emits an instruction whose operand in memory, of 1, 2 or 4 bytes, is where R9 points, R11 bytes further on.
    func emitInPage(_ i: Instruction, _ bytes: UnsafeRawBufferPointer, _ host: inout HostAssembler) -> Bool {
        // [r9 + r11]
        let sib = HostRegister.r11.low << 3 | HostRegister.r9.low
        return emitCopy(GuestCode(i, bytes), &host, at: Address(modRM: 4, sib: sib, rex: 3))
    }

    /// - Parameter place: where the operand in memory is, if that is not in the window.
    private func emitCopy(_ source: GuestCode, _ host: inout HostAssembler, at place: Address? = nil) -> Bool {
        guard let shape = OpcodeShape(source) else { return false }
        let layout = source.layout
        var rex: UInt8 = 0
        if shape.register == .wide, layout.reg == 4 { rex |= 4 }
        if !layout.hasMemory, shape.rm == .wide, layout.modRM == nil ? layout.opcode & 7 == 4 : layout.rm == 4 {
            rex |= 1
        }
        var opcode = layout.opcode
        switch (layout.isTwoByte, opcode) {
        case (false, 0x40...0x4F):
            // INC and DEC r: these bytes are REX prefixes now.
            if source.i.prefixes.contains(.operandSize) { host.byte(0x66) }
            if rex != 0 { host.byte(0x40 | rex) }
            host.bytes(0xFF, 0xC0 | (opcode & 8) | opcode & 7)
            return true
        case (false, 0x82): opcode = 0x80
        default: break
        }
        let address = place ?? prepareAddress(source, &host)
        rex |= address.rex
        // With any REX prefix, the numbers of AH to BH mean other registers.
        guard rex == 0 || !source.i.hasHighByte else { return false }
        if source.i.prefixes.contains(.lock) { host.byte(0xF0) }
        if shape.isExtension {
            if layout.mandatoryPrefix != 0 { host.byte(layout.mandatoryPrefix) }
        } else if source.i.prefixes.contains(.operandSize) {
            host.byte(0x66)
        }
        if source.accessesMemory, place == nil { host.bytes(0x65, 0x67) }
        if rex != 0 { host.byte(0x40 | rex) }
        if layout.isTwoByte { host.byte(0x0F) }
        if source.isAbsoluteMove {
            // MOV between accumulator and memory, by way of the general form.
            host.byte([0x8A, 0x8B, 0x88, 0x89][Int(opcode & 3)])
        } else {
            host.byte(opcode)
        }
        if let modRM = layout.modRM, !layout.hasMemory { host.byte(modRM) }
        emit(address, reg: layout.reg, &host)
        host.copy(source.immediate)
        return true
    }

    // MARK: Addresses

    /// How the host reaches a memory operand: ModR/M without its reg field, and what follows.
    private struct Address {
        var modRM: UInt8?
        var sib: UInt8?
        var displacement = UnsafeRawBufferPointer(start: nil, count: 0)
        /// An absolute address, where the guest had no ModR/M byte.
        var absolute: UInt32?
        /// REX bits for base and index.
        var rex: UInt8 = 0
    }

    /// The host's address for a guest's memory operand. For FS and GS emits its computation, in R8 and R9.
    private func prepareAddress(_ source: GuestCode, _ host: inout HostAssembler) -> Address {
        var address = Address()
        if let modRM = source.layout.modRM, source.layout.hasMemory {
            address.modRM = modRM & 0xC7
            address.displacement = source.address
            if modRM & 7 == 4, let sib = source.address.first {
                address.sib = sib
                address.displacement = UnsafeRawBufferPointer(rebasing: source.address.dropFirst())
                if sib & 7 == 4 { address.rex = 1 }
            } else if modRM & 0xC7 == 5 {
                // Without a SIB byte, an absolute address would be relative to RIP.
                address.modRM = 4
                address.sib = 0x25
            }
        } else if source.isAbsoluteMove {
            address.modRM = 4
            address.sib = 0x25
            address.absolute = source.i.memory.displacement
        }
        let segment = source.i.memory.segment
        guard source.accessesMemory, segment == .fs || segment == .gs else { return address }
        host.bytes(0x44 | address.rex, 0x8D)  // lea r8d, address
        emit(address, reg: HostRegister.r8.low, &host)
        host.load(.r9, state: segment == .fs ? Self.baseOfFS : Self.baseOfGS)
        // [r8 + r9]
        return Address(modRM: 4, sib: HostRegister.r9.low << 3 | HostRegister.r8.low, rex: 3)
    }

    private func emit(_ address: Address, reg: UInt8, _ host: inout HostAssembler) {
        guard let modRM = address.modRM else { return }
        host.byte(modRM | reg << 3)
        if let sib = address.sib { host.byte(sib) }
        host.copy(address.displacement)
        if let absolute = address.absolute { host.dword(absolute) }
    }

    /// Loads one of our registers from the memory operand, which is reachable.
    func emitLoad(
        _ register: HostRegister, _ i: Instruction, _ bytes: UnsafeRawBufferPointer, _ host: inout HostAssembler
    ) {
        emitLoad(register, GuestCode(i, bytes), &host)
    }

    /// Loads the word that the memory operand is, whatever its segment: for flat ones.
    func emitLoadWord(
        _ register: HostRegister, _ i: Instruction, _ bytes: UnsafeRawBufferPointer, _ host: inout HostAssembler
    ) {
        let address = prepareAddress(GuestCode(i, bytes), &host)
        host.bytes(0x65, 0x67, 0x40 | (register.isHigh ? 4 : 0) | address.rex, 0x0F, 0xB7)  // movzx
        emit(address, reg: register.low, &host)
    }

    private func emitLoad(_ register: HostRegister, _ source: GuestCode, _ host: inout HostAssembler) {
        let address = prepareAddress(source, &host)
        host.bytes(0x65, 0x67, 0x40 | (register.isHigh ? 4 : 0) | address.rex, 0x8B)
        emit(address, reg: register.low, &host)
    }

    /// Puts the offset of the memory operand into one of our registers.
    func emitOffset(
        _ register: HostRegister, _ i: Instruction, _ bytes: UnsafeRawBufferPointer, _ host: inout HostAssembler
    ) {
        var flat = i
        flat.memory.segment = .ds
        emitOffset(register, GuestCode(flat, bytes), &host)
    }

    /// The same of one in a flat segment.
    private func emitOffset(_ register: HostRegister, _ source: GuestCode, _ host: inout HostAssembler) {
        let address = prepareAddress(source, &host)
        host.bytes(0x40 | (register.isHigh ? 4 : 0) | address.rex, 0x8D)
        emit(address, reg: register.low, &host)
    }

    // MARK: Bits in memory

    /// BT and the like, where a register selects a bit of a string of bits: of the word that has it, its low five bits
    /// select it (SDM 2A, "BT"). Uses R8, R9 and R11.
    private func emitBitInMemory(_ source: GuestCode, _ host: inout HostAssembler) -> Bool {
        let i = source.i
        guard i.operandSize == 4, i.memory.segment != .fs, i.memory.segment != .gs else { return false }
        let selector = HostRegister(guest: i.operands.1.register >> 2)
        emitOffset(.r8, source, &host)
        host.move(.r11, immediate: 5)
        // sarx r9d, selector, r11d
        host.bytes(0xC4, selector.isHigh ? 0x42 : 0x62, 0x22, 0xF7, 0xC8 | selector.low)
        host.bytes(0x47, 0x8D, 0x04, 0x88)  // lea r8d, [r8 + r9*4]
        host.move(.r11, immediate: 31)
        host.extractBits(.r9, selector, mask: .r11)
        if i.prefixes.contains(.lock) { host.byte(0xF0) }
        host.bytes(0x65, 0x67, 0x45, 0x0F, source.layout.opcode, 0x08)  // bt gs:[r8d], r9d
        return true
    }

    // MARK: Strings

    /// A string instruction, upwards.
    private func emitString(_ i: Instruction, _ host: inout HostAssembler) -> Bool {
        guard mode.contains(.stringsGoUp), i.addressSize == 4, i.memory.segment != .fs, i.memory.segment != .gs,
            i.memory.segment != .cs
        else { return false }
        guard !i.isRepeated else { return emitRepeated(i, &host) }
        let size = i.operandSize
        let (readsSource, usesDestination) = (
            i.operation != .scas && i.operation != .stos, i.operation != .lods
        )
        // The registers move last, so that a fault finds nothing done.
        switch i.operation {
        case .lods: host.memory(0x8A, .rax, .rsi, size: size)
        case .stos: host.memory(0x88, .rax, .rdi, size: size)
        case .scas: host.memory(0x3A, .rax, .rdi, size: size)
        case .movs:
            host.memory(0x8A, .r8, .rsi, size: size)
            host.memory(0x88, .r8, .rdi, size: size)
        default:
            host.memory(0x8A, .r8, .rsi, size: size)
            host.memory(0x3A, .r8, .rdi, size: size)
        }
        if readsSource { host.lea(.rsi, .rsi, Int32(size)) }
        if usesDestination { host.lea(.rdi, .rdi, Int32(size)) }
        return true
    }

    /// As many steps as ECX says, by the host's own instruction. Its operands take no 32-bit address in the window: the
    /// window's base is added to the registers, and dropped again with their upper halves, where there is nothing else.
    ///
    /// Uses R9.
    private func emitRepeated(_ i: Instruction, _ host: inout HostAssembler) -> Bool {
        let opcode: UInt8
        switch i.operation {
        case .movs: opcode = 0xA4
        case .cmps: opcode = 0xA6
        case .stos: opcode = 0xAA
        case .scas: opcode = 0xAE
        default: return false
        }
        let readsSource = i.operation == .movs || i.operation == .cmps
        if i.isRepeatedComparison {
            // A fault shall find the flags as they were before (SDM 2B, "REP"); not every processor's does.
            host.byte(0x9C)  // pushfq
            host.pop(state: Self.savedFlags)
        }
        host.load(.r9, state: Self.window, isWide: true)
        if readsSource { host.bytes(0x49, 0x8D, 0x34, 0x31) }  // lea rsi, [r9 + rsi]
        host.bytes(0x49, 0x8D, 0x3C, 0x39)  // lea rdi, [r9 + rdi]
        let endsOnEqual = i.isRepeatedComparison && i.prefixes.contains(.repne)
        if i.operandSize == 2 { host.byte(0x66) }
        host.bytes(endsOnEqual ? 0xF2 : 0xF3, i.operandSize == 1 ? opcode : opcode | 1)
        if readsSource { host.move(.rsi, .rsi) }
        host.move(.rdi, .rdi)
        return true
    }

    // MARK: Stack

    /// The access to the stack of a PUSH of a register or constant, or a POP of a register, without the move of ESP.
    ///
    /// - Parameter debt: what is to be added to R12 for ESP before it.
    func emitStackAccess(_ i: Instruction, lacking debt: Int8, _ host: inout HostAssembler) {
        let register = HostRegister(guest: i.operands.0.register >> 2)
        switch (i.operation, i.operands.0.kind) {
        case (.push, .immediate): host.storeStack(immediate: i.immediate, debt - 4)
        case (.push, _): host.storeStack(register, debt - 4)
        default: host.loadStack(register, debt)
        }
    }

    /// ESP moves last, so that a fault finds nothing done.
    private func emitStack(_ source: GuestCode, _ host: inout HostAssembler) -> Bool {
        let i = source.i
        guard i.operandSize == 4 else { return false }
        switch (i.operation, i.operands.0.kind) {
        case (.push, .register), (.push, .immediate), (.pop, .register):
            emitStackAccess(i, lacking: 0, &host)
            // POP ESP has moved it.
            if i.operation == .pop {
                if !i.namesESP { host.lea(.r12, .r12, 4) }
                return true
            }
        case (.push, .memory):
            emitLoad(.r8, source, &host)
            host.storeStack(.r8, -4)
        case (.leave, _):
            host.bytes(0x65, 0x67, 0x44, 0x8B, 0x45, 0x00)  // mov r8d, gs:[ebp]
            host.lea(.r12, .rbp, 4)
            host.move(.rbp, .r8)
            return true
        default: return false
        }
        host.lea(.r12, .r12, -4)
        return true
    }
}

/// An instruction with its bytes, taken apart.
private struct GuestCode {
    let i: Instruction
    let layout: InstructionLayout
    /// SIB byte and displacement; immediate.
    let address: UnsafeRawBufferPointer
    let immediate: UnsafeRawBufferPointer
    /// MOV between the accumulator and an absolute address (opcodes A0 to A3).
    let isAbsoluteMove: Bool

    init(_ i: Instruction, _ bytes: UnsafeRawBufferPointer) {
        self.i = i
        layout = InstructionLayout(bytes)
        let tail = UnsafeRawBufferPointer(rebasing: bytes[layout.examined...])
        isAbsoluteMove = !layout.isTwoByte && layout.opcode & 0xFC == 0xA0
        let count = isAbsoluteMove ? tail.count : layout.addressBytes(tail)
        address = UnsafeRawBufferPointer(rebasing: tail.prefix(count))
        immediate = UnsafeRawBufferPointer(rebasing: tail.dropFirst(count))
    }

    var accessesMemory: Bool { (layout.hasMemory || isAbsoluteMove) && i.operation != .lea }
}

/// What the fields of an instruction's encoding name, as far as REX prefixes are concerned.
private struct OpcodeShape {
    enum Field {
        /// No general register, or part of the opcode.
        case none
        /// A general register of 16 or 32 bits: number 4 is ESP.
        case wide
        /// A byte register: number 4 is AH.
        case byte
    }

    /// The reg field of ModR/M.
    var register = Field.none
    /// The rm field where it names a register; of an opcode without ModR/M, its low three bits.
    var rm = Field.none
    /// x87, MMX, SSE: a prefix may be part of the opcode.
    var isExtension = false

    private init() {}

    /// Nil if the opcode is not one that can be copied.
    init?(_ source: GuestCode) {
        if source.i.usesUnits {
            // ESP as an operand of these is too rare to be told apart from other registers.
            guard source.i.isEmittableOnUnits, !source.i.namesESP else { return nil }
            self.init()
            isExtension = true
        } else if source.layout.isTwoByte {
            self.init(twoByte: source.layout)
        } else {
            self.init(oneByte: source.layout)
        }
    }

    private init?(oneByte layout: InstructionLayout) {
        let size: Field = layout.opcode & 1 == 0 ? .byte : .wide
        switch layout.opcode {
        case 0x00...0x3F where layout.opcode & 7 < 4, 0x84...0x8B: (register, rm) = (size, size)
        case 0x00...0x3F where layout.opcode & 7 < 6: break
        case 0x40...0x4F, 0x91...0x97, 0xB8...0xBF: rm = .wide
        case 0x69, 0x6B: (register, rm) = (.wide, .wide)
        case 0x80...0x83, 0xC0, 0xC1, 0xC6, 0xC7, 0xD0...0xD3, 0xF6, 0xF7, 0xFE: rm = size
        case 0x8D: register = .wide
        case 0x98, 0x99, 0xA0...0xA3, 0xA8, 0xA9, 0xF5, 0xF8, 0xF9: break
        case 0xB0...0xB7: rm = .byte
        case 0xFF where layout.reg < 2: rm = .wide
        default: return nil
        }
    }

    /// Opcodes after 0F.
    private init?(twoByte layout: InstructionLayout) {
        switch layout.opcode {
        case 0x40...0x4F, 0xA4, 0xA5, 0xAC, 0xAD, 0xAF, 0xB1, 0xB7, 0xBC, 0xBD, 0xBF, 0xC1:
            (register, rm) = (.wide, .wide)
        case 0x90...0x9F: rm = .byte
        case 0xB6, 0xBE: (register, rm) = (.wide, .byte)
        case 0xB0, 0xC0: (register, rm) = (.byte, .byte)
        // In memory, the bit may lie anywhere before or behind the operand: see `emitBitInMemory`.
        case 0xA3 where layout.mod == 3, 0xAB where layout.mod == 3, 0xB3 where layout.mod == 3,
            0xBB where layout.mod == 3:
            (register, rm) = (.wide, .wide)
        case 0xBA, 0xC8...0xCF: rm = .wide
        case 0xC7 where layout.hasMemory && layout.reg == 1: break
        default: return nil
        }
    }
}

extension Instruction {
    /// Names AH, CH, DH or BH.
    fileprivate var hasHighByte: Bool {
        anyRegister { $0.size == 1 && $0.register & 3 == 1 }
    }

    /// A comparison that is repeated until it comes out otherwise.
    var isRepeatedComparison: Bool { isRepeated && (operation == .cmps || operation == .scas) }

    var namesESP: Bool { anyRegister { $0.register == 16 } }

    private func anyRegister(_ condition: (Operand) -> Bool) -> Bool {
        operands.0.kind == .register && condition(operands.0) || operands.1.kind == .register && condition(operands.1)
            || operands.2.kind == .register && condition(operands.2)
    }

    /// Is executed by, or concerns, the x87 or SSE unit.
    @inline(__always) var usesUnits: Bool {
        switch operation {
        case .sfence, .lfence, .mfence: false
        default: operation.isX87 || operation.isSIMD
        }
    }

    /// Whether an innocuous instruction that goes on to the next may fault.
    var mayFault: Bool {
        switch operation {
        case .push, .pop, .leave, .div, .idiv: true
        default: hasMemoryOperand || operation.isString || usesUnits
        }
    }

    /// Can be left to the host's units, once the guest's state is in them. Those that load control words are not: which
    /// exceptions are masked decides whether the host may execute what follows. FLDCW has an `InlineEnding`.
    fileprivate var isEmittableOnUnits: Bool {
        switch operation {
        case .wait, .fninit, .fnclex, .fldcw, .fldenv, .fnstenv, .frstor, .fnsave, .fxsave, .fxrstor, .ldmxcsr,
            .maskmovq, .maskmovdqu, .clflush, .movnti:
            false
        default: true
        }
    }

    /// An x87 instruction that the unit remembers as its last one (SDM 1 8.1.8).
    var isRememberedByX87: Bool {
        operation.isX87 && isEmittableOnUnits && operation != .fnstcw && operation != .fnstsw
    }
}
