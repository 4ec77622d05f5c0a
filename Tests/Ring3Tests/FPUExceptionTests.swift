import Testing
import X86

@testable import Ring3

/// #NM, #MF, FERR#, and the responses to unmasked exceptions.
@Suite struct FPUExceptionTests {
    /// A unit in which a division by zero is pending.
    private func pending() throws -> FPUBench {
        let bench = try FPUBench()
        bench.fpu.push(X87Register(0))
        bench.fpu.push(X87Register(1))
        bench.fpu.setControl(0x37B)
        try bench.run(0xD8, 0xF1)  // fdiv st0, st1
        return bench
    }

    @Test func zeroDivideLeavesOperands() throws {
        let bench = try pending()
        #expect(bench.fpu.pointee.status & 0xFF == X87Status.zeroDivide | X87Status.summary)
        #expect(bench.fpu.st(0).pointee == X87Register(1))
        #expect(bench.cpu.pointee.ferr == false)
    }

    @Test func waitingInstructionsRaiseMF() throws {
        let bench = try pending()
        for bytes: [UInt8] in [[0x9B], [0xD9, 0xD0], [0xD8, 0xC1], [0xD9, 0x06], [0xD9, 0x2E], [0xDD, 0x26]] {
            #expect(throws: Fault.floatingPoint) { try bench.run(bench.decode(bytes)) }
        }
    }

    @Test func otherControlInstructionsDoNotWait() throws {
        let bench = try pending()
        try bench.run(0xDF, 0xE0)  // fnstsw ax
        #expect(bench.cpu.pointee.eax & 0xFF == 0x84)
        try bench.run(0xD9, 0x3E)  // fnstcw [esi]
        #expect(bench.read(0, as: UInt16.self) == 0x37B)
        try bench.run(0x0F, 0xAE, 0x06)  // fxsave [esi]
        try bench.run(0xDB, 0xE2)  // fnclex
        #expect(bench.fpu.pointee.status & 0x80FF == 0)
        try bench.run(0x9B)
    }

    @Test func savingTheEnvironmentMasksExceptions() throws {
        let bench = try pending()
        try bench.run(0xD9, 0x36)  // fnstenv [esi]
        #expect(bench.read(0, as: UInt32.self) == 0xFFFF_037B)
        #expect(bench.read(4, as: UInt16.self) & 0x80FF == 0x8084)
        #expect(bench.fpu.pointee.control == 0x37F)
        try bench.run(0x9B)
        try bench.run(0xD9, 0x26)  // fldenv [esi]: pending again
        #expect(throws: Fault.floatingPoint) { try bench.run(0x9B) }
    }

    @Test func ferrReplacesMF() throws {
        let bench = try FPUBench()
        bench.cpu.pointee.cr0 &= ~CR0.ne
        bench.fpu.push(X87Register(0))
        bench.fpu.push(X87Register(1))
        bench.fpu.setControl(0x37B)
        try bench.run(0xD8, 0xF1)  // fdiv st0, st1
        #expect(bench.cpu.pointee.ferr)
        try bench.run(0x9B)
        #expect(bench.cpu.pointee.ferr)
        try bench.run(0xDB, 0xE2)  // fnclex
        #expect(!bench.cpu.pointee.ferr)
    }

    @Test func availability() throws {
        let bench = try FPUBench()
        let fnop: [UInt8] = [0xD9, 0xD0], wait: [UInt8] = [0x9B], fninit: [UInt8] = [0xDB, 0xE3]
        // SDM 3A table 2-2: EM, MP, TS; then who raises #NM.
        let cases: [(UInt32, [[UInt8]], [[UInt8]])] = [
            (0, [], [fnop, fninit, wait]), (CR0.mp, [], [fnop, fninit, wait]),
            (CR0.ts, [fnop, fninit], [wait]), (CR0.ts | CR0.mp, [fnop, fninit, wait], []),
            (CR0.em, [fnop, fninit], [wait]), (CR0.em | CR0.mp, [fnop, fninit], [wait]),
            (CR0.em | CR0.ts, [fnop, fninit], [wait]), (CR0.em | CR0.ts | CR0.mp, [fnop, fninit, wait], []),
        ]
        for (bits, raising, executing) in cases {
            bench.cpu.pointee.cr0 = CR0.pe | CR0.ne | bits
            for bytes in raising {
                #expect(throws: Fault.deviceNotAvailable) { try bench.run(bench.decode(bytes)) }
            }
            for bytes in executing { try bench.run(bench.decode(bytes)) }
        }
    }

    @Test func availabilityComesBeforePendingExceptions() throws {
        let bench = try pending()
        bench.cpu.pointee.cr0 |= CR0.ts
        #expect(throws: Fault.deviceNotAvailable) { try bench.run(0xD9, 0xD0) }
    }

    #if arch(x86_64) || arch(i386)
        /// SDM 1 8.5.4, 8.5.5: with the exception unmasked, the result is scaled by 2^24576 to bring it into range.
        @Test func unmaskedOverflowAndUnderflowScale() throws {
            let bench = try FPUBench()
            bench.fpu.setControl(0x367)
            bench.fpu.push(X87Register(significand: 1 << 63, signExponent: 0x7FFE))
            try bench.run(0xD8, 0xC8)  // fmul st0, st0
            // 2^(2 * 16383 - 24576)
            #expect(bench.fpu.st(0).pointee == X87Register(significand: 1 << 63, signExponent: 16383 + 8190))
            #expect(bench.fpu.pointee.status & 0xFF == X87Status.overflow | X87Status.summary)
            try bench.run(0xDB, 0xE2)
            bench.fpu.set(0, X87Register(significand: 1 << 63, signExponent: 1))
            try bench.run(0xD8, 0xC8)
            // 2^(2 * -16382 + 24576)
            #expect(bench.fpu.st(0).pointee == X87Register(significand: 1 << 63, signExponent: 16383 - 8188))
            #expect(bench.fpu.pointee.status & 0xFF == X87Status.underflow | X87Status.summary)
        }

        /// SDM 1 8.5.4: an unmasked overflow keeps a store from happening, and the stack from being popped.
        @Test func unmaskedOverflowPreventsStore() throws {
            let bench = try FPUBench()
            bench.fpu.setControl(0x377)
            bench.fpu.push(X87Register(significand: 1 << 63, signExponent: 0x7FFE))
            bench.write(0, UInt32(0x1234_5678))
            try bench.run(0xD9, 0x1E)  // fstp dword [esi]
            #expect(bench.read(0, as: UInt32.self) == 0x1234_5678)
            #expect(bench.fpu.top == 7 && !bench.fpu.isEmpty(0))
            #expect(bench.fpu.pointee.status & X87Status.overflow != 0)
        }

        /// The next instruction raised what the conversion of a store had that faulted.
        @Test(arguments: [0x1EDF, 0x1EDB, 0x3EDF, 0x36DF, 0x1ED9, 0x16DD] as [UInt16])
        func storesThatFaultReportNothing(code: UInt16) throws {
            let bytes = [UInt8(code & 0xFF), UInt8(code >> 8)]
            let bench = try FPUBench()
            X87Unit.settle()
            bench.fpu.push(X87Register(1))
            bench.fpu.push(X87Register(significand: 1 << 63 | 1, signExponent: 0x7FFE))
            let flat = bench.cpu.pointee.ds
            bench.cpu.setSegment(.ds, Segment(selector: 8, low: 0x0000_1000, high: 0x0040_9300))
            #expect(throws: Fault.generalProtection()) { try bench.run(bench.decode(bytes)) }
            try bench.run(0xD9, 0xC9)  // fxch st1
            try bench.run(0xD8, 0xC0)  // fadd st0, st0
            #expect(bench.fpu.pointee.status & X87Status.exceptions == 0)
            // The same store reports it where there is memory.
            try bench.run(0xD9, 0xC9)  // fxch st1
            bench.cpu.setSegment(.ds, flat)
            try bench.run(bench.decode(bytes))
            #expect(bench.fpu.pointee.status & X87Status.exceptions != 0)
        }
    #endif

    @Test func memoryFaultsLeaveTheUnitAlone() throws {
        let bench = try FPUBench()
        for n in 1...5 { bench.fpu.push(X87Register(n)) }
        bench.cpu.pointee.instructionStart = 0x1234
        try bench.run(0xD9, 0xD0)  // fnop
        // A segment that ends within the operand.
        bench.cpu.setSegment(.ds, Segment(selector: 8, low: 0x0000_1003, high: 0x0040_9300))
        let forms: [[UInt8]] = [
            [0xDC, 0x06], [0xDD, 0x06], [0xDB, 0x2E], [0xDF, 0x2E], [0xDF, 0x26], [0xDD, 0x1E], [0xDB, 0x3E],
            [0xDF, 0x3E], [0xDF, 0x36], [0xD9, 0x26], [0xD9, 0x36], [0xDD, 0x26], [0xDD, 0x36], [0x0F, 0xAE, 0x06],
            [0x0F, 0xAE, 0x0E],
        ]
        let before = (bench.fpu.pointee.status, bench.fpu.pointee.control, bench.fpu.pointee.occupied)
        let pointers = bench.fpu.pointers
        bench.cpu.pointee.instructionStart = 0x5678
        for bytes in forms {
            bench.write(0, UInt64(0))
            #expect(throws: Fault.generalProtection()) { try bench.run(bench.decode(bytes)) }
            #expect((bench.fpu.pointee.status, bench.fpu.pointee.control, bench.fpu.pointee.occupied) == before)
            #expect(bench.fpu.pointers == pointers)
            for n in UInt8(0)..<5 { #expect(bench.fpu.st(n).pointee == X87Register(5 - Int(n))) }
            #expect(bench.read(0, as: UInt64.self) == 0)
        }
    }
}
