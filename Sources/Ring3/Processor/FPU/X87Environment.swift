import X86

// FSTENV, FLDENV, FSAVE and FRSTOR: the environment in four formats (SDM 1 8.1.10), and the registers behind it.
//
//       protected mode                     real and virtual-8086 mode
//  0    control word                       control word
//  1    status word                        status word
//  2    tag word                           tag word
//  3    FIP                                FIP 15...0
//  4    FCS, with FOP above it (32 bits)   FIP from bit 16 up, above FOP
//  5    FDP                                FDP 15...0
//  6    FDS                                FDP from bit 16 up, above 12 zeros
//
// Seven doublewords or words by operand size. In real mode, addresses are linear.
extension Processor {
    /// Environment, in the units of the format: 14 or 28 bytes.
    private typealias Environment = InlineArray<7, UInt32>

    func executeX87Image(_ i: InstructionPointer) throws(Fault) {
        let isWide = i.pointee.operandSize == 4
        let segment = i.pointee.memory.segment
        let offset = effectiveAddress(i)
        let registers = offset &+ (isWide ? 28 : 14)
        // The image must be aligned to its units, not each register to its own size (SDM 3A table 6-7).
        let isChecked = isAlignmentChecked
        if isChecked { setSystemFlag(Flags.ac, false) }
        defer { if isChecked { setSystemFlag(Flags.ac, true) } }
        let linear = self.segment(segment).pointee.base &+ offset
        let misaligned = isChecked && linear & (isWide ? 3 : 1) != 0 ? Fault(Vector.alignmentCheck, 0) : nil
        switch i.pointee.operation {
        case .fnstenv:
            try checkX87Available()
            try checkWrite(segment, offset, count: isWide ? 28 : 14)
            if let misaligned { throw misaligned }
            try probeWrite(segment, offset, count: isWide ? 28 : 14)
            try writeEnvironment(segment, offset, isWide: isWide)
            // All exceptions masked, so that the handler that saved the environment is not interrupted.
            fpu.setControl(fpu.pointee.control | X87Status.exceptions)
        case .fnsave:
            try checkX87Available()
            try checkWrite(segment, offset, count: isWide ? 108 : 94)
            if let misaligned { throw misaligned }
            try probeWrite(segment, offset, count: isWide ? 108 : 94)
            try writeEnvironment(segment, offset, isWide: isWide)
            for n in UInt8(0)..<8 {
                try writeX87(segment, registers &+ UInt32(n) * 10, .extended, fpu.st(n).pointee)
            }
            fpu.reset()
        case .fldenv:
            try checkX87()
            try checkRead(segment, offset, count: isWide ? 28 : 14)
            if let misaligned { throw misaligned }
            setEnvironment(try readEnvironment(segment, offset, isWide: isWide), isWide: isWide)
        default:
            try checkX87()
            try checkRead(segment, offset, count: isWide ? 28 : 14)
            if let misaligned { throw misaligned }
            let environment = try readEnvironment(segment, offset, isWide: isWide)
            var contents = InlineArray<8, X87Register>(repeating: X87Register())
            for n in 0..<8 { contents[n] = try readX87(segment, registers &+ UInt32(n) * 10, .extended) }
            setEnvironment(environment, isWide: isWide)
            for n in 0..<8 { fpu.st(UInt8(n)).pointee = contents[n] }
        }
    }

    private func writeEnvironment(_ segment: SegmentRegister, _ offset: UInt32, isWide: Bool) throws(Fault) {
        let fields = isProtectedFormat ? protectedEnvironment(isWide: isWide) : realEnvironment
        for n in 0..<7 {
            if isWide {
                try write(segment, offset &+ UInt32(n) * 4, fields[n])
            } else {
                try write(segment, offset &+ UInt32(n) * 2, UInt16(truncatingIfNeeded: fields[n]))
            }
        }
    }

    private func readEnvironment(
        _ segment: SegmentRegister, _ offset: UInt32, isWide: Bool
    ) throws(Fault) -> Environment {
        var fields = Environment(repeating: 0)
        for n in 0..<7 {
            fields[n] =
                isWide
                ? try read(segment, offset &+ UInt32(n) * 4, as: UInt32.self)
                : UInt32(try read(segment, offset &+ UInt32(n) * 2, as: UInt16.self))
        }
        return fields
    }

    private var isProtectedFormat: Bool { pointee.isProtected && !pointee.isVirtual8086 }

    /// The reserved upper halves read as ones, as on every processor though no manual says so.
    private func upper(_ value: UInt16) -> UInt32 { 0xFFFF_0000 | UInt32(value) }

    private func protectedEnvironment(isWide: Bool) -> Environment {
        let p = fpu.pointers
        return [
            upper(fpu.pointee.control), upper(fpu.pointee.status), upper(fpu.tagWord),
            p.instructionOffset, UInt32(p.instructionSelector) | UInt32(p.opcode) << 16,
            p.dataOffset, upper(p.dataSelector),
        ]
    }

    /// Of the upper address bits the 16-bit format has room for 4, the 32-bit one for 16.
    private var realEnvironment: Environment {
        let p = fpu.pointers
        let instruction = UInt32(p.instructionSelector) << 4 &+ p.instructionOffset
        let data = UInt32(p.dataSelector) << 4 &+ p.dataOffset
        return [
            upper(fpu.pointee.control), upper(fpu.pointee.status), upper(fpu.tagWord),
            upper(UInt16(truncatingIfNeeded: instruction)), (instruction >> 16) << 12 | UInt32(p.opcode),
            upper(UInt16(truncatingIfNeeded: data)), (data >> 16) << 12,
        ]
    }

    private func setEnvironment(_ fields: Environment, isWide: Bool) {
        let fpu = fpu
        fpu.setControl(UInt16(truncatingIfNeeded: fields[0]))
        fpu.setStatus(UInt16(truncatingIfNeeded: fields[1]))
        fpu.setTagWord(UInt16(truncatingIfNeeded: fields[2]))
        var p = X87Pointers()
        if isProtectedFormat {
            p.instructionOffset = fields[3]
            p.instructionSelector = UInt16(truncatingIfNeeded: fields[4])
            p.opcode = UInt16(truncatingIfNeeded: fields[4] >> 16)
            p.dataOffset = fields[5]
            p.dataSelector = UInt16(truncatingIfNeeded: fields[6])
        } else {
            p.instructionOffset = fields[3] & 0xFFFF | (fields[4] >> 12) << 16
            p.opcode = UInt16(truncatingIfNeeded: fields[4])
            p.dataOffset = fields[5] & 0xFFFF | (fields[6] >> 12) << 16
        }
        fpu.setPointers(p)
    }
}

extension X87 {
    /// The full tag word, two bits for each of R0 to R7: valid, zero, special, empty (SDM 1 8.1.7).
    var tagWord: UInt16 {
        var tags: UInt16 = 0
        for n in UInt8(0)..<8 {
            var tag: UInt16 = 3
            if pointee.occupied >> n & 1 != 0 {
                switch physical(n).pointee.kind {
                case .normal: tag = 0
                case .zero: tag = 1
                default: tag = 2
                }
            }
            tags |= tag << (UInt16(n) * 2)
        }
        return tags
    }

    /// Of a tag word that is loaded only "empty or not" matters.
    func setTagWord(_ tags: UInt16) {
        pointee.occupied = 0
        for n in UInt16(0)..<8 where tags >> (n * 2) & 3 != 3 { pointee.occupied |= 1 << UInt8(n) }
    }
}
