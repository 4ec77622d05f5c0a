import X86

// The shapes of x87 instructions: what they take from memory, registers and flags.
extension Processor {
    /// An instruction without operands, or with implied ones.
    @inline(__always)
    func onStack(_ i: InstructionPointer, _ body: (X87) -> Void) {
        noteX87(i)
        body(fpu)
    }

    /// An instruction on ST(i).
    @inline(__always)
    func onStack(_ i: InstructionPointer, _ body: (X87, UInt8) -> Void) {
        noteX87(i)
        body(fpu, i.pointee.stackOperand)
    }

    func pushConstant(_ i: InstructionPointer, _ constant: X87Constant) {
        noteX87(i)
        fpu.pushChecked(X87Unit.constant(constant, fpu))
    }

    /// FLD, FILD and FBLD from memory.
    func loadX87(_ i: InstructionPointer, _ format: X87Format) throws(Fault) {
        let offset = effectiveAddress(i)
        let image = try readX87(i.pointee.memory.segment, offset, format)
        noteX87(i, operand: offset)
        fpu.load(format, image)
    }

    /// FST, FIST and FBSTP to memory. What an empty register stores is the indefinite value.
    func storeX87(_ i: InstructionPointer, _ format: X87Format, pops: Bool) throws(Fault) {
        let fpu = fpu
        let offset = effectiveAddress(i)
        let isEmpty = fpu.isEmpty(0)
        let (image, report) = X87Unit.store(format, isEmpty ? .indefinite : fpu.st(0).pointee, fpu)
        let isPrevented = fpu.isUnmasked(isEmpty ? X87Status.invalid : report, X87Status.beforeStore)
        if !isPrevented {
            do throws(Fault) {
                try writeX87(i.pointee.memory.segment, offset, format, image)
            } catch {
                // What the conversion would have reported is in the host's unit.
                X87Unit.settle()
                throw error
            }
        }
        noteX87(i, operand: offset)
        if isEmpty { _ = fpu.stackFault(overflow: false) } else { fpu.record(report) }
        if pops && !isPrevented { fpu.pop() }
    }

    /// Arithmetic in both its forms: ST(0) with memory, or two registers.
    func arithmeticX87(
        _ i: InstructionPointer, _ operation: X87Arithmetic, pops: Bool = false, isInteger: Bool = false
    ) throws(Fault) {
        let operand = i.pointee.operands.0
        if operand.kind == .memory {
            let (format, image) = try readX87Operand(i, isInteger: isInteger)
            fpu.arithmetic(operation, format, image)
        } else {
            noteX87(i)
            fpu.arithmetic(
                operation, destination: operand.register, source: i.pointee.operands.1.register, pops: pops)
        }
    }

    /// The comparisons that leave their result in the status word, in both their forms.
    func compareX87(
        _ i: InstructionPointer, _ operation: X87Arithmetic, pops: UInt8, isInteger: Bool = false
    ) throws(Fault) {
        if i.pointee.operands.0.kind == .memory {
            let (format, image) = try readX87Operand(i, isInteger: isInteger)
            fpu.setConditions(fpu.compare(format, image, pops: pops))
        } else {
            noteX87(i)
            // FCOMPP and FUCOMPP name no register.
            let other = pops == 2 ? 1 : i.pointee.stackOperand
            fpu.setConditions(fpu.compare(operation, with: other, pops: pops))
        }
    }

    /// FCOMI and its kin: the result goes to ZF, PF and CF; OF, SF and AF are cleared (SDM 2A, "FCOMI").
    func compareToFlags(_ i: InstructionPointer, _ operation: X87Arithmetic, pops: UInt8) {
        noteX87(i)
        let result = fpu.compare(operation, with: i.pointee.stackOperand, pops: pops)
        pointee.status = StatusFlags(
            image: (result & X87Status.c3 != 0 ? Flags.zf : 0) | (result & X87Status.c2 != 0 ? Flags.pf : 0)
                | (result & X87Status.c0 != 0 ? Flags.cf : 0))
    }

    /// The conditions of FCMOVcc: below, equal, below or equal, unordered, and their negations.
    func holdsX87(_ condition: Condition) -> Bool {
        let flags = pointee.status
        let isTrue =
            switch condition {
            case .below, .aboveOrEqual: flags.cf
            case .equal, .notEqual: flags.zf
            case .belowOrEqual, .above: flags.cf || flags.zf
            default: flags.pf
            }
        return isTrue != (condition.rawValue & 1 != 0)
    }

    /// The memory operand of arithmetic and comparison.
    private func readX87Operand(
        _ i: InstructionPointer, isInteger: Bool
    ) throws(Fault) -> (format: X87Format, image: UInt64) {
        let size = i.pointee.operands.0.size
        let format = isInteger ? X87Format(integerOfSize: size) : X87Format(realOfSize: size)
        let offset = effectiveAddress(i)
        let image = try readX87(i.pointee.memory.segment, offset, format)
        noteX87(i, operand: offset)
        return (format, image.significand)
    }

    /// Reads a memory operand into the low bytes of an image.
    @inline(__always)
    func readX87(
        _ segment: SegmentRegister, _ offset: UInt32, _ format: X87Format
    ) throws(Fault) -> X87Register {
        var image = X87Register()
        switch format {
        case .int16: image.significand = UInt64(try read(segment, offset, as: UInt16.self))
        case .single, .int32: image.significand = UInt64(try read(segment, offset, as: UInt32.self))
        case .double, .int64: image.significand = try read(segment, offset, as: UInt64.self)
        case .extended, .decimal:
            image.significand = try read(segment, offset, as: UInt64.self)
            image.signExponent = try read(segment, offset &+ 8, as: UInt16.self)
        }
        return image
    }

    /// Writes the low bytes of an image.
    @inline(__always)
    func writeX87(
        _ segment: SegmentRegister, _ offset: UInt32, _ format: X87Format, _ image: X87Register
    ) throws(Fault) {
        switch format {
        case .int16: try write(segment, offset, UInt16(truncatingIfNeeded: image.significand))
        case .single, .int32: try write(segment, offset, UInt32(truncatingIfNeeded: image.significand))
        case .double, .int64: try write(segment, offset, image.significand)
        case .extended, .decimal:
            try checkWrite(segment, offset, count: 10)
            try checkAlignment(self.segment(segment).pointee.base &+ offset, count: 8)
            try probeWrite(segment, offset, count: 10)
            try write(segment, offset, image.significand)
            try write(segment, offset &+ 8, image.signExponent)
        }
    }
}

extension Instruction {
    /// i of the ST(i) that is the last operand.
    @inline(__always) var stackOperand: UInt8 {
        operands.1.kind == .x87 ? operands.1.register : operands.0.register
    }
}
