import Testing

@testable import Hardware

private final class Bench {
    let time = ManualTime()
    let keyboardProbe = LineProbe()
    let mouseProbe = LineProbe()
    let controller: KeyboardController8042
    var resets = 0
    var a20: [Bool] = []

    init() {
        controller = KeyboardController8042(
            clock: time.clock, keyboardInterrupt: keyboardProbe.line, mouseInterrupt: mouseProbe.line)
        controller.onReset = { [unowned self] in resets += 1 }
        controller.onA20Change = { [unowned self] in a20.append($0) }
    }

    func command(_ command: UInt32, _ parameter: UInt32? = nil) {
        controller.out(4, command)
        if let parameter { controller.out(0, parameter) }
    }
    func reply(to command: UInt32, _ parameter: UInt32? = nil) -> UInt8? {
        self.command(command, parameter)
        return read()
    }
    /// What the output buffer holds, if anything.
    func read() -> UInt8? { controller.inb(4) & 1 == 0 ? nil : controller.inb(0) }
    /// Everything that the devices send within 50 ms.
    func drain() -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<50 {
            time.advance(by: 1_000_000)
            if let byte = read() { bytes.append(byte) }
        }
        return bytes
    }
    /// Sends a byte to the keyboard.
    func keyboard(_ bytes: UInt32...) -> [UInt8] {
        for byte in bytes { controller.out(0, byte) }
        return drain()
    }
    func mouse(_ bytes: UInt32...) -> [UInt8] {
        for byte in bytes { command(0xD4, byte) }
        return drain()
    }
}

@Suite struct KeyboardControllerTests {
    @Test func startsAsFirmwareLeavesIt() {
        let bench = Bench()
        #expect(bench.controller.inb(4) == 0x14)
        #expect(bench.reply(to: 0x20) == 0x65)
        #expect(bench.controller.isA20Enabled)
        #expect(bench.drain() == [])
    }

    @Test func selfAndInterfaceTests() {
        let bench = Bench()
        #expect(bench.reply(to: 0xAA) == 0x55)
        #expect(bench.reply(to: 0xAB) == 0x00)
        #expect(bench.reply(to: 0xA9) == 0x00)
        #expect(bench.reply(to: 0xA4) == 0xF1)
        #expect(bench.reply(to: 0xC0) == 0x80)
        #expect(bench.controller.inb(4) & 0x08 != 0, "the last write was a command")
    }

    @Test func commandByteAndRAM() {
        let bench = Bench()
        bench.command(0x60, 0x47)
        #expect(bench.reply(to: 0x20) == 0x47)
        bench.command(0x7F, 0x99)
        #expect(bench.reply(to: 0x3F) == 0x99)
        bench.command(0xA7)
        #expect(bench.reply(to: 0x20) == 0x67)
        bench.command(0xA8)
        bench.command(0xAD)
        #expect(bench.reply(to: 0x20) == 0x57)
        bench.command(0xAE)
        #expect(bench.reply(to: 0x20) == 0x47)
    }

    @Test func keysArriveTranslatedWithInterrupts() {
        let bench = Bench()
        bench.controller.keyboard.press(Key(0x1E))
        #expect(bench.read() == nil, "a byte takes its time")
        bench.time.advance(by: 1_000_000)
        #expect(bench.keyboardProbe.isAsserted)
        #expect(bench.controller.inb(4) & 0x21 == 0x01)
        #expect(bench.controller.inb(0) == 0x1E)
        #expect(!bench.keyboardProbe.isAsserted)
        #expect(bench.controller.inb(0) == 0x1E, "it stays readable")
        bench.controller.keyboard.release(Key(0x1E))
        #expect(bench.drain() == [0x9E])
        #expect(bench.keyboardProbe.rises == 2)
        #expect(bench.mouseProbe.changes.isEmpty)
    }

    @Test func keyboardWaitsWhileSwitchedOffOrUnread() {
        let bench = Bench()
        bench.command(0xAD)
        bench.controller.keyboard.press(.up)
        #expect(bench.drain() == [])
        bench.command(0xAE)
        bench.time.advance(by: 10_000_000)
        #expect(bench.read() == 0xE0)
        #expect(bench.read() == nil)
        #expect(bench.drain() == [0x48])
    }

    @Test func interruptNeedsItsEnable() {
        let bench = Bench()
        bench.command(0x60, 0x44)
        bench.controller.keyboard.press(.enter)
        bench.time.advance(by: 1_000_000)
        #expect(!bench.keyboardProbe.isAsserted)
        bench.command(0x60, 0x45)
        #expect(bench.keyboardProbe.isAsserted)
        #expect(bench.read() == 0x1C)
    }

    @Test func untranslatedSetTwoAndSetThree() {
        let bench = Bench()
        bench.command(0x60, 0x05)
        bench.controller.keyboard.press(.up)
        bench.controller.keyboard.release(.up)
        bench.controller.keyboard.press(.function(7)!)
        #expect(bench.drain() == [0xE0, 0x75, 0xE0, 0xF0, 0x75, 0x83])
        #expect(bench.keyboard(0xF0, 3) == [0xFA, 0xFA])
        bench.controller.keyboard.press(.up)
        bench.controller.keyboard.release(.up)
        #expect(bench.drain() == [0x63, 0xF0, 0x63])
        #expect(bench.keyboard(0xF0, 0) == [0xFA, 0xFA, 3])
        #expect(bench.keyboard(0xF0, 1) == [0xFA, 0xFA])
        bench.controller.keyboard.release(.right)
        bench.controller.keyboard.press(.pause)
        #expect(bench.drain() == [0xE0, 0xCD, 0xE1, 0x1D, 0x45, 0xE1, 0x9D, 0xC5])
    }

    @Test func everySetOneKeySurvivesTranslation() {
        let bench = Bench()
        for code in 0x01...0x58 as ClosedRange<UInt8> {
            bench.controller.keyboard.press(scanCodes: [code, code | 0x80])
            #expect(bench.drain() == [code, code | 0x80])
        }
        bench.controller.keyboard.press(.pause)
        bench.controller.keyboard.press(.printScreen)
        bench.controller.keyboard.release(.printScreen)
        #expect(
            bench.drain() == [
                0xE1, 0x1D, 0x45, 0xE1, 0x9D, 0xC5, 0xE0, 0x2A, 0xE0, 0x37, 0xE0, 0xB7, 0xE0, 0xAA,
            ])
    }

    @Test func typesASCII() {
        let bench = Bench()
        for byte in "a?\n".utf8 { #expect(bench.controller.keyboard.type(byte)) }
        #expect(bench.drain() == [0x1E, 0x9E, 0x2A, 0x35, 0xB5, 0xAA, 0x1C, 0x9C])
        #expect(bench.controller.keyboard.type(0x03))
        #expect(bench.drain() == [0x1D, 0x2E, 0xAE, 0x9D])
        #expect(!bench.controller.keyboard.type(0xC4))
        for byte in 0x20...0x7E as ClosedRange<UInt8> { #expect(Key.typing(byte) != nil) }
    }

    @Test func keyboardCommands() {
        let bench = Bench()
        bench.command(0x60, 0x05)
        #expect(bench.keyboard(0xED, 0x02) == [0xFA, 0xFA])
        #expect(bench.controller.keyboard.leds == 2)
        #expect(bench.keyboard(0xEE) == [0xEE])
        #expect(bench.keyboard(0xF2) == [0xFA, 0xAB, 0x83])
        #expect(bench.keyboard(0xF3, 0x20) == [0xFA, 0xFA])
        #expect(bench.keyboard(0xFF) == [0xFA, 0xAA])
        #expect(bench.keyboard(0xFE) == [0xAA])
        #expect(bench.keyboard(0xEF) == [0xFE])
        #expect(bench.keyboard(0xED, 0xF4) == [0xFA, 0xFA], "a command instead of the parameter")
        #expect(bench.keyboard(0xF5) == [0xFA])
        #expect(!bench.controller.keyboard.press(.enter))
        #expect(bench.drain() == [])
        #expect(bench.keyboard(0xF6) == [0xFA])
        #expect(bench.controller.keyboard.press(.enter))
    }

    @Test func identityIsTranslatedToo() {
        #expect(Bench().keyboard(0xF2) == [0xFA, 0xAB, 0x41])
    }

    @Test func writingSwitchesTheKeyboardOn() {
        let bench = Bench()
        bench.command(0xAD)
        #expect(bench.keyboard(0xEE) == [0xEE])
    }

    @Test func unreadKeysAreBoundedAndWhole() {
        let bench = Bench()
        bench.command(0xAD)
        var accepted = 0
        while bench.controller.keyboard.press(.up) { accepted += 1 }
        #expect(accepted == 2048)
        for _ in 0..<1000 { bench.controller.out(0, 0xF2) }
        #expect(bench.drain().count <= 50)
    }

    @Test func mouseAnswersAndReports() {
        let bench = Bench()
        bench.command(0x60, 0x47)
        #expect(bench.mouse(0xFF) == [0xFA, 0xAA, 0x00])
        #expect(bench.mouse(0xF2) == [0xFA, 0x00])
        bench.controller.mouse.move(x: 3, y: -2, buttons: 1)
        #expect(bench.drain() == [], "reporting is off")
        #expect(bench.mouse(0xF4) == [0xFA])
        #expect(bench.mouse(0xF3, 40, 0xE8, 3, 0xE9) == [0xFA, 0xFA, 0xFA, 0xFA, 0xFA, 0x24, 3, 40])
        let rises = bench.mouseProbe.rises
        bench.controller.mouse.move(x: 0, y: 0, buttons: 1)
        #expect(bench.drain() == [0x29, 3, 0xFE])
        #expect(bench.mouseProbe.rises == rises + 3)
        #expect(bench.keyboardProbe.changes.isEmpty)
        bench.controller.mouse.move(x: .max, y: .min, buttons: 0xFF)
        #expect(bench.drain() == [0x2F, 255, 1])
    }

    @Test func mouseModes() {
        let bench = Bench()
        #expect(bench.mouse(0xEE, 0x55, 0xEC) == [0xFA, 0x55, 0xFA])
        #expect(bench.mouse(0xF0) == [0xFA])
        bench.controller.mouse.move(x: -1, y: 0, buttons: 0)
        #expect(bench.mouse(0xEB) == [0xFA, 0x18, 0xFF, 0])
        #expect(bench.mouse(0xEB) == [0xFA, 0x08, 0, 0])
        #expect(bench.mouse(0x01) == [0xFE])
    }

    @Test func loopbackCommandsNameTheirSource() {
        let bench = Bench()
        bench.command(0x60, 0x47)
        bench.command(0xD3, 0x5A)
        #expect(bench.controller.inb(4) & 0x21 == 0x21)
        #expect(bench.mouseProbe.isAsserted)
        #expect(bench.read() == 0x5A)
        bench.command(0xD2, 0xA5)
        #expect(bench.controller.inb(4) & 0x21 == 0x01)
        #expect(bench.keyboardProbe.isAsserted)
        #expect(bench.read() == 0xA5)
    }

    @Test func outputPortSwitchesA20AndResets() {
        let bench = Bench()
        #expect(bench.reply(to: 0xD0).map { $0 & 0x03 } == 0x03)
        bench.command(0xD1, 0xDD)
        bench.command(0xD1, 0xDD)
        #expect(bench.a20 == [false])
        bench.command(0xDF)
        bench.command(0xDD)
        #expect(bench.a20 == [false, true, false])
        #expect(bench.resets == 0)
        bench.command(0xD1, 0xDE)
        #expect(bench.resets == 1)
    }

    @Test func pulseResets() {
        let bench = Bench()
        bench.command(0xFF)
        #expect(bench.resets == 0)
        bench.command(0xFE)
        #expect(bench.resets == 1)
    }
}
