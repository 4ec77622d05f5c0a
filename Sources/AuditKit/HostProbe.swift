import OracleKit
import Ring3
import X86

/// Runs pieces of code as a 32-bit program of the host: in ring 3, on the real processor.
package final class HostProbe {
    /// What became of one.
    package struct Answer: Sendable {
        package let outcome: Outcome
        /// For an exception: the signal that the host's kernel made of it.
        package let signal: String?
        /// For an exception: the instruction that raised it.
        package let instruction: Instruction?
    }

    /// This host runs no 32-bit programs; in one line, why.
    package struct Unavailable: Error {
        package let reason: String
    }

    private let program: String
    private let window = MemoryWindow(seed: 0)
    private let decoder: Decoder

    /// - Parameter program: the oracle's, which has the same memory as `Guests/audit` gives its code.
    package init(program: String) throws(Unavailable) {
        self.program = program
        do {
            decoder = try Decoder()
            // Finds out whether it can be started.
            _ = try OracleProcess(program: program, window: window, capacity: 1)
        } catch {
            throw Unavailable(reason: "\(error)")
        }
    }

    /// Each piece of code gets a process of its own: who knows what it does to it.
    package func run(_ code: [UInt8], words: Int) -> Answer {
        var record = CaseRecord(code: code)
        record.context.registers[4] = UserLayout.stack + 0xF00
        record.context.registers[6] = UserLayout.data
        record.context.registers[7] = UserLayout.code
        do {
            let process = try OracleProcess(program: program, window: window, capacity: 1)
            process.place(record, at: 0)
            process.submit(0..<1)
            try process.finish()
            return answer(process.result(at: 0).context, code, words)
        } catch {
            return Answer(outcome: .lost("\(error)"), signal: nil, instruction: nil)
        }
    }

    private func answer(_ context: UserContext, _ code: [UInt8], _ words: Int) -> Answer {
        switch context.vector {
        case UserContext.ended:
            let answer = Array([context.registers[0], context.registers[2]].prefix(words))
            return Answer(outcome: .answer(answer), signal: nil, instruction: nil)
        case UserContext.systemCall:
            return Answer(outcome: .systemCall, signal: nil, instruction: nil)
        case UserContext.died:
            return Answer(outcome: .lost("ends the process"), signal: nil, instruction: nil)
        case UserContext.runaway:
            return Answer(outcome: .lost("does not end"), signal: nil, instruction: nil)
        default:
            let vector = UInt8(truncatingIfNeeded: context.vector)
            return Answer(
                outcome: .vector(vector, errorCode: context.errorCode), signal: Self.signals[vector],
                instruction: instruction(code, at: context.eip, isTrap: [1, 3, 4].contains(vector)))
        }
    }

    /// Of faults the address is that of the instruction, of traps that of the next.
    private func instruction(_ code: [UInt8], at eip: UInt32, isTrap: Bool) -> Instruction? {
        var offset = 0
        while offset < code.count {
            let instruction = code[offset...].withUnsafeBytes { decoder.decode($0, size: .bits32) }
            let address = UserLayout.code + UInt32(offset)
            if address + (isTrap ? UInt32(instruction.length) : 0) == eip { return instruction }
            offset += Int(instruction.length)
        }
        return nil
    }

    /// Linux, arch/x86/kernel/traps.c.
    private static let signals: [UInt8: String] = [
        0: "SIGFPE", 1: "SIGTRAP", 3: "SIGTRAP", 4: "SIGSEGV", 5: "SIGSEGV", 6: "SIGILL", 10: "SIGSEGV", 11: "SIGBUS",
        12: "SIGBUS", 13: "SIGSEGV", 14: "SIGSEGV", 16: "SIGFPE", 17: "SIGBUS", 19: "SIGFPE",
    ]
}
