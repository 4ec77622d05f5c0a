import Ring3
import X86

/// ModR/M, SIB and displacement of a memory operand, and registers that make it point where it shall.
struct OperandEncoder {
    /// A choice of base, index and displacement.
    struct Encoded {
        /// Prefixes it needs: a segment override, 67.
        var prefixes: [UInt8] = []
        /// ModR/M byte with reg 0, SIB, displacement.
        var bytes: [UInt8] = []
    }

    private static let overrides: [(byte: UInt8, segment: SegmentRegister)] = [
        (0x26, .es), (0x2E, .cs), (0x36, .ss), (0x3E, .ds), (0x64, .fs), (0x65, .gs),
    ]

    /// Any addressing mode that reaches linear address `target`, or nearly any: a mode with nothing left to choose
    /// reaches what it reaches. Registers in `fixed` keep their values.
    static func encode(
        target: UInt32, registers: inout InlineArray<8, UInt32>, fixed: Set<Int>, random: inout SplitMix64
    ) -> Encoded {
        let inWindow = target &- UserLayout.data
        if inWindow < 0x1_0000, random.chance(1, 12) {
            // 16-bit addresses reach the window through FS, whose base it is.
            var encoded = encode16(offset: inWindow, registers: &registers, fixed: fixed, random: &random)
            encoded.prefixes = [0x64, 0x67]
            return encoded
        }
        var offset = target
        var prefixes: [UInt8] = []
        if random.chance(1, 8) {
            let choice = random.pick(overrides)
            prefixes = [choice.byte]
            if choice.segment == .fs { offset = inWindow }
        }
        var encoded = encode32(offset: offset, registers: &registers, fixed: fixed, random: &random)
        encoded.prefixes = prefixes
        return encoded
    }

    private static func encode32(
        offset: UInt32, registers: inout InlineArray<8, UInt32>, fixed: Set<Int>, random: inout SplitMix64
    ) -> Encoded {
        let mod = random.below(3)
        let rm = random.below(8)
        var encoded = Encoded()
        var sum: UInt32 = 0
        var base: Int? = Int(rm)
        encoded.bytes = [UInt8(mod << 6 | rm)]
        if rm == 4 {
            let (scale, index, sibBase) = (random.below(4), random.below(8), random.below(8))
            encoded.bytes.append(UInt8(scale << 6 | index << 3 | sibBase))
            base = Int(sibBase)
            if index != 4 { sum = registers[Int(index)] &<< scale }
            if index == sibBase, index != 4 { base = nil }
            if base == nil { sum &+= registers[Int(sibBase)] }
        }
        let isAbsolute = mod == 0 && encoded.bytes.last.map { $0 & 7 == 5 } == true
        if isAbsolute || mod == 2 {
            if let base, !isAbsolute { sum &+= registers[base] }
            if isAbsolute, rm == 4, base == nil { sum &-= registers[5] }
            encoded.bytes += littleEndian(offset &- sum)
            return encoded
        }
        if mod == 1 {
            let displacement = UInt8(truncatingIfNeeded: EdgeValues.integer(&random))
            encoded.bytes.append(displacement)
            sum &+= UInt32(bitPattern: Int32(Int8(bitPattern: displacement)))
        }
        if let base, !fixed.contains(base) { registers[base] = offset &- sum }
        return encoded
    }

    /// SDM 2A table 2-1.
    private static func encode16(
        offset: UInt32, registers: inout InlineArray<8, UInt32>, fixed: Set<Int>, random: inout SplitMix64
    ) -> Encoded {
        let modes: [(Int, Int?)] = [(3, 6), (3, 7), (5, 6), (5, 7), (6, nil), (7, nil), (5, nil), (3, nil)]
        let mod = random.below(3)
        let rm = Int(random.below(8))
        var encoded = Encoded(bytes: [UInt8(mod << 6) | UInt8(rm)])
        let (base, index) = modes[rm]
        if mod == 0, rm == 6 {
            encoded.bytes += littleEndian(UInt16(truncatingIfNeeded: offset))
            return encoded
        }
        var sum = index.map { registers[$0] } ?? 0
        if mod == 2 {
            sum &+= registers[base]
            encoded.bytes += littleEndian(UInt16(truncatingIfNeeded: offset &- sum))
            return encoded
        }
        if mod == 1 {
            let displacement = UInt8(truncatingIfNeeded: EdgeValues.integer(&random))
            encoded.bytes.append(displacement)
            sum &+= UInt32(bitPattern: Int32(Int8(bitPattern: displacement)))
        }
        if !fixed.contains(base) { registers[base] = registers[base] & 0xFFFF_0000 | (offset &- sum) & 0xFFFF }
        return encoded
    }
}
