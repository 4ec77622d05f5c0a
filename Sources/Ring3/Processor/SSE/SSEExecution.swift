import X86

// Floating-point arithmetic and comparison (SDM 1 10.4.1.1, 10.4.2, 11.4.1.2).
extension Processor {
    /// Addition to division; everything else goes on to `executeSSEFunction`.
    func executeSSE(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operation {
        case .addps: try arithmeticSSE(i, .add, .packedSingle)
        case .addpd: try arithmeticSSE(i, .add, .packedDouble)
        case .addss: try arithmeticSSE(i, .add, .scalarSingle)
        case .addsd: try arithmeticSSE(i, .add, .scalarDouble)
        case .subps: try arithmeticSSE(i, .subtract, .packedSingle)
        case .subpd: try arithmeticSSE(i, .subtract, .packedDouble)
        case .subss: try arithmeticSSE(i, .subtract, .scalarSingle)
        case .subsd: try arithmeticSSE(i, .subtract, .scalarDouble)
        case .mulps: try arithmeticSSE(i, .multiply, .packedSingle)
        case .mulpd: try arithmeticSSE(i, .multiply, .packedDouble)
        case .mulss: try arithmeticSSE(i, .multiply, .scalarSingle)
        case .mulsd: try arithmeticSSE(i, .multiply, .scalarDouble)
        case .divps: try arithmeticSSE(i, .divide, .packedSingle)
        case .divpd: try arithmeticSSE(i, .divide, .packedDouble)
        case .divss: try arithmeticSSE(i, .divide, .scalarSingle)
        case .divsd: try arithmeticSSE(i, .divide, .scalarDouble)
        default: try executeSSEFunction(i)
        }
    }

    /// Roots, reciprocals, extremes and comparison; everything else goes on to `executeSSEConversion`.
    private func executeSSEFunction(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operation {
        case .sqrtps: try arithmeticSSE(i, .squareRoot, .packedSingle)
        case .sqrtpd: try arithmeticSSE(i, .squareRoot, .packedDouble)
        case .sqrtss: try arithmeticSSE(i, .squareRoot, .scalarSingle)
        case .sqrtsd: try arithmeticSSE(i, .squareRoot, .scalarDouble)
        case .rsqrtps: try arithmeticSSE(i, .reciprocalSquareRoot, .packedSingle)
        case .rsqrtss: try arithmeticSSE(i, .reciprocalSquareRoot, .scalarSingle)
        case .rcpps: try arithmeticSSE(i, .reciprocal, .packedSingle)
        case .rcpss: try arithmeticSSE(i, .reciprocal, .scalarSingle)
        case .minps: try arithmeticSSE(i, .minimum, .packedSingle)
        case .minpd: try arithmeticSSE(i, .minimum, .packedDouble)
        case .minss: try arithmeticSSE(i, .minimum, .scalarSingle)
        case .minsd: try arithmeticSSE(i, .minimum, .scalarDouble)
        case .maxps: try arithmeticSSE(i, .maximum, .packedSingle)
        case .maxpd: try arithmeticSSE(i, .maximum, .packedDouble)
        case .maxss: try arithmeticSSE(i, .maximum, .scalarSingle)
        case .maxsd: try arithmeticSSE(i, .maximum, .scalarDouble)
        case .cmpps: try compareSSE(i, .packedSingle)
        case .cmppd: try compareSSE(i, .packedDouble)
        case .cmpss: try compareSSE(i, .scalarSingle)
        case .cmpsd: try compareSSE(i, .scalarDouble)
        case .comiss: try compareToFlagsSSE(i, isQuiet: false, isDouble: false)
        case .comisd: try compareToFlagsSSE(i, isQuiet: false, isDouble: true)
        case .ucomiss: try compareToFlagsSSE(i, isQuiet: true, isDouble: false)
        case .ucomisd: try compareToFlagsSSE(i, isQuiet: true, isDouble: true)
        default: try executeSSEConversion(i)
        }
    }

    @inline(never)
    private func arithmeticSSE(
        _ i: InstructionPointer, _ operation: SSEArithmetic, _ format: SSEFormat
    ) throws(Fault) {
        try checkSSE()
        let destination = xmm(i.pointee.operands.0.register)
        let source = try loadSIMD(i, i.pointee.operands.1)
        var value = destination.pointee
        var report = SSEUnit.arithmetic(operation, format, &value, source, maskedControl)
        if isRangeUnmasked, let x87 = operation.onX87 {
            report = rangeReport(operation, x87, format, destination.pointee, source)
        }
        try recordSIMD(report)
        destination.pointee = value
    }

    /// CMPPS and its kin. Of the immediate three bits select the predicate (SDM 2A table 3-7).
    @inline(never)
    private func compareSSE(_ i: InstructionPointer, _ format: SSEFormat) throws(Fault) {
        try checkSSE()
        let destination = xmm(i.pointee.operands.0.register)
        let source = try loadSIMD(i, i.pointee.operands.1)
        var value = destination.pointee
        let predicate = Int32(i.pointee.immediate & 7)
        try recordSIMD(SSEUnit.compare(predicate, format, &value, source, maskedControl))
        destination.pointee = value
    }

    /// COMISS and its kin: ZF, PF and CF tell; OF, SF and AF are cleared.
    @inline(never)
    private func compareToFlagsSSE(_ i: InstructionPointer, isQuiet: Bool, isDouble: Bool) throws(Fault) {
        try checkSSE()
        let first = xmm(i.pointee.operands.0.register).pointee
        let second = try loadSIMD(i, i.pointee.operands.1)
        let (eflags, report) = SSEUnit.compareToFlags(
            isQuiet: isQuiet, isDouble: isDouble, first, second, maskedControl)
        try recordSIMD(report)
        pointee.status = StatusFlags(image: eflags)
    }
}
