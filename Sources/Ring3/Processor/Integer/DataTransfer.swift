import X86

extension Processor {
    @inline(__always)
    func mov(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operandSize {
        case 1: try store(i, i.pointee.operands.0, try load(i, i.pointee.operands.1, as: UInt8.self))
        case 2: try store(i, i.pointee.operands.0, try load(i, i.pointee.operands.1, as: UInt16.self))
        default: try store(i, i.pointee.operands.0, try load(i, i.pointee.operands.1, as: UInt32.self))
        }
    }

    @inline(never)
    func movExtended(_ i: InstructionPointer, isSigned: Bool) throws(Fault) {
        let value: UInt32
        if i.pointee.operands.1.size == 1 {
            let byte = try load(i, i.pointee.operands.1, as: UInt8.self)
            value = isSigned ? byte.signExtended : UInt32(byte)
        } else {
            let word = try load(i, i.pointee.operands.1, as: UInt16.self)
            value = isSigned ? word.signExtended : UInt32(word)
        }
        setRegisterOperand(i, value)
    }

    /// Stores to register operand 0 at the instruction's operand size.
    @inline(__always)
    func setRegisterOperand(_ i: InstructionPointer, _ value: UInt32) {
        if i.pointee.operandSize == 2 {
            setRegister(i.pointee.operands.0.register, UInt16(truncatingIfNeeded: value))
        } else {
            setRegister(i.pointee.operands.0.register, value)
        }
    }

    /// CMOVcc reads its source, and may fault on it, whatever the condition (SDM 2A).
    @inline(never)
    func cmov(_ i: InstructionPointer) throws(Fault) {
        if i.pointee.operandSize == 2 {
            let value = try load(i, i.pointee.operands.1, as: UInt16.self)
            if holds(i.pointee.condition) { setRegister(i.pointee.operands.0.register, value) }
        } else {
            let value = try load(i, i.pointee.operands.1, as: UInt32.self)
            if holds(i.pointee.condition) { setRegister(i.pointee.operands.0.register, value) }
        }
    }

    /// Whether a condition holds for the current flags (SDM 1, appendix B).
    @inline(__always)
    func holds(_ condition: Condition) -> Bool {
        let f = pointee.status
        switch condition {
        case .overflow: return f.of
        case .notOverflow: return !f.of
        case .below: return f.cf
        case .aboveOrEqual: return !f.cf
        case .equal: return f.zf
        case .notEqual: return !f.zf
        case .belowOrEqual: return f.cf || f.zf
        case .above: return !(f.cf || f.zf)
        case .sign: return f.sf
        case .notSign: return !f.sf
        case .parity: return f.pf
        case .notParity: return !f.pf
        case .less: return f.sf != f.of
        case .greaterOrEqual: return f.sf == f.of
        case .lessOrEqual: return f.zf || f.sf != f.of
        case .greater: return !f.zf && f.sf == f.of
        }
    }

    /// LDS, LES, LFS, LGS, LSS: offset and selector from memory.
    func loadFarPointer(_ i: InstructionPointer, _ segment: SegmentRegister) throws(Fault) {
        let address = effectiveAddress(i)
        let size = UInt32(i.pointee.operandSize)
        let source = i.pointee.memory.segment
        let offset =
            size == 2
            ? UInt32(try read(source, address, as: UInt16.self)) : try read(source, address, as: UInt32.self)
        let selector = try read(source, address &+ size, as: UInt16.self)
        try loadSegment(segment, selector)
        setRegisterOperand(i, offset)
    }

    func xlat(_ i: InstructionPointer) throws(Fault) {
        let sum = register(i.pointee.memory.base, as: UInt32.self) &+ UInt32(register(0, as: UInt8.self))
        let address = i.pointee.addressSize == 2 ? sum & 0xFFFF : sum
        setRegister(0, try read(i.pointee.memory.segment, address, as: UInt8.self))
    }

    /// Selectors are stored as 16 bits in memory, zero-extended in a 32-bit register (SDM 2B, "MOV").
    func storeSelector(_ i: InstructionPointer, _ selector: UInt16) throws(Fault) {
        let operand = i.pointee.operands.0
        if operand.kind == .register, operand.size == 4 {
            setRegister(operand.register, UInt32(selector))
        } else {
            try store(i, operand, selector)
        }
    }

    func movSegment(_ i: InstructionPointer) throws(Fault) {
        guard i.pointee.operands.0.kind == .segment else {
            return try storeSelector(i, segmentOperand(i.pointee.operands.1).pointee.selector)
        }
        let selector = try load(i, i.pointee.operands.1, as: UInt16.self)
        let register = segmentRegister(i.pointee.operands.0)
        try loadSegment(register, selector)
        if register == .ss { holdInterrupts(andDebugTraps: true) }
    }

    func segmentRegister(_ operand: Operand) -> SegmentRegister {
        SegmentRegister(rawValue: operand.register) ?? .ds
    }

    func segmentOperand(_ operand: Operand) -> UnsafeMutablePointer<Segment> { segment(segmentRegister(operand)) }

    /// BOUND: the array index against two signed bounds in memory. The upper one is not read if the lower one decides.
    func bound(_ i: InstructionPointer) throws(Fault) {
        let size = UInt32(i.pointee.operandSize)
        let register = i.pointee.operands.0.register
        let index =
            size == 2
            ? Int32(self.register(register, as: UInt16.self).signed) : self.register(register, as: UInt32.self).signed
        guard index >= (try readBound(i, at: 0)), index <= (try readBound(i, at: size)) else {
            throw Fault(Vector.boundRange)
        }
    }

    private func readBound(_ i: InstructionPointer, at offset: UInt32) throws(Fault) -> Int32 {
        let address = effectiveAddress(i) &+ offset
        let segment = i.pointee.memory.segment
        if i.pointee.operandSize == 2 { return Int32(try read(segment, address, as: UInt16.self).signed) }
        return try read(segment, address, as: UInt32.self).signed
    }
}
