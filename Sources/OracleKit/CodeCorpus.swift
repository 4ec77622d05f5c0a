import Glibc
import X86

/// Straight-line pieces of real programs.
package struct CodeCorpus {
    /// Each at most `CaseRecord.maximumCode` bytes.
    package private(set) var blocks: [[UInt8]] = []

    private static let longestBlock = 32

    /// A file has no code, or cannot be read.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private static let largestFile = 1 << 28

    /// Cuts the executable segments of 32-bit ELF files into blocks.
    package init(files: [String], decoder: Decoder) throws(Failure) {
        var seen: Set<[UInt8]> = []
        for file in files {
            guard let contents = readFile(file, limit: Self.largestFile) else {
                throw Failure(description: "\(file): \(String(cString: strerror(errno)))")
            }
            let segments = Self.executableSegments(contents)
            guard !segments.isEmpty else { throw Failure(description: "\(file): is no 32-bit x86 ELF file") }
            for segment in segments { cut(segment, decoder, &seen) }
        }
    }

    /// Blocks end before branches, and before what cannot be compared. Data among the code is decoded as well; it makes
    /// blocks as good as any.
    private mutating func cut(_ code: [UInt8], _ decoder: Decoder, _ seen: inout Set<[UInt8]>) {
        let limit = CaseRecord.maximumCode
        var undefined: UInt32 = 0
        var start = 0
        var position = 0
        var count = 0
        func finish(_ next: Int) {
            if count > 1, position - start <= limit {
                let block = [UInt8](code[start..<position])
                if seen.insert(block).inserted { blocks.append(block) }
            }
            (start, position, count, undefined) = (next, next, 0, 0)
        }
        code.withUnsafeBytes { bytes in
            while position < code.count {
                let instruction = decoder.decode(UnsafeRawBufferPointer(rebasing: bytes[position...]), size: .bits32)
                let length = max(Int(instruction.length), 1)
                let effects = FlagTable.effects(of: instruction, cl: nil)
                let encoding = bytes[position..<min(position + length, code.count)]
                guard Self.isUsable(instruction, encoding), effects.read & undefined == 0,
                    position + length - start <= limit, count < Self.longestBlock
                else {
                    finish(position + length)
                    continue
                }
                undefined = undefined & ~effects.written | effects.undefined
                position += length
                count += 1
            }
        }
    }

    private static func isUsable(_ instruction: Instruction, _ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
        guard instruction.operation.rawValue > Operation.overlong.rawValue else { return false }
        switch instruction.operation {
        case .jcc, .jcxz, .jmp, .jmpFar, .call, .callFar, .ret, .retFar, .iret, .loop, .loope, .loopne, .int, .int1,
            .int3, .into, .sysenter, .sysexit, .hlt, .cpuid, .rdtsc, .rdpmc, .sgdt, .sidt, .sldt, .str, .smsw, .fnsave,
            .fnstenv, .fxsave, .fldenv, .frstor, .fxrstor, .maskmovq, .maskmovdqu, .lar, .lsl, .popSegment, .movSegment,
            .lds,
            .les, .lfs, .lgs, .lss:
            return false
        case .bswap, .shld, .shrd: return instruction.operandSize == 4
        case .pushSegment: return instruction.operandSize == 2
        // TF must stay out of sequences.
        case .popf: return false
        // TZCNT and LZCNT, where the host knows them.
        case .bsf, .bsr: return !bytes.prefix { $0 != 0x0F }.contains(0xF3)
        // Padding that is decoded as ADD [EAX], AL.
        case .add:
            return !(instruction.operandSize == 1 && instruction.operands.0.kind == .memory && instruction.length == 2)
        case .in, .out, .ins, .outs, .cli, .sti, .movControl, .movDebug: return false
        default: return true
        }
    }

    /// Program headers of type PT_LOAD with PF_X (System V ABI, chapter 5).
    private static func executableSegments(_ file: [UInt8]) -> [[UInt8]] {
        func value(_ offset: Int, _ size: Int) -> Int {
            guard offset >= 0, offset + size <= file.count else { return 0 }
            return (0..<size).reduce(0) { $0 | Int(file[offset + $1]) << ($1 * 8) }
        }
        guard value(0, 4) == 0x464C_457F, value(4, 1) == 1, value(18, 2) == 3 else { return [] }
        let (table, size) = (value(28, 4), value(42, 2))
        return (0..<value(44, 2)).compactMap { index in
            let header = table + index * size
            let (type, offset, length, flags) =
                (value(header, 4), value(header + 4, 4), value(header + 16, 4), value(header + 24, 4))
            guard type == 1, flags & 1 != 0, offset + length <= file.count else { return nil }
            return [UInt8](file[offset..<offset + length])
        }
    }
}
