import X86

// Control, fences and cacheability (SDM 1 10.4.5, 10.4.6, 11.4.4), and the way in.
extension Processor {
    /// Executes any of the MMX, SSE and SSE2 instructions.
    ///
    /// Throws what is checked first (see `checkSIMD`), what access to the memory operand throws, and #XM; registers,
    /// memory and flags are then as before, but for the exception flags of MXCSR.
    func executeSIMD(_ i: InstructionPointer) throws(Fault) {
        if let (operation, format) = i.pointee.operation.sseArithmetic {
            return try arithmeticSSE(i, operation, format)
        }
        switch i.pointee.operation {
        case .ldmxcsr: try loadControl(i)
        case .stmxcsr:
            try checkSSE()
            try write(i.pointee.memory.segment, effectiveAddress(i), pointee.sse.mxcsr)
        case .emms: try emms()
        // On general registers: neither CR0 nor CR4 can forbid it.
        case .movnti: try store(i, i.pointee.operands.0, register(i.pointee.operands.1.register, as: UInt32.self))
        // There is one processor, and it executes in order.
        case .sfence, .lfence, .mfence: break
        // Faults as a load of one byte would (SDM 2A, "CLFLUSH"); there is no cache to flush.
        case .clflush: try probeRead(i.pointee.memory.segment, effectiveAddress(i), count: 1)
        default: try executeSIMDMove(i)
        }
    }

    private func loadControl(_ i: InstructionPointer) throws(Fault) {
        try checkSSE()
        let value = try read(i.pointee.memory.segment, effectiveAddress(i), as: UInt32.self)
        guard value & ~MXCSR.defined == 0 else { throw .generalProtection() }
        pointee.sse.mxcsr = value
        SSEUnit.settle(value)
    }
}

extension Operation {
    /// MMX, SSE and SSE2, except PREFETCH and PAUSE, which do nothing.
    @inline(__always)
    var isSIMD: Bool { rawValue >= Operation.ldmxcsr.rawValue || self == .clflush }
}
