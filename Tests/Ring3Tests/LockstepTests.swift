import Hardware
import Testing
import X86

@testable import Ring3

/// An engine that does something wrong after some of its blocks.
private final class SabotagedEngine: BlockEngine {
    private let engine: any BlockEngine
    private let lastSoundBlock: Int
    private let sabotage: () -> Void
    private var blocks = 0

    init(_ engine: any BlockEngine, after blocks: Int, _ sabotage: @escaping () -> Void) {
        self.engine = engine
        lastSoundBlock = blocks
        self.sabotage = sabotage
    }

    var interpreter: Interpreter { engine.interpreter }

    func run(until sliceEnd: UInt64) -> EngineStop { engine.run(until: sliceEnd) }

    func runBlock(until sliceEnd: UInt64) -> EngineStop? {
        let stop = engine.runBlock(until: sliceEnd)
        blocks += 1
        if blocks == lastSoundBlock { sabotage() }
        return stop
    }

    func codeWritten(_ physical: UInt32, count: UInt32) { engine.codeWritten(physical, count: count) }
}

/// A port that gives its machine, and not the one behind it, something else than everybody reads.
private final class OddPort: BusDevice {
    func read(offset: UInt32, width: Int) -> UInt32 { 0x5A }
    func write(offset: UInt32, value: UInt32, width: Int) {}
}

@Suite struct LockstepTests {
    /// Where the guest writes ECX in every turn of its loop, and where it reads what it adds to EBX.
    private static let written: UInt32 = 0x20000
    private static let read: UInt32 = 0x20100
    private static let turns: UInt64 = 10
    // mov ecx, 10; 1: mov [0x20000], ecx; mov eax, [0x20100]; add ebx, eax; dec ecx; jnz 1b; hlt
    private static let loop: [UInt8] = [
        0xB9, 10, 0, 0, 0, 0x89, 0x0D, 0, 0, 2, 0, 0xA1, 0, 1, 2, 0, 0x01, 0xC3, 0x49, 0x75, 0xF0, 0xF4,
    ]

    private static func machine(_ engine: Engine, lockstep: Engine? = nil) throws -> VirtualMachine {
        var configuration = MachineConfiguration()
        configuration.memorySize = 2 << 20
        configuration.engine = engine
        configuration.lockstep = lockstep
        configuration.isDeterministic = true
        return try VirtualMachine(configuration)
    }

    private static func load(_ code: [UInt8], into machine: VirtualMachine) {
        machine.memory.write(0x1008, UInt64(0x00CF_9B00_0000_FFFF))
        machine.memory.write(0x1010, UInt64(0x00CF_9300_0000_FFFF))
        machine.memory.write(0x10000, bytes: code)
        var start = StartState(
            eip: 0x10000, cpuMode: .protectedFlat(gdtBase: 0x1000, gdtLimit: 0x17, code: 8, data: 0x10))
        start.esp = 0x80000
        machine.cpu.start(start)
    }

    /// Runs the loop on both engines; after the third block `sabotage` is done to the tested machine.
    private func run(_ sabotage: @escaping (VirtualMachine) -> Void) throws -> (LockstepEngine, EngineStop) {
        let tested = try Self.machine(.translate)
        let reference = try Self.machine(.interpret)
        for machine in [tested, reference] { Self.load(Self.loop, into: machine) }
        let sound = try #require(tested.engine as? any BlockEngine)
        let engine = SabotagedEngine(sound, after: 3) { sabotage(tested) }
        let lockstep = LockstepEngine(testing: engine, tested.cpu, named: .translate, reference: reference)
        let stop = withExtendedLifetime(tested) { lockstep.run(until: 10_000) }
        return (lockstep, stop)
    }

    @Test func soundEnginesAgreeToTheEnd() throws {
        let (lockstep, stop) = try run { _ in }
        #expect(stop == .halted)
        #expect(lockstep.divergence == nil)
        #expect(lockstep.progress.comparisons >= Self.turns)
        #expect(lockstep.progress.instructions == 1 + 5 * Self.turns + 1)
        #expect(lockstep.progress.bytesWritten == 4 * Self.turns)
    }

    /// Parts of the processor's state, and how to make each of them wrong.
    private static let pokes: [(name: String, poke: @Sendable (Processor) -> Void)] = [
        ("EIP", { $0.pointee.eip ^= 1 }), ("EAX", { $0.pointee.eax ^= 1 << 31 }),
        ("ECX", { $0.pointee.ecx ^= 1 }), ("EDX", { $0.pointee.edx ^= 0x100 }), ("EBX", { $0.pointee.ebx ^= 1 }),
        ("ESP", { $0.pointee.esp ^= 4 }), ("EBP", { $0.pointee.ebp ^= 4 }), ("ESI", { $0.pointee.esi ^= 4 }),
        ("EDI", { $0.pointee.edi ^= 4 }),
        ("EFLAGS", { $0.pointee.status = StatusFlags(image: $0.pointee.status.image ^ Flags.af) }),
        ("EFLAGS", { $0.pointee.systemFlags ^= Flags.df }),
        ("ES", { $0.pointee.es.selector ^= 8 }), ("CS", { $0.pointee.cs.limit -= 1 }),
        ("SS", { $0.pointee.ss.base ^= 1 }), ("DS", { $0.pointee.ds.attributes ^= 1 }),
        ("FS", { $0.pointee.fs.base ^= 1 }), ("GS", { $0.pointee.gs.base ^= 1 }),
        ("LDTR", { $0.pointee.ldtr.selector ^= 8 }), ("TR", { $0.pointee.tr.selector ^= 8 }),
        ("GDTR", { $0.pointee.gdtr.limit ^= 8 }), ("IDTR", { $0.pointee.idtr.base ^= 8 }),
        ("CR0", { $0.pointee.cr0 ^= CR0.ts }), ("CR2", { $0.pointee.cr2 ^= 1 }), ("CR3", { $0.pointee.cr3 ^= 8 }),
        ("CR4", { $0.pointee.cr4 ^= CR4.osfxsr }), ("EFER", { $0.pointee.efer ^= 1 }),
        ("DR6", { $0.pointee.dr6 ^= 1 }), ("DR7", { $0.pointee.dr7 ^= 1 }), ("CPL", { $0.pointee.cpl ^= 3 }),
        ("DR0", { $0.pointee.dr[0] ^= 1 }), ("DR3", { $0.pointee.dr[3] ^= 1 }),
        ("PDPTE2", { $0.pointee.pdpte[2] ^= 1 }), ("SYSENTER_CS", { $0.pointee.sysenterCS ^= 8 }),
        ("SYSENTER_ESP", { $0.pointee.sysenterESP ^= 8 }), ("SYSENTER_EIP", { $0.pointee.sysenterEIP ^= 8 }),
        ("TSC offset", { $0.pointee.timestampOffset ^= 8 }),
        ("MISC_ENABLE", { $0.pointee.miscellaneousEnable ^= 1 }),
        ("x87 control", { $0.pointee.fpu.control ^= 1 }), ("x87 status", { $0.pointee.fpu.status ^= X87Status.c3 }),
        ("x87 tags", { $0.pointee.fpu.occupied ^= 1 }),
        ("x87 instruction", { $0.pointee.fpu.instructionOffset ^= 1 }),
        ("x87 data", { $0.pointee.fpu.dataSelector ^= 8 }), ("x87 opcode", { $0.pointee.fpu.loadedOpcode ^= 1 }),
        ("MXCSR", { $0.pointee.sse.mxcsr ^= MXCSR.flushToZero }),
        ("R0", { $0.fpu.physical(0).pointee.significand ^= 1 }),
        ("R7", { $0.fpu.physical(7).pointee.signExponent ^= 1 }),
        ("XMM0", { $0.xmm(0).pointee[0] ^= 1 }), ("XMM7", { $0.xmm(7).pointee[1] ^= 1 }),
    ]

    @Test(arguments: pokes.indices) func aWrongRegisterIsNamed(index: Int) throws {
        let (name, poke) = Self.pokes[index]
        let (lockstep, stop) = try run { poke($0.cpu) }
        #expect(stop == .diverged)
        let divergence = try #require(lockstep.divergence)
        #expect(divergence.differences.map(\.name) == [name])
        #expect(divergence.differences.allSatisfy { $0.tested != $0.reference })
        #expect(divergence.memory == [])
    }

    @Test func aDivergenceTellsWhereAndWhatWasExecuted() throws {
        let (lockstep, _) = try run { $0.cpu.pointee.ebx = 0xBAD }
        let divergence = try #require(lockstep.divergence)
        #expect(divergence.differences == [StateDifference(name: "EBX", tested: "00000bad", reference: "00000000")])
        #expect(divergence.agreedAt > 0 && divergence.agreedAt < divergence.instructions)
        // A turn of the loop is a block.
        #expect(divergence.listing.count == Int(divergence.instructions - divergence.agreedAt))
        #expect(divergence.listing.last?.contains("00010013") == true)
        #expect(divergence.listing.last?.contains("jne 0x10005") == true)
        let text = divergence.description
        for part in ["EBX: 00000bad | 00000000", "EBX=00000bad", "EBX=00000000", "add ebx, eax"] {
            #expect(text.contains(part), "\(part)")
        }
    }

    @Test func aWrongByteOfMemoryShowsWhenTheGuestReadsIt() throws {
        let (lockstep, stop) = try run { $0.memory.write(Self.read, UInt8(7)) }
        #expect(stop == .diverged)
        let divergence = try #require(lockstep.divergence)
        #expect(divergence.differences.map(\.name) == ["EAX", "EBX"])
        #expect(
            divergence.memory == [StateDifference(name: "[00020100]", tested: "00000007", reference: "00000000")])
    }

    @Test func aWriteThatWentWrongShowsAtOnce() throws {
        let (lockstep, stop) = try run { $0.memory.write(Self.written + 3, UInt8(0x80)) }
        #expect(stop == .diverged)
        let divergence = try #require(lockstep.divergence)
        #expect(divergence.differences == [])
        #expect(divergence.memory.map(\.name) == ["[00020000]"])
        #expect(divergence.instructions < 5 * Self.turns)
    }

    @Test func aByteThatNobodyReadsShowsInTheEnd() throws {
        let (lockstep, stop) = try run { $0.memory.write(0x12_3456, UInt8(1)) }
        #expect(stop == .halted)
        #expect(lockstep.divergence == nil)
        #expect(!lockstep.agreesInTheEnd())
        #expect(lockstep.divergence?.differences == [])
        #expect(lockstep.divergence?.memory.map(\.name) == ["[00123454]"])
    }

    @Test func aDivergenceIsADefectForTheExitStatus() throws {
        let (lockstep, _) = try run { $0.cpu.pointee.ebx = 0xBAD }
        #expect(ExitStatus.of(.diverged(try #require(lockstep.divergence))) == 70)
    }

    /// The report of a triple fault reads the tested machine's memory; that must not be taken for a difference.
    @Test func aTripleFaultWithPagingIsNoDivergence() throws {
        let machine = try Self.machine(.translate, lockstep: .interpret)
        for each in [machine, try #require(machine.reference)] {
            // ud2, with an IDT in a page that nobody has touched
            Self.load([0x0F, 0x0B], into: each)
            each.memory.write(0x100000, UInt32(0x101007))
            for page in UInt32(0)..<0x200 { each.memory.write(0x101000 + page * 4, page << 12 | 7) }
            each.cpu.pointee.cr3 = 0x100000
            each.cpu.pointee.cr0 |= CR0.pg
            each.cpu.pointee.idtr = DescriptorTable(base: 0x150000, limit: 0x3F)
        }
        guard case .tripleFault(let report) = machine.run() else {
            Issue.record("no triple fault")
            return
        }
        #expect(report.lastInstructions.last?.contains("ud2") == true)
    }

    /// A guest that reads a port, on a machine that is run as any other is.
    private func runReadingPort(isOdd: Bool) throws -> RunOutcome {
        let machine = try Self.machine(.translate, lockstep: .interpret)
        if isOdd { try machine.chipset.ports.register(OddPort(), at: 0x5000...0x5000) }
        // mov eax, -1; mov edx, 0x5000; in al, dx; hlt
        let code: [UInt8] = [0xB8, 0xFF, 0xFF, 0xFF, 0xFF, 0xBA, 0, 0x50, 0, 0, 0xEC, 0xF4]
        try machine.boot(BootRequest(image: TestImage.flatMultiboot1(code: code), imageName: "port"))
        return machine.run()
    }

    @Test func aMachineEndsWithTheDivergence() throws {
        guard case .finalHalt = try runReadingPort(isOdd: false) else {
            Issue.record("machines that are alike diverge")
            return
        }
        guard case .diverged(let divergence) = try runReadingPort(isOdd: true) else {
            Issue.record("a device that is on one machine only goes unnoticed")
            return
        }
        #expect(
            divergence.differences == [StateDifference(name: "EAX", tested: "ffffff5a", reference: "ffffffff")])
        #expect(divergence.listing.contains { $0.contains("in al, dx") })
    }
}
