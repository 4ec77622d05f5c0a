/// A PS/2 keyboard: scan-code sets 1–3 and the command set of the AT keyboard.
///
/// It starts as firmware leaves it: self-test passed and told, set 2, scanning. Keys do not repeat by themselves (a host
/// terminal repeats them), and in set 3 every key sends make and break codes. Source: IBM PS/2 Hardware Interface
/// Technical Reference, "Keyboards (101- and 102-key)".
public final class PS2Keyboard: PS2Device {
    private enum Reply {
        static let acknowledge: UInt8 = 0xFA
        static let resend: UInt8 = 0xFE
        static let echo: UInt8 = 0xEE
        static let testPassed: UInt8 = 0xAA
        static let identity: [UInt8] = [0xAB, 0x83]
    }

    /// The command whose parameter comes next.
    private enum Awaited { case leds, scanCodeSet, typematicRate }

    var onOutput: () -> Void = {}
    /// Bytes of scan codes that may wait for the guest, enough for a pasted line or two.
    private static let eventLimit = 4096
    private var queue = PS2OutputQueue(eventLimit: eventLimit)
    private var awaited: Awaited?
    private var isScanning = true
    /// 1–3.
    private(set) var scanCodeSet = 2
    /// Scroll Lock, Num Lock, Caps Lock in bits 0–2.
    public private(set) var leds: UInt8 = 0

    init() {}

    // MARK: Host side

    /// Presses `key`; false if it was lost because the guest does not scan or does not read.
    @discardableResult
    public func press(_ key: Key) -> Bool { send(key, isDown: true) }

    /// Releases `key`; false if that was lost.
    @discardableResult
    public func release(_ key: Key) -> Bool { send(key, isDown: false) }

    /// Types an ASCII character with all presses and releases; false if it has no key or was lost.
    @discardableResult
    public func type(_ character: UInt8) -> Bool {
        guard let (modifier, key) = Key.typing(character) else { return false }
        var bytes: [UInt8] = []
        for (key, isDown) in [(modifier, true), (key, true), (key, false), (modifier, false)] {
            if let key { bytes += ScanCodes.bytes(for: key, isDown: isDown, set: scanCodeSet) }
        }
        return send(bytes)
    }

    /// Presses and releases keys as scan codes of set 1 tell, whichever set the guest has chosen.
    public func press(scanCodes: some Sequence<UInt8>) {
        var isExtended = false
        for byte in scanCodes {
            if byte == 0xE0 {
                isExtended = true
            } else {
                send(Key(byte, isExtended: isExtended), isDown: byte & 0x80 == 0)
                isExtended = false
            }
        }
    }

    @discardableResult
    private func send(_ key: Key, isDown: Bool) -> Bool {
        send(ScanCodes.bytes(for: key, isDown: isDown, set: scanCodeSet))
    }

    private func send(_ bytes: [UInt8]) -> Bool {
        guard isScanning, queue.addEvent(bytes) else { return false }
        onOutput()
        return true
    }

    // MARK: Controller side

    var hasOutput: Bool { !queue.isEmpty }

    func nextByte() -> UInt8? { queue.next() }

    func receive(_ byte: UInt8) {
        // A command in place of a parameter ends the wait for it; no parameter is that large.
        if let awaited, byte < 0xED {
            self.awaited = nil
            take(byte, for: awaited)
        } else {
            awaited = nil
            execute(byte)
        }
        onOutput()
    }

    private func take(_ parameter: UInt8, for command: Awaited) {
        queue.reply([Reply.acknowledge])
        switch command {
        case .leds: leds = parameter & 7
        case .typematicRate: break
        case .scanCodeSet:
            switch parameter {
            case 0: queue.reply([UInt8(scanCodeSet)])
            case 1...3:
                queue.dropEvents()
                scanCodeSet = Int(parameter)
            default: break
            }
        }
    }

    private func execute(_ command: UInt8) {
        switch command {
        case 0xED: expect(.leds)
        case 0xEE: queue.reply([Reply.echo])
        case 0xF0: expect(.scanCodeSet)
        case 0xF2: queue.reply([Reply.acknowledge] + Reply.identity)
        case 0xF3: expect(.typematicRate)
        case 0xF4:
            queue.dropEvents()
            isScanning = true
            queue.reply([Reply.acknowledge])
        case 0xF5, 0xF6:
            setDefaults()
            isScanning = command == 0xF6
            queue.reply([Reply.acknowledge])
        case 0xF8, 0xFA:
            // "Set all keys to make/break": they are.
            queue.reply([Reply.acknowledge])
        case 0xFE:
            queue.reply([queue.lastSent])
        case 0xFF:
            setDefaults()
            leds = 0
            isScanning = true
            queue.reply([Reply.acknowledge, Reply.testPassed])
        default:
            queue.reply([Reply.resend])
        }
    }

    private func expect(_ parameter: Awaited) {
        awaited = parameter
        queue.reply([Reply.acknowledge])
    }

    private func setDefaults() {
        queue.dropEvents()
        scanCodeSet = 2
    }
}
