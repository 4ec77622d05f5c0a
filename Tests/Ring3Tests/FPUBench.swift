import Hardware
import X86

@testable import Ring3

/// A processor with flat segments and a little memory, to run x87 instructions on.
final class FPUBench {
    let cpu: Processor
    let memory: PhysicalMemory
    private let decoder: Decoder
    /// Where ESI points: the operand of instructions with ModR/M byte `mod 00, r/m 110`.
    static let operand: UInt32 = 0x1000

    init() throws {
        memory = try PhysicalMemory(size: 1 << 20)
        decoder = try Decoder()
        let platform = Platform(memory: memory, ports: Bus(limit: 0xFFFF), mmio: Bus(limit: .max))
        cpu = Processor.allocate(capacity: 1)
        cpu.initialize(to: ProcessorState(platform: platform))
        cpu.reset()
        cpu.pointee.isProtected = true
        cpu.pointee.cr0 = CR0.pe | CR0.ne
        for register in SegmentRegister.allCases {
            // Base 0, limit 4 GiB, present, writable data.
            cpu.setSegment(register, Segment(selector: 8, low: 0x0000_FFFF, high: 0x00CF_9300))
        }
        cpu.pointee.esi = Self.operand
        cpu.fpu.reset()
    }

    deinit { cpu.deallocate() }

    var fpu: X87 { cpu.fpu }

    func decode(_ bytes: [UInt8], size: CodeSize = .bits32) -> Instruction {
        bytes.withUnsafeBytes { decoder.decode($0, size: size) }
    }

    /// Executes one instruction given as machine code.
    func run(_ bytes: UInt8..., size: CodeSize = .bits32) throws {
        try run(decode(bytes, size: size))
    }

    func run(_ instruction: Instruction) throws {
        var instruction = instruction
        try cpu.executeX87(&instruction)
    }

    func setOperand(_ bytes: [UInt8]) { _ = memory.write(Self.operand, bytes: bytes) }

    func operandBytes(_ count: Int) -> [UInt8] { memory.bytes(Self.operand, count: count) ?? [] }

    func read<T: FixedWidthInteger & BitwiseCopyable>(_ offset: UInt32, as type: T.Type) -> T {
        memory.read(Self.operand + offset, as: T.self) ?? 0
    }

    func write<T: FixedWidthInteger & BitwiseCopyable>(_ offset: UInt32, _ value: T) {
        _ = memory.write(Self.operand + offset, value)
    }
}

extension X87Register {
    /// Real numbers that are exact in the format, for tests that are about something else.
    init(_ value: Int) {
        let magnitude = UInt64(value.magnitude)
        let shift = magnitude.leadingZeroBitCount
        self.init(
            significand: magnitude << UInt64(shift),
            signExponent: value == 0 ? 0 : UInt16(16383 + 63 - shift) | (value < 0 ? 0x8000 : 0))
    }
}
