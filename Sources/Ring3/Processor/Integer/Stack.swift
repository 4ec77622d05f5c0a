import X86

extension Processor {
    @inline(__always)
    func push<T: Word>(_ value: T) throws(Fault) {
        let mask = pointee.stackMask
        let sp = (pointee.esp &- T.bytes) & mask
        try write(.ss, sp, value)
        pointee.esp = pointee.esp & ~mask | sp
    }

    /// Top of the stack, which stays.
    @inline(__always)
    func top<T: Word>(as type: T.Type) throws(Fault) -> T {
        try read(.ss, pointee.esp & pointee.stackMask, as: T.self)
    }

    @inline(__always)
    func moveStackPointer(by count: UInt32) {
        let mask = pointee.stackMask
        pointee.esp = pointee.esp & ~mask | (pointee.esp &+ count) & mask
    }

    @inline(__always)
    func pop<T: Word>(as type: T.Type) throws(Fault) -> T {
        let value = try top(as: T.self)
        moveStackPointer(by: T.bytes)
        return value
    }

    @inline(never)
    func push(_ i: InstructionPointer) throws(Fault) {
        if i.pointee.operandSize == 2 {
            try push(try load(i, i.pointee.operands.0, as: UInt16.self))
        } else {
            try push(try load(i, i.pointee.operands.0, as: UInt32.self))
        }
    }

    @inline(never)
    func pop(_ i: InstructionPointer) throws(Fault) {
        if i.pointee.operandSize == 2 {
            try pop(i, UInt16.self)
        } else {
            try pop(i, UInt32.self)
        }
    }

    @inline(__always)
    private func pop<T: Word>(_ i: InstructionPointer, _ type: T.Type) throws(Fault) {
        let operand = i.pointee.operands.0
        let value = try top(as: T.self)
        let esp = pointee.esp
        // ESP counts as already incremented when it addresses the destination (SDM 2B, "POP").
        moveStackPointer(by: T.bytes)
        if operand.kind == .register {
            setRegister(operand.register, value)
            return
        }
        do throws(Fault) {
            try write(i.pointee.memory.segment, effectiveAddress(i), value)
        } catch {
            pointee.esp = esp
            throw error
        }
    }

    /// With a 32-bit operand size, the upper half of the slot keeps what is there: of the two behaviours the manual
    /// allows, that of Intel's processors (SDM 2B, "PUSH").
    func pushSegment(_ i: InstructionPointer) throws(Fault) {
        let selector = segmentOperand(i.pointee.operands.0).pointee.selector
        let sp = (pointee.esp &- UInt32(i.pointee.operandSize)) & pointee.stackMask
        try write(.ss, sp, selector)
        pointee.esp = pointee.esp & ~pointee.stackMask | sp
    }

    func popSegment(_ i: InstructionPointer) throws(Fault) {
        let register = segmentRegister(i.pointee.operands.0)
        let size = UInt32(i.pointee.operandSize)
        let selector = try top(as: UInt16.self)
        // POP SS moves the pointer of the old stack, then changes stacks.
        let mask = pointee.stackMask
        try loadSegment(register, selector)
        pointee.esp = pointee.esp & ~mask | (pointee.esp &+ size) & mask
        if register == .ss { holdInterrupts(andDebugTraps: true) }
    }

    /// PUSHA: all eight, ESP as it was before.
    func pusha(size: UInt32) throws(Fault) {
        var stack = currentStack
        let esp = pointee.esp
        for offset in stride(from: UInt8(0), through: 28, by: 4) {
            try push(offset == 16 ? esp : register(offset, as: UInt32.self), size: size, on: &stack)
        }
        commitPointer(stack)
    }

    /// POPA: all but ESP, which is skipped.
    func popa(size: UInt32) throws(Fault) {
        let stack = currentStack
        var values: InlineArray<8, UInt32> = InlineArray(repeating: 0)
        for index in 0..<8 { values[index] = try peek(stack, at: UInt32(index) * size, size: size) }
        for index in 0..<8 where index != 3 {
            let offset = UInt8(7 - index) << 2
            if size == 2 {
                setRegister(offset, UInt16(truncatingIfNeeded: values[index]))
            } else {
                setRegister(offset, values[index])
            }
        }
        moveStackPointer(by: 8 * size)
    }

    func pushf(_ i: InstructionPointer) throws(Fault) {
        if pointee.isVirtual8086, iopl < 3 { throw .generalProtection() }
        let image = eflags & ~(Flags.vm | Flags.rf)
        if i.pointee.operandSize == 2 {
            try push(UInt16(truncatingIfNeeded: image))
        } else {
            try push(image)
        }
    }

    func popf(_ i: InstructionPointer) throws(Fault) {
        if pointee.isVirtual8086, iopl < 3 { throw .generalProtection() }
        let size = UInt32(i.pointee.operandSize)
        let image = size == 2 ? UInt32(try pop(as: UInt16.self)) : try pop(as: UInt32.self)
        // RF is cleared, not popped.
        writeFlags(image & ~Flags.rf, changing: poppedFlags(size: size) | Flags.rf)
    }

    /// ENTER (SDM 2A): a stack frame with `level` display pointers.
    func enter(_ i: InstructionPointer) throws(Fault) {
        let size = UInt32(i.pointee.operandSize)
        let level = UInt32(i.pointee.selector) & 31
        var stack = currentStack
        try push(pointee.ebp, size: size, on: &stack)
        let frame = stack.esp
        var display = StackView(segment: stack.segment, esp: pointee.ebp, isUser: stack.isUser)
        if level > 0 {
            for _ in 1..<level {
                display.esp = display.esp &- size
                try push(try peek(display, at: 0, size: size), size: size, on: &stack)
            }
            try push(frame, size: size, on: &stack)
        }
        drop(0 &- (i.pointee.immediate & 0xFFFF), from: &stack)
        // The new top must be writable even though nothing is written there.
        let top = stack.segment.base &+ (stack.esp & stack.mask)
        try checkAlignment(top, count: size)
        try probeLinear(top, count: size, isWrite: true)
        if size == 2 {
            setRegister(20, UInt16(truncatingIfNeeded: frame))
        } else {
            pointee.ebp = frame
        }
        commitPointer(stack)
    }

    func leave(_ i: InstructionPointer) throws(Fault) {
        let place = pointee.ebp & pointee.stackMask
        if i.pointee.operandSize == 2 {
            let value = try read(.ss, place, as: UInt16.self)
            pointee.esp = pointee.esp & ~pointee.stackMask | place
            moveStackPointer(by: 2)
            setRegister(20, value)
        } else {
            let value = try read(.ss, place, as: UInt32.self)
            pointee.esp = pointee.esp & ~pointee.stackMask | place
            moveStackPointer(by: 4)
            pointee.ebp = value
        }
    }
}
