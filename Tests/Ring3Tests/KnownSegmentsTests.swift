import Hardware
import Testing
import X86

@testable import Ring3

/// A processor that goes by what it knows of segments does what one does that checks everything anew.
@Suite struct KnownSegmentsTests {
    private enum Place {
        static let gdt: UInt32 = 0x1000
        static let ldt: UInt32 = 0x1800
        static let idt: UInt32 = 0x2000
        /// A page of linear addresses, below the kernel's stack, and where in RAM it is.
        static let tss: UInt32 = 0x6000
        static let tssInRAM: UInt32 = 0xB000
        static let userStack: UInt32 = 0x9000
    }

    private enum Selector {
        static let kernelData: UInt16 = 0x10
        static let tss: UInt16 = 0x28
    }

    private static let descriptors: [UInt64] = [
        0, 0x00CF_9B00_0000_FFFF, 0x00CF_9300_0000_FFFF, 0x00CF_FB00_0000_FFFF, 0x00CF_F300_0000_FFFF,
        0x0000_8B00_6000_0067,
    ]

    private static func makeMachine() throws -> CodeRunner {
        let machine = try CodeRunner()
        machine.installHandlers()
        restoreTables(machine)
        // The first 4 MiB by one table.
        machine.memory.write(0x2_0000, UInt32(0x2_1007))
        for page in UInt32(0)..<1024 {
            let place = page << 12 == Place.tss ? Place.tssInRAM : page << 12
            machine.memory.write(0x2_1000 + page * 4, place | 7)
        }
        try machine.cpu.writeCR3(0x2_0000)
        try machine.cpu.writeCR0(machine.cpu.pointee.cr0 | CR0.pg)
        return machine
    }

    private static func restoreTables(_ machine: CodeRunner) {
        for (index, descriptor) in descriptors.enumerated() {
            machine.memory.write(Place.gdt + UInt32(index) * 8, descriptor)
            machine.memory.write(Place.ldt + UInt32(index) * 8, descriptor)
        }
        machine.cpu.pointee.ldtr = Segment(selector: 0x30, word: 0x0000_8200_1800_002F)
        machine.cpu.pointee.gdtr = DescriptorTable(base: Place.gdt, limit: 0x2F)
        machine.cpu.pointee.tr = Segment(selector: Selector.tss, word: descriptors[5])
        machine.memory.write(Place.tssInRAM + 4, UInt32(0x7F00))
        machine.memory.write(Place.tssInRAM + 8, UInt32(Selector.kernelData))
        // 0x80: a trap gate that programs may use.
        machine.memory.write(Place.idt + 0x80 * 8, UInt64(0x3800 | 8 << 16) | UInt64(0xEF00) << 32)
        machine.memory.write(Place.idt + 0x20 * 8, UInt64(0x3200 | 8 << 16) | UInt64(0x8E00) << 32)
        machine.memory.write(Place.idt + 13 * 8, UInt64(0x30D0 | 8 << 16) | UInt64(0x8E00) << 32)
    }

    /// Flat segments of that privilege level.
    private static func restart(_ cpu: Processor, isUser: Bool) {
        let (code, data) = isUser ? (3, 4) : (1, 2)
        let rpl: UInt16 = isUser ? 3 : 0
        cpu.setSegment(.cs, Segment(selector: UInt16(code * 8) | rpl, word: descriptors[code]))
        cpu.setCPL(isUser ? 3 : 0)
        for register in [SegmentRegister.ss, .ds, .es, .fs, .gs] {
            cpu.setSegment(register, Segment(selector: UInt16(data * 8) | rpl, word: descriptors[data]))
        }
        cpu.pointee.esp = isUser ? Place.userStack : 0x7F00
        cpu.pointee.eip = 0x1_2345
        cpu.pointee.systemFlags = Flags.reserved1 | Flags.if
        cpu.flagsChanged()
    }

    private static func fault(_ action: () throws(Fault) -> Void) -> Fault? {
        do {
            try action()
            return nil
        } catch {
            return error
        }
    }

    @Test func systemCallsGoByKnownSegments() throws {
        let machine = try Self.makeMachine()
        defer { withExtendedLifetime(machine) {} }
        let cpu = machine.cpu
        let gate = Descriptor(low: 0x0008_3800, high: 0xEF00, address: 0)
        Self.restart(cpu, isUser: true)
        #expect(!cpu.enterKnownHandler(gate, errorCode: nil, flags: cpu.eflags))
        try cpu.interrupt(0x80, .software)
        #expect(cpu.returnToKnownSegments() == nil)
        try cpu.interruptReturn(size: 4)
        #expect(cpu.enterKnownHandler(gate, errorCode: nil, flags: cpu.eflags))
        #expect(cpu.pointee.cpl == 0 && cpu.pointee.eip == 0x3800 && cpu.pointee.esp == 0x7F00 - 20)
        #expect(cpu.returnToKnownSegments() != nil)
        #expect(cpu.pointee.cpl == 3 && cpu.pointee.eip == 0x1_2345 && cpu.pointee.esp == Place.userStack)
        // Within the kernel, too.
        Self.restart(cpu, isUser: false)
        #expect(!cpu.enterKnownHandler(gate, errorCode: 7, flags: cpu.eflags))
        try cpu.interrupt(0x80, .software)
        #expect(cpu.returnToKnownSegments() != nil)
        #expect(cpu.enterKnownHandler(gate, errorCode: 7, flags: cpu.eflags))
        #expect(cpu.pointee.esp == 0x7F00 - 16)
    }

    @Test func segmentsOfTheLDTAreLookedUp() throws {
        let machine = try Self.makeMachine()
        defer { withExtendedLifetime(machine) {} }
        let cpu = machine.cpu
        machine.memory.write(Place.idt + 0x80 * 8 + 2, UInt16(0x0C))
        Self.restart(cpu, isUser: false)
        for _ in 0..<2 { try cpu.interrupt(0x80, .software) }
        Self.flip(machine.memory, Place.ldt + 8 + 5, UInt8(0x80))
        #expect(Self.fault { () throws(Fault) in try cpu.interrupt(0x80, .software) } == .notPresent(0x0C))
    }

    @Test func stacksOf16BitsWrap() throws {
        let machine = try Self.makeMachine()
        defer { withExtendedLifetime(machine) {} }
        let cpu = machine.cpu
        Self.restart(cpu, isUser: false)
        for _ in 0..<2 { try cpu.interrupt(0x80, .software) }
        cpu.setSegment(.ss, Segment(selector: Selector.kernelData, word: 0x008F_9300_0000_FFFF))
        cpu.pointee.esp = 0x1_0000
        // The TLB knows the page.
        try cpu.writeSystem(0xFFF0, UInt32(0))
        try cpu.interrupt(0x80, .software)
        #expect(cpu.pointee.esp == 0x1_FFF4)
        #expect(machine.memory.read(0xFFF8, as: UInt32.self) == 8)
        try cpu.interruptReturn(size: 4)
        #expect(cpu.pointee.esp == 0x1_0000)
    }

    /// What changes what transfers find, in ways that matter and others.
    private static func disturb(_ machine: CodeRunner, _ random: inout SeededGenerator) {
        let (memory, cpu) = (machine.memory, machine.cpu)
        switch random.next(below: 17) {
        case 0, 1, 2:
            // A bit of a descriptor: present, DPL, type, limit, base ...
            let place = random.pick([Place.gdt, Place.gdt, Place.ldt]) + 8 + random.next(below: 32)
            flip(memory, place, UInt8(1) << random.next(below: 8))
        case 3:
            let gate = Place.idt + random.pick([0x80, 0x20, 13]) * 8 + random.next(below: 8)
            flip(memory, gate, UInt8(1) << random.next(below: 8))
        case 4: memory.write(Place.tssInRAM + 8, random.pick([0x10, 0x08, 0x13, 0x23, 0x14, 0] as [UInt32]))
        case 5: memory.write(Place.tssInRAM + 4, 0x7000 + random.next(below: 0x40))
        case 6: cpu.pointee.tr.limit = random.pick([3, 8, 9, 0x67])
        case 7: cpu.pointee.tr.attributes ^= random.next(below: 2) == 0 ? 8 : 0
        case 8: cpu.pointee.gdtr.limit = random.pick([0x0F, 0x16, 0x17, 0x1F, 0x26, 0x2F])
        case 9:
            cpu.pointee.cr0 ^= CR0.am
            cpu.setSystemFlag(Flags.ac, random.next(below: 2) == 0)
        case 10:
            // A stack that does not begin at 0, or is of 16 bits.
            let word: UInt64 = random.pick([0x00CF_9300_1000_FFFF, 0x008F_9300_0000_FFFF])
            if cpu.pointee.cpl == 0 { cpu.setSegment(.ss, Segment(selector: 0x10, word: word)) }
        case 11:
            // A gate to the LDT's segment.
            memory.write(Place.idt + random.pick([0x80, 0x20]) * 8 + 2, UInt16(0x0C))
        case 12:
            let word: UInt64 = random.pick([descriptors[2], descriptors[4], 0])
            let register: SegmentRegister = random.pick([.ds, .es, .fs, .gs])
            if cpu.pointee.cpl == 0 { cpu.setSegment(register, Segment(selector: word == 0 ? 0 : 0x10, word: word)) }
        case 13:
            // The handler's frame goes over the descriptors that it was entered by.
            memory.write(Place.tssInRAM + 4, Place.gdt + 0x14 + random.next(below: 16))
        case 14:
            // The handlers lie within the limit, or not; and so do programs.
            memory.write(Place.gdt + 8, random.pick([0x0040_9B00_0000_3FFF, 0x0040_9B00_0000_31FF] as [UInt64]))
        case 15: memory.write(Place.gdt + 0x18, UInt64(0x0041_FB00_0000_FFFF))
        default: cpu.pointee.esp = 0x7000 + random.next(below: 0x40)
        }
    }

    private static func flip<T: FixedWidthInteger & BitwiseCopyable>(
        _ memory: PhysicalMemory, _ place: UInt32, _ bits: T
    ) {
        if let value = memory.read(place, as: T.self) { memory.write(place, value ^ bits) }
    }

    /// Something in the frame that IRET finds.
    private static func disturbFrame(_ machine: CodeRunner, _ random: inout SeededGenerator) {
        let esp = machine.cpu.pointee.esp
        guard esp < 0x8_0000 else { return }
        switch random.next(below: 4) {
        case 0: machine.memory.write(esp + 4, random.pick([8, 0x0B, 0x0C, 0x1B, 0x18, 0x10, 0] as [UInt32]))
        case 1: machine.memory.write(esp + 16, random.pick([0x10, 0x23, 0x20, 0x1B, 0] as [UInt32]))
        case 2:
            flip(machine.memory, esp + 8, UInt32(1) << random.next(below: 18))
        default: machine.memory.write(esp, random.pick([0x1000, 0x1_0000, 0x3_0000]) + random.next(below: 0x1000))
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func whatIsKnownMakesNoDifference(seed: UInt64) throws {
        let knowing = try Self.makeMachine()
        let checking = try Self.makeMachine()
        var random = SeededGenerator(seed: seed)
        var knew = 0
        for step in 0..<2000 {
            let kind = random.next(below: 100)
            var faults: [Fault?] = []
            let start = random
            for machine in [knowing, checking] {
                random = start
                let cpu = machine.cpu
                if machine === checking { cpu.pointee.known = KnownSegments() }
                switch kind {
                case 0..<6: Self.restart(cpu, isUser: random.next(below: 3) != 0)
                case 6..<9:
                    Self.restoreTables(machine)
                    cpu.pointee.cr0 &= ~CR0.am
                case 9..<16: Self.disturb(machine, &random)
                case 16..<24: Self.disturbFrame(machine, &random)
                case 24..<60:
                    let (vector, source): (UInt8, InterruptSource) = random.pick([
                        (0x80, .software), (0x20, .external), (13, .exception),
                    ])
                    let code: UInt32? = vector == 13 ? 0x18 : nil
                    faults.append(
                        Self.fault { () throws(Fault) in try cpu.interrupt(vector, source, errorCode: code) })
                default:
                    faults.append(Self.fault { () throws(Fault) in try cpu.interruptReturn(size: 4) })
                }
            }
            if faults.count == 2 {
                try #require(faults[0] == faults[1], "step \(step)")
                if faults[0] == nil { knew += 1 }
            }
            let differences = Self.differences(knowing, checking)
            try #require(differences.isEmpty, "step \(step): \(differences)")
            // Neither mode is of interest beyond the transfer that led to it.
            if knowing.cpu.pointee.isVirtual8086 || knowing.cpu.pointee.systemFlags & Flags.nt != 0 {
                for machine in [knowing, checking] {
                    machine.cpu.pointee.isVirtual8086 = false
                    machine.cpu.pointee.systemFlags = Flags.reserved1
                    Self.restart(machine.cpu, isUser: false)
                }
            }
        }
        #expect(knew > 200)
    }

    private static func differences(_ one: CodeRunner, _ other: CodeRunner) -> [String] {
        var found: [String] = []
        func compare<T: Equatable>(_ name: String, _ value: (Processor) -> T) {
            if value(one.cpu) != value(other.cpu) { found.append("\(name): \(value(one.cpu)), \(value(other.cpu))") }
        }
        for register in SegmentRegister.allCases { compare("\(register)") { $0.segment(register).pointee } }
        compare("EIP") { $0.pointee.eip }
        compare("ESP") { $0.pointee.esp }
        compare("EFLAGS") { $0.eflags }
        compare("CPL") { $0.pointee.cpl }
        compare("stack mask") { $0.pointee.stackMask }
        compare("32-bit code") { $0.pointee.is32BitCode }
        compare("attention") { $0.pointee.attention }
        compare("cancelled steps") { $0.pointee.stepsCancelled }
        compare("TLB") { $0.pointee.tlb - $0.pointee.tlbBanks }
        for address in stride(from: UInt32(0x1000), to: 0xC000, by: 4)
        where one.memory.read(address, as: UInt32.self) != other.memory.read(address, as: UInt32.self) {
            found.append("memory at \(String(address, radix: 16))")
        }
        return found
    }
}

extension SeededGenerator {
    fileprivate mutating func next(below bound: UInt32) -> UInt32 { UInt32.random(in: 0..<bound, using: &self) }

    fileprivate mutating func pick<T>(_ choices: [T]) -> T { choices[Int.random(in: choices.indices, using: &self)] }
}
