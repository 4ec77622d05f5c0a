import Testing
import X86

@testable import Ring3

@Suite struct InterpreterTests {
    @Test(arguments: [true, false])
    func arithmeticLoop(usesCache: Bool) throws {
        let machine = try CodeRunner(usesCache: usesCache)
        // mov ecx,100; xor eax,eax; l: add eax,ecx; dec ecx; jnz l
        machine.run([0xB9, 100, 0, 0, 0, 0x31, 0xC0, 0x01, 0xC8, 0x49, 0x75, 0xFB])
        #expect(machine.cpu.pointee.eax == 5050)
        #expect(machine.cpu.pointee.ecx == 0)
        #expect(machine.cpu.pointee.status.zf)
    }

    @Test func stackAndCalls() throws {
        let machine = try CodeRunner()
        // push 0x12345678; call f; jmp end; f: mov eax,[esp+4]; ret 4; end:
        machine.run([0x68, 0x78, 0x56, 0x34, 0x12, 0xE8, 2, 0, 0, 0, 0xEB, 7, 0x8B, 0x44, 0x24, 4, 0xC2, 4, 0])
        #expect(machine.cpu.pointee.eax == 0x1234_5678)
        #expect(machine.cpu.pointee.esp == CodeRunner.stackTop)
    }

    @Test func selfModifyingCodeIsSeen() throws {
        let machine = try CodeRunner()
        // mov ecx,2; l: mov eax,1 (patched to 2 after the first pass); mov byte [l+1],2; loop l
        let l = CodeRunner.codeAddress + 5
        machine.run([
            0xB9, 2, 0, 0, 0, 0xB8, 1, 0, 0, 0,
            0xC6, 0x05, UInt8((l + 1) & 0xFF), UInt8((l + 1) >> 8 & 0xFF), UInt8((l + 1) >> 16 & 0xFF), 0, 2,
            0xE2, 0xF2,
        ])
        #expect(machine.cpu.pointee.eax == 2)
    }

    @Test func faultsReachTheirHandlers() throws {
        let machine = try CodeRunner()
        machine.installHandlers()
        machine.run([0x31, 0xC9, 0xF7, 0xF1])  // xor ecx,ecx; div ecx
        #expect(machine.faultVector == 0)
        machine.run([0x0F, 0x0B])  // ud2
        #expect(machine.faultVector == 6)
        machine.run([0xCD, 0x80])  // int 0x80
        #expect(machine.faultVector == 0x80)
        machine.run([0xA1, 0, 0, 0, 0, 0x8E, 0xD8])  // mov ds, garbage from address 0: null selector is allowed
        #expect(machine.faultVector == nil)
    }

    @Test func withoutHandlersTheProcessorShutsDown() throws {
        let machine = try CodeRunner()
        #expect(machine.run([0x0F, 0x0B]) == .shutdown)
        #expect(machine.cpu.pointee.faultChain.all.map(\.vector) == [6, 13, 13, 13])
        let report = TripleFaultReport(machine.cpu, decoder: machine.decoder).description
        #expect(report.contains("#UD invalid opcode"))
        #expect(report.contains("ud2"))
    }

    @Test func repeatedMovesHandleOverlap() throws {
        let machine = try CodeRunner()
        for offset in UInt32(0)..<64 { machine.memory.write(0x20000 + offset, UInt8(offset)) }
        // mov esi,0x20000; mov edi,0x20001; mov ecx,16; rep movsb
        machine.run([0xBE, 0, 0, 2, 0, 0xBF, 1, 0, 2, 0, 0xB9, 16, 0, 0, 0, 0xF3, 0xA4])
        #expect(machine.memory.bytes(0x20000, count: 18) == [UInt8](repeating: 0, count: 17) + [17])
        #expect(machine.cpu.pointee.ecx == 0)
        #expect(machine.cpu.pointee.esi == 0x20010)
    }
}
