import Testing

@testable import Hardware

private final class Bench {
    let time = ManualTime()
    let probe = LineProbe()
    private(set) var sent: [UInt8] = []
    lazy var uart = UART16550A(clock: time.clock, interrupt: probe.line) { [unowned self] in sent.append($0) }

    /// 115200 baud, 8N1, OUT2 open, FIFO control and interrupt enable as given.
    init(fifo: UInt32 = 0x01, enable: UInt32 = 0) {
        uart.out(3, 0x83)
        uart.out(0, 1)
        uart.out(1, 0)
        uart.out(3, 0x03)
        uart.out(4, 0x0B)
        uart.out(2, fifo)
        uart.out(1, enable)
    }
}

@Suite struct UARTTests {
    @Test func transmitsAtOnce() {
        let bench = Bench()
        for byte in "Hi".utf8 {
            #expect(bench.uart.inb(5) == 0x60)
            bench.uart.out(0, UInt32(byte))
        }
        #expect(bench.sent == Array("Hi".utf8))
        #expect(bench.probe.changes.isEmpty)
    }

    @Test func divisorLatchHidesData() {
        let bench = Bench()
        bench.uart.out(3, 0x83)
        bench.uart.out(0, 0x34)
        bench.uart.out(1, 0x12)
        #expect(bench.uart.inb(0) == 0x34)
        #expect(bench.uart.inb(1) == 0x12)
        bench.uart.out(3, 0x03)
        #expect(bench.uart.inb(1) == 0)
        #expect(bench.sent.isEmpty)
    }

    @Test func reservedBitsReadZero() {
        let bench = Bench()
        bench.uart.out(1, 0xFF)
        bench.uart.out(4, 0xFF)
        bench.uart.out(7, 0xA5)
        #expect(bench.uart.inb(1) == 0x0F)
        #expect(bench.uart.inb(4) == 0x1F)
        #expect(bench.uart.inb(7) == 0xA5)
    }

    @Test func enablingTheTransmitterInterruptRaisesIt() {
        let bench = Bench()
        for _ in 0..<2 {
            bench.uart.out(1, 0x02)
            #expect(bench.probe.isAsserted)
            #expect(bench.uart.inb(2) == 0xC2)
            #expect(!bench.probe.isAsserted, "IIR took it back")
            #expect(bench.uart.inb(2) == 0xC1)
            bench.uart.out(1, 0x02)
            #expect(!bench.probe.isAsserted, "it was enabled already")
            bench.uart.out(1, 0x00)
        }
    }

    @Test func everySentByteIsAnEdge() {
        let bench = Bench(enable: 0x02)
        #expect(bench.probe.rises == 1)
        bench.uart.out(0, 0x41)
        bench.uart.out(0, 0x42)
        #expect(bench.probe.rises == 3)
        #expect(bench.probe.isAsserted)
    }

    @Test func out2GatesTheInterrupt() {
        let bench = Bench(enable: 0x02)
        bench.uart.out(4, 0x03)
        #expect(!bench.probe.isAsserted)
        #expect(bench.uart.inb(2) == 0xC2, "the source asks nevertheless")
        bench.uart.out(0, 0x41)
        bench.uart.out(4, 0x0B)
        #expect(bench.probe.isAsserted)
        bench.uart.out(4, 0x1B)
        #expect(!bench.probe.isAsserted, "loopback forces OUT2 inactive")
    }

    @Test func withoutFIFOOneByteAtATime() {
        let bench = Bench(fifo: 0, enable: 0x01)
        bench.uart.receive([1, 2])
        #expect(bench.uart.inb(2) == 0x04)
        #expect(bench.uart.inb(5) == 0x61)
        #expect(bench.uart.inb(0) == 1)
        #expect(bench.probe.isAsserted)
        #expect(bench.uart.inb(0) == 2)
        #expect(!bench.probe.isAsserted)
        #expect(bench.uart.inb(5) == 0x60)
        #expect(bench.uart.inb(0) == 0)
    }

    @Test func triggerLevelThenTimeout() {
        let bench = Bench(fifo: 0x81, enable: 0x01)
        bench.uart.receive([UInt8](1...7))
        #expect(!bench.probe.isAsserted)
        bench.time.advance(by: 340_000)
        #expect(!bench.probe.isAsserted, "four characters of 10 bits at 115200 baud last 347 us")
        bench.time.advance(by: 10_000)
        #expect(bench.probe.isAsserted)
        #expect(bench.uart.inb(2) == 0xCC)
        #expect(bench.uart.inb(0) == 1)
        #expect(!bench.probe.isAsserted)
        bench.uart.receive([8, 9])
        #expect(bench.uart.inb(2) == 0xC4)
        for byte in 2...9 as ClosedRange<UInt8> { #expect(bench.uart.inb(0) == byte) }
        bench.time.advance(by: 1_000_000)
        #expect(!bench.probe.isAsserted, "no timeout of an empty FIFO")
    }

    @Test func queueRefillsTheFIFOWithoutOverrun() {
        let bench = Bench(enable: 0x05)
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        #expect(bench.uart.receive(bytes) == 1000)
        var read: [UInt8] = []
        while bench.uart.inb(5) & 1 != 0 { read.append(bench.uart.inb(0)) }
        #expect(read == bytes)
        #expect(!bench.probe.isAsserted)
    }

    @Test func queueIsBounded() {
        let bench = Bench(fifo: 0)
        let flood = [UInt8](repeating: 7, count: UART16550A.inputCapacity + 10)
        #expect(bench.uart.receive(flood) == UART16550A.inputCapacity)
        #expect(bench.uart.inputSpace == 1, "one is in the receiver")
    }

    @Test func clearingTheFIFOKeepsTheQueue() {
        let bench = Bench()
        bench.uart.receive([UInt8](1...20))
        bench.uart.out(2, 0x03)
        #expect(bench.uart.inb(0) == 17)
    }

    @Test func loopbackReturnsBytesAndModemLines() {
        let bench = Bench(enable: 0)
        bench.uart.out(4, 0x1A)
        #expect(bench.uart.inb(6) & 0xF0 == 0x90, "what Linux looks for")
        bench.uart.receive([9])
        bench.uart.out(0, 0x55)
        #expect(bench.sent.isEmpty)
        #expect(bench.uart.inb(0) == 0x55)
        #expect(bench.uart.inb(5) == 0x60, "the cable is disconnected")
        bench.uart.out(4, 0x0B)
        #expect(bench.uart.inb(0) == 9)
    }

    @Test func loopbackOverrun() {
        let bench = Bench()
        bench.uart.out(4, 0x10)
        for byte in 0..<17 as Range<UInt32> { bench.uart.out(0, byte) }
        bench.uart.out(1, 0x07)
        #expect(bench.uart.inb(2) == 0xC6, "the most urgent source")
        #expect(bench.uart.inb(5) == 0x63)
        #expect(bench.uart.inb(5) == 0x61)
        for byte in 0..<16 as Range<UInt8> { #expect(bench.uart.inb(0) == byte) }

        bench.uart.out(2, 0)
        bench.uart.out(0, 1)
        bench.uart.out(0, 2)
        #expect(bench.uart.inb(5) == 0x63)
        #expect(bench.uart.inb(0) == 2)
    }

    @Test func modemChangesInterruptUntilRead() {
        let bench = Bench(enable: 0x08)
        bench.uart.out(4, 0x1F)
        #expect(bench.uart.inb(6) == 0xF0, "all asserted; the rise of RI does not count")
        bench.uart.out(4, 0x0B)
        #expect(bench.probe.isAsserted)
        #expect(bench.uart.inb(2) == 0xC0)
        #expect(bench.uart.inb(6) == 0xB4)
        #expect(!bench.probe.isAsserted)
        #expect(bench.uart.inb(6) == 0xB0)
    }

    @Test func sixteenBitDivisorNeverTraps() {
        let bench = Bench(fifo: 0xC1)
        for divisor in [UInt32(0), 0xFFFF] {
            bench.uart.out(3, 0xFF)
            bench.uart.out(0, divisor & 0xFF)
            bench.uart.out(1, divisor >> 8)
            bench.uart.out(3, 0x7F)
            bench.uart.receive([1])
            bench.time.advance(by: 10_000_000_000)
            #expect(bench.uart.inb(0) == 1)
        }
    }
}
