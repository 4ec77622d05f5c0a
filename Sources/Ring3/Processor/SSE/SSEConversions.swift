import X86

// Conversions between single, double and 32-bit integer (SDM 1 11.4.1.6, figure 11-8).
//
// A scalar or MMX conversion is that of a whole register of which only some lanes are not zero: zero converts to zero
// and raises nothing.
extension Processor {
    func executeSSEConversion(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operation {
        case .cvtdq2ps: try convert(i, .int32ToSingle)
        case .cvtdq2pd, .cvtpi2pd: try convert(i, .int32ToDouble)
        case .cvtps2dq: try convert(i, .singleToInt32)
        case .cvttps2dq: try convert(i, .singleToInt32Truncating)
        case .cvtpd2dq, .cvtpd2pi: try convert(i, .doubleToInt32)
        case .cvttpd2dq, .cvttpd2pi: try convert(i, .doubleToInt32Truncating)
        case .cvtps2pd: try convert(i, .singleToDouble)
        case .cvtpd2ps: try convert(i, .doubleToSingle)
        case .cvtpi2ps: try convert(i, .int32ToSingle, from: .low64, to: .low64)
        case .cvtps2pi: try convert(i, .singleToInt32, from: .low64)
        case .cvttps2pi: try convert(i, .singleToInt32Truncating, from: .low64)
        case .cvtsi2ss: try convert(i, .int32ToSingle, from: .low32, to: .low32)
        case .cvtsi2sd: try convert(i, .int32ToDouble, from: .low32, to: .low64)
        case .cvtss2si: try convert(i, .singleToInt32, from: .low32)
        case .cvttss2si: try convert(i, .singleToInt32Truncating, from: .low32)
        case .cvtsd2si: try convert(i, .doubleToInt32, from: .low64)
        case .cvttsd2si: try convert(i, .doubleToInt32Truncating, from: .low64)
        case .cvtss2sd: try convert(i, .singleToDouble, from: .low32, to: .low64)
        case .cvtsd2ss: try convert(i, .doubleToSingle, from: .low64, to: .low32)
        default: throw .invalidOpcode
        }
    }

    /// Part of a register.
    private enum Part {
        case all, low64, low32

        var mask: XMMRegister {
            switch self {
            case .all: XMMRegister(.max, .max)
            case .low64: XMMRegister(.max, 0)
            case .low32: XMMRegister(0xFFFF_FFFF, 0)
            }
        }
    }

    /// Converts one part of operand 1; another part of operand 0 receives the result, and the rest of it stays.
    @inline(never)
    private func convert(
        _ i: InstructionPointer, _ conversion: SSEConversion, from: Part = .all, to: Part = .all
    ) throws(Fault) {
        try checkSIMD(i)
        let destination = i.pointee.operands.0
        let source = try loadSIMD(i, i.pointee.operands.1) & from.mask
        var (value, report) = SSEUnit.convert(conversion, source, maskedControl)
        if isRangeUnmasked, conversion == .doubleToSingle {
            report = rangeReport(narrowing: source, lanes: from == .all ? 2 : 1)
        }
        // The one effect that an exception does not undo, as processors have it.
        if destination.kind == .mmx || i.pointee.operands.1.kind == .mmx { enterMMX() }
        try recordSIMD(report)
        if to != .all { value = try loadSIMD(i, destination) & ~to.mask | value & to.mask }
        try storeSIMD(i, destination, value)
    }
}
