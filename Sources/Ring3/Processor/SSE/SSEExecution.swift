import X86

// Floating-point arithmetic and comparison (SDM 1 10.4.1.1, 10.4.2, 11.4.1.2).
extension Processor {
    /// Comparison; everything else goes on to `executeSSEConversion`.
    func executeSSEComparison(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operation {
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

    /// Two-operand arithmetic, roots, reciprocals and extremes.
    @inline(never)
    func arithmeticSSE(
        _ i: InstructionPointer, _ operation: SSEArithmetic, _ format: SSEFormat
    ) throws(Fault) {
        try checkSSE()
        let destination = xmm(i.pointee.operands.0.register)
        let source = try loadSIMD(i, i.pointee.operands.1)
        if isControlTheHosts {
            pointee.sse.mxcsr |= SSEUnit.arithmeticAsIs(operation, format, &destination.pointee, source)
            return
        }
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

extension Operation {
    /// Which arithmetic on which lanes; nil if this is not SSE arithmetic.
    @inline(__always)
    var sseArithmetic: (operation: SSEArithmetic, format: SSEFormat)? {
        switch self {
        case .addps: (.add, .packedSingle)
        case .addpd: (.add, .packedDouble)
        case .addss: (.add, .scalarSingle)
        case .addsd: (.add, .scalarDouble)
        case .subps: (.subtract, .packedSingle)
        case .subpd: (.subtract, .packedDouble)
        case .subss: (.subtract, .scalarSingle)
        case .subsd: (.subtract, .scalarDouble)
        case .mulps: (.multiply, .packedSingle)
        case .mulpd: (.multiply, .packedDouble)
        case .mulss: (.multiply, .scalarSingle)
        case .mulsd: (.multiply, .scalarDouble)
        case .divps: (.divide, .packedSingle)
        case .divpd: (.divide, .packedDouble)
        case .divss: (.divide, .scalarSingle)
        case .divsd: (.divide, .scalarDouble)
        case .sqrtps: (.squareRoot, .packedSingle)
        case .sqrtpd: (.squareRoot, .packedDouble)
        case .sqrtss: (.squareRoot, .scalarSingle)
        case .sqrtsd: (.squareRoot, .scalarDouble)
        case .rsqrtps: (.reciprocalSquareRoot, .packedSingle)
        case .rsqrtss: (.reciprocalSquareRoot, .scalarSingle)
        case .rcpps: (.reciprocal, .packedSingle)
        case .rcpss: (.reciprocal, .scalarSingle)
        case .minps: (.minimum, .packedSingle)
        case .minpd: (.minimum, .packedDouble)
        case .minss: (.minimum, .scalarSingle)
        case .minsd: (.minimum, .scalarDouble)
        case .maxps: (.maximum, .packedSingle)
        case .maxpd: (.maximum, .packedDouble)
        case .maxss: (.maximum, .scalarSingle)
        case .maxsd: (.maximum, .scalarDouble)
        default: nil
        }
    }
}
