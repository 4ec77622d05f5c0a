import Testing

@testable import Hardware

private final class Bench {
    let time = ManualTime()
    lazy var display = TextDisplay(clock: time.clock)

    func setController(_ index: UInt32, _ value: UInt32) {
        display.out(0x24, index)
        display.out(0x25, value)
    }
    func print(_ text: String, at cell: UInt32, attribute: UInt32 = 0x07) {
        for (index, byte) in text.utf8.enumerated() {
            display.memory.write(offset: 2 * (cell + UInt32(index)), value: UInt32(byte) | attribute << 8, width: 2)
        }
    }
}

@Suite struct TextDisplayTests {
    @Test func startsBlankInMode3() {
        let screen = Bench().display.screen()
        #expect(screen.columns == 80)
        #expect(screen.rows == 25)
        #expect(screen.text == "")
        #expect(screen.cursor == TextScreen.Position(column: 0, row: 0))
        #expect(screen.cells.allSatisfy { $0 == TextScreen.Cell(character: 0x20, attribute: 0x07) })
        #expect(!screen.isBlanked)
        #expect(screen.palette[6] == TextScreen.Color(red: 0xAA, green: 0x55, blue: 0x00), "brown, not dark yellow")
        #expect(screen.palette[15] == TextScreen.Color(red: 0xFF, green: 0xFF, blue: 0xFF))
    }

    @Test func textAndAttributes() {
        let bench = Bench()
        let before = bench.display.changeCount
        bench.print("Hello", at: 81, attribute: 0x9E)
        #expect(bench.display.changeCount != before)
        let screen = bench.display.screen()
        #expect(screen.lines[0] == "")
        #expect(screen.lines[1] == " Hello")
        #expect(screen.text == "\n Hello")
        #expect(screen[1, 1] == TextScreen.Cell(character: 0x48, attribute: 0x9E))
        #expect(screen.colors(of: screen[1, 1]) == (14, 1, true))
        var bright = screen
        bright.isBlinkEnabled = false
        #expect(bright.colors(of: screen[1, 1]) == (14, 9, false))
        #expect(bright != screen)
    }

    @Test func memoryTakesAllWidths() {
        let memory = TextMemory()
        memory.write(offset: 0x7FFC, value: 0x4433_2211, width: 4)
        #expect(memory.read(offset: 0x7FFC, width: 4) == 0x4433_2211)
        memory.write(offset: 0x7FFF, value: 0x99, width: 1)
        #expect(memory.inb(0x7FFF) == 0x99)
        #expect(memory.read(offset: 0x7FFE, width: 2) & 0xFFFF == 0x9933)
        memory.write(offset: 0xFFFF_FFFF, value: 0x1234_5678, width: 4)
        #expect(memory.inb(0x7FFF) == 0x78)
    }

    @Test func startAddressScrollsAndWraps() {
        let bench = Bench()
        bench.print("first", at: 0)
        bench.print("second", at: 80)
        bench.setController(0x0D, 80)
        #expect(bench.display.screen().lines[0] == "second")
        bench.setController(0x0C, 0x3F)
        bench.setController(0x0D, 0xB0)
        #expect(bench.display.screen().lines[1] == "first", "16,384 cells, then from the beginning")
    }

    @Test func cursorFollowsItsRegisters() {
        let bench = Bench()
        bench.setController(0x0E, 0x01)
        bench.setController(0x0F, 0x45)
        #expect(bench.display.screen().cursor == TextScreen.Position(column: 5, row: 4))
        bench.setController(0x0D, 80)
        #expect(bench.display.screen().cursor == TextScreen.Position(column: 5, row: 3))
        bench.setController(0x0A, 0x2D)
        #expect(bench.display.screen().cursor == nil)
        bench.setController(0x0A, 0x0D)
        bench.setController(0x0F, 0x00)
        bench.setController(0x0E, 0x00)
        #expect(bench.display.screen().cursor == nil, "above the start of the screen")
    }

    @Test func geometryFromTheController() {
        let bench = Bench()
        bench.setController(0x01, 39)
        #expect(bench.display.screen().columns == 80, "timing is protected")
        bench.setController(0x11, 0x0E)
        bench.setController(0x01, 39)
        bench.setController(0x13, 20)
        bench.setController(0x09, 0x47)
        let screen = bench.display.screen()
        #expect(screen.columns == 40)
        #expect(screen.rows == 50)
        #expect(screen.cells.count == 2000)
    }

    @Test func absurdGeometryIsBounded() {
        let bench = Bench()
        bench.setController(0x11, 0)
        for index in 0..<25 as Range<UInt32> { bench.setController(index, 0xFF) }
        #expect(bench.display.screen().cells.count <= 256 * 100)
        bench.setController(0x11, 0)
        for index in 0..<25 as Range<UInt32> { bench.setController(index, 0) }
        #expect(bench.display.screen().cells.count == 1)
    }

    @Test func attributeControllerFlipFlop() {
        let bench = Bench()
        _ = bench.display.inb(0x2A)
        bench.display.out(0x10, 0x10)
        bench.display.out(0x10, 0x04)
        #expect(bench.display.screen().isBlanked, "the palette belongs to the CPU")
        #expect(!bench.display.screen().isBlinkEnabled)
        bench.display.out(0x10, 0x30)
        #expect(!bench.display.screen().isBlanked)
        #expect(bench.display.inb(0x10) == 0x30)
        #expect(bench.display.inb(0x11) == 0x04)
        _ = bench.display.inb(0x2A)
        bench.display.out(0x10, 0x21)
        #expect(bench.display.inb(0x11) == 0x01, "an index again after 0x3DA was read")
    }

    @Test func retraceBitsFollowTheClock() {
        let bench = Bench()
        var retraces = 0
        var inRetrace = false
        var lines = 0
        var inPicture = true
        while bench.time.now < 1_000_000_000 {
            let status = bench.display.inb(0x2A)
            if status & 8 != 0, !inRetrace { retraces += 1 }
            inRetrace = status & 8 != 0
            if status & 8 != 0 { #expect(status & 1 != 0) }
            if status & 1 == 0, !inPicture { lines += 1 }
            inPicture = status & 1 == 0
            bench.time.advance(by: 5000)
        }
        #expect(retraces == 70)
        #expect((27_900...28_100).contains(lines))
    }

    @Test func paletteReadsAndWritesInThrees() {
        let bench = Bench()
        bench.display.out(0x18, 7)
        for value in [0x01, 0x02, 0xFF, 0x04] as [UInt32] { bench.display.out(0x19, value) }
        #expect(bench.display.inb(0x17) == 0)
        bench.display.out(0x17, 7)
        #expect(bench.display.inb(0x17) == 3)
        #expect((0..<4).map { _ in bench.display.inb(0x19) } == [0x01, 0x02, 0x3F, 0x04])
        #expect(bench.display.screen().palette[7] == TextScreen.Color(red: 0x04, green: 0x08, blue: 0xFF))
        bench.display.out(0x18, 255)
        for _ in 0..<6 { bench.display.out(0x19, 0) }
        #expect(bench.display.screen().palette[0] == TextScreen.Color(red: 0, green: 0, blue: 0))
    }

    @Test func registersReadBack() {
        let bench = Bench()
        bench.display.out(0x14, 0x02)
        bench.display.out(0x15, 0x0F)
        #expect(bench.display.inb(0x15) == 0x0F)
        bench.display.out(0x1E, 0x06)
        #expect(bench.display.inb(0x1F) == 0x0E)
        bench.display.out(0x1E, 0x0F)
        bench.display.out(0x1F, 0xFF)
        #expect(bench.display.inb(0x1F) == 0)
        bench.display.out(0x24, 0x1F)
        #expect(bench.display.inb(0x25) == 0)
    }

    @Test func monochromeAddressesWhenSelected() {
        let bench = Bench()
        #expect(bench.display.inb(0x1C) == 0x67)
        #expect(bench.display.inb(0x04) == 0xFF)
        bench.display.out(0x12, 0x66)
        bench.display.out(0x04, 0x0D)
        #expect(bench.display.inb(0x04) == 0x0D)
        #expect(bench.display.inb(0x24) == 0xFF)
    }

    @Test func screenOffIsBlanked() {
        let bench = Bench()
        bench.display.out(0x14, 1)
        bench.display.out(0x15, 0x20)
        #expect(bench.display.screen().isBlanked)
    }

    @Test func codePage437() {
        let all = (UInt8(0)...255).map(CodePage437.character)
        #expect(all[0x41] == "A")
        #expect(all[0x01] == "☺" && all[0x7F] == "⌂" && all[0x80] == "Ç" && all[0xAF] == "»")
        #expect(all[0xB0] == "░" && all[0xDB] == "█" && all[0xDF] == "▀" && all[0xE0] == "α" && all[0xFE] == "■")
        #expect(all[0xFF] == "\u{A0}")
        #expect(Set(all).count == 255, "only 0x00 and 0x20 look alike")
    }
}
