/// The 8042 keyboard controller with a PS/2 keyboard and a PS/2 mouse: data port at offset 0, status and command at 4.
///
/// It starts as firmware leaves it: self-test done, keyboard on with interrupt and translation, mouse port off. Commands
/// take effect and answer at once; a byte from a device takes 700 us on its way, so that a handler that reads the data
/// port twice sees the same byte twice, as on hardware. Source: IBM PS/2 Hardware Interface Technical Reference,
/// "Keyboard and Auxiliary Device Controller".
public final class KeyboardController8042: BusDevice {
    private enum Command {
        static let interruptKeyboard: UInt8 = 0x01
        static let interruptMouse: UInt8 = 0x02
        static let systemFlag: UInt8 = 0x04
        static let keyboardOff: UInt8 = 0x10
        static let mouseOff: UInt8 = 0x20
        static let translate: UInt8 = 0x40
    }

    private enum Port { case keyboard, mouse }

    /// Eleven bits at about 16 kHz, in virtual ns.
    private static let transferTime: UInt64 = 700_000

    public let keyboard = PS2Keyboard()
    public let mouse = PS2Mouse()
    /// Called when the guest pulses the reset line, during its write.
    public var onReset: () -> Void = {}
    /// Called with the new state when the guest switches address line 20.
    public var onA20Change: (Bool) -> Void = { _ in }
    /// Whether this controller opens address line 20: open from the start, as firmware leaves it.
    public private(set) var isA20Enabled = true

    private let clock: Clock
    private let keyboardInterrupt: InterruptLine
    private let mouseInterrupt: InterruptLine
    private lazy var transfer = clock.makeTimer { [unowned self] in finishTransfer() }

    /// The controller's RAM; byte 0 is the command byte.
    private var ram = [UInt8](repeating: 0, count: 32)
    /// Output buffer: its byte stays readable after it was read.
    private var output: UInt8 = 0
    private var isOutputFull = false
    private var source = Port.keyboard
    private var lastWriteWasCommand = false
    /// A command that waits for its parameter at the data port.
    private var awaiting: UInt8?
    /// The break prefix of set 2 went by; translation marks the code after it.
    private var isBreak = false

    public init(clock: Clock, keyboardInterrupt: InterruptLine, mouseInterrupt: InterruptLine) {
        self.clock = clock
        self.keyboardInterrupt = keyboardInterrupt
        self.mouseInterrupt = mouseInterrupt
        ram[0] = Command.interruptKeyboard | Command.systemFlag | Command.mouseOff | Command.translate
        keyboard.onOutput = { [unowned self] in startTransfer() }
        mouse.onOutput = { [unowned self] in startTransfer() }
    }

    public func read(offset: UInt32, width: Int) -> UInt32 {
        if offset == 4 { return UInt32(status) }
        isOutputFull = false
        updateInterrupts()
        startTransfer()
        return UInt32(output)
    }

    public func write(offset: UInt32, value: UInt32, width: Int) {
        let value = UInt8(truncatingIfNeeded: value)
        lastWriteWasCommand = offset == 4
        if lastWriteWasCommand {
            awaiting = nil
            execute(value)
        } else if let command = awaiting {
            awaiting = nil
            take(value, for: command)
        } else {
            // Talking to the keyboard switches its port on.
            ram[0] &= ~Command.keyboardOff
            keyboard.receive(value)
        }
    }

    /// Parity error, timeout | mouse byte | not locked | command last | system flag | input full | output full.
    private var status: UInt8 {
        (isOutputFull ? 0x01 : 0) | (ram[0] & Command.systemFlag) | (lastWriteWasCommand ? 0x08 : 0) | 0x10
            | (isOutputFull && source == .mouse ? 0x20 : 0)
    }
}

extension KeyboardController8042 {
    // MARK: Commands

    private func execute(_ command: UInt8) {
        switch command {
        case 0x20...0x3F: put(ram[Int(command & 0x1F)], from: .keyboard)
        case 0x60...0x7F, 0xD1...0xD4: awaiting = command
        case 0xA4: put(0xF1, from: .keyboard)  // No password is installed.
        case 0xA7: ram[0] |= Command.mouseOff
        case 0xA8: switchOn(Command.mouseOff)
        case 0xA9, 0xAB: put(0x00, from: .keyboard)  // Interface tests: no error.
        case 0xAA:
            ram[0] |= Command.systemFlag
            put(0x55, from: .keyboard)
        case 0xAD: ram[0] |= Command.keyboardOff
        case 0xAE: switchOn(Command.keyboardOff)
        case 0xC0: put(0x80, from: .keyboard)  // Input port: the lock is open.
        case 0xD0: put(outputPort, from: .keyboard)
        case 0xDD: setA20(false)
        case 0xDF: setA20(true)
        case 0xE0: put(0x00, from: .keyboard)  // Test inputs: no line is driven.
        case 0xF0...0xFF where command & 1 == 0: onReset()
        default: break
        }
    }

    private func take(_ parameter: UInt8, for command: UInt8) {
        switch command {
        case 0xD1:
            setA20(parameter & 0x02 != 0)
            if parameter & 0x01 == 0 { onReset() }
        case 0xD2: put(parameter, from: .keyboard)
        case 0xD3: put(parameter, from: .mouse)
        case 0xD4:
            ram[0] &= ~Command.mouseOff
            mouse.receive(parameter)
        default:
            ram[Int(command & 0x1F)] = parameter
            updateInterrupts()
            startTransfer()
        }
    }

    private func switchOn(_ disable: UInt8) {
        ram[0] &= ~disable
        startTransfer()
    }

    /// Reset (not asserted), A20, the two interrupts, clock and data of the devices.
    private var outputPort: UInt8 {
        0xCD | (isA20Enabled ? 0x02 : 0) | (keyboardInterrupt.isAsserted ? 0x10 : 0)
            | (mouseInterrupt.isAsserted ? 0x20 : 0)
    }

    private func setA20(_ enabled: Bool) {
        guard enabled != isA20Enabled else { return }
        isA20Enabled = enabled
        onA20Change(enabled)
    }

    // MARK: Output buffer

    /// Fills the output buffer, over what was in it; each byte is an edge on its interrupt.
    private func put(_ byte: UInt8, from port: Port) {
        isOutputFull = false
        updateInterrupts()
        output = byte
        source = port
        isOutputFull = true
        updateInterrupts()
    }

    private func updateInterrupts() {
        keyboardInterrupt.set(isOutputFull && source == .keyboard && ram[0] & Command.interruptKeyboard != 0)
        mouseInterrupt.set(isOutputFull && source == .mouse && ram[0] & Command.interruptMouse != 0)
    }

    /// The port whose device may send now: the keyboard goes first.
    private var readyPort: Port? {
        if keyboard.hasOutput, ram[0] & Command.keyboardOff == 0 { return .keyboard }
        return mouse.hasOutput && ram[0] & Command.mouseOff == 0 ? .mouse : nil
    }

    private func startTransfer() {
        guard !isOutputFull, transfer.deadline == nil, readyPort != nil else { return }
        transfer.arm(at: clock.now &+ Self.transferTime)
    }

    private func finishTransfer() {
        guard !isOutputFull, let port = readyPort else { return }
        switch port {
        case .mouse: if let byte = mouse.nextByte() { put(byte, from: .mouse) }
        case .keyboard: if let byte = keyboard.nextByte() { deliver(byte) }
        }
        startTransfer()
    }

    /// Passes a keyboard byte on, in set 1 if the command byte asks for translation.
    private func deliver(_ byte: UInt8) {
        guard ram[0] & Command.translate != 0 else { return put(byte, from: .keyboard) }
        if byte == 0xF0 {
            isBreak = true
        } else if byte > 0x84 {
            // Prefixes and answers pass unchanged, even between a break prefix and its code.
            put(byte, from: .keyboard)
        } else {
            let translated = ScanCodes.translate(byte)
            put(isBreak ? translated | 0x80 : translated, from: .keyboard)
            isBreak = false
        }
    }
}
