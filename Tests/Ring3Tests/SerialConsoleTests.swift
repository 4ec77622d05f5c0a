import Testing

@testable import Hardware
@testable import Ring3

/// When input goes to the guest, on a clock turned by hand.
@Suite struct SerialConsoleTests {
    private final class Bench {
        var now: UInt64 = 0
        let uart: UART16550A
        let console = SerialConsole()

        init() {
            // The UART's own clock stands still: its character timeout is not of interest here.
            uart = UART16550A(clock: Clock(source: { 0 }), interrupt: InterruptLine(), output: { _ in })
            console.clock = { [unowned self] in now }
        }

        func advance(milliseconds: UInt64) { now += milliseconds * 1_000_000 }

        /// What the guest gets to read.
        func read() -> String {
            var text: [UInt8] = []
            while uart.read(offset: 5, width: 1) & 1 != 0 { text.append(UInt8(uart.read(offset: 0, width: 1))) }
            return String(decoding: text, as: UTF8.self)
        }

        func enableInterrupt() { uart.write(offset: 1, value: 1, width: 1) }
    }

    @Test func nothingGoesToAGuestThatDoesNotListen() {
        let bench = Bench()
        bench.console.type("x\n".utf8)
        bench.advance(milliseconds: 10_000)
        #expect(!bench.console.offer(to: bench.uart, isHalted: true))
        #expect(bench.console.inputTime(bench.uart, isHalted: true) == nil)
        #expect(bench.read() == "")
    }

    @Test func linesWaitForAQuietHaltedGuest() {
        let bench = Bench()
        bench.console.type("one\ntwo\n".utf8)
        bench.advance(milliseconds: 5)
        bench.enableInterrupt()
        #expect(!bench.console.offer(to: bench.uart, isHalted: true))
        #expect(bench.console.inputTime(bench.uart, isHalted: true) == 55_000_000)
        bench.advance(milliseconds: 30)
        bench.console.transmit(UInt8(ascii: "#"))
        bench.advance(milliseconds: 49)
        #expect(!bench.console.offer(to: bench.uart, isHalted: true), "quiet for 49 ms only")
        bench.advance(milliseconds: 1)
        #expect(!bench.console.offer(to: bench.uart, isHalted: false), "busy")
        #expect(bench.console.offer(to: bench.uart, isHalted: true))
        bench.advance(milliseconds: 2000)
        #expect(!bench.console.offer(to: bench.uart, isHalted: true), "the first line is not read")
        #expect(bench.read() == "one\n")
        #expect(bench.console.offer(to: bench.uart, isHalted: false), "quiet for longer than a second")
        #expect(bench.read() == "two\n")
    }

    @Test func pollingGuestsGetTheirInputAtOnce() {
        let bench = Bench()
        bench.console.type("key".utf8)
        for _ in 0..<7 { _ = bench.uart.read(offset: 5, width: 1) }
        #expect(!bench.console.offer(to: bench.uart, isHalted: false))
        _ = bench.uart.read(offset: 5, width: 1)
        #expect(bench.console.offer(to: bench.uart, isHalted: false))
        #expect(bench.read() == "key")
    }

    @Test func whatAPersonTypesIsNotPaced() {
        let bench = Bench()
        bench.console.pacesLines = false
        bench.enableInterrupt()
        bench.console.type("a\nb\n".utf8)
        #expect(!bench.console.offer(to: bench.uart, isHalted: false), "the driver may still be setting up")
        bench.advance(milliseconds: 10)
        #expect(bench.console.offer(to: bench.uart, isHalted: false))
        #expect(bench.read() == "a\nb\n")
    }

    @Test func inputCanGoElsewhere() {
        let bench = Bench()
        var taken: [UInt8] = []
        bench.console.inputTaker = { bytes in
            taken += bytes.prefix(2)
            return min(2, bytes.count)
        }
        bench.console.type("abc".utf8)
        #expect(bench.console.offer(to: bench.uart, isHalted: false))
        #expect(bench.console.offer(to: bench.uart, isHalted: false))
        #expect(!bench.console.offer(to: bench.uart, isHalted: false))
        #expect(taken == Array("abc".utf8))
        #expect(bench.read() == "")
    }
}
