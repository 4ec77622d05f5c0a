import Hardware
import Testing
import X86

@testable import Ring3

/// Corners of protected mode where a fault comes in the midst of a transfer, or state is easily left behind.
@Suite struct ProtectionTests {
    private let machine: CodeRunner
    private var cpu: Processor { machine.cpu }

    init() throws {
        machine = try CodeRunner()
        machine.installHandlers()
    }

    /// Puts `descriptor` into the GDT, which begins at 0x1000.
    private func define(_ selector: UInt16, _ descriptor: UInt64) {
        machine.memory.write(0x1000 + UInt32(selector), descriptor)
        cpu.pointee.gdtr = DescriptorTable(base: 0x1000, limit: max(cpu.pointee.gdtr.limit, selector + 7))
    }

    private func enterVirtual8086() {
        cpu.pointee.systemFlags |= Flags.vm | Flags.iopl
        cpu.pointee.isVirtual8086 = true
        for register in SegmentRegister.allCases { cpu.setSegment(register, Segment(realMode: 0x1000, dpl: 3)) }
        cpu.setCPL(3)
    }

    private func fault(_ action: () throws(Fault) -> Void) -> Fault? {
        do {
            try action()
            return nil
        } catch {
            return error
        }
    }

    // SDM 2A, "INT n", intra-privilege-level interrupt: #SS(EXT).
    @Test func stackFaultAtTheSamePrivilegeSaysWhetherTheEventWasExternal() {
        define(0x18, 0x0040_9300_0000_0FFF)  // data, one page
        // mov eax, 0x18; mov ss, eax; mov esp, 2; then an exception, and an interrupt of the program's own
        let prologue: [UInt8] = [0xB8, 0x18, 0, 0, 0, 0x8E, 0xD0, 0xBC, 2, 0, 0, 0]
        #expect(machine.run(prologue + [0x0F, 0x0B]) == .shutdown)
        #expect(cpu.pointee.faultChain.all.map(\.vector).prefix(2) == [Vector.invalidOpcode, Vector.stackFault])
        #expect(cpu.pointee.faultChain.all[1].errorCode == 1)
        cpu.setAttention(.shutdown, false)
        #expect(machine.run(prologue + [0xCD, 0x80]) == .shutdown)
        #expect(cpu.pointee.faultChain.all[0].vector == Vector.stackFault)
        #expect(cpu.pointee.faultChain.all[0].errorCode == 0)
    }

    // SDM 3A 6.5: a fault leaves the state as it was before the instruction.
    @Test func faultOnTheHandlersDescriptorLeavesVirtual8086ModeAlone() throws {
        define(0x18, 0x00CF_9A00_0000_FFFF)  // code that has not been accessed
        define(0x20, 0x0000_8B00_6000_0067)  // TSS at 0x6000
        cpu.pointee.tr = Segment(selector: 0x20, low: 0x6000_0067, high: 0x0000_8B00)
        machine.memory.write(0x6004, UInt32(0x70000))
        machine.memory.write(0x6008, UInt32(0x10))
        machine.memory.write(0x2000 + 0x80 * 8, UInt64(0x0018_3000) | UInt64(0xEE00) << 32)
        // The first 4 MiB by one table, with the GDT's page read-only.
        machine.memory.write(0x4000, UInt32(0x5007))
        for page in UInt32(0)..<1024 { machine.memory.write(0x5000 + page * 4, page << 12 | (page == 1 ? 5 : 7)) }
        try cpu.writeCR3(0x4000)
        try cpu.writeCR0(cpu.pointee.cr0 | CR0.pg | CR0.wp)
        enterVirtual8086()
        let before = cpu.pointee.eip
        #expect(fault { () throws(Fault) in try cpu.interrupt(0x80, .software) } == Fault(Vector.pageFault, 3))
        #expect(cpu.pointee.isVirtual8086 && cpu.eflags & Flags.vm != 0)
        #expect(cpu.pointee.cpl == 3 && cpu.pointee.eip == before)
        #expect(cpu.pointee.es.selector == 0x1000 && cpu.pointee.cs.selector == 0x1000)
    }

    /// A task at 0x7000 whose LDT is none.
    private func defineTaskWithBadLDT() {
        define(0x18, 0x0000_8B00_6000_0067)  // the TSS of now
        define(0x20, 0x0000_8900_7000_0067)
        cpu.pointee.tr = Segment(selector: 0x18, low: 0x6000_0067, high: 0x0000_8B00)
        machine.memory.write(0x7020, UInt32(0x5_0000))
        for (offset, selector) in [(0x4C, 8), (0x50, 0x10), (0x60, 0x10)] as [(UInt32, UInt32)] {
            machine.memory.write(0x7000 + offset, selector)
        }
    }

    // SDM 3A 7.3: faults after the switch belong to the new task, so to its mode and privilege.
    @Test func faultInNewTaskIsNotInTheOldTasksMode() throws {
        defineTaskWithBadLDT()
        enterVirtual8086()
        let descriptor = try #require(try cpu.descriptor(0x20))
        let fault = fault { () throws(Fault) in try cpu.switchTask(to: 0x20, descriptor, .call) }
        #expect(fault == Fault(Vector.invalidTSS, 0x10))
        #expect(!cpu.pointee.isVirtual8086 && cpu.eflags & Flags.vm == 0)
        #expect(cpu.pointee.cpl == 0 && cpu.pointee.eip == 0x5_0000)
        #expect(cpu.pointee.cs.selector == 8 && cpu.pointee.tr.selector == 0x20)
    }

    // SDM 3A 6.13: EXT.
    @Test(arguments: [(InterruptSource.exception, UInt32(1)), (.external, 1), (.software, 0)])
    func faultInTaskOfAnInterruptSaysWhetherTheEventWasExternal(source: InterruptSource, ext: UInt32) {
        defineTaskWithBadLDT()
        machine.memory.write(0x2000 + 0x40 * 8, UInt64(0x0020_0000) | UInt64(0x8500) << 32)
        let fault = fault { () throws(Fault) in try cpu.interrupt(0x40, source) }
        #expect(fault == Fault(Vector.invalidTSS, 0x10 | ext))
    }

    // SDM 3A 4.4.1: MOV to CR0 that changes CD, NW or PG, and MOV to CR4 that changes PAE, PGE or PSE.
    @Test func controlRegisterWritesReloadPDPTEs() throws {
        machine.memory.write(0x8000, UInt64(0x9001))
        machine.memory.write(0x9000, UInt64(0x83))  // 2 MiB
        try cpu.writeCR4(CR4.pae)
        try cpu.writeCR3(0x8000)
        try cpu.writeCR0(cpu.pointee.cr0 | CR0.pg)
        #expect(cpu.pointee.pdpte[3] == 0)
        machine.memory.write(0x8018, UInt64(0x9001))
        try cpu.writeCR0(cpu.pointee.cr0 | CR0.ts)
        #expect(cpu.pointee.pdpte[3] == 0)
        try cpu.writeCR4(CR4.pae | CR4.pge)
        #expect(cpu.pointee.pdpte[3] == 0x9001)
        machine.memory.write(0x8018, UInt64(0xA001))
        try cpu.writeCR0(cpu.pointee.cr0 | CR0.cd)
        #expect(cpu.pointee.pdpte[3] == 0xA001)
        machine.memory.write(0x8018, UInt64(0x21))
        #expect(fault { () throws(Fault) in try cpu.writeCR4(CR4.pae) } == Fault(Vector.generalProtection, 0))
        #expect(cpu.pointee.cr4 == CR4.pae | CR4.pge && cpu.pointee.pdpte[3] == 0xA001)
    }
}
