/// A VGA that shows text: all registers at 0x3B0–0x3DF (offsets from 0x3B0), and `memory` for 0xB8000–0xBFFFF.
///
/// It starts in mode 3 (80x25, 16 colours) as the video BIOS sets it. Registers are kept and read back; those of text
/// geometry, cursor, palette and blanking have effect. There are no graphics modes, no font memory, no planes, no split
/// screen and no smooth scrolling. Source: IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem".
public final class TextDisplay: BusDevice {
    /// An index register and the registers behind it; indexes without a register read 0.
    private struct RegisterFile {
        var index = 0
        var values: [UInt8]

        init(_ values: [UInt8]) { self.values = values }

        var current: UInt8 {
            get { index < values.count ? values[index] : 0 }
            set { if index < values.count { values[index] = newValue } }
        }
    }

    public let memory = TextMemory()
    private let clock: Clock

    private var controller = RegisterFile([
        0x5F, 0x4F, 0x50, 0x82, 0x55, 0x81, 0xBF, 0x1F, 0x00, 0x4F, 0x0D, 0x0E, 0x00, 0x00, 0x00, 0x00, 0x9C, 0x8E,
        0x8F,
        0x28, 0x1F, 0x96, 0xB9, 0xA3, 0xFF,
    ])
    private var sequencer = RegisterFile([0x03, 0x00, 0x03, 0x00, 0x02])
    private var graphics = RegisterFile([0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0E, 0x00, 0xFF])
    private var attributes = RegisterFile([
        0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F, 0x0C, 0x00,
        0x0F,
        0x08, 0x00,
    ])
    /// The next write to 0x3C0 is data.
    private var isAttributeDataNext = false
    /// Bit 5 of the attribute index: the palette belongs to the display, not to the CPU.
    private var isPaletteShown = true
    private var miscellaneousOutput: UInt8 = 0x67
    private var featureControl: UInt8 = 0
    private var isEnabled: UInt8 = 1
    private var palette = Palette()
    private var registerChanges: UInt64 = 0

    public init(clock: Clock) {
        self.clock = clock
    }

    /// Changes whenever the guest may have changed what the screen shows.
    public var changeCount: UInt64 { memory.changeCount &+ registerChanges }

    public func read(offset: UInt32, width: Int) -> UInt32 {
        guard isDecoded(offset) else { return 0xFF }
        let value: UInt8
        switch offset {
        case 0x04, 0x24: value = UInt8(controller.index)
        case 0x05, 0x25: value = controller.current
        case 0x0A, 0x2A:
            isAttributeDataNext = false
            value = inputStatus
        case 0x10: value = UInt8(attributes.index) | (isPaletteShown ? 0x20 : 0)
        case 0x11: value = attributes.current
        case 0x12: value = 0x10  // Input status 0: a colour monitor is sensed.
        case 0x13: value = isEnabled
        case 0x14: value = UInt8(sequencer.index)
        case 0x15: value = sequencer.current
        case 0x16: value = palette.mask
        case 0x17: value = palette.state
        case 0x18: value = palette.writeIndex
        case 0x19: value = palette.read()
        case 0x1A: value = featureControl
        case 0x1C: value = miscellaneousOutput
        case 0x1E: value = UInt8(graphics.index)
        case 0x1F: value = graphics.current
        default: value = 0xFF
        }
        return UInt32(value)
    }

    public func write(offset: UInt32, value: UInt32, width: Int) {
        guard isDecoded(offset) else { return }
        registerChanges &+= 1
        let value = UInt8(truncatingIfNeeded: value)
        switch offset {
        case 0x04, 0x24: controller.index = Int(value & 0x1F)
        case 0x05, 0x25: writeController(value)
        case 0x0A, 0x2A: featureControl = value
        case 0x10: writeAttribute(value)
        case 0x12: miscellaneousOutput = value
        case 0x13: isEnabled = value & 1
        case 0x14: sequencer.index = Int(value & 7)
        case 0x15: sequencer.current = value
        case 0x16: palette.mask = value
        case 0x17: palette.beginReading(value)
        case 0x18: palette.beginWriting(value)
        case 0x19: palette.write(value)
        case 0x1E: graphics.index = Int(value & 15)
        case 0x1F: graphics.current = value
        default: break
        }
    }

    /// Bit 0 of the miscellaneous output chooses between the colour (0x3Dx) and monochrome (0x3Bx) addresses.
    private func isDecoded(_ offset: UInt32) -> Bool {
        switch offset {
        case 0x00...0x0F: miscellaneousOutput & 1 == 0
        case 0x20...0x2F: miscellaneousOutput & 1 != 0
        default: true
        }
    }

    private func writeController(_ value: UInt8) {
        // CR11 bit 7 protects the timing in CR0–7, except for the line compare bit.
        if controller.index <= 7, controller.values[0x11] & 0x80 != 0 {
            if controller.index == 7 { controller.current = controller.current & ~0x10 | value & 0x10 }
        } else {
            controller.current = value
        }
    }

    private func writeAttribute(_ value: UInt8) {
        if isAttributeDataNext {
            attributes.current = value
        } else {
            attributes.index = Int(value & 0x1F)
            isPaletteShown = value & 0x20 != 0
        }
        isAttributeDataNext.toggle()
    }

    /// Input status 1: bit 0 outside the picture, bit 3 in vertical retrace, by the timing of mode 3.
    private var inputStatus: UInt8 {
        let dots = Clock.ticks(nanoseconds: clock.now, frequency: 28_322_000)
        let line = dots / 900 % 449
        let isInPicture = dots % 900 < 720 && line < 400
        return (isInPicture ? 0 : 0x01) | (line == 412 || line == 413 ? 0x08 : 0)
    }
}

// MARK: The picture

extension TextDisplay {
    /// What the display shows now.
    public func screen() -> TextScreen {
        let registers = controller.values
        let columns = Int(registers[0x01]) + 1
        // Vertical display end: ten bits, two of them in the overflow register.
        let overflow = Int(registers[0x07])
        let lastLine = Int(registers[0x12]) | (overflow & 0x02) << 7 | (overflow & 0x40) << 3
        let rows = min(max((lastLine + 1) / (Int(registers[0x09] & 0x1F) + 1), 1), 100)
        let pitch = registers[0x13] == 0 ? columns : Int(registers[0x13]) * 2
        let start = Int(registers[0x0C]) << 8 | Int(registers[0x0D])
        var cells: [TextScreen.Cell] = []
        cells.reserveCapacity(columns * rows)
        for row in 0..<rows {
            for column in 0..<columns { cells.append(memory.cell(start + row * pitch + column)) }
        }
        return TextScreen(
            columns: columns, rows: rows, cells: cells, cursor: cursor(start: start, pitch: pitch, columns, rows),
            palette: colors, isBlinkEnabled: attributes.values[0x10] & 0x08 != 0, isBlanked: isBlanked)
    }

    private func cursor(start: Int, pitch: Int, _ columns: Int, _ rows: Int) -> TextScreen.Position? {
        let registers = controller.values
        let isOff = registers[0x0A] & 0x20 != 0 || registers[0x0A] & 0x1F > registers[0x0B] & 0x1F
        let place = ((Int(registers[0x0E]) << 8 | Int(registers[0x0F])) - start) & 0xFFFF
        let position = TextScreen.Position(column: place % pitch, row: place / pitch)
        return isOff || position.column >= columns || position.row >= rows ? nil : position
    }

    private var isBlanked: Bool {
        sequencer.values[1] & 0x20 != 0 || !isPaletteShown || graphics.values[6] & 1 != 0
    }

    /// The way of a colour: attribute palette, colour select, mask, digital-to-analogue converter.
    private var colors: [TextScreen.Color] {
        let select = attributes.values[0x14]
        let replacesHigh = attributes.values[0x10] & 0x80 != 0
        return attributes.values[0..<16].map { entry in
            let low = replacesHigh ? entry & 0x0F | (select & 0x03) << 4 : entry & 0x3F
            return palette.color(low | (select & 0x0C) << 4)
        }
    }
}

/// The VGA's digital-to-analogue converter: 256 colours of three 6-bit components.
private struct Palette {
    var mask: UInt8 = 0xFF
    private(set) var writeIndex: UInt8 = 0
    private var readIndex: UInt8 = 0
    /// Component that comes next: red, green, blue.
    private var component = 0
    /// What 0x3C7 reads: 0 after 0x3C8 was written, 3 after 0x3C7 was.
    private(set) var state: UInt8 = 0
    private var components: [UInt8]

    init() {
        // The 64 colours of the EGA, bits rgbRGB, with which the BIOS begins.
        components = (0..<256).flatMap { index -> [UInt8] in
            guard index < 64 else { return [0, 0, 0] }
            return [2, 1, 0].map { bit in
                (index >> bit & 1 == 0 ? 0 : 0x2A) + (index >> (bit + 3) & 1 == 0 ? 0 : 0x15)
            }
        }
    }

    mutating func beginReading(_ index: UInt8) {
        readIndex = index
        component = 0
        state = 3
    }

    mutating func beginWriting(_ index: UInt8) {
        writeIndex = index
        component = 0
        state = 0
    }

    mutating func read() -> UInt8 {
        defer { step(\.readIndex) }
        return components[Int(readIndex) * 3 + component]
    }

    mutating func write(_ value: UInt8) {
        components[Int(writeIndex) * 3 + component] = value & 0x3F
        step(\.writeIndex)
    }

    private mutating func step(_ index: WritableKeyPath<Palette, UInt8>) {
        component = (component + 1) % 3
        if component == 0 { self[keyPath: index] &+= 1 }
    }

    func color(_ index: UInt8) -> TextScreen.Color {
        let first = Int(index & mask) * 3
        /// Six bits to eight, so that full intensity stays full.
        func widen(_ value: UInt8) -> UInt8 { value << 2 | value >> 4 }
        return TextScreen.Color(
            red: widen(components[first]), green: widen(components[first + 1]), blue: widen(components[first + 2]))
    }
}
