import Testing
import X86

@testable import Ring3

/// The images of FSTENV, FSAVE and FXSAVE in every mode and size (SDM 1 figures 8-9 to 8-12), and FOP.
@Suite struct FPUImageTests {
    /// A unit whose last instruction was FADD dword [esi], at 8:0x12345678.
    private func bench() throws -> FPUBench {
        let bench = try FPUBench()
        bench.fpu.push(X87Register(3))
        bench.cpu.pointee.instructionStart = 0x1234_5678
        try bench.run(0xD8, 0x06)
        return bench
    }

    private func enterVirtual8086(_ bench: FPUBench) {
        bench.cpu.pointee.isVirtual8086 = true
    }

    @Test func protected32() throws {
        let bench = try bench()
        try bench.run(0xD9, 0x36)  // fnstenv [esi]
        let fields = (0..<7).map { bench.read(UInt32($0) * 4, as: UInt32.self) }
        #expect(
            fields == [0xFFFF_037F, 0xFFFF_3800, 0xFFFF_3FFF, 0x1234_5678, 0x0006_0008, 0x0000_1000, 0xFFFF_0008])
    }

    @Test func protected16() throws {
        let bench = try bench()
        try bench.run(0x66, 0xD9, 0x36)
        let fields = (0..<7).map { bench.read(UInt32($0) * 2, as: UInt16.self) }
        #expect(fields == [0x037F, 0x3800, 0x3FFF, 0x5678, 0x0008, 0x1000, 0x0008])
        #expect(bench.read(14, as: UInt16.self) == 0)
    }

    /// Linear addresses: 8 * 16 + 0x12345678 and 8 * 16 + 0x1000.
    @Test func real32() throws {
        let bench = try bench()
        enterVirtual8086(bench)
        try bench.run(0xD9, 0x36)
        let fields = (0..<7).map { bench.read(UInt32($0) * 4, as: UInt32.self) }
        #expect(
            fields == [0xFFFF_037F, 0xFFFF_3800, 0xFFFF_3FFF, 0xFFFF_56F8, 0x0123_4006, 0xFFFF_1080, 0x0000_0000])
    }

    @Test func real16() throws {
        let bench = try bench()
        enterVirtual8086(bench)
        try bench.run(0x66, 0xD9, 0x36)
        let fields = (0..<7).map { bench.read(UInt32($0) * 2, as: UInt16.self) }
        #expect(fields == [0x037F, 0x3800, 0x3FFF, 0x56F8, 0x4006, 0x1080, 0x0000])
    }

    @Test(arguments: [false, true], [[UInt8](), [0x66]]) func saveAndRestore(isReal: Bool, prefix: [UInt8]) throws {
        let bench = try FPUBench()
        bench.cpu.pointee.isVirtual8086 = isReal
        for n in 1...3 { bench.fpu.push(X87Register(n)) }
        bench.fpu.setControl(0xA7F)
        bench.cpu.pointee.instructionStart = 0x5678
        try bench.run(0xD8, 0x06)  // fadd dword [esi]
        let status = bench.fpu.pointee.status
        let tags = bench.fpu.tagWord
        let pointers = bench.fpu.pointers
        try bench.run(bench.decode(prefix + [0xDD, 0x36]))  // fnsave [esi]
        #expect(bench.fpu.pointee.control == 0x37F && bench.fpu.pointee.occupied == 0)
        #expect(bench.fpu.pointers == X87Pointers())
        for n in UInt8(0)..<8 { bench.fpu.physical(n).pointee = .indefinite }
        try bench.run(bench.decode(prefix + [0xDD, 0x26]))  // frstor [esi]
        #expect(bench.fpu.pointee.control == 0xA7F)
        #expect(bench.fpu.pointee.status == status)
        #expect(bench.fpu.tagWord == tags)
        #expect(bench.fpu.st(0).pointee == X87Register(3))
        #expect(bench.fpu.st(2).pointee == X87Register(1))
        // In real mode the address comes back as a linear one; the 16-bit protected format has no opcode.
        let base: UInt32 = isReal ? 8 << 4 : 0
        #expect(bench.fpu.pointers.instructionOffset == base + pointers.instructionOffset)
        #expect(bench.fpu.pointers.dataOffset == base + pointers.dataOffset)
        #expect(bench.fpu.pointers.opcode == (isReal || prefix.isEmpty ? 0x006 : 0))
    }

    @Test func extendedImage() throws {
        let bench = try bench()
        for n in 0..<64 { bench.write(UInt32(n) * 8, UInt64.max) }
        try bench.run(0x0F, 0xAE, 0x06)  // fxsave [esi]
        #expect(bench.read(0, as: UInt64.self) == 0x0006_0080_3800_037F)
        #expect(bench.read(8, as: UInt64.self) == 0x0000_0008_1234_5678)
        #expect(bench.read(16, as: UInt64.self) == 0x0000_0008_0000_1000)
        // No SSE: MXCSR, its mask and the XMM registers are not written.
        #expect(bench.read(24, as: UInt64.self) == .max)
        #expect(bench.read(32, as: UInt64.self) == 0xC000_0000_0000_0000)
        #expect(bench.read(40, as: UInt64.self) == 0x4000)
        #expect(bench.read(160, as: UInt64.self) == .max)
        // Unlike FSAVE, it leaves the state as it is.
        #expect(bench.fpu.top == 7)
    }

    @Test func extendedImageMustBeAligned() throws {
        let bench = try bench()
        bench.cpu.pointee.esi += 8
        #expect(throws: Fault.generalProtection()) { try bench.run(0x0F, 0xAE, 0x06) }
        #expect(throws: Fault.generalProtection()) { try bench.run(0x0F, 0xAE, 0x0E) }
    }

    /// FOP is worked out from the decoded instruction: it must be what the bytes say.
    @Test func opcodesOfAddressingForms() throws {
        let bench = try FPUBench()
        let forms32: [[UInt8]] = [
            [0x00], [0x01], [0x03], [0x06], [0x07], [0x04, 0x24], [0x04, 0x8B], [0x05, 1, 2, 3, 4], [0x45, 0],
            [0x45, 0x80], [0x44, 0x24, 8], [0x85, 0, 1, 0, 0], [0x84, 0x8D, 0, 1, 0, 0], [0x04, 0x8D, 1, 2, 3, 4],
        ]
        for form in forms32 { #expect(bench.decode([0xD8] + form).x87Opcode == UInt16(form[0]), "\(form)") }
        let forms16: [[UInt8]] = [
            [0x00], [0x01], [0x02], [0x03], [0x04], [0x05], [0x06, 1, 2], [0x07], [0x46, 0], [0x41, 5], [0x86, 0, 1],
            [0x87, 0x34, 0x12],
        ]
        for form in forms16 {
            #expect(bench.decode([0xD8] + form, size: .bits16).x87Opcode == UInt16(form[0]), "\(form)")
        }
    }
}
