/// The AT's real-time clock and CMOS RAM: an MC146818 with 128 bytes, index port at offset 0, data port at offset 1.
///
/// ```
///  00 second  02 minute  04 hour  06 weekday  07 day  08 month  09 year  32 century
///  01, 03, 05 alarm second, minute, hour; 0xC0 and above match anything
///  0A  UIP | DV divider (010 runs, 11x resets) | RS periodic rate
///  0B  SET | PIE | AIE | UIE | SQWE | DM binary | 24 hours | DSE
///  0C  IRQF | PF | AF | UF | 0          0D  VRT | 0
/// ```
/// Time is the start date plus virtual time. The weekday always follows from the date. SQWE drives no pin, and DSE is
/// kept without effect. Source: Motorola MC146818 data sheet; byte use beyond 0x0D: IBM AT BIOS and its successors.
public final class RealTimeClock146818: BusDevice {
    private enum Register {
        static let second = 0x00
        static let secondAlarm = 0x01
        static let minute = 0x02
        static let minuteAlarm = 0x03
        static let hour = 0x04
        static let hourAlarm = 0x05
        static let weekday = 0x06
        static let day = 0x07
        static let month = 0x08
        static let year = 0x09
        static let a = 0x0A
        static let b = 0x0B
        static let c = 0x0C
        static let d = 0x0D
        static let century = 0x32
    }

    /// Bits of register B that enable, and bits of register C that tell, an interrupt.
    private enum Event {
        static let periodic: UInt8 = 0x40
        static let alarm: UInt8 = 0x20
        static let update: UInt8 = 0x10
        static let all: UInt8 = 0x70
    }

    private static let set: UInt8 = 0x80
    private static let binary: UInt8 = 0x04
    private static let hours24: UInt8 = 0x02
    private static let nanosecondsPerSecond: UInt64 = 1_000_000_000
    /// How long UIP announces and covers an update: 244 us before it and 1984 us of it.
    private static let updateTime: UInt64 = 2_228_000

    private let clock: Clock
    private let interrupt: InterruptLine
    private lazy var timer = clock.makeTimer { [unowned self] in update() }

    private var index = 0
    /// Bit 7 of the index port: the guest masked the non-maskable interrupt.
    public private(set) var isNMIMasked = false
    private var ram = [UInt8](repeating: 0, count: 128)

    /// Virtual ns at which the divider stood at zero; wraps below zero.
    private var origin: UInt64 = 0
    /// Calendar time at `origin`, on the scale of `CalendarTime`.
    private var secondsAtOrigin: Int
    /// Up to where flags were collected: calendar second, and count of periodic events.
    private var collectedSecond = 0
    private var collectedPeriods: UInt64 = 0
    /// PF, AF, UF.
    private var flags: UInt8 = 0

    /// - Parameters:
    ///   - interrupt: IRQ 8, high while an enabled flag is set.
    ///   - startDate: date at virtual time zero, in seconds since 1970, UTC.
    ///   - memorySize: RAM in bytes, for the size fields of the CMOS RAM.
    public init(clock: Clock, interrupt: InterruptLine, startDate: Int, memorySize: Int) {
        self.clock = clock
        self.interrupt = interrupt
        // Four digits of year are all that the registers hold.
        let latest = CalendarTime(year: 9999, month: 12, day: 31, hour: 23, minute: 59, second: 59).seconds
        let earliest = CalendarTime(year: 1, month: 1, day: 1, hour: 0, minute: 0, second: 0).seconds
        let start = startDate.addingReportingOverflow(CalendarTime.unixEpoch)
        secondsAtOrigin = min(max(start.overflow ? latest : start.partialValue, earliest), latest)
        ram[Register.a] = 0x26
        ram[Register.b] = Self.hours24
        // Equipment: a coprocessor, a PS/2 mouse, VGA, no floppy drive.
        ram[0x14] = 0x06
        describeMemory(memorySize)
        restartCollection()
    }

    public func read(offset: UInt32, width: Int) -> UInt32 {
        // The index port is write-only.
        guard offset & 1 == 1 else { return 0xFF }
        switch index {
        case Register.a: return UInt32(ram[Register.a] & 0x7F | (isUpdating ? 0x80 : 0))
        case Register.c: return UInt32(readFlags())
        case Register.d: return 0x80
        default:
            if isRunning { showTime() }
            return UInt32(ram[index])
        }
    }

    public func write(offset: UInt32, value: UInt32, width: Int) {
        let value = UInt8(truncatingIfNeeded: value)
        if offset & 1 == 0 {
            index = Int(value & 0x7F)
            isNMIMasked = value & 0x80 != 0
        } else {
            writeRegister(value)
        }
    }

    private func writeRegister(_ value: UInt8) {
        collectEvents()
        switch index {
        case Register.a:
            changeRunning { ram[Register.a] = value & 0x7F }
        case Register.b:
            // "The SET bit ... UIE ... is cleared by the SET bit going high."
            changeRunning { ram[Register.b] = value & Self.set != 0 ? value & ~Event.update : value }
        case Register.c, Register.d:
            break
        case Register.second, Register.minute, Register.hour, Register.weekday...Register.year, Register.century:
            if isRunning { showTime() }
            ram[index] = value
            if isRunning { takeTime() }
        default:
            ram[index] = value
        }
        update()
    }

    /// Sizes in KiB below 1 MiB and above it (at most 64 MiB told), and in 64 KiB above 16 MiB.
    private func describeMemory(_ size: Int) {
        func store(_ value: Int, at address: Int) {
            let value = UInt16(clamping: value)
            ram[address] = UInt8(truncatingIfNeeded: value)
            ram[address + 1] = UInt8(value >> 8)
        }
        store(min(size / 1024, 640), at: 0x15)
        store(size / 1024 - 1024, at: 0x17)
        store(size / 1024 - 1024, at: 0x30)
        store((size - 16 << 20) / 65536, at: 0x34)
    }
}

// MARK: Time

extension RealTimeClock146818 {
    private var isDividerOn: Bool { ram[Register.a] & 0x70 == 0x20 }
    /// Whether time passes: the divider runs, and the guest is not setting the time.
    private var isRunning: Bool { isDividerOn && ram[Register.b] & Self.set == 0 }
    private var divider: UInt64 { clock.now &- origin }
    private var isUpdating: Bool {
        isRunning && divider % Self.nanosecondsPerSecond >= Self.nanosecondsPerSecond - Self.updateTime
    }
    private var currentSecond: Int { secondsAtOrigin + Int(divider / Self.nanosecondsPerSecond) }

    /// Puts the time into the registers.
    private func showTime() {
        let time = CalendarTime(seconds: currentSecond)
        ram[Register.second] = encode(time.second)
        ram[Register.minute] = encode(time.minute)
        if ram[Register.b] & Self.hours24 != 0 {
            ram[Register.hour] = encode(time.hour)
        } else {
            ram[Register.hour] = encode((time.hour + 11) % 12 + 1) | (time.hour >= 12 ? 0x80 : 0)
        }
        ram[Register.weekday] = encode(time.weekday)
        ram[Register.day] = encode(time.day)
        ram[Register.month] = encode(time.month)
        ram[Register.year] = encode(time.year % 100)
        ram[Register.century] = encode(time.year / 100 % 100)
    }

    /// Takes the time from the registers.
    private func takeTime() {
        let time = CalendarTime(
            year: min(decode(ram[Register.century]), 99) * 100 + min(decode(ram[Register.year]), 99),
            month: min(max(decode(ram[Register.month]), 1), 12), day: min(max(decode(ram[Register.day]), 1), 31),
            hour: min(decodeHour(ram[Register.hour]), 23), minute: min(decode(ram[Register.minute]), 59),
            second: min(decode(ram[Register.second]), 59))
        // The first two months of year 0 are before the scale begins.
        secondsAtOrigin = max(0, time.seconds) - Int(divider / Self.nanosecondsPerSecond)
        restartCollection()
    }

    /// Performs a change that may stop or start the clock: stopped, it shows the time it had; started, it takes the one shown.
    private func changeRunning(_ change: () -> Void) {
        let wasRunning = isRunning
        let dividerWasOn = isDividerOn
        if wasRunning { showTime() }
        change()
        if isDividerOn, !dividerWasOn {
            // "The first update cycle begins one-half second later" than the divider's release.
            origin = clock.now &- Self.nanosecondsPerSecond / 2
        }
        if isRunning, !wasRunning { takeTime() } else { collectedPeriods = periods }
    }

    private func encode(_ value: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: ram[Register.b] & Self.binary != 0 ? value : value / 10 * 16 + value % 10)
    }

    private func decode(_ byte: UInt8) -> Int {
        ram[Register.b] & Self.binary != 0 ? Int(byte) : Int(byte >> 4) * 10 + Int(byte & 15)
    }

    private func decodeHour(_ byte: UInt8) -> Int {
        if ram[Register.b] & Self.hours24 != 0 { return decode(byte) }
        return decode(byte & 0x7F) % 12 + (byte & 0x80 != 0 ? 12 : 0)
    }
}

// MARK: Interrupts

extension RealTimeClock146818 {
    /// Periodic events a second, by RS with a 32.768 kHz crystal; nil for none.
    private var periodicRate: UInt64? {
        switch ram[Register.a] & 0x0F {
        case 0: nil
        case 1: 256
        case 2: 128
        case let select: 32768 >> (UInt64(select) - 1)
        }
    }

    private var periods: UInt64 {
        guard isDividerOn, let rate = periodicRate else { return 0 }
        return Clock.ticks(nanoseconds: divider, frequency: rate)
    }

    /// Forgets what happened before now.
    private func restartCollection() {
        collectedSecond = currentSecond
        collectedPeriods = periods
    }

    /// Sets the flags of what happened since the last call, enabled or not.
    private func collectEvents() {
        if periods != collectedPeriods { flags |= Event.periodic }
        collectedPeriods = periods
        guard isRunning else { return }
        let second = currentSecond
        guard second > collectedSecond else { return }
        flags |= Event.update
        if let alarm = nextAlarm(after: collectedSecond), alarm <= second { flags |= Event.alarm }
        collectedSecond = second
    }

    /// First second after `second` that matches the alarm registers.
    private func nextAlarm(after second: Int) -> Int? {
        func matching(_ register: Int, _ range: Range<Int>, _ decode: (UInt8) -> Int) -> [Int] {
            ram[register] >= 0xC0 ? Array(range) : range.filter { $0 == decode(ram[register]) }
        }
        let seconds = matching(Register.secondAlarm, 0..<60, decode)
        let minutes = matching(Register.minuteAlarm, 0..<60, decode)
        let hours = matching(Register.hourAlarm, 0..<24, decodeHour)
        guard !seconds.isEmpty, !minutes.isEmpty, !hours.isEmpty else { return nil }
        // The same hour of tomorrow is the farthest that can be needed.
        for hour in second / 3600...second / 3600 + 24 where hours.contains(hour % 24) {
            for minute in minutes {
                for candidate in seconds.map({ (hour * 60 + minute) * 60 + $0 }) where candidate > second {
                    return candidate
                }
            }
        }
        return nil
    }

    /// Register C: tells what happened and forgets it.
    private func readFlags() -> UInt8 {
        collectEvents()
        let value = flags | (isInterrupting ? 0x80 : 0)
        flags = 0
        update()
        return value
    }

    private var isInterrupting: Bool { flags & ram[Register.b] & Event.all != 0 }

    /// Drives the line, and arms the timer for the next event that would change it. While the line is high none would,
    /// so a guest that does not answer costs nothing at any rate.
    private func update() {
        collectEvents()
        interrupt.set(isInterrupting)
        let enabled = ram[Register.b] & Event.all
        guard !isInterrupting, enabled != 0, isDividerOn else { return timer.cancel() }
        var next: UInt64?
        if enabled & Event.periodic != 0, let rate = periodicRate {
            next = Clock.nanoseconds(ticks: collectedPeriods + 1, frequency: rate)
        }
        if isRunning, enabled & (Event.alarm | Event.update) != 0 {
            let second =
                enabled & Event.update != 0 ? collectedSecond + 1 : nextAlarm(after: collectedSecond)
            if let second {
                next = min(next ?? .max, UInt64(second - secondsAtOrigin) &* Self.nanosecondsPerSecond)
            }
        }
        if let next { timer.arm(at: origin &+ next) } else { timer.cancel() }
    }
}
