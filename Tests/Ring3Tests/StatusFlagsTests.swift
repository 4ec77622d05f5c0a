import Testing
import X86

@testable import Ring3

@Suite struct StatusFlagsTests {
    @Test func everyImageSurvives() {
        for bits in UInt32(0)..<4096 {
            let image = bits & Flags.status
            #expect(StatusFlags(image: image).image == image)
            for carry in [false, true] {
                var flags = StatusFlags(image: image)
                flags.setCarry(carry)
                #expect(flags.image == image & ~Flags.cf | (carry ? Flags.cf : 0))
                flags.setZero(carry)
                #expect(flags.zf == carry)
            }
        }
    }
}
