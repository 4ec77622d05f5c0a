import X86

/// What the unit remembers of the last instruction that was not a control instruction (SDM 1 8.1.8 and 8.1.9).
struct X87Pointers: Equatable {
    var instructionOffset: UInt32 = 0
    var instructionSelector: UInt16 = 0
    var dataOffset: UInt32 = 0
    var dataSelector: UInt16 = 0
    /// Low three bits of the first opcode byte, then the ModR/M byte: 11 bits.
    var opcode: UInt16 = 0
}

extension X87 {
    var pointers: X87Pointers {
        let last = pointee.lastInstruction
        return X87Pointers(
            instructionOffset: pointee.instructionOffset, instructionSelector: pointee.instructionSelector,
            dataOffset: pointee.dataOffset, dataSelector: pointee.dataSelector,
            opcode: last.operation == .invalid ? pointee.loadedOpcode : last.x87Opcode & 0x7FF)
    }

    func setPointers(_ pointers: X87Pointers) {
        pointee.instructionOffset = pointers.instructionOffset
        pointee.instructionSelector = pointers.instructionSelector
        pointee.dataOffset = pointers.dataOffset
        pointee.dataSelector = pointers.dataSelector
        pointee.loadedOpcode = pointers.opcode & 0x7FF
        pointee.lastInstruction = Instruction(.invalid)
    }
}
