import X86

// Near transfers. The target is checked against the CS limit before anything changes (#GP belongs to the jump).
extension Processor {
    @inline(__always)
    func checkTarget(_ target: UInt32) throws(Fault) {
        if target > pointee.cs.limit { throw .generalProtection() }
    }

    /// Target of a relative branch: from the next instruction, cut to 16 bits by the operand size.
    @inline(__always)
    func relativeTarget(_ i: InstructionPointer) -> UInt32 {
        let target = pointee.eip &+ i.pointee.immediate
        return i.pointee.operandSize == 2 ? target & 0xFFFF : target
    }

    @inline(__always)
    func jumpRelative(_ i: InstructionPointer) throws(Fault) {
        let target = relativeTarget(i)
        try checkTarget(target)
        pointee.eip = target
    }

    /// Target of an indirect near JMP or CALL.
    @inline(__always)
    private func indirectTarget(_ i: InstructionPointer) throws(Fault) -> UInt32 {
        i.pointee.operandSize == 2
            ? UInt32(try load(i, i.pointee.operands.0, as: UInt16.self))
            : try load(i, i.pointee.operands.0, as: UInt32.self)
    }

    @inline(__always)
    private func nearTarget(_ i: InstructionPointer) throws(Fault) -> UInt32 {
        let target = i.pointee.operands.0.kind == .relative ? relativeTarget(i) : try indirectTarget(i)
        try checkTarget(target)
        return target
    }

    @inline(never)
    func jump(_ i: InstructionPointer) throws(Fault) {
        pointee.eip = try nearTarget(i)
    }

    @inline(never)
    func call(_ i: InstructionPointer) throws(Fault) {
        let target = try nearTarget(i)
        if i.pointee.operandSize == 2 {
            try push(UInt16(truncatingIfNeeded: pointee.eip))
        } else {
            try push(pointee.eip)
        }
        pointee.eip = target
    }

    @inline(never)
    func ret(_ i: InstructionPointer) throws(Fault) {
        let target: UInt32
        if i.pointee.operandSize == 2 {
            target = UInt32(try top(as: UInt16.self))
            try checkTarget(target)
        } else {
            target = try top(as: UInt32.self)
            try checkTarget(target)
        }
        // `immediate` is zero for the form without operand.
        moveStackPointer(by: UInt32(i.pointee.operandSize) &+ i.pointee.immediate)
        pointee.eip = target
    }

    /// LOOP, LOOPE, LOOPNE: (E)CX counts down, by address size.
    @inline(never)
    func loop(_ i: InstructionPointer, while condition: Bool) throws(Fault) {
        let count: UInt32
        if i.pointee.addressSize == 2 {
            count = UInt32(register(4, as: UInt16.self) &- 1)
            if condition, count != 0 { try jumpRelative(i) }
            setRegister(4, UInt16(truncatingIfNeeded: count))
        } else {
            count = pointee.ecx &- 1
            if condition, count != 0 { try jumpRelative(i) }
            pointee.ecx = count
        }
    }

    func jcxz(_ i: InstructionPointer) throws(Fault) {
        let count = i.pointee.addressSize == 2 ? UInt32(register(4, as: UInt16.self)) : pointee.ecx
        if count == 0 { try jumpRelative(i) }
    }

    /// Selector and offset of a far JMP or CALL, direct or through memory.
    private func farTarget(_ i: InstructionPointer) throws(Fault) -> (selector: UInt16, offset: UInt32) {
        guard i.pointee.operands.0.kind == .memory else { return (i.pointee.selector, i.pointee.immediate) }
        let address = effectiveAddress(i)
        let segment = i.pointee.memory.segment
        let size = UInt32(i.pointee.operandSize)
        let offset =
            size == 2
            ? UInt32(try read(segment, address, as: UInt16.self)) : try read(segment, address, as: UInt32.self)
        return (try read(segment, address &+ size, as: UInt16.self), offset)
    }

    func jmpFar(_ i: InstructionPointer) throws(Fault) {
        let target = try farTarget(i)
        try jumpFar(target.selector, target.offset, size: UInt32(i.pointee.operandSize))
    }

    func callFar(_ i: InstructionPointer) throws(Fault) {
        let target = try farTarget(i)
        try callFar(target.selector, target.offset, size: UInt32(i.pointee.operandSize))
    }

    func int(_ i: InstructionPointer) throws(Fault) {
        if pointee.isVirtual8086, iopl < 3 { throw .generalProtection() }
        try interrupt(UInt8(truncatingIfNeeded: i.pointee.immediate), .software)
    }

    func into() throws(Fault) {
        if pointee.status.of { try interrupt(Vector.overflow, .softwareException) }
    }
}
