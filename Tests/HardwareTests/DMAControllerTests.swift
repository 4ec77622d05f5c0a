import Testing

@testable import Hardware

@Suite struct DMAControllerTests {
    @Test(arguments: [UInt32(1), 2]) func addressAndCountReadBackByteByByte(stride: UInt32) {
        let dma = DMAController8237(stride: stride)
        dma.out(12 * stride, 0)
        for register in 0..<8 as Range<UInt32> {
            dma.out(register * stride, 0x10 + register)
            dma.out(register * stride, 0xA0 + register)
        }
        for register in 0..<8 as Range<UInt32> {
            #expect(dma.inb(register * stride) == UInt8(0x10 + register))
            #expect(dma.inb(register * stride) == UInt8(0xA0 + register))
        }
    }

    @Test func flipFlopIsSharedAndCleared() {
        let dma = DMAController8237(stride: 1)
        dma.out(0, 0x34)
        dma.out(3, 0x12)
        dma.out(0, 0x78)
        dma.out(12, 0)
        #expect(dma.inb(0) == 0x78)
        dma.out(12, 0)
        #expect(dma.inb(3) == 0x00)
        #expect(dma.inb(3) == 0x12)
    }

    @Test func masksAndRequests() {
        let dma = DMAController8237(stride: 1)
        #expect(dma.inb(15) == 0xFF)
        dma.out(10, 0x02)
        #expect(dma.inb(15) == 0xFB)
        dma.out(14, 0)
        #expect(dma.inb(15) == 0xF0)
        dma.out(15, 0x05)
        dma.out(10, 0x07)
        #expect(dma.inb(15) == 0xFD)
        dma.out(9, 0x06)
        #expect(dma.inb(8) == 0x40)
        dma.out(9, 0x02)
        #expect(dma.inb(8) == 0)
        dma.out(9, 0x04)
        dma.out(13, 0)
        #expect(dma.inb(8) == 0)
        #expect(dma.inb(15) == 0xFF)
        #expect(dma.inb(13) == 0)
    }

    @Test func pageRegistersAreLatches() {
        let pages = DMAPageRegisters()
        for offset in 1...15 as ClosedRange<UInt32> { pages.out(offset, offset * 3) }
        for offset in 1...15 as ClosedRange<UInt32> { #expect(pages.inb(offset) == UInt8(offset * 3)) }
    }
}
