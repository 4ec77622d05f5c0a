import Testing
import X86

@testable import Ring3

/// What the executor and lowering take for granted about the layout of micro-ops and of what they reach.
@Suite struct MicroOpTests {
    @Test func microOpsAndExitsAreSixteenBytes() {
        #expect(MemoryLayout<MicroOp>.size == 16)
        #expect(MemoryLayout<MicroOp>.stride == 16)
        #expect(MemoryLayout<ExitOp>.size == 16)
        #expect(MemoryLayout<ExitOp>.stride == 16)
    }

    @Test func exitsHaveTheirOpcodeWhereMicroOpsHaveIt() {
        #expect(MemoryLayout<MicroOp>.offset(of: \.opcode) == 0)
        #expect(MemoryLayout<ExitOp>.offset(of: \.opcode) == 0)
    }

    @Test func tlbEntriesArePowersOfTwo() {
        #expect(MemoryLayout<TLBEntry>.stride == 32)
    }

    /// Lowering computes opcodes: operation times five plus form.
    @Test func arithmeticGroupsAreInOrder() {
        let operations = ["add", "or", "adc", "sbb", "and", "sub", "xor", "cmp", "test"]
        let forms = ["RR", "RI", "RM", "MR", "MI"]
        for (first, size) in [(MicroOpcode.add32RR, "32"), (.add16RR, "16"), (.add8RR, "8")] {
            for (row, operation) in operations.enumerated() {
                for (column, form) in forms.enumerated() {
                    let opcode = first.advanced(by: UInt16(row * 5 + column))
                    #expect("\(opcode)" == operation + size + form)
                }
            }
        }
    }

    @Test func plainArithmeticAndMovesAreInOrder() {
        let forms = ["RR", "RI", "RM", "MR", "MI"]
        for (row, name) in ["plainAdd32", "plainOr32", "plainAnd32", "plainSub32", "plainXor32"].enumerated() {
            for (column, form) in forms.enumerated() {
                #expect("\(MicroOpcode.plainAdd32RR.advanced(by: UInt16(row * 5 + column)))" == name + form)
            }
        }
        for (first, name) in [(MicroOpcode.mov32RR, "mov32"), (.mov16RR, "mov16"), (.mov8RR, "mov8")] {
            for (column, form) in forms.enumerated() {
                #expect("\(first.advanced(by: UInt16(column)))" == name + form)
            }
        }
    }

    @Test func conditionalExitsAreInTheOrderOfTheirConditions() {
        for condition in Condition.allCases {
            let opcode = MicroOpcode.jumpOverflow.advanced(by: UInt16(condition.rawValue))
            #expect("\(opcode)".lowercased() == "jump\(condition)".lowercased())
            guard let fused = FusedCondition(comparison: condition) else { continue }
            let name = "\(fused)".lowercased()
            #expect("\(MicroOpcode.cmp32RRBelow.advanced(by: fused.rawValue))".lowercased() == "cmp32rr" + name)
            #expect("\(MicroOpcode.cmp32RIBelow.advanced(by: fused.rawValue))".lowercased() == "cmp32ri" + name)
            #expect(name == "\(condition)".lowercased())
        }
    }

    @Test func shiftsAndExtensionsAreInOrder() {
        for (index, name) in ["shl32I", "shr32I", "sar32I", "rol32I", "ror32I"].enumerated() {
            #expect("\(MicroOpcode.shl32I.advanced(by: UInt16(index)))" == name)
            let plain = "plain" + name.prefix(1).uppercased() + name.dropFirst()
            #expect("\(MicroOpcode.plainShl32I.advanced(by: UInt16(index)))" == plain)
        }
        for (index, name) in ["shl32C", "shr32C", "sar32C"].enumerated() {
            #expect("\(MicroOpcode.shl32C.advanced(by: UInt16(index)))" == name)
        }
        #expect(MicroOpcode.zeroExtend8R.advanced(by: 3) == .zeroExtend16M)
        #expect(MicroOpcode.signExtend8R.advanced(by: 3) == .signExtend16M)
        #expect(MicroOpcode.shld32I.advanced(by: 2) == .plainShld32I)
        #expect(MicroOpcode.shrd32I.advanced(by: 2) == .plainShrd32I)
    }
}
