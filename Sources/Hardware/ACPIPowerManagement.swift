/// ACPI fixed hardware: PM1a event and control blocks, power management timer, power button, SCI.
///
/// Offsets are those from `ACPIPorts.pm1aEvent`:
/// ```
///   0  PM1 status    TMR_STS 0, PWRBTN_STS 8, SLPBTN_STS 9; written ones clear
///   2  PM1 enable    TMR_EN 0, GBL_EN 5, PWRBTN_EN 8, SLPBTN_EN 9
///   4  PM1 control   SCI_EN 0, BM_RLD 1, SLP_TYP 10–12, SLP_EN 13
///   8  PM timer      24 bits at 3.579545 MHz
/// ```
/// There is no system management mode behind it: `smiCommandPort` does what firmware would do, and GBL_RLS, which would
/// wake firmware, does nothing. Source: ACPI specification 6.4, section 4.8.
public final class ACPIPowerManagement: BusDevice {
    /// The power management timer in Hz.
    public static let timerFrequency: UInt64 = 3_579_545
    private static let timerBits: UInt64 = 24

    private enum Event {
        static let timer: UInt16 = 1 << 0
        static let global: UInt16 = 1 << 5
        static let powerButton: UInt16 = 1 << 8
        static let sleepButton: UInt16 = 1 << 9
    }

    /// Called when the guest enters S5, during its write.
    public var onPowerOff: () -> Void = {}

    private let clock: Clock
    private let interrupt: InterruptLine
    private var status: UInt16 = 0
    private var enable: UInt16 = 0
    private var control: UInt16 = 0
    /// Half turns of the timer that TMR_STS has told of.
    private var reportedHalfTurns: UInt64 = 0
    private lazy var halfTurn = clock.makeTimer { [unowned self] in updateInterrupt() }

    /// - Parameter interrupt: the SCI, a level.
    public init(clock: Clock, interrupt: InterruptLine) {
        self.clock = clock
        self.interrupt = interrupt
    }

    public var accessWidth: Int { 4 }

    /// Presses and releases the power button: an event for a guest in ACPI mode, nothing for another.
    public func pressPowerButton() {
        status |= Event.powerButton
        updateInterrupt()
    }

    public func read(offset: UInt32, width: Int) -> UInt32 {
        let register: UInt32
        switch offset & ~3 {
        case 0:
            collectHalfTurns()
            register = UInt32(status) | UInt32(enable) << 16
        case 4:
            register = UInt32(control)
        case 8:
            register = UInt32(ticks & (1 << Self.timerBits - 1))
        default:
            register = 0
        }
        return register >> ((offset & 3) * 8)
    }

    public func write(offset: UInt32, value: UInt32, width: Int) {
        let shift = (offset & 3) * 8
        let written = width >= 4 ? .max : (UInt32(1) << UInt32(width * 8) &- 1) << shift
        let value = value << shift & written
        switch offset & ~3 {
        case 0:
            collectHalfTurns()
            status &= ~UInt16(truncatingIfNeeded: value)
            let implemented = Event.timer | Event.global | Event.powerButton | Event.sleepButton
            let mask = UInt16(written >> 16)
            enable = enable & ~mask | UInt16(value >> 16) & mask & implemented
            updateInterrupt()
        case 4:
            writeControl(UInt16(truncatingIfNeeded: value), mask: UInt16(truncatingIfNeeded: written))
        default:
            break
        }
    }

    /// SMI_CMD.
    fileprivate func command(_ value: UInt8) {
        switch value {
        case ACPIPorts.acpiEnable: control |= 1
        case ACPIPorts.acpiDisable: control &= ~1
        default: return
        }
        updateInterrupt()
    }

    private var ticks: UInt64 { Clock.ticks(nanoseconds: clock.now, frequency: Self.timerFrequency) }

    /// SCI_EN is firmware's to change; GBL_RLS and SLP_EN read as zero.
    private func writeControl(_ value: UInt16, mask: UInt16) {
        let stored = mask & 0x1C02
        control = control & ~stored | value & stored
        if value & 1 << 13 != 0, control >> 10 & 7 == UInt16(ACPIPorts.s5SleepType) { onPowerOff() }
    }

    /// TMR_STS is set whenever the timer's top bit changes.
    private func collectHalfTurns() {
        let halfTurns = ticks >> (Self.timerBits - 1)
        guard halfTurns != reportedHalfTurns else { return }
        reportedHalfTurns = halfTurns
        status |= Event.timer
    }

    private func updateInterrupt() {
        collectHalfTurns()
        interrupt.set(control & 1 != 0 && status & enable != 0)
        guard enable & Event.timer != 0, status & Event.timer == 0 else { return halfTurn.cancel() }
        let next = (reportedHalfTurns + 1) << (Self.timerBits - 1)
        halfTurn.arm(at: Clock.nanoseconds(ticks: next, frequency: Self.timerFrequency))
    }
}

/// APM command (0xB2) and status (0xB3) ports: where a guest asks firmware to enable or disable ACPI mode.
public final class SMICommandPort: BusDevice {
    private let power: ACPIPowerManagement
    private var registers: [UInt8] = [0, 0]

    public init(power: ACPIPowerManagement) {
        self.power = power
    }

    public func read(offset: UInt32, width: Int) -> UInt32 { UInt32(registers[Int(offset & 1)]) }

    public func write(offset: UInt32, value: UInt32, width: Int) {
        registers[Int(offset & 1)] = UInt8(truncatingIfNeeded: value)
        if offset & 1 == 0 { power.command(registers[0]) }
    }
}
