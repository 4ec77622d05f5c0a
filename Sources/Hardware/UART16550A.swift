/// The 16550A serial port: offsets 0–7, an 8-bit device.
///
/// The transmitter is always empty: a byte leaves through `output` as it is written, and the "transmitter empty"
/// interrupt follows at once. Input waits in a bounded queue on the far end of the cable and enters the receive FIFO
/// only as far as that has room, so host input never overruns. The far end keeps CTS, DSR and DCD asserted. Parity,
/// framing and break do not exist on this cable. Source: National Semiconductor PC16550D data sheet.
public final class UART16550A: BusDevice {
    /// Bytes that can wait for the guest besides those in its FIFO; what exceeds that is refused.
    public static let inputCapacity = 65536
    /// Crystal in Hz; the baud rate is this / 16 / divisor.
    private static let crystal: UInt64 = 1_843_200
    private static let fifoSize = 16

    /// Bits of IER, and of the set of interrupt sources that are asking.
    private struct Sources: OptionSet {
        let rawValue: UInt8
        static let receivedData = Sources(rawValue: 1)
        static let transmitterEmpty = Sources(rawValue: 2)
        static let lineStatus = Sources(rawValue: 4)
        static let modemStatus = Sources(rawValue: 8)
    }

    private enum ModemControl {
        static let out2: UInt8 = 0x08
        static let loopback: UInt8 = 0x10
    }

    private let clock: Clock
    private let interrupt: InterruptLine
    private let output: (UInt8) -> Void
    /// Fires when received bytes below the trigger level have lain in the FIFO for four character times.
    private lazy var characterTimeout = clock.makeTimer { [unowned self] in
        hasTimedOut = true
        updateInterrupt()
    }

    private var enabled: Sources = []
    private var divisor: UInt16 = 12
    private var lineControl: UInt8 = 0
    private var modemControl: UInt8 = 0
    private var scratch: UInt8 = 0

    private var isFIFOEnabled = false
    private var triggerLevel = 1
    private var received: [UInt8] = []
    private var hasOverrun = false
    private var hasTimedOut = false
    /// The transmitter became empty and IIR has not told so yet.
    private var hasEmptied = false
    /// CTS, DSR, RI, DCD: the upper half of MSR.
    private var modemInputs: UInt8 = 0xB0
    /// Their changes since MSR was read: its lower half.
    private var modemChanges: UInt8 = 0

    /// Reads of LSR since anything else was done with this port.
    private var statusReads = 0

    /// Host input, and how much of it has gone to the FIFO already.
    private var queue: [UInt8] = []
    private var queueStart = 0

    /// - Parameters:
    ///   - interrupt: INTR as gated by OUT2 on PC boards.
    ///   - output: receives each byte the guest sends.
    public init(clock: Clock, interrupt: InterruptLine, output: @escaping (UInt8) -> Void) {
        self.clock = clock
        self.interrupt = interrupt
        self.output = output
    }

    /// Bytes of host input that `receive` would still take.
    public var inputSpace: Int { Self.inputCapacity - (queue.count - queueStart) }

    /// Host input for the guest: takes as many of `bytes` as there is space for, and says how many.
    @discardableResult
    public func receive(_ bytes: some Collection<UInt8>) -> Int {
        let accepted = bytes.prefix(inputSpace)
        queue.append(contentsOf: accepted)
        refill()
        updateInterrupt()
        return accepted.count
    }

    /// How the guest waits for input.
    public enum Listening {
        /// It does not: what is sent now may be discarded by a driver that is still setting the port up.
        case no
        /// It reads the line status again and again.
        case polling
        /// The received-data interrupt is enabled.
        case interrupt
    }

    public var listening: Listening {
        if enabled.contains(.receivedData) { return .interrupt }
        return statusReads >= Self.pollingReads ? .polling : .no
    }

    /// So many status reads in a row are polling; a driver that sends or sets up reads it once or twice at a time.
    private static let pollingReads = 8

    /// Whether the guest has yet to read some of what `receive` took.
    public var hasUnreadInput: Bool { !received.isEmpty || queueStart < queue.count }

    public func read(offset: UInt32, width: Int) -> UInt32 {
        defer { updateInterrupt() }
        statusReads = offset & 7 == 5 ? statusReads + 1 : 0
        switch offset & 7 {
        case 0: return UInt32(isDivisorAccessed ? UInt8(truncatingIfNeeded: divisor) : readReceived())
        case 1: return UInt32(isDivisorAccessed ? UInt8(divisor >> 8) : enabled.rawValue)
        case 2: return UInt32(readInterruptIdentification())
        case 3: return UInt32(lineControl)
        case 4: return UInt32(modemControl)
        case 5: return UInt32(readLineStatus())
        case 6:
            defer { modemChanges = 0 }
            return UInt32(modemInputs | modemChanges)
        default: return UInt32(scratch)
        }
    }

    public func write(offset: UInt32, value: UInt32, width: Int) {
        let value = UInt8(truncatingIfNeeded: value)
        statusReads = 0
        switch offset & 7 {
        case 0 where isDivisorAccessed: divisor = divisor & 0xFF00 | UInt16(value)
        case 1 where isDivisorAccessed: divisor = divisor & 0x00FF | UInt16(value) << 8
        case 0: transmit(value)
        case 1: writeInterruptEnable(value)
        case 2: writeFIFOControl(value)
        case 3: lineControl = value
        case 4: writeModemControl(value)
        case 7: scratch = value
        default: break  // LSR and MSR: writing them is for factory tests.
        }
        updateInterrupt()
    }

    private var isDivisorAccessed: Bool { lineControl & 0x80 != 0 }
    private var isLoopback: Bool { modemControl & ModemControl.loopback != 0 }
    private var fifoRoom: Int { (isFIFOEnabled ? Self.fifoSize : 1) - received.count }
}

extension UART16550A {
    // MARK: Receiver

    /// Moves host input into the FIFO as far as it has room; in loopback the cable is disconnected.
    private func refill() {
        let count = isLoopback ? 0 : min(fifoRoom, queue.count - queueStart)
        guard count > 0 else { return }
        received += queue[queueStart..<queueStart + count]
        queueStart += count
        if queueStart == queue.count {
            queue.removeAll(keepingCapacity: true)
            queueStart = 0
        } else if queueStart >= 4096 {
            queue.removeFirst(queueStart)
            queueStart = 0
        }
        restartCharacterTimeout()
    }

    private func readReceived() -> UInt8 {
        guard !received.isEmpty else { return 0 }
        let byte = received.removeFirst()
        hasTimedOut = false
        refill()
        restartCharacterTimeout()
        return byte
    }

    /// What arrives in loopback, where the guest itself can overrun the receiver.
    private func loopBack(_ byte: UInt8) {
        if fifoRoom > 0 {
            received.append(byte)
        } else {
            hasOverrun = true
            // A full FIFO keeps what it has; without FIFO the new byte replaces the old.
            if !isFIFOEnabled { received[0] = byte }
        }
        restartCharacterTimeout()
    }

    /// Four characters of silence, counted anew from each arrival and each read (data sheet, "FIFO interrupt mode").
    private func restartCharacterTimeout() {
        guard isFIFOEnabled, !received.isEmpty else { return characterTimeout.cancel() }
        let bits = 1 + 5 + UInt64(lineControl & 3) + UInt64(lineControl >> 3 & 1) + 1 + UInt64(lineControl >> 2 & 1)
        let ticks = 4 * bits * 16 * UInt64(max(1, divisor))
        characterTimeout.arm(at: clock.now &+ Clock.nanoseconds(ticks: ticks, frequency: Self.crystal))
    }

    private func clearReceiver() {
        received.removeAll(keepingCapacity: true)
        hasTimedOut = false
        characterTimeout.cancel()
        refill()
    }

    // MARK: Transmitter

    private func transmit(_ byte: UInt8) {
        // Filling the holding register takes the interrupt back, emptying it asks again: an edge for the 8259A.
        hasEmptied = false
        updateInterrupt()
        if isLoopback { loopBack(byte) } else { output(byte) }
        hasEmptied = true
    }

    // MARK: Interrupts

    private var pending: Sources {
        var pending: Sources = []
        if hasOverrun { pending.insert(.lineStatus) }
        if hasTimedOut || received.count >= (isFIFOEnabled ? triggerLevel : 1) { pending.insert(.receivedData) }
        if hasEmptied { pending.insert(.transmitterEmpty) }
        if modemChanges != 0 { pending.insert(.modemStatus) }
        return pending.intersection(enabled)
    }

    /// On PC boards OUT2 lets INTR through; in loopback the pin is forced inactive.
    private func updateInterrupt() {
        let isGated = modemControl & (ModemControl.out2 | ModemControl.loopback) == ModemControl.out2
        interrupt.set(isGated && !pending.isEmpty)
    }

    /// IIR: the most urgent source. Reading it takes back "transmitter empty", if that is what it tells.
    private func readInterruptIdentification() -> UInt8 {
        let fifo: UInt8 = isFIFOEnabled ? 0xC0 : 0
        let pending = pending
        if pending.contains(.lineStatus) { return fifo | 0x06 }
        if pending.contains(.receivedData) {
            return fifo | (isFIFOEnabled && received.count < triggerLevel ? 0x0C : 0x04)
        }
        if pending.contains(.transmitterEmpty) {
            hasEmptied = false
            return fifo | 0x02
        }
        return fifo | (pending.contains(.modemStatus) ? 0x00 : 0x01)
    }

    private func writeInterruptEnable(_ value: UInt8) {
        let old = enabled
        enabled = Sources(rawValue: value & 0x0F)
        // The transmitter is empty: enabling its interrupt raises it, even after IIR has told once. Linux tests that.
        if enabled.contains(.transmitterEmpty), !old.contains(.transmitterEmpty) { hasEmptied = true }
    }

    // MARK: Control and status

    private func writeFIFOControl(_ value: UInt8) {
        let enable = value & 0x01 != 0
        if enable != isFIFOEnabled {
            isFIFOEnabled = enable
            clearReceiver()
        }
        // "This bit must be a 1 when other FCR bits are written to or they will not be programmed."
        guard enable else { return }
        triggerLevel = [1, 4, 8, 14][Int(value >> 6)]
        if value & 0x02 != 0 { clearReceiver() }
    }

    private func readLineStatus() -> UInt8 {
        defer { hasOverrun = false }
        return 0x60 | (hasOverrun ? 0x02 : 0) | (received.isEmpty ? 0 : 0x01)
    }

    private func writeModemControl(_ value: UInt8) {
        modemControl = value & 0x1F
        // In loopback RTS, DTR, OUT1, OUT2 are CTS, DSR, RI, DCD.
        let looped = (value & 0x02) << 3 | (value & 0x01) << 5 | (value & 0x0C) << 4
        let inputs = isLoopback ? looped : 0xB0
        var changes = (inputs ^ modemInputs) >> 4
        // RI reports its trailing edge only.
        if inputs & 0x40 != 0 { changes &= ~0x04 }
        modemInputs = inputs
        modemChanges |= changes
        refill()
    }
}
