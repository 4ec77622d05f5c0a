import Testing
import X86

@Test func instructionIsThirtyTwoBytes() {
    #expect(MemoryLayout<Instruction>.size == 32)
    #expect(MemoryLayout<Instruction>.stride == 32)
}
