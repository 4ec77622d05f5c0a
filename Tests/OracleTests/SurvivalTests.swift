import Foundation
import Testing
import X86

@testable import OracleKit
@testable import Ring3

/// Whatever a case does to the oracle's process is a result, and the next case runs.
@Suite(.serialized, .enabled(if: OracleHost.isAvailable, OracleHost.skipped)) struct SurvivalTests {
    private let process: OracleProcess

    init() throws {
        process = try OracleProcess(program: OracleHost.program, window: MemoryWindow(seed: 1), capacity: 16)
    }

    private func record(_ code: [UInt8]) -> CaseRecord {
        var record = CaseRecord(code: code)
        record.context.registers[4] = UserLayout.stack + 0x800
        return record
    }

    /// What becomes of each, all in one batch.
    private func outcomes(_ codes: [[UInt8]]) throws -> [UserContext] {
        for (index, code) in codes.enumerated() { process.place(record(code), at: index) }
        process.submit(0..<codes.count)
        try process.finish()
        return codes.indices.map { process.result(at: $0).context }
    }

    private static let harmless: [UInt8] = [0xB8, 1, 0, 0, 0]  // mov eax, 1

    /// Finds the oracle's own INT 80h, the one place from where the kernel takes calls, and jumps there.
    private static func systemCall(_ number: UInt8, _ argument: UInt8) -> [UInt8] {
        [
            0xBF, 0, 0, 0x30, 0,  // mov edi, 0x300000
            0x47,  // search: inc edi
            0x66, 0x81, 0x7F, 0xFF, 0xCD, 0x80,  // cmp word ptr [edi - 1], 0x80cd
            0x75, 0xF7,  // jne search
            0xB8, number, 0, 0, 0,  // mov eax, number
            0xBB, argument, 0, 0, 0,  // mov ebx, argument
            0xB9, 0, 0, 0x21, 0,  // mov ecx, 0x210000
            0xBA, 8, 0, 0, 0,  // mov edx, 8
            0x4F,  // dec edi
            0xFF, 0xE7,  // jmp edi
        ]
    }

    @Test func wildJumpsAndFaultsAreResults() throws {
        let results = try outcomes([
            [0x0F, 0x0B],  // ud2
            [0x68, 0, 0, 0, 0x50, 0xC3],  // push 0x50000000; ret
            [0x31, 0xC0, 0xFF, 0xE0],  // xor eax, eax; jmp eax
            [0xF4],  // hlt
            [0x31, 0xE4, 0x50],  // xor esp, esp; push eax
            Self.harmless,
        ])
        #expect(results.map(\.vector) == [6, 14, 14, 13, 14, UserContext.ended])
        #expect(results[1].eip == 0x5000_0000 && results[1].cr2 == 0x5000_0000)
        #expect(process.restarts == 0)
    }

    @Test func endlessLoopIsAResult() throws {
        let results = try outcomes([[0xEB, 0xFE], Self.harmless])
        #expect(results.map(\.vector) == [UserContext.runaway, UserContext.ended])
        #expect(process.restarts == 0)
    }

    @Test func endlessLoopEndsWhereTheStarterBlocksSignals() throws {
        var (all, before) = (sigset_t(), sigset_t())
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        let process = try OracleProcess(program: OracleHost.program, window: MemoryWindow(seed: 1), capacity: 1)
        pthread_sigmask(SIG_SETMASK, &before, nil)
        process.place(record([0xEB, 0xFE]), at: 0)
        process.submit(0..<1)
        try process.finish()
        #expect(process.result(at: 0).context.vector == UserContext.runaway)
    }

    @Test func timerLeavesFlagsAlone() throws {
        // mov ecx, 10000000; loop: dec ecx; jnz loop: some 5 ms, in which the timer ticks now and then.
        let wait: [UInt8] = [0xB9, 0x80, 0x96, 0x98, 0, 0x49, 0x75, 0xFD]
        for index in 0..<16 {
            var record = record(wait)
            record.context.eflags |= Flags.id | Flags.ac | Flags.df
            process.place(record, at: index)
        }
        process.submit(0..<16)
        try process.finish()
        let ended = (0..<16).filter { process.result(at: $0).context.vector == UserContext.ended }
        #expect(!ended.isEmpty)
        for index in ended {
            let flags = process.result(at: index).context.eflags
            #expect(flags & (Flags.id | Flags.ac | Flags.df) == Flags.id | Flags.ac | Flags.df)
        }
    }

    @Test func systemCallIsNotMade() throws {
        // mov eax, 1; int 0x80: exit.
        let results = try outcomes([[0xB8, 1, 0, 0, 0, 0xCD, 0x80], Self.harmless])
        #expect(results.map(\.vector) == [UserContext.systemCall, UserContext.ended])
    }

    @Test func endOfTheProcessIsAResult() throws {
        let results = try outcomes([Self.harmless, Self.systemCall(1, 7), Self.harmless])
        #expect(results.map(\.vector) == [UserContext.ended, UserContext.died, UserContext.ended])
        #expect(results[1].errorCode == 7 << 8)
        #expect(process.restarts == 1)
    }

    @Test func standstillIsAResult() throws {
        // Reads from the pipe that the next batch would come from.
        process.patience = 2
        let results = try outcomes([Self.systemCall(3, 0), Self.harmless])
        #expect(results.map(\.vector) == [UserContext.died, UserContext.ended])
        #expect(results[0].errorCode == UInt32(SIGKILL))
    }

    @Test func destroyedOracleIsReplaced() throws {
        // mov edi, 0x301000; mov ecx, 0x5000; rep stosd: its data and stack, as far as they go.
        let wipe: [UInt8] = [0xBF, 0, 0x10, 0x30, 0, 0xB9, 0, 0x50, 0, 0, 0xF3, 0xAB]
        let first = try outcomes([Self.harmless, wipe, Self.harmless])
        #expect(first[0].vector == UserContext.ended && first[2].vector == UserContext.ended)
        // mov edi, 0x400000; mov ecx, 0x2000; rep stosd: the shared file, and the cases in it.
        let file: [UInt8] = [0xBF, 0, 0, 0x40, 0, 0xB9, 0, 0x20, 0, 0, 0xF3, 0xAB]
        _ = try outcomes([file, Self.harmless])
        #expect(try outcomes([Self.harmless])[0].vector == UserContext.ended)
    }

    @Test func killedOracleIsReplaced() throws {
        for round in 0..<20 {
            for index in 0..<16 { process.place(record(index == 8 ? [0xEB, 0xFE] : Self.harmless), at: index) }
            process.submit(0..<8)
            process.submit(8..<16)
            usleep(UInt32(round) * 500)
            kill(process.identifier, SIGKILL)
            try process.finish()
            try process.finish()
            // The case that was running when the signal came is all that may be lost.
            let lost = (0..<16).filter { process.result(at: $0).context.vector == UserContext.died }
            #expect(lost.count <= 1)
            for index in 0..<16 where index != 8 && !lost.contains(index) {
                #expect(process.result(at: index).context.vector == UserContext.ended)
            }
        }
        #expect(process.restarts > 0)
    }

    @Test func recordThatIsNoCaseIsRefused() throws {
        var bad = record(Self.harmless)
        bad.codeLength = 0
        process.place(record(Self.harmless), at: 0)
        process.place(bad, at: 1)
        process.submit(0..<2)
        #expect(throws: OracleProcess.Failure.self) { try process.finish() }
    }

    @Test func programThatIsNotThereIsSaid() {
        #expect(throws: OracleProcess.Failure.self) {
            try OracleProcess(program: "/nonexistent/oracle", window: MemoryWindow(seed: 1), capacity: 1)
        }
    }
}
