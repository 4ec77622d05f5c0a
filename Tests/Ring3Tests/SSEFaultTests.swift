import Hardware
import Testing
import X86

@testable import Ring3

extension FPUBench {
    /// Executes one MMX or SSE instruction. Returns what it raised.
    func runSIMD(_ instruction: Instruction) -> Fault? {
        var instruction = instruction
        do throws(Fault) {
            try cpu.execute(&instruction)
            return nil
        } catch {
            return error
        }
    }

    fileprivate func fault(_ bytes: UInt8...) -> Fault? { runSIMD(decode(bytes)) }

    /// With SSE enabled as operating systems do.
    fileprivate static func withSSE() throws -> FPUBench {
        let bench = try FPUBench()
        bench.cpu.pointee.cr4 = CR4.osfxsr | CR4.osxmmexcpt
        return bench
    }

    /// Maps the first 4 MiB of linear addresses to themselves, but for the page at `absent`.
    fileprivate func enablePaging(absent: UInt32) throws {
        memory.write(0x1_0000, UInt32(0x1_1007))
        for page in UInt32(0)..<256 { memory.write(0x1_1000 + page * 4, page << 12 | (page << 12 == absent ? 6 : 7)) }
        try cpu.writeCR3(0x1_0000)
        try cpu.writeCR0(cpu.pointee.cr0 | CR0.pg | CR0.wp)
    }
}

/// What MMX and SSE instructions check, in which order, and what is left unchanged when they fault.
@Suite struct SSEFaultTests {
    @Test func availability() throws {
        let bench = try FPUBench.withSSE()
        let cr0 = bench.cpu.pointee.cr0
        func faults(_ cr0: UInt32, _ cr4: UInt32) -> [Fault?] {
            (bench.cpu.pointee.cr0, bench.cpu.pointee.cr4) = (cr0, cr4)
            // paddb mm1, mm0; paddb xmm1, xmm0; addps xmm1, xmm0; cvtps2pi mm1, xmm0; stmxcsr [esi]
            return [
                bench.fault(0x0F, 0xFC, 0xC8), bench.fault(0x66, 0x0F, 0xFC, 0xC8), bench.fault(0x0F, 0x58, 0xC8),
                bench.fault(0x0F, 0x2D, 0xC8), bench.fault(0x0F, 0xAE, 0x1E),
            ]
        }
        let sse = CR4.osfxsr | CR4.osxmmexcpt
        #expect(faults(cr0, sse) == [nil, nil, nil, nil, nil])
        let undefined = Fault.invalidOpcode
        #expect(faults(cr0, 0) == [nil, undefined, undefined, undefined, undefined])
        #expect(faults(cr0 | CR0.em | CR0.ts, sse) == [Fault?](repeating: undefined, count: 5))
        #expect(faults(cr0 | CR0.ts, sse) == [Fault?](repeating: .deviceNotAvailable, count: 5))
        // An x87 exception is pending.
        bench.fpu.setControl(0x37E)
        bench.fpu.setStatus(X87Status.invalid)
        #expect(faults(cr0, sse) == [.floatingPoint, nil, nil, .floatingPoint, nil])
    }

    /// Stores of general registers, fences and cache control do not need the unit.
    @Test func withoutUnit() throws {
        let bench = try FPUBench()
        bench.cpu.pointee.cr0 |= CR0.em | CR0.ts
        bench.cpu.pointee.ecx = 0x1234_5678
        #expect(bench.fault(0x0F, 0xC3, 0x0E) == nil)  // movnti [esi], ecx
        #expect(bench.read(0, as: UInt32.self) == 0x1234_5678)
        #expect(bench.fault(0x0F, 0xAE, 0xF8) == nil)  // sfence
        #expect(bench.fault(0x0F, 0xAE, 0xE8) == nil)  // lfence
        #expect(bench.fault(0x0F, 0xAE, 0xF0) == nil)  // mfence
        #expect(bench.fault(0x0F, 0xAE, 0x3E) == nil)  // clflush [esi]
        #expect(bench.fault(0x0F, 0x18, 0x06) == nil)  // prefetchnta [esi]
    }

    @Test func alignment() throws {
        let bench = try FPUBench.withSSE()
        bench.cpu.pointee.esi = FPUBench.operand + 8
        let fault = Fault.generalProtection()
        #expect(bench.fault(0x0F, 0x28, 0x06) == fault)  // movaps xmm0, [esi]
        #expect(bench.fault(0x0F, 0x29, 0x06) == fault)  // movaps [esi], xmm0
        #expect(bench.fault(0x0F, 0x2B, 0x06) == fault)  // movntps [esi], xmm0
        #expect(bench.fault(0x66, 0x0F, 0xFC, 0x06) == fault)  // paddb xmm0, [esi]
        #expect(bench.fault(0x0F, 0x58, 0x06) == fault)  // addps xmm0, [esi]
        #expect(bench.fault(0x66, 0x0F, 0x2D, 0x06) == fault)  // cvtpd2pi mm0, [esi]
        #expect(bench.fault(0x0F, 0xAE, 0x06) == fault)  // fxsave [esi]
        bench.cpu.pointee.esi = FPUBench.operand + 3
        #expect(bench.fault(0x0F, 0x10, 0x06) == nil)  // movups xmm0, [esi]
        #expect(bench.fault(0xF3, 0x0F, 0x7F, 0x06) == nil)  // movdqu [esi], xmm0
        #expect(bench.fault(0xF3, 0x0F, 0x58, 0x06) == nil)  // addss xmm0, [esi]
        #expect(bench.fault(0x0F, 0xFC, 0x06) == nil)  // paddb mm0, [esi]
    }

    /// A store that ends in an absent page, or beyond the segment, writes nothing.
    @Test func stores() throws {
        let bench = try FPUBench.withSSE()
        try bench.enablePaging(absent: 0x2000)
        bench.cpu.pointee.sse.registers[0] = XMMRegister(.max, .max)
        bench.cpu.pointee.esi = 0x1FF7
        bench.cpu.pointee.edi = 0x1FF8
        let pageFault = Fault(Vector.pageFault, 2)
        #expect(bench.fault(0x0F, 0x11, 0x06) == pageFault)  // movups [esi], xmm0
        #expect(bench.cpu.pointee.cr2 == 0x2000)
        #expect(bench.fault(0x66, 0x0F, 0xF7, 0xC0) == pageFault)  // maskmovdqu xmm0, xmm0
        #expect(bench.memory.read(0x1FF8, as: UInt64.self) == 0)
        // Bytes that are not selected are not touched.
        bench.cpu.pointee.sse.registers[1] = XMMRegister(0x8000_0000_0000_0080, 0)
        #expect(bench.fault(0x66, 0x0F, 0xF7, 0xC1) == nil)  // maskmovdqu xmm0, xmm1
        #expect(bench.memory.read(0x1FF8, as: UInt64.self) == 0xFF00_0000_0000_00FF)

        let bounded = try FPUBench.withSSE()
        bounded.cpu.setSegment(.ds, Segment(selector: 8, low: 0x100F, high: 0x0040_9300))
        bounded.cpu.pointee.sse.registers[0] = XMMRegister(.max, .max)
        #expect(bounded.fault(0x0F, 0x29, 0x06) == nil)  // movaps [esi], xmm0
        bounded.cpu.pointee.esi = 0x1010
        #expect(bounded.fault(0x0F, 0x29, 0x06) == .generalProtection())
        #expect(bounded.fault(0x0F, 0xE7, 0x06) == .generalProtection())  // movntq [esi], mm0
    }

    @Test func unmasked() throws {
        let bench = try FPUBench.withSSE()
        let one = UInt64((1.0 as Float).bitPattern)
        bench.cpu.pointee.sse.mxcsr = 0x1F80 & ~(MXCSR.zeroDivide << MXCSR.maskShift)
        bench.cpu.pointee.sse.registers[0] = XMMRegister(one, 0)
        #expect(bench.fault(0xF3, 0x0F, 0x5E, 0xC1) == Fault(Vector.simdFloatingPoint))  // divss xmm0, xmm1
        #expect(bench.cpu.pointee.sse.registers[0] == XMMRegister(one, 0))
        #expect(bench.cpu.pointee.sse.mxcsr & MXCSR.flags == MXCSR.zeroDivide)
        bench.cpu.pointee.cr4 = CR4.osfxsr
        #expect(bench.fault(0xF3, 0x0F, 0x5E, 0xC1) == .invalidOpcode)
    }

    @Test func control() throws {
        let bench = try FPUBench.withSSE()
        bench.write(0, UInt32(0xFFFF))
        #expect(bench.fault(0x0F, 0xAE, 0x16) == nil)  // ldmxcsr [esi]
        #expect(bench.cpu.pointee.sse.mxcsr == 0xFFFF)
        #expect(bench.fault(0x0F, 0xAE, 0x1E) == nil)  // stmxcsr [esi]
        #expect(bench.read(0, as: UInt32.self) == 0xFFFF)
        bench.write(0, UInt32(0x1_0000))
        #expect(bench.fault(0x0F, 0xAE, 0x16) == .generalProtection())
        #expect(bench.cpu.pointee.sse.mxcsr == 0xFFFF)
    }
}

/// FXSAVE and FXRSTOR with and without CR4.OSFXSR.
@Suite struct SSEImageTests {
    private let save: [UInt8] = [0x0F, 0xAE, 0x06]
    private let restore: [UInt8] = [0x0F, 0xAE, 0x0E]

    @Test func roundTrip() throws {
        let bench = try FPUBench.withSSE()
        bench.setOperand([UInt8](repeating: 0xCC, count: 512))
        for n in 0..<8 { bench.cpu.pointee.sse.registers[n] = XMMRegister(UInt64(n), ~UInt64(n)) }
        bench.cpu.pointee.sse.mxcsr = 0x5FA1
        #expect(bench.runSIMD(bench.decode(save)) == nil)
        #expect(bench.read(24, as: UInt32.self) == 0x5FA1)
        #expect(bench.read(28, as: UInt32.self) == 0xFFFF)
        #expect(bench.read(160 + 7 * 16 + 8, as: UInt64.self) == ~7)
        #expect(bench.read(288, as: UInt8.self) == 0xCC)
        bench.cpu.pointee.sse = SSEState()
        #expect(bench.runSIMD(bench.decode(restore)) == nil)
        #expect(bench.cpu.pointee.sse.mxcsr == 0x5FA1)
        for n in 0..<8 { #expect(bench.cpu.pointee.sse.registers[n] == XMMRegister(UInt64(n), ~UInt64(n))) }
        // Reserved bits of MXCSR: nothing is loaded, the x87's part included.
        bench.write(0, UInt16(0x27F))
        bench.write(24, UInt32(0x1_0000))
        #expect(bench.runSIMD(bench.decode(restore)) == .generalProtection())
        #expect(bench.cpu.pointee.sse.mxcsr == 0x5FA1)
        #expect(bench.fpu.pointee.control == 0x37F)
    }

    @Test func withoutSystemSupport() throws {
        let bench = try FPUBench()
        bench.setOperand([UInt8](repeating: 0xCC, count: 512))
        bench.cpu.pointee.sse.registers[0] = XMMRegister(1, 2)
        #expect(bench.runSIMD(bench.decode(save)) == nil)
        #expect(bench.read(24, as: UInt64.self) == 0xCCCC_CCCC_CCCC_CCCC)
        #expect(bench.read(160, as: UInt64.self) == 0xCCCC_CCCC_CCCC_CCCC)
        #expect(bench.runSIMD(bench.decode(restore)) == nil)
        #expect(bench.cpu.pointee.sse.registers[0] == XMMRegister(1, 2))
        #expect(bench.cpu.pointee.sse.mxcsr == 0x1F80)
    }
}
