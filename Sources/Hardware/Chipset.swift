/// The PC's board: all devices at their addresses and on their interrupt lines.
///
/// Whoever runs the CPU sends port and memory-mapped accesses to `ports` and `memory`, lets `clock` fire its timers,
/// watches `interruptRequest`, and gets vectors from `acknowledgeInterrupt`. The closures `on…` are called in the midst
/// of a guest's write: note what they say, and act when the instruction is done. A machine that is reset gets a new
/// chipset. To add a device: one file of its own, one property and one line of `map` here.
public final class Chipset {
    /// What the world outside supplies.
    public struct Configuration {
        /// RAM in bytes, for the CMOS.
        public var memorySize: Int
        /// Date at power-on, in seconds since 1970, UTC.
        public var startDate: Int
        /// Virtual nanoseconds since power-on; never decreases.
        public var timeSource: () -> UInt64
        /// Receives what the guest sends to COM1 and COM2.
        public var serialOutput: (UInt8) -> Void = { _ in }
        public var secondSerialOutput: (UInt8) -> Void = { _ in }
        /// Receives what the guest writes to the debug console, port 0xE9.
        public var debugOutput: (UInt8) -> Void = { _ in }

        public init(memorySize: Int, startDate: Int, timeSource: @escaping () -> UInt64) {
            self.memorySize = memorySize
            self.startDate = startDate
            self.timeSource = timeSource
        }
    }

    public let clock: Clock
    /// I/O ports, 0–0xFFFF.
    public let ports = Bus(limit: 0xFFFF)
    /// Guest-physical addresses that are devices.
    public let memory = Bus(limit: .max)
    /// The CPU's INTR pin.
    public let interruptRequest = InterruptLine()

    public let interrupts: InterruptControllerPair
    public let timer: IntervalTimer8254
    public let realTimeClock: RealTimeClock146818
    public let serial: UART16550A
    public let secondSerial: UART16550A
    public let keyboardController: KeyboardController8042
    public let display: TextDisplay
    public let power: ACPIPowerManagement
    public let postPort = POSTPort()
    private let controlPortA = SystemControlPortA()
    private let controlPortB: SystemControlPortB
    private let debugConsole: DebugConsole
    private let debugExit = DebugExit()
    private let resetControl = ResetControl()

    /// Called when the guest asks for a reset, by whichever of four ways.
    public var onReset: () -> Void = {}
    /// Called when the guest switches itself off.
    public var onPowerOff: () -> Void = {}
    /// Called with the exit status when a test guest ends, see `DebugExit`.
    public var onDebugExit: (UInt32) -> Void = { _ in }
    /// Called when `isA20Enabled` changes.
    public var onA20Change: (Bool) -> Void = { _ in }
    /// Whether address line 20 is open: either of the two gates opens it. Closed, bit 20 of addresses reads as zero.
    public private(set) var isA20Enabled = true

    public init(_ configuration: Configuration) {
        clock = Clock(source: configuration.timeSource)
        interrupts = InterruptControllerPair(output: interruptRequest)
        timer = IntervalTimer8254(clock: clock, interrupt: interrupts.line(irq: 0))
        realTimeClock = RealTimeClock146818(
            clock: clock, interrupt: interrupts.line(irq: 8), startDate: configuration.startDate,
            memorySize: configuration.memorySize)
        serial = UART16550A(clock: clock, interrupt: interrupts.line(irq: 4), output: configuration.serialOutput)
        secondSerial = UART16550A(
            clock: clock, interrupt: interrupts.line(irq: 3), output: configuration.secondSerialOutput)
        keyboardController = KeyboardController8042(
            clock: clock, keyboardInterrupt: interrupts.line(irq: 1), mouseInterrupt: interrupts.line(irq: 12))
        display = TextDisplay(clock: clock)
        power = ACPIPowerManagement(clock: clock, interrupt: interrupts.line(irq: ACPIPorts.sciInterrupt))
        controlPortB = SystemControlPortB(clock: clock, timer: timer)
        debugConsole = DebugConsole(output: configuration.debugOutput)
        map()
        connect()
    }

    /// The vector of the most urgent interrupt, which the CPU hereby accepts.
    public func acknowledgeInterrupt() -> UInt8 { interrupts.acknowledge() }

    private func map() {
        claim(DMAController8237(stride: 1), 0x00...0x0F)
        claim(interrupts.master, 0x20...0x21)
        claim(timer, 0x40...0x43)
        claim(keyboardController, 0x60...0x60)
        claim(controlPortB, 0x61...0x61)
        claim(keyboardController, 0x64...0x64, offset: 4)
        claim(realTimeClock, 0x70...0x71)
        claim(postPort, 0x80...0x80)
        claim(DMAPageRegisters(), 0x81...0x8F, offset: 1)
        claim(controlPortA, 0x92...0x92)
        claim(interrupts.slave, 0xA0...0xA1)
        claim(SMICommandPort(power: power), 0xB2...0xB3)
        claim(DMAController8237(stride: 2), 0xC0...0xDF)
        claim(debugConsole, 0xE9...0xE9)
        claim(debugExit, 0xF4...0xF7)
        claim(secondSerial, 0x2F8...0x2FF)
        claim(display, 0x3B0...0x3DF)
        claim(serial, 0x3F8...0x3FF)
        claim(interrupts.edgeLevelControl, 0x4D0...0x4D1)
        claim(power, UInt32(ACPIPorts.pm1aEvent)...UInt32(ACPIPorts.pmTimer) + 3)
        claim(resetControl, 0xCF8...0xCFB)
        claim(display.memory, 0xB8000...0xBFFFF, on: memory)
    }

    private func claim(
        _ device: any BusDevice, _ range: ClosedRange<UInt32>, offset: UInt32 = 0, on bus: Bus? = nil
    ) {
        do {
            try (bus ?? ports).register(device, at: range, offset: offset)
        } catch {
            preconditionFailure("two devices at \(error.range): the map above is wrong")
        }
    }

    private func connect() {
        keyboardController.onReset = { [unowned self] in onReset() }
        controlPortA.onReset = { [unowned self] in onReset() }
        resetControl.onReset = { [unowned self] in onReset() }
        power.onPowerOff = { [unowned self] in onPowerOff() }
        debugExit.onExit = { [unowned self] in onDebugExit($0) }
        keyboardController.onA20Change = { [unowned self] _ in updateA20() }
        controlPortA.onA20Change = { [unowned self] _ in updateA20() }
    }

    private func updateA20() {
        let isEnabled = keyboardController.isA20Enabled || controlPortA.isA20Enabled
        guard isEnabled != isA20Enabled else { return }
        isA20Enabled = isEnabled
        onA20Change(isEnabled)
    }

    /// Programs the chips as a BIOS does before it boots, for machines in which none runs.
    ///
    /// Interrupts 0–7 and 8–15 at vectors 0x08 and 0x70, those that a BIOS serves (timer, keyboard) unmasked; the timer
    /// at 18.2 Hz; the SCI level-triggered.
    public func initializeAsFirmware() {
        let script: [(port: UInt32, value: UInt32)] = [
            (0x20, 0x11), (0x21, 0x08), (0x21, 0x04), (0x21, 0x01), (0x21, 0xF8),
            (0xA0, 0x11), (0xA1, 0x70), (0xA1, 0x02), (0xA1, 0x01), (0xA1, 0xFF),
            (0x4D1, 1 << UInt32(ACPIPorts.sciInterrupt - 8)),
            (0x43, 0x36), (0x40, 0x00), (0x40, 0x00),
            (0x43, 0x54), (0x41, 0x12),
        ]
        for step in script { ports.write(step.port, value: step.value, width: 1) }
    }
}
