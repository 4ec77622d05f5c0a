/// A PS/2 mouse with two axes and three buttons.
///
/// It starts silent, as after power-on: the guest enables reporting. Source: IBM PS/2 Hardware Interface Technical
/// Reference, "Mouse".
public final class PS2Mouse: PS2Device {
    private static let acknowledge: UInt8 = 0xFA

    /// The command whose parameter comes next.
    private enum Awaited { case resolution, sampleRate }

    var onOutput: () -> Void = {}
    /// Bytes of movement that may wait: a moment's worth.
    private static let eventLimit = 48
    private var queue = PS2OutputQueue(eventLimit: eventLimit)
    private var awaited: Awaited?
    private var isReporting = false
    private var isRemote = false
    private var isWrapping = false
    private var isScaling = false
    private var resolution: UInt8 = 2
    private var sampleRate: UInt8 = 100
    private var buttons: UInt8 = 0
    /// Movement that no packet has told.
    private var pending = (x: 0, y: 0)

    init() {}

    /// Moves by `x` to the right and `y` upwards, with left, right, middle button in bits 0–2 of `buttons`.
    public func move(x: Int, y: Int, buttons: UInt8) {
        self.buttons = buttons & 7
        pending = (x: clamp(pending.x &+ clamp(x)), y: clamp(pending.y &+ clamp(y)))
        guard isReporting, !isRemote, !isWrapping, queue.addEvent(packet()) else { return }
        pending = (0, 0)
        onOutput()
    }

    var hasOutput: Bool { !queue.isEmpty }

    func nextByte() -> UInt8? { queue.next() }

    func receive(_ byte: UInt8) {
        if isWrapping, byte != 0xEC, byte != 0xFF {
            queue.reply([byte])
        } else if let awaited {
            self.awaited = nil
            queue.reply([Self.acknowledge])
            switch awaited {
            case .resolution: resolution = byte & 3
            case .sampleRate: sampleRate = byte
            }
        } else {
            execute(byte)
        }
        onOutput()
    }

    private func execute(_ command: UInt8) {
        var reply = [Self.acknowledge]
        switch command {
        case 0xE6, 0xE7: isScaling = command == 0xE7
        case 0xE8: awaited = .resolution
        case 0xE9: reply += status
        case 0xEA: isRemote = false
        case 0xEB:
            reply += packet()
            pending = (0, 0)
        case 0xEC: isWrapping = false
        case 0xEE: isWrapping = true
        case 0xF0: isRemote = true
        case 0xF2: reply.append(0)
        case 0xF3: awaited = .sampleRate
        case 0xF4: isReporting = true
        case 0xF5: isReporting = false
        case 0xF6: setDefaults()
        case 0xFE: reply = [queue.lastSent]
        case 0xFF:
            setDefaults()
            reply += [0xAA, 0x00]
        default: reply = [0xFE]
        }
        queue.reply(reply)
    }

    private func setDefaults() {
        queue.dropEvents()
        isReporting = false
        isRemote = false
        isWrapping = false
        isScaling = false
        resolution = 2
        sampleRate = 100
        pending = (0, 0)
    }

    private var status: [UInt8] {
        let left = buttons & 1
        let right = buttons >> 1 & 1
        let middle = buttons >> 2 & 1
        let modes: UInt8 = (isRemote ? 0x40 : 0) | (isReporting ? 0x20 : 0) | (isScaling ? 0x10 : 0)
        return [modes | left << 2 | middle << 1 | right, resolution, sampleRate]
    }

    /// Buttons and signs, x, y: nine-bit two's complement movements.
    private func packet() -> [UInt8] {
        let signs: UInt8 = (pending.x < 0 ? 0x10 : 0) | (pending.y < 0 ? 0x20 : 0)
        return [0x08 | signs | buttons, UInt8(truncatingIfNeeded: pending.x), UInt8(truncatingIfNeeded: pending.y)]
    }

    private func clamp(_ distance: Int) -> Int { min(max(distance, -255), 255) }
}
