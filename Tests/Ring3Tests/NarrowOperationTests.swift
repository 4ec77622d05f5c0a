import Testing
import X86

@testable import Ring3

/// One-operand instructions and shifts of 8- and 16-bit registers have micro-ops of their own.
@Suite struct NarrowOperationTests {
    /// Values of EAX whose parts are at the edges of both sizes.
    private static let values: [UInt32] = [0, 0x0101, 0x7F7F, 0x8080, 0xFFFF, 0x7FFF, 0x8000, 0x1234_00FF, 0xFF00_FF00]

    /// Runs `instruction` on EAX, CF and OF clear and set; the engines must agree, and the instruction be a micro-op.
    private static func check(_ instruction: [UInt8], is opcode: MicroOpcode) throws {
        for value in values {
            for flags in [0, Flags.cf | Flags.of] as [UInt32] {
                let pair = try EnginePair()
                pair.place(instruction)
                for runner in [pair.translated, pair.interpreted] {
                    runner.cpu.pointee.eax = value
                    runner.cpu.pointee.status = StatusFlags(image: flags)
                }
                #expect(pair.run() == [], "\(opcode) of \(value)")
                let opcodes = pair.engine.cache.blocks.flatMap { $0.pointee.opBuffer.map(\.opcode) }
                #expect(opcodes.contains(opcode) && !opcodes.contains(.shared), "\(opcode)")
            }
        }
    }

    @Test func wordRegisters() throws {
        // AX.
        try Self.check([0x66, 0x40], is: .inc16R)
        try Self.check([0x66, 0x48], is: .dec16R)
        try Self.check([0x66, 0xF7, 0xD8], is: .neg16R)
        try Self.check([0x66, 0xF7, 0xD0], is: .not16R)
    }

    /// AL and AH.
    @Test(arguments: [0, 4] as [UInt8]) func byteRegisters(register: UInt8) throws {
        try Self.check([0xFE, 0xC0 + register], is: .inc8R)
        try Self.check([0xFE, 0xC8 + register], is: .dec8R)
        try Self.check([0xF6, 0xD8 + register], is: .neg8R)
        try Self.check([0xF6, 0xD0 + register], is: .not8R)
    }

    /// Counts on both sides of the operand's width, and those that the processor masks.
    @Test(arguments: [1, 3, 7, 8, 9, 16, 31, 33] as [UInt8]) func shiftsOfBytes(count: UInt8) throws {
        for register in [0, 4] as [UInt8] {
            try Self.check([0xC0, 0xE0 + register, count], is: .shl8I)
            try Self.check([0xC0, 0xE8 + register, count], is: .shr8I)
            try Self.check([0xC0, 0xF8 + register, count], is: .sar8I)
            try Self.check([0xC0, 0xC0 + register, count], is: .rol8I)
            try Self.check([0xC0, 0xC8 + register, count], is: .ror8I)
        }
    }

    @Test(arguments: [1, 5, 8, 15, 16, 17, 31, 33] as [UInt8]) func shiftsOfWords(count: UInt8) throws {
        try Self.check([0x66, 0xC1, 0xE0, count], is: .shl16I)
        try Self.check([0x66, 0xC1, 0xE8, count], is: .shr16I)
        try Self.check([0x66, 0xC1, 0xF8, count], is: .sar16I)
        try Self.check([0x66, 0xC1, 0xC0, count], is: .rol16I)
        try Self.check([0x66, 0xC1, 0xC8, count], is: .ror16I)
    }

    /// The flags before a narrow instruction are seen by what it leaves alone: CF by INC and DEC, all but CF and OF by
    /// rotates.
    @Test func whatIsLeftAloneIsNotDropped() throws {
        for instruction in [[0xFE, 0xC1], [0x66, 0x49], [0xC0, 0xC1, 3]] as [[UInt8]] {
            let pair = try EnginePair()
            // mov eax, -1; add eax, 1 (CF, ZF, AF); INSTRUCTION on CL or CX
            pair.place([0xB8, 0xFF, 0xFF, 0xFF, 0xFF, 0x83, 0xC0, 1] + instruction)
            #expect(pair.run() == [], "\(instruction)")
        }
    }

    /// Lowering computes opcodes.
    @Test func opcodesAreInOrder() {
        for (first, size) in [(MicroOpcode.inc16R, "16R"), (.inc8R, "8R")] {
            for (place, name) in ["inc", "dec", "neg", "not"].enumerated() {
                #expect("\(first.advanced(by: UInt16(place)))" == name + size)
            }
        }
        for (place, name) in ["shl", "shr", "sar", "rol", "ror"].enumerated() {
            #expect("\(MicroOpcode.shl16I.advanced(by: UInt16(place)))" == name + "16I")
            #expect("\(MicroOpcode.shl8I.advanced(by: UInt16(place)))" == name + "8I")
        }
    }
}
