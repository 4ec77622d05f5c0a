import Hardware
import Testing
import X86

@testable import Ring3

/// Random code of the kind that compilers make, which mostly does not fault, on the translating engine and the
/// interpreter in lockstep. `FuzzTests` has the wilder guests.
@Suite struct TranslationFuzzTests {
    private static let size: UInt32 = 2 << 20
    private static let code: UInt32 = 0x10000
    private static let codeSize: UInt32 = 0x400

    /// Random instructions and operands, of which the stack pointer is none: without a stack a guest soon ends.
    private struct Generator {
        var random: SeededGenerator

        mutating func below(_ limit: Int) -> UInt8 { UInt8(Int.random(in: 0..<limit, using: &random)) }
        mutating func register() -> UInt8 { pick([0, 1, 2, 3, 5, 6, 7]) }
        mutating func pick(_ values: [UInt8]) -> UInt8 { values[Int.random(in: 0..<values.count, using: &random)] }
        mutating func immediate() -> [UInt8] { [below(256), below(256), pick([0, 0xFF]), pick([0, 0xFF, 0x80])] }

        /// ModR/M byte and what follows: a register, or a place in RAM; one in 16 lies in the code itself.
        mutating func operand(_ field: UInt8) -> [UInt8] {
            guard below(3) == 0 else { return [0xC0 | field << 3 | register()] }
            let address =
                below(16) == 0
                ? code + UInt32.random(in: 0..<codeSize, using: &random)
                : UInt32.random(in: 0x30000..<size, using: &random) & ~UInt32(pick([0, 15]))
            return [field << 3 | 5] + (0..<4).map { UInt8(truncatingIfNeeded: address >> (8 * $0)) }
        }

        mutating func instruction() -> [UInt8] {
            switch below(20) {
            case 0...3: return [below(8) << 3 | below(4)] + operand(register())
            case 4: return [0x83] + operand(below(8)) + [below(256)]
            case 5: return [0x81] + operand(below(8)) + immediate()
            case 6: return [pick([0x40, 0x48]) | register()]
            case 7: return [0xC1] + operand(below(8)) + [below(34)]
            case 8: return [0xD3] + operand(below(8))
            case 9, 10: return [pick([0x88, 0x89, 0x8A, 0x8B])] + operand(register())
            case 11: return [0xB8 | register()] + immediate()
            case 12: return [0x0F, pick([0xAF, 0xB6, 0xB7, 0xBE, 0xBF, 0x44, 0x4C, 0x95, 0x9F])] + operand(register())
            case 13: return [pick([0x50, 0x58]) | register()]
            // Forward only: what goes back mostly does so for ever.
            case 14, 15: return [0x70 | below(16), below(24)]
            case 16: return [0x85, 0xC0 | below(8) << 3]
            case 17: return [0xF7] + operand(pick([2, 3, 4, 5]))
            case 18: return [0xD8 | below(8)] + operand(below(8))
            default:
                let prefix: [UInt8] = [[], [0x66], [0xF2], [0xF3]][Int(below(4))]
                let opcode = pick([0x10, 0x11, 0x28, 0x29, 0x54, 0x56, 0x57, 0x58, 0x59, 0x5C, 0x5E, 0x6F, 0x7F, 0xEF])
                return prefix + [0x0F, opcode] + operand(below(8))
            }
        }
    }

    /// Flat segments, pages mapped to themselves but for some that are not there, and handlers that go on with the byte
    /// behind the one that the fault was at.
    private func prepare(_ machine: VirtualMachine, seed: UInt64) {
        var generator = Generator(random: SeededGenerator(seed: seed))
        let memory = machine.memory
        for address in stride(from: 0x30000, to: Self.size, by: 8) { memory.write(address, generator.random.next()) }
        memory.write(0x1008, UInt64(0x00CF_9B00_0000_FFFF))
        memory.write(0x1010, UInt64(0x00CF_9300_0000_FFFF))
        for vector in UInt32(0)..<32 {
            let handler = 0x3000 + vector * 16
            memory.write(0x2000 + vector * 8, UInt64(handler) | 8 << 16 | 0x8E << 40)
            // add esp, 4 (the error code, if there is one); inc dword [esp]; iret
            let dropsCode: [UInt8] = [8, 10, 11, 12, 13, 14, 17].contains(vector) ? [0x83, 0xC4, 4] : []
            memory.write(handler, bytes: dropsCode + [0xFF, 0x04, 0x24, 0xCF])
        }
        memory.write(0x20000, UInt32(0x21007))
        for page in 0..<Self.size >> 12 {
            let isPresent = page < 0x30 || 0x50..<0x70 ~= page || generator.below(8) != 0
            memory.write(0x21000 + page * 4, page << 12 | 6 | (isPresent ? 1 : 0))
        }
        var code: [UInt8] = [0xDB, 0xE3]  // fninit
        while code.count < Self.codeSize { code += generator.instruction() }
        // jmp to the start
        let back = [0xE9] + (0..<4).map { UInt8(truncatingIfNeeded: -(code.count + 5) >> (8 * $0)) }
        code += back
        memory.write(Self.code, bytes: code)
        var state = StartState(
            eip: Self.code, cpuMode: .protectedFlat(gdtBase: 0x1000, gdtLimit: 0x17, code: 8, data: 0x10))
        state.esp = 0x60000
        let cpu = machine.cpu
        cpu.start(state)
        cpu.pointee.idtr = DescriptorTable(base: 0x2000, limit: 0xFF)
        cpu.pointee.cr3 = 0x20000
        cpu.pointee.cr4 |= CR4.osfxsr | CR4.osxmmexcpt
        cpu.pointee.cr0 |= CR0.pg | CR0.ne
        cpu.flushTLB(keepingGlobal: false)
    }

    @Test(arguments: 0..<8) func enginesAgreeOnOrdinaryCode(part: UInt64) throws {
        var blocks: UInt64 = 0
        var pageFaults: UInt64 = 0
        for seed in part * 40..<part * 40 + 40 {
            var configuration = MachineConfiguration()
            configuration.memorySize = Int(Self.size)
            configuration.engine = .translate
            configuration.lockstep = .interpret
            configuration.maximumInstructions = 2_000
            let machine = try VirtualMachine(configuration)
            for each in [machine, try #require(machine.reference)] { prepare(each, seed: seed) }
            if case .diverged(let divergence) = machine.run() { Issue.record("seed \(seed): \(divergence)") }
            blocks += try #require(machine.statistics.translation).blocksTranslated
            pageFaults += machine.statistics.processor.exceptions[Int(Vector.pageFault)]
        }
        #expect(blocks > 600)
        #expect(pageFaults > 400)
    }
}
