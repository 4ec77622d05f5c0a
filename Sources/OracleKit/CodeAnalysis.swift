import Ring3
import X86

/// Reads the code of a case: its instructions, and where a run of it has come to.
struct CodeAnalysis {
    let decoder: Decoder

    struct End {
        /// Flags that may have any value.
        var undefined: UInt32 = 0
        /// The instruction there; nil behind the last.
        var instruction: Instruction?
    }

    /// The end of a run of `record`'s code at `eip`. An address outside the code counts as behind its last instruction.
    ///
    /// Branches only go forwards, so that one pass in order of addresses sees every way to an instruction before it.
    func end(of record: CaseRecord, at eip: UInt32) -> End {
        let start = UserLayout.code + record.codeOffset
        var end = End()
        var atTarget: [Int: UInt32] = [:]
        // The count of a shift is known as long as nothing has run before it.
        var cl: UInt8? = UInt8(truncatingIfNeeded: record.context.registers[1])
        for (position, instruction) in instructions(of: record.codeBytes) {
            end.undefined |= atTarget[position] ?? 0
            if start + UInt32(position) == eip {
                end.instruction = instruction
                return end
            }
            let effects = FlagTable.effects(of: instruction, cl: cl)
            end.undefined = end.undefined & ~effects.written | effects.undefined
            if let distance = instruction.branchOperand {
                let target = position + Int(instruction.length) + Int(Int32(bitPattern: distance))
                atTarget[target, default: 0] |= end.undefined
            }
            cl = nil
        }
        end.undefined |= atTarget.filter { $0.key >= record.codeBytes.count }.values.reduce(0, |)
        return end
    }

    /// Instructions with their offsets, up to the last that is complete.
    func instructions(of bytes: [UInt8]) -> [(position: Int, instruction: Instruction)] {
        var list: [(Int, Instruction)] = []
        var position = 0
        while position < bytes.count {
            let instruction = bytes[position...].withUnsafeBytes { decoder.decode($0, size: .bits32) }
            guard position + Int(instruction.length) <= bytes.count, instruction.operation != .truncated else { break }
            list.append((position, instruction))
            position += Int(instruction.length)
        }
        return list
    }

    /// The operation at `eip`, which is an instruction of `record`'s code; nil if it is none.
    func operation(of record: CaseRecord, at eip: UInt32) -> X86.Operation? {
        let offset = eip &- UserLayout.code &- record.codeOffset
        guard offset < record.codeLength else { return nil }
        return record.codeBytes[Int(offset)...].withUnsafeBytes { decoder.decode($0, size: .bits32) }.operation
    }

    /// Whether some instruction may read a flag that the one before it left undefined.
    func readsUndefined(_ record: CaseRecord) -> Bool {
        var undefined: UInt32 = 0
        var atTarget: [Int: UInt32] = [:]
        for (position, instruction) in instructions(of: record.codeBytes) {
            undefined |= atTarget[position] ?? 0
            let effects = FlagTable.effects(of: instruction, cl: nil)
            if effects.read & undefined != 0 { return true }
            undefined = undefined & ~effects.written | effects.undefined
            if let distance = instruction.branchOperand {
                let target = position + Int(instruction.length) + Int(Int32(bitPattern: distance))
                atTarget[target, default: 0] |= undefined
            }
        }
        return false
    }

    /// Whether the code may be run: it consists of whole instructions, makes no system call, and branches only forwards,
    /// to one of its instructions, its end, or beyond the jump to the exit that will stand there.
    func isRunnable(_ bytes: [UInt8]) -> Bool {
        let list = instructions(of: bytes)
        guard let last = list.last, last.position + Int(last.instruction.length) == bytes.count else { return false }
        let starts = Set(list.map(\.position) + [bytes.count])
        return list.allSatisfy { position, instruction in
            guard instruction.operation.rawValue > Operation.overlong.rawValue, !Exclusions.isSystemCall(instruction)
            else { return false }
            guard let distance = instruction.branchOperand else { return true }
            let target = position + Int(instruction.length) + Int(Int32(bitPattern: distance))
            return target > position && (starts.contains(target) || target >= bytes.count + 5)
        }
    }
}
