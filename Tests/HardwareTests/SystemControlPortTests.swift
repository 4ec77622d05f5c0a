import Testing

@testable import Hardware

@Suite struct SystemControlPortTests {
    @Test func portBGatesAndShowsCounter2() {
        let time = ManualTime()
        let timer = IntervalTimer8254(clock: time.clock, interrupt: InterruptLine())
        let port = SystemControlPortB(clock: time.clock, timer: timer)
        timer.out(3, 0xB0)
        timer.out(2, 100)
        timer.out(2, 0)
        time.advance(by: 1_000_000)
        #expect(port.inb(0) & 0x2F == 0, "the gate is closed")
        port.out(0, 0xFD)
        #expect(timer.speakerGate)
        #expect(!port.isSpeakerOn)
        #expect(port.inb(0) & 0xEF == 0x0D)
        time.advance(by: 85_000)
        #expect(port.inb(0) & 0x20 != 0)
        port.out(0, 0x02)
        #expect(!timer.speakerGate)
        #expect(port.isSpeakerOn)
    }

    @Test func refreshBitTogglesEvery15Microseconds() {
        let time = ManualTime()
        let timer = IntervalTimer8254(clock: time.clock, interrupt: InterruptLine())
        let port = SystemControlPortB(clock: time.clock, timer: timer)
        var toggles = 0
        var last = port.inb(0)
        for _ in 0..<1000 {
            time.advance(by: 1000)
            if (port.inb(0) ^ last) & 0x10 != 0 { toggles += 1 }
            last = port.inb(0)
        }
        #expect(toggles == 66)
    }

    @Test func portASwitchesA20AndResetsOnARisingBit() {
        let port = SystemControlPortA()
        var a20: [Bool] = []
        var resets = 0
        port.onA20Change = { a20.append($0) }
        port.onReset = { resets += 1 }
        port.out(0, 0x02)
        port.out(0, 0x06)
        #expect(a20 == [true])
        #expect(port.inb(0) == 0x06)
        #expect(resets == 0)
        port.out(0, 0x01)
        port.out(0, 0x01)
        #expect(a20 == [true, false])
        #expect(resets == 1)
    }
}
