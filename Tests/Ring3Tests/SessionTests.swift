import Foundation
import Testing

@testable import Hardware
@testable import Ring3

@Suite struct SessionTests {
    @Test(arguments: [
        ("128M", 128 << 20), ("1G", 1 << 30), ("131072K", 128 << 20), ("64", 64 << 20), ("2g", 2 << 30),
        ("3G", 3 << 30), ("2M", 2 << 20), ("4100k", 4100 << 10),
    ])
    func memorySizes(text: String, bytes: Int) throws {
        #expect(try MemorySize(text).bytes == bytes)
        #expect(try MemorySize(MemorySize(text).description).bytes == bytes)
    }

    @Test(arguments: ["", "M", "-1M", "1.5G", "4G", "0", "1023K", "1025K", "0x1M", "1 M", "1MB", "9999999999999999"])
    func noMemorySizes(text: String) {
        #expect(throws: MemorySize.Failure.self) { try MemorySize(text) }
    }

    @Test func channelsAndModules() {
        #expect(RunOptions.Channel("stdio") == .stdio)
        #expect(RunOptions.Channel("none") == RunOptions.Channel.none)
        #expect(RunOptions.Channel("file:a:b") == .file("a:b"))
        #expect(RunOptions.Channel("file:") == nil)
        #expect(RunOptions.Channel("tcp") == nil)
        let module = RunOptions.Module("path,one=1,two")
        #expect(module?.path == "path")
        #expect(module?.arguments == "one=1,two")
        #expect(RunOptions.Module("path")?.arguments == "")
        #expect(RunOptions.Module(",arguments") == nil)
    }

    @Test func escapeKeys() {
        var keys = EscapeKeys()
        var forGuest: [UInt8] = []
        var actions: [EscapeKeys.Action] = []
        for byte in Array("a\u{1}hb\u{1}\u{1}\u{1}zc\u{3}\u{1}x".utf8) {
            let (passed, action) = keys.take(byte)
            if let passed { forGuest.append(passed) }
            if let action { actions.append(action) }
        }
        #expect(forGuest == Array("ab\u{1}c\u{3}".utf8))
        #expect(actions == [.help, .quit])
    }

    @Test func exceptionsHaveNames() {
        #expect(Vector.mnemonic(14) == "#PF")
        #expect(Vector.mnemonic(2) == "NMI")
        #expect(Vector.mnemonic(31) == "#31")
        #expect(Vector.name(9) == nil)
    }
}

@Suite struct TerminalKeyboardTests {
    /// Scan codes, in set 1, of what was typed.
    private func codes(_ text: String) -> [UInt8] {
        let clock = Clock(source: { 0 })
        let controller = KeyboardController8042(
            clock: clock, keyboardInterrupt: InterruptLine(), mouseInterrupt: InterruptLine())
        let keyboard = controller.keyboard
        controller.write(offset: 0, value: 0xF0, width: 1)  // Scan-code set 1
        controller.write(offset: 0, value: 1, width: 1)
        while keyboard.nextByte() != nil {}
        let bytes = Array(text.utf8)
        #expect(TerminalKeyboard(keyboard).type(bytes[...]) == bytes.count)
        var codes: [UInt8] = []
        while let code = keyboard.nextByte() { codes.append(code) }
        return codes
    }

    @Test func charactersAndKeys() {
        #expect(codes("a") == [0x1E, 0x9E])
        #expect(codes("A") == [0x2A, 0x1E, 0x9E, 0xAA])
        #expect(codes("\u{3}") == [0x1D, 0x2E, 0xAE, 0x9D], "Control-C")
        #expect(codes("\u{1B}") == [0x01, 0x81])
        #expect(codes("\u{1B}[A") == [0xE0, 0x48, 0xE0, 0xC8])
        #expect(codes("\u{1B}OP\u{1B}[24~") == [0x3B, 0xBB, 0x58, 0xD8], "F1, F12")
        #expect(codes("\u{1B}[1;5D") == [0xE0, 0x4B, 0xE0, 0xCB], "modifiers are ignored")
        #expect(codes("\u{1B}[3~x") == [0xE0, 0x53, 0xE0, 0xD3, 0x2D, 0xAD])
        #expect(codes("\u{1B}x") == [0x38, 0x2D, 0xAD, 0xB8], "Alt")
        #expect(codes("é\u{1B}[?9z") == [], "no such keys")
    }

    @Test func whatDoesNotFitIsKept() {
        let keyboard = PS2Keyboard()
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: 3000)
        // A press and a release are three bytes in set 2; the keyboard keeps 4096.
        #expect(TerminalKeyboard(keyboard).type(text[...]) == 1365)
    }
}

@Suite struct TerminalDisplayTests {
    private func screen(_ lines: [String], columns: Int = 10) -> TextScreen {
        let cells = lines.flatMap { line in
            let bytes = Array(line.utf8) + [UInt8](repeating: 0x20, count: columns - line.utf8.count)
            return bytes.map { TextScreen.Cell(character: $0, attribute: 0x07) }
        }
        return TextScreen(
            columns: columns, rows: lines.count, cells: cells, cursor: .init(column: 1, row: 0), palette: [],
            isBlinkEnabled: true, isBlanked: false)
    }

    /// What is written to draw `screens` one after the other, the last one only.
    private func drawing(_ screens: [TextScreen], size: (Int, Int) = (80, 25)) throws -> String {
        let pipe = Pipe()
        let display = TerminalDisplay(
            output: HostOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor), size: size)
        var last = ""
        for screen in screens {
            display.draw(screen)
            // A byte of ours, so that reading never blocks.
            try pipe.fileHandleForWriting.write(contentsOf: [0])
            last = String(decoding: pipe.fileHandleForReading.availableData.dropLast(), as: UTF8.self)
        }
        return last
    }

    @Test func onlyChangesAreDrawn() throws {
        let first = screen(["one", "two"])
        #expect(try drawing([first]).hasPrefix("\u{1B}[0m\u{1B}[2J\u{1B}[1;1H\u{1B}[0;37;40mone   "))
        #expect(try drawing([first, first]) == "")
        var second = screen(["one", "tXo"])
        #expect(
            try drawing([first, second]) == "\u{1B}[2;2H\u{1B}[0;37;40mX\u{1B}[1;2H\u{1B}[?25h",
            "one cell, and the cursor back")
        second.cursor = nil
        second.cells[11].attribute = 0x9C
        let brightRedBlinkingOnBlue = "\u{1B}[0;91;44;5m"
        #expect(try drawing([first, second]) == "\u{1B}[2;2H\(brightRedBlinkingOnBlue)X\u{1B}[?25l")
    }

    @Test func cellsOutsideTheTerminalAreLeftOut() throws {
        let text = try drawing([screen(["one", "two"])], size: (2, 1))
        #expect(text.contains("on"))
        #expect(!text.contains("one"))
        #expect(!text.contains("tw"))
    }

    @Test func blankedScreensAreBlack() throws {
        var dark = screen(["one"])
        dark.isBlanked = true
        let text = try drawing([screen(["one"]), dark])
        #expect(text.contains("\u{1B}[0;40m          "))
        #expect(text.hasSuffix("\u{1B}[?25l"))
    }
}
