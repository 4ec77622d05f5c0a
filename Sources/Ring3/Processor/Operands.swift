import X86

/// Instructions are passed to semantics by pointer: into the decode cache, or to a local copy.
typealias InstructionPointer = UnsafePointer<Instruction>

// Registers and operands.
extension Processor {
    /// Register at byte offset `offset` of the register file.
    @inline(__always)
    func register<T: Word>(_ offset: UInt8, as type: T.Type) -> T {
        UnsafeRawPointer(self).load(fromByteOffset: Int(offset), as: T.self)
    }

    @inline(__always)
    func setRegister<T: Word>(_ offset: UInt8, _ value: T) {
        UnsafeMutableRawPointer(self).storeBytes(of: value, toByteOffset: Int(offset), as: T.self)
    }

    /// Value of a register, memory or immediate operand.
    @inline(__always)
    func load<T: Word>(_ i: InstructionPointer, _ operand: Operand, as type: T.Type) throws(Fault) -> T {
        switch operand.kind {
        case .register: return register(operand.register, as: T.self)
        case .memory: return try read(i.pointee.memory.segment, effectiveAddress(i), as: T.self)
        default: return T(truncatingIfNeeded: i.pointee.immediate)
        }
    }

    /// Stores to a register or memory operand.
    @inline(__always)
    func store<T: Word>(_ i: InstructionPointer, _ operand: Operand, _ value: T) throws(Fault) {
        if operand.kind == .register {
            setRegister(operand.register, value)
        } else {
            try write(i.pointee.memory.segment, effectiveAddress(i), value)
        }
    }

    /// Reads, changes and writes back operand 0. `body` runs after the last possible fault: it may set flags.
    @inline(__always)
    func modify<T: Word>(_ i: InstructionPointer, as type: T.Type, _ body: (T) -> T) throws(Fault) {
        let operand = i.pointee.operands.0
        if operand.kind == .register {
            setRegister(operand.register, body(register(operand.register, as: T.self)))
        } else {
            let place = try beginModify(i.pointee.memory.segment, effectiveAddress(i), as: T.self)
            endModify(place, body(place.loadUnaligned(as: T.self)))
        }
    }
}
