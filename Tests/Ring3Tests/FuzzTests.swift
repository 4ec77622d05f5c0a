import Hardware
import Testing
import X86

@testable import Ring3

/// Repeatable random numbers (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) {
        state = seed
        // Or the numbers of a seed would be those of the one before but for the first.
        state = next()
    }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

/// Guests that do anything at all end in guest-visible faults, a triple fault or a limit; never in a trap of ours.
///
/// What is asserted is that the run comes back with an outcome. A Swift trap ends the test process, and so does an access
/// just outside guest RAM: inaccessible pages stand on both sides of it.
@Suite struct FuzzTests {
    private static let size = 2 << 20
    private static let budget: UInt64 = 3_000

    /// A machine, and the one behind it in lockstep, with the guest of that number in both.
    private func machine(seed: UInt64, _ engine: Engine, lockstep: Engine? = nil) throws -> VirtualMachine {
        var configuration = MachineConfiguration()
        configuration.memorySize = Self.size
        configuration.engine = engine
        configuration.verifiesEmittedCode = true
        configuration.lockstep = lockstep
        configuration.isDeterministic = true
        configuration.maximumInstructions = Self.budget
        configuration.timeout = 2_000_000_000
        let machine = try VirtualMachine(configuration)
        // The same numbers for both.
        for each in [machine, machine.reference].compactMap(\.self) { prepare(each, seed: seed) }
        return machine
    }

    /// Random memory, with tables at fixed places below 64 KiB, and code that is entered in some random state.
    private func prepare(_ machine: VirtualMachine, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for address in stride(from: UInt32(0), to: UInt32(Self.size), by: 4096) {
            // Mostly short repeats, so that random code does not only fault at once.
            machine.memory.write(address, random.next())
            machine.memory.write(address + 2048, random.next())
        }
        fillTables(machine.memory, &random)
        fillPageTables(machine.memory, &random)
        machine.memory.write(0x10000, bytes: code(&random))
        start(machine.cpu, &random)
    }

    private func randomBytes(_ count: Int, _ random: inout SeededGenerator) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    /// Instructions with an effect on privilege, tables or control flow, to be mixed among random bytes.
    private static let system: [[UInt8]] = [
        [0x0F, 0x22, 0xC0], [0x0F, 0x22, 0xD8], [0x0F, 0x22, 0xE0], [0x0F, 0x20, 0xC0], [0x0F, 0x23, 0xF8],
        [0x0F, 0x01, 0x10], [0x0F, 0x01, 0x18], [0x0F, 0x00, 0xD0], [0x0F, 0x00, 0xD8], [0x0F, 0x01, 0xF0],
        [0x8E, 0xD8], [0x8E, 0xD0], [0x8E, 0xC1], [0x8E, 0xE2], [0xFF, 0x2B], [0xFF, 0x1B], [0xCF], [0xCB],
        [0xCD], [0xCC], [0xF4], [0xFA], [0xFB], [0x9D], [0xEE], [0xEF], [0xEC], [0x6C], [0xF3, 0x6F], [0xF3, 0xA5],
        [0x66, 0xF3, 0xAB], [0x0F, 0x30], [0x0F, 0x32], [0x0F, 0x34], [0x0F, 0x35], [0x0F, 0xAE, 0x00], [0xDD, 0x20],
        [0x0F, 0xA2], [0xC8, 0x00, 0x10, 0x1F], [0x60], [0x61], [0x0F, 0xC7, 0x08], [0x0F, 0x01, 0x38], [0xEA], [0x9A],
    ]

    private func code(_ random: inout SeededGenerator) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < 512 {
            if Bool.random(using: &random) {
                bytes += Self.system[Int.random(in: 0..<Self.system.count, using: &random)]
                bytes += randomBytes(Int.random(in: 0...4, using: &random), &random)
            } else {
                bytes += randomBytes(Int.random(in: 1...8, using: &random), &random)
            }
        }
        return bytes
    }

    /// Descriptors that are plausible often enough to be loaded.
    private func descriptor(_ random: inout SeededGenerator) -> UInt64 {
        var value = random.next()
        if Int.random(in: 0..<4, using: &random) != 0 { value |= 1 << 47 }
        if Bool.random(using: &random) { value &= ~(0xFFFF << 16 | 0xFF << 32 | 0xFF << 56) }
        return value
    }

    private func fillTables(_ memory: PhysicalMemory, _ random: inout SeededGenerator) {
        for index in UInt32(0)..<512 { memory.write(0x1000 + index * 8, descriptor(&random)) }
        // Interrupt gates that lead into the code, among others.
        for index in UInt32(0)..<256 {
            let target = 0x10000 + UInt64.random(in: 0..<512, using: &random)
            let type = UInt64([0x8E, 0xEE, 0x8F, 0x85, 0x86][Int.random(in: 0..<5, using: &random)])
            let selector = Bool.random(using: &random) ? 8 : random.next() & 0xFFFF
            memory.write(0x2000 + index * 8, target & 0xFFFF | selector << 16 | type << 40 | (target >> 16) << 48)
        }
        memory.write(0x1008, UInt64(0x00CF_9B00_0000_FFFF))
        memory.write(0x1010, UInt64(0x00CF_9300_0000_FFFF))
    }

    private func fillPageTables(_ memory: PhysicalMemory, _ random: inout SeededGenerator) {
        for page in UInt32(0x20)..<0x28 {
            for index in stride(from: UInt32(0), to: 4096, by: 8) {
                var entry = random.next()
                if Int.random(in: 0..<8, using: &random) != 0 {
                    // Into RAM, present, often a table of this very range.
                    let target = Bool.random(using: &random) ? 0x20000 + (entry & 0x7000) : entry & 0x1F_F000
                    entry = entry & 0xFFF | target | 1
                    entry |= entry << 32 & 0xFFFF_F000_0000_0000 & random.next()
                }
                memory.write((page << 12) + index, entry)
            }
        }
    }

    private func start(_ cpu: Processor, _ random: inout SeededGenerator) {
        var state = StartState(
            eip: 0x10000, cpuMode: .protectedFlat(gdtBase: 0x1000, gdtLimit: 0xFFF, code: 8, data: 0x10))
        state.eax = UInt32(truncatingIfNeeded: random.next())
        state.ebx = 0x1000 + UInt32.random(in: 0..<0x2000, using: &random)
        state.edx = UInt32.random(in: 0...0x400, using: &random)
        state.esp = UInt32.random(in: 0x40000...0x80000, using: &random)
        cpu.start(state)
        cpu.pointee.idtr = DescriptorTable(base: 0x2000, limit: 0x7FF)
        cpu.pointee.tr = Segment(selector: 0x28, low: 0x3000_0067, high: 0x0000_8B00)
        if Bool.random(using: &random) {
            cpu.pointee.cr3 = 0x20000 + (UInt32.random(in: 0..<8, using: &random) << 12)
            try? cpu.writeCR4(UInt32(truncatingIfNeeded: random.next()) & CR4.defined)
            // Page 0x10 of a random directory may not be there; that is a fault like any other.
            try? cpu.writeCR0(CR0.pe | CR0.pg | UInt32(truncatingIfNeeded: random.next()) & (CR0.wp | CR0.am))
        }
        if Int.random(in: 0..<4, using: &random) == 0 {
            cpu.writeFlags(UInt32(truncatingIfNeeded: random.next()), changing: .max)
        }
    }

    @Test(arguments: 0..<8, Engine.available) func anyGuestEndsInAnOutcome(part: Int, engine: Engine) throws {
        var executed: UInt64 = 0
        for seed in UInt64(part * 60)..<UInt64(part * 60 + 60) {
            let machine = try machine(seed: seed, engine)
            let outcome = machine.run()
            executed += machine.statistics.instructions
            if case .unsafeCode(let finding) = outcome { Issue.record("seed \(seed): \(finding)") }
            if case .timeout = outcome { continue }
            // A slice of a repeated string instruction counts as 256 and is not cut short.
            #expect(machine.statistics.instructions <= Self.budget + 256, "seed \(seed)")
        }
        // Random guests must get somewhere, or this shows nothing.
        #expect(executed > 2_000)
    }

    @Test(arguments: 0..<8) func enginesAgreeOnAnyGuest(part: Int) throws {
        var executed: UInt64 = 0
        var blocks: UInt64 = 0
        for seed in UInt64(part * 60)..<UInt64(part * 60 + 60) {
            let machine = try machine(seed: seed, .translate, lockstep: .interpret)
            if case .diverged(let divergence) = machine.run() { Issue.record("seed \(seed): \(divergence)") }
            executed += machine.statistics.instructions
            blocks += machine.statistics.translation?.blocksTranslated ?? 0
        }
        #expect(executed > 2_000)
        #expect(blocks > 300)
    }
}
