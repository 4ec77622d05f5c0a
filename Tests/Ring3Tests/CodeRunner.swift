import Hardware
import X86

@testable import Ring3

/// A processor with 4 MiB of RAM and no devices, in flat 32-bit protected mode, that runs bytes given to it.
final class CodeRunner {
    static let codeAddress: UInt32 = 0x10000
    static let stackTop: UInt32 = 0x80000

    let memory: PhysicalMemory
    let ports = Bus(limit: 0xFFFF)
    let mmio = Bus(limit: .max)
    let cpu: Processor
    let interpreter: Interpreter
    let decoder: Decoder

    init(usesCache: Bool = true) throws {
        memory = try PhysicalMemory(size: 4 << 20)
        let platform = Platform(memory: memory, ports: ports, mmio: mmio)
        cpu = .allocate(capacity: 1)
        cpu.initialize(to: ProcessorState(platform: platform))
        decoder = try Decoder()
        let interpreter = try Interpreter(cpu: cpu, decoder: decoder, usesCache: usesCache)
        self.interpreter = interpreter
        platform.codeWritten = { [unowned interpreter] in interpreter.codeWritten($0, count: $1) }
        // A flat GDT at 0x1000: null, code, data.
        memory.write(0x1008, UInt64(0x00CF_9B00_0000_FFFF))
        memory.write(0x1010, UInt64(0x00CF_9300_0000_FFFF))
        var start = StartState(
            eip: Self.codeAddress, cpuMode: .protectedFlat(gdtBase: 0x1000, gdtLimit: 0x17, code: 8, data: 0x10))
        start.esp = Self.stackTop
        cpu.start(start)
    }

    deinit {
        cpu.pointee.release()
        cpu.deinitialize(count: 1)
        cpu.deallocate()
    }

    /// Puts `code` and a HLT at the code address and runs to the HLT, or for `limit` instructions.
    @discardableResult
    func run(_ code: [UInt8], limit: UInt64 = 1000) -> EngineStop {
        memory.write(Self.codeAddress, bytes: code + [0xF4])
        interpreter.flush()
        cpu.pointee.eip = Self.codeAddress
        cpu.pointee.fetch.count = 0
        cpu.setAttention(.halted, false)
        return interpreter.run(until: cpu.pointee.instructions + limit)
    }

    /// Opens an IDT at 0x2000 whose handlers are HLT instructions at 0x3000 + vector * 16.
    func installHandlers() {
        for vector in UInt32(0)..<256 {
            let handler = 0x3000 + vector * 16
            memory.write(0x2000 + vector * 8, UInt64(handler & 0xFFFF | 8 << 16) | UInt64(0x8E00) << 32)
            memory.write(handler, UInt8(0xF4))
        }
        cpu.pointee.idtr = DescriptorTable(base: 0x2000, limit: 0x7FF)
    }

    /// Vector of the handler that the processor halted in, if it did.
    var faultVector: UInt32? {
        let eip = cpu.pointee.eip
        return (0x3000..<0x4000).contains(eip) && cpu.pointee.attention.contains(.halted) ? (eip - 0x3000) / 16 : nil
    }
}
