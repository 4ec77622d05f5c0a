/// One 8259A programmable interrupt controller: eight inputs, one output to the CPU or to a master.
///
/// Offset 0 is the port with A0 low (ICW1, OCW2, OCW3; reads IRR or ISR), offset 1 the one with A0 high (ICW2–4, OCW1;
/// reads the mask). Every acknowledge gives an 8086 vector: no PC uses the three-byte CALL of MCS-80 mode.
/// Source: Intel 8259A data sheet (231468).
public final class InterruptController8259: BusDevice {
    /// What the next write with A0 high is taken for.
    private enum Expected { case mask, icw2, icw3, icw4 }

    /// INT: asserted while a request waits that is neither masked nor blocked by one in service.
    public let output: InterruptLine
    /// IR0–IR7.
    public private(set) lazy var inputs: [InterruptLine] = (0..<8).map { level in
        InterruptLine { [unowned self] in setInput(level, $0) }
    }

    /// Inputs that are high now.
    private var levels: UInt8 = 0
    /// Inputs that rose since they were last acknowledged; a falling input takes its edge back.
    private var edges: UInt8 = 0
    private var mask: UInt8 = 0
    private var inService: UInt8 = 0

    private var expected = Expected.mask
    /// ICW1 to the last ICW were written; before that the chip requests nothing.
    private var isInitialized = false
    private var isSingle = false
    private var needsICW4 = false
    private var vectorBase: UInt8 = 0
    private var icw3: UInt8 = 0
    private var allLevelTriggered = false
    private var isAutomaticEOI = false
    private var isSpecialFullyNested = false

    private var lowestPriority = 7
    private var rotatesOnAutomaticEOI = false
    private var isSpecialMask = false
    private var readsInService = false
    private var isPolled = false

    /// Inputs that the board's edge/level control registers make level-triggered, one bit each.
    public var levelTriggeredInputs: UInt8 = 0 {
        didSet { updateOutput() }
    }

    /// - Parameter output: where INT goes: the CPU's INTR pin, or an input of the master.
    public init(output: InterruptLine) {
        self.output = output
    }

    /// Inputs that have a slave behind them (ICW3 of a master), one bit each.
    public var cascadedInputs: UInt8 { isSingle ? 0 : icw3 }

    /// The two INTA cycles: the accepted level and its vector.
    ///
    /// Without a request left (it went away or was masked meanwhile) this is level 7 and nothing is put in service: the
    /// data sheet's "default IR7", known as spurious interrupt.
    public func acknowledge() -> (level: Int, vector: UInt8) {
        let level = accept() ?? 7
        return (level, vectorBase | UInt8(level))
    }

    public func read(offset: UInt32, width: Int) -> UInt32 {
        if isPolled {
            isPolled = false
            return accept().map { 0x80 | UInt32($0) } ?? 0
        }
        if offset & 1 == 1 { return UInt32(mask) }
        return UInt32(readsInService ? inService : requests)
    }

    public func write(offset: UInt32, value: UInt32, width: Int) {
        let value = UInt8(truncatingIfNeeded: value)
        if offset & 1 == 1 {
            writeHigh(value)
        } else if value & 0x10 != 0 {
            beginInitialization(value)
        } else if value & 0x08 != 0 {
            writeOCW3(value)
        } else {
            writeOCW2(value)
        }
        updateOutput()
    }
}

extension InterruptController8259 {
    // MARK: Requests and priorities

    /// IRR. An edge counts only while its input is still high: the data sheet wants it high until INTA.
    private var requests: UInt8 {
        let levelTriggered = allLevelTriggered ? 0xFF : levelTriggeredInputs
        return levels & (edges | levelTriggered)
    }

    private func setInput(_ level: Int, _ asserted: Bool) {
        let bit: UInt8 = 1 << level
        if asserted {
            levels |= bit
            edges |= bit
        } else {
            levels &= ~bit
            edges &= ~bit
        }
        updateOutput()
    }

    /// The most urgent level of `set`, by the current rotation.
    private func mostUrgent(in set: UInt8) -> Int? {
        guard set != 0 else { return nil }
        let first = (lowestPriority + 1) & 7
        let rotated = set >> first | set << (8 - first)
        return (rotated.trailingZeroBitCount + first) & 7
    }

    /// Place of `level` in the order of urgency, 0 the most urgent.
    private func rank(_ level: Int) -> Int { (level - lowestPriority - 1) & 7 }

    /// The request to serve next, if one may interrupt what is in service.
    private var pendingLevel: Int? {
        guard isInitialized, let level = mostUrgent(in: requests & ~mask) else { return nil }
        // In special mask mode a level that is masked while in service blocks nobody.
        guard let served = mostUrgent(in: isSpecialMask ? inService & ~mask : inService) else { return level }
        // Special fully nested: a slave in service may ask again, for a more urgent input of its own.
        let mayNest = isSpecialFullyNested && cascadedInputs & (1 << level) != 0
        return rank(level) < rank(served) || mayNest && level == served ? level : nil
    }

    private func updateOutput() {
        output.set(pendingLevel != nil)
    }

    private func accept() -> Int? {
        let level = pendingLevel
        if let level {
            edges &= ~(1 << level)
            if !isAutomaticEOI {
                inService |= 1 << level
            } else if rotatesOnAutomaticEOI {
                lowestPriority = level
            }
        }
        // INT drops with the acknowledge and rises again for another request, which a master sees as a new edge.
        output.set(false)
        updateOutput()
        return level
    }

    // MARK: Command words

    private func beginInitialization(_ icw1: UInt8) {
        needsICW4 = icw1 & 0x01 != 0
        isSingle = icw1 & 0x02 != 0
        allLevelTriggered = icw1 & 0x08 != 0
        isInitialized = false
        expected = .icw2
        // "The following occur automatically": data sheet, ICW1. An input that is high must fall and rise again.
        edges = 0
        mask = 0
        inService = 0
        icw3 = 0
        lowestPriority = 7
        isSpecialMask = false
        readsInService = false
        isPolled = false
        rotatesOnAutomaticEOI = false
        isAutomaticEOI = false
        isSpecialFullyNested = false
    }

    private func writeHigh(_ value: UInt8) {
        switch expected {
        case .mask:
            mask = value
        case .icw2:
            vectorBase = value & 0xF8
            expected = isSingle ? (needsICW4 ? .icw4 : .mask) : .icw3
            isInitialized = expected == .mask
        case .icw3:
            icw3 = value
            expected = needsICW4 ? .icw4 : .mask
            isInitialized = expected == .mask
        case .icw4:
            isAutomaticEOI = value & 0x02 != 0
            isSpecialFullyNested = value & 0x10 != 0
            expected = .mask
            isInitialized = true
        }
    }

    /// Ends of interrupt and rotation: bits 7–5 are R, SL, EOI; bits 2–0 the level for commands with SL.
    private func writeOCW2(_ value: UInt8) {
        let named = Int(value & 7)
        switch value >> 5 {
        case 0b000: rotatesOnAutomaticEOI = false
        case 0b100: rotatesOnAutomaticEOI = true
        case 0b001: endOfInterrupt(nil, rotates: false)
        case 0b101: endOfInterrupt(nil, rotates: true)
        case 0b011: endOfInterrupt(named, rotates: false)
        case 0b111: endOfInterrupt(named, rotates: true)
        case 0b110: lowestPriority = named
        default: break  // 0b010 is "no operation".
        }
    }

    private func endOfInterrupt(_ named: Int?, rotates: Bool) {
        // A non-specific EOI passes over masked levels in special mask mode (data sheet, "End of Interrupt").
        let candidates = isSpecialMask ? inService & ~mask : inService
        guard let level = named ?? mostUrgent(in: candidates) else { return }
        inService &= ~(1 << level)
        if rotates { lowestPriority = level }
    }

    /// Poll, register selection, special mask.
    private func writeOCW3(_ value: UInt8) {
        if value & 0x02 != 0 { readsInService = value & 0x01 != 0 }
        if value & 0x40 != 0 { isSpecialMask = value & 0x20 != 0 }
        isPolled = value & 0x04 != 0
    }
}
