import X86

/// Writes a guest instruction as a host instruction that does the same: the same opcode, with ESP moved to R12, memory
/// reached through GS and 32-bit addresses, and those encodings replaced that 64-bit mode does not have.
///
/// What it does not know, or what cannot be encoded (AH next to a register that needs REX), is for the monitor.
struct InstructionRewriter {
    /// The memory operand of a guest instruction, as encoded.
    private struct Address {
        let modRM: UInt8
        /// SIB byte, displacement, and whatever follows.
        let tail: UnsafeRawBufferPointer
    }

    /// Emits `i`, whose bytes are `bytes`; false if there is no way to, and then nothing was emitted. The instruction is
    /// innocuous, has 32-bit addresses if any, and segments but FS and GS are flat.
    func emit(_ i: Instruction, _ bytes: UnsafeRawBufferPointer, _ host: inout HostAssembler) -> Bool {
        let layout = InstructionLayout(bytes)
        if layout.hasMemory || i.isAbsoluteMove {
            guard i.addressSize == 4, i.operation == .lea || isFlat(i.memory.segment) else { return false }
        }
        switch i.operation {
        case .nop, .pause, .prefetch: return true
        case .push, .pop, .leave: return emitStack(i, layout, bytes, &host)
        default: break
        }
        guard let form = layout.isTwoByte ? OpcodeShape(twoByte: layout) : OpcodeShape(oneByte: layout) else {
            return false
        }
        return emit(i, layout, form, bytes, &host)
    }

    private func isFlat(_ segment: SegmentRegister) -> Bool {
        segment == .ds || segment == .es || segment == .ss
    }

    private func emit(
        _ i: Instruction, _ layout: InstructionLayout, _ shape: OpcodeShape, _ bytes: UnsafeRawBufferPointer,
        _ host: inout HostAssembler
    ) -> Bool {
        var rex: UInt8 = 0
        if shape.register == .wide, layout.reg == 4 { rex |= 4 }
        let tail = UnsafeRawBufferPointer(rebasing: bytes[layout.examined...])
        if layout.hasMemory {
            if isBasedOnESP(layout, tail) { rex |= 1 }
        } else if shape.rm == .wide, layout.modRM == nil ? layout.opcode & 7 == 4 : layout.rm == 4 {
            rex |= 1
        }
        // With any REX prefix, the numbers of AH to BH mean other registers.
        guard rex == 0 || !i.hasHighByte else { return false }

        if i.prefixes.contains(.operandSize) { host.byte(0x66) }
        if i.prefixes.contains(.lock) { host.byte(0xF0) }
        let accessesMemory = (layout.hasMemory || i.isAbsoluteMove) && i.operation != .lea
        if accessesMemory { host.bytes(0x65, 0x67) }
        switch (layout.isTwoByte, layout.opcode) {
        case (false, 0x40...0x4F):
            // INC and DEC r: these bytes are REX prefixes now.
            if rex != 0 { host.byte(0x40 | rex) }
            host.bytes(0xFF, 0xC0 | (layout.opcode & 8) | layout.opcode & 7)
            return true
        case (false, 0x82): emitOpcode(0x80, layout, rex, &host)
        default: emitOpcode(layout.opcode, layout, rex, &host)
        }
        if layout.hasMemory {
            emitAddress(Address(modRM: layout.modRM ?? 0, tail: tail), reg: layout.reg, &host)
        } else {
            if let modRM = layout.modRM { host.byte(modRM) }
            host.copy(tail)
        }
        return true
    }

    private func emitOpcode(_ opcode: UInt8, _ layout: InstructionLayout, _ rex: UInt8, _ host: inout HostAssembler) {
        if rex != 0 { host.byte(0x40 | rex) }
        if layout.isTwoByte { host.byte(0x0F) }
        host.byte(opcode)
    }

    private func isBasedOnESP(_ layout: InstructionLayout, _ tail: UnsafeRawBufferPointer) -> Bool {
        layout.rm == 4 && (tail.first ?? 0) & 7 == 4
    }

    /// ModR/M, SIB, displacement, and what follows. An absolute address needs a SIB byte: without, it would be relative
    /// to RIP.
    private func emitAddress(_ address: Address, reg: UInt8, _ host: inout HostAssembler) {
        if address.modRM & 0xC7 == 5 {
            host.bytes(0x04 | reg << 3, 0x25)
        } else {
            host.byte(address.modRM & 0xC7 | reg << 3)
        }
        host.copy(address.tail)
    }

    // MARK: Stack

    /// ESP moves last, so that a fault finds nothing done.
    private func emitStack(
        _ i: Instruction, _ layout: InstructionLayout, _ bytes: UnsafeRawBufferPointer, _ host: inout HostAssembler
    ) -> Bool {
        guard i.operandSize == 4 else { return false }
        let operand = i.operands.0
        switch (i.operation, operand.kind) {
        case (.push, .register): host.storeStack(HostRegister(guest: operand.register >> 2), -4)
        case (.push, .immediate): host.storeStack(immediate: i.immediate, -4)
        case (.push, .memory):
            emitLoad(.r8, i, layout, bytes, &host)
            host.storeStack(.r8, -4)
        case (.pop, .register):
            host.loadStack(HostRegister(guest: operand.register >> 2), 0)
            if operand.register >> 2 != 4 { host.lea(.r12, .r12, 4) }
            return true
        case (.leave, _):
            // gs:[ebp]
            host.bytes(0x65, 0x67, 0x44, 0x8B, 0x45, 0x00)
            host.lea(.r12, .rbp, 4)
            host.move(.rbp, .r8)
            return true
        default: return false
        }
        host.lea(.r12, .r12, -4)
        return true
    }

    /// Loads one of our registers from the memory operand.
    func emitLoad(
        _ register: HostRegister, _ i: Instruction, _ layout: InstructionLayout, _ bytes: UnsafeRawBufferPointer,
        _ host: inout HostAssembler
    ) {
        let tail = UnsafeRawBufferPointer(rebasing: bytes[layout.examined...])
        host.bytes(0x65, 0x67, 0x40 | (register.isHigh ? 4 : 0) | (isBasedOnESP(layout, tail) ? 1 : 0), 0x8B)
        emitAddress(Address(modRM: layout.modRM ?? 0, tail: tail), reg: register.low, &host)
    }

    /// Whether near transfers through this memory operand can load it.
    func canLoad(_ i: Instruction) -> Bool { i.addressSize == 4 && isFlat(i.memory.segment) }
}

/// What the fields of an instruction's encoding name, as far as REX prefixes are concerned.
private struct OpcodeShape {
    enum Field {
        /// No register, or part of the opcode.
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

    /// Nil if the opcode is not one that can be copied.
    init?(oneByte layout: InstructionLayout) {
        let size: Field = layout.opcode & 1 == 0 ? .byte : .wide
        switch layout.opcode {
        case 0x00...0x3F where layout.opcode & 7 < 4, 0x84...0x8B: (register, rm) = (size, size)
        case 0x00...0x3F where layout.opcode & 7 < 6: break
        case 0x40...0x4F, 0x91...0x97, 0xB8...0xBF: rm = .wide
        case 0x69, 0x6B: (register, rm) = (.wide, .wide)
        case 0x80...0x83, 0xC0, 0xC1, 0xC6, 0xC7, 0xD0...0xD3, 0xFE: rm = size
        case 0x8D: register = .wide
        case 0x98, 0x99, 0xA0...0xA3, 0xA8, 0xA9, 0xF5, 0xF8, 0xF9: break
        case 0xB0...0xB7: rm = .byte
        // Division faults by itself: the monitor's business.
        case 0xF6 where layout.reg < 6, 0xF7 where layout.reg < 6: rm = size
        case 0xFF where layout.reg < 2: rm = .wide
        default: return nil
        }
    }

    /// Opcodes after 0F.
    init?(twoByte layout: InstructionLayout) {
        switch layout.opcode {
        case 0x40...0x4F, 0xA4, 0xA5, 0xAC, 0xAD, 0xAF, 0xB7, 0xBC, 0xBD, 0xBF, 0xC1, 0xB1:
            (register, rm) = (.wide, .wide)
        case 0x90...0x9F: rm = .byte
        case 0xB6, 0xBE: (register, rm) = (.wide, .byte)
        case 0xB0, 0xC0: (register, rm) = (.byte, .byte)
        // In memory, the bit may lie anywhere before or behind the operand.
        case 0xA3 where layout.mod == 3, 0xAB where layout.mod == 3, 0xB3 where layout.mod == 3,
            0xBB where layout.mod == 3:
            (register, rm) = (.wide, .wide)
        case 0xBA, 0xC8...0xCF: rm = .wide
        default: return nil
        }
    }
}

extension Instruction {
    /// Names AH, CH, DH or BH.
    fileprivate var hasHighByte: Bool {
        func isHigh(_ operand: Operand) -> Bool {
            operand.kind == .register && operand.size == 1 && operand.register & 3 == 1
        }
        return isHigh(operands.0) || isHigh(operands.1) || isHigh(operands.2)
    }

    /// MOV between the accumulator and an absolute address: the only memory operand without ModR/M here.
    fileprivate var isAbsoluteMove: Bool {
        operation == .mov && (operands.0.kind == .memory || operands.1.kind == .memory)
    }
}
