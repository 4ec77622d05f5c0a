import Testing
import X86

@testable import Ring3

/// Reset, stack and tags (SDM 1 8.1), with values from the manual.
@Suite struct FPUStackTests {
    @Test func powerUpIsNotFNINIT() throws {
        let bench = try FPUBench()
        bench.cpu.reset()
        // SDM 3A table 9-1: control word 0040, tag word 5555.
        #expect(bench.fpu.pointee.control == 0x40)
        #expect(bench.fpu.tagWord == 0x5555)
        try bench.run(0xDB, 0xE3)  // fninit
        #expect(bench.fpu.pointee.control == 0x37F)
        #expect(bench.fpu.pointee.status == 0)
        #expect(bench.fpu.tagWord == 0xFFFF)
    }

    @Test func pushAndPopMoveTop() throws {
        let bench = try FPUBench()
        try bench.run(0xD9, 0xE8)  // fld1
        try bench.run(0xD9, 0xEE)  // fldz
        #expect(bench.fpu.top == 6)
        #expect(bench.fpu.st(0).pointee == X87Register(0))
        #expect(bench.fpu.st(1).pointee == X87Register(1))
        #expect(bench.fpu.tagWord == 0x1FFF)
        try bench.run(0xDE, 0xC1)  // faddp
        #expect(bench.fpu.top == 7)
        #expect(bench.fpu.st(0).pointee == X87Register(1))
        #expect(bench.fpu.tagWord == 0x3FFF)
    }

    @Test func tagsFollowContents() throws {
        let bench = try FPUBench()
        let values: [(X87Register, UInt16)] = [
            (X87Register(5), 0), (X87Register(0), 1), (X87Register(significand: 1), 2),
            (X87Register(significand: 1 << 63, signExponent: 0x7FFF), 2), (.indefinite, 2),
            (X87Register(significand: 1 << 62, signExponent: 0x3FFF), 2),
        ]
        for (value, tag) in values {
            bench.fpu.reset()
            bench.fpu.push(value)
            #expect(bench.fpu.tagWord == tag << 14 | 0x3FFF, "\(value)")
        }
    }

    @Test func overflowPushesIndefinite() throws {
        let bench = try FPUBench()
        for n in 1...8 { bench.fpu.push(X87Register(n)) }
        try bench.run(0xD9, 0xE8)  // fld1
        // SDM 1 8.5.1.1: IE, SF and, to tell overflow from underflow, C1.
        #expect(bench.fpu.pointee.status & 0x2FF == 0x241)
        #expect(bench.fpu.st(0).pointee == .indefinite)
        #expect(bench.fpu.top == 7)
    }

    @Test func underflowYieldsIndefinite() throws {
        let bench = try FPUBench()
        try bench.run(0xD9, 0xFA)  // fsqrt
        #expect(bench.fpu.pointee.status & 0x2FF == 0x41)
        #expect(bench.fpu.st(0).pointee == .indefinite)
        #expect(!bench.fpu.isEmpty(0))
    }

    @Test func unmaskedStackFaultChangesNothing() throws {
        let bench = try FPUBench()
        bench.fpu.setControl(0x37E)
        try bench.run(0xD9, 0xC0)  // fld st0
        #expect(bench.fpu.top == 0)
        #expect(bench.fpu.pointee.occupied == 0)
        #expect(bench.fpu.pointee.status == 0x80C1)
    }
}

/// What the instructions compute, on hand-picked values; the oracle tests cover the rest.
@Suite struct FPUArithmeticTests {
    @Test func reversedForms() throws {
        // Expected results of 10 (ST(0)) with 4 (ST(1)): opcode, ModR/M, register, value.
        let cases: [(UInt8, UInt8, UInt8, Int)] = [
            (0xD8, 0xE1, 0, 6), (0xD8, 0xE9, 0, -6), (0xDC, 0xE9, 1, -6), (0xDC, 0xE1, 1, 6),
            (0xDE, 0xE9, 0, -6), (0xDE, 0xE1, 0, 6),
        ]
        for (opcode, modRM, register, expected) in cases {
            let bench = try FPUBench()
            bench.fpu.push(X87Register(4))
            bench.fpu.push(X87Register(10))
            try bench.run(opcode, modRM)
            #expect(bench.fpu.st(register).pointee == X87Register(expected), "\(opcode) \(modRM)")
        }
    }

    @Test func integersAndDecimals() throws {
        let bench = try FPUBench()
        bench.write(0, UInt16(bitPattern: -1234))
        try bench.run(0xDF, 0x06)  // fild word [esi]
        #expect(bench.fpu.st(0).pointee == X87Register(-1234))
        try bench.run(0xDF, 0x36)  // fbstp [esi]
        #expect(bench.read(0, as: UInt64.self) == 0x1234)
        #expect(bench.read(8, as: UInt16.self) == 0x8000)
        #expect(bench.fpu.isEmpty(0))
        bench.fpu.push(X87Register(0x1_0000))
        try bench.run(0xDF, 0x1E)  // fistp word [esi]: the integer indefinite
        #expect(bench.read(0, as: UInt16.self) == 0x8000)
        #expect(bench.fpu.pointee.status & X87Status.exceptions == X87Status.invalid)
    }

    @Test func comparisonToFlags() throws {
        let bench = try FPUBench()
        bench.cpu.pointee.status = StatusFlags(image: Flags.status)
        bench.fpu.push(X87Register(2))
        bench.fpu.push(X87Register(1))
        try bench.run(0xDB, 0xF1)  // fcomi st0, st1
        #expect(bench.cpu.pointee.status.image == Flags.cf)
        try bench.run(0xDA, 0xC1)  // fcmovb st0, st1
        #expect(bench.fpu.st(0).pointee == X87Register(2))
        try bench.run(0xDF, 0xE9)  // fucomip st0, st1
        #expect(bench.cpu.pointee.status.image == Flags.zf)
        #expect(bench.fpu.top == 7)
    }

    @Test func examination() throws {
        // SDM 1 table 8-6; C3, C2, C1, C0 in a row.
        let cases: [(X87Register, UInt16)] = [
            (X87Register(significand: 1, signExponent: 0x3FFF), 0b0000),
            (X87Register(significand: 3 << 62, signExponent: 0xFFFF), 0b0011), (X87Register(-7), 0b0110),
            (X87Register(significand: 1 << 63, signExponent: 0x7FFF), 0b0101),
            (X87Register(significand: 0, signExponent: 0x8000), 0b1010), (X87Register(significand: 1), 0b1100),
        ]
        for (value, expected) in cases {
            let bench = try FPUBench()
            bench.fpu.push(value)
            try bench.run(0xD9, 0xE5)  // fxam
            let status = bench.fpu.pointee.status
            #expect((status >> 11 & 8) | (status >> 8 & 7) == expected, "\(value)")
            bench.fpu.setEmpty(0)
            try bench.run(0xD9, 0xE5)
            #expect(bench.fpu.pointee.status & X87Status.comparison == X87Status.c3 | X87Status.c0)
        }
    }
}
