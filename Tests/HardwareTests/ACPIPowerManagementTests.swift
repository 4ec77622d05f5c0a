import Testing

@testable import Hardware

private final class Bench {
    let time = ManualTime()
    let probe = LineProbe()
    let power: ACPIPowerManagement
    let command: SMICommandPort
    var powerOffs = 0

    init() {
        power = ACPIPowerManagement(clock: time.clock, interrupt: probe.line)
        command = SMICommandPort(power: power)
        power.onPowerOff = { [unowned self] in powerOffs += 1 }
    }

    func read(_ offset: UInt32) -> UInt32 { power.read(offset: offset, width: 2) & 0xFFFF }
    func write(_ offset: UInt32, _ value: UInt32) { power.write(offset: offset, value: value, width: 2) }
    func enableACPI() { command.out(0, UInt32(ACPIPorts.acpiEnable)) }
}

@Suite struct ACPIPowerManagementTests {
    @Test func firmwareSwitchesTheMode() {
        let bench = Bench()
        bench.write(4, 1)
        #expect(bench.read(4) == 0, "SCI_EN is not the guest's to set")
        bench.command.out(0, 0x77)
        #expect(bench.read(4) == 0)
        bench.enableACPI()
        #expect(bench.read(4) == 1)
        bench.write(4, 0)
        #expect(bench.read(4) == 1)
        bench.command.out(0, UInt32(ACPIPorts.acpiDisable))
        #expect(bench.read(4) == 0)
        bench.command.out(1, 0x12)
        #expect(bench.command.inb(0) == ACPIPorts.acpiDisable)
        #expect(bench.command.inb(1) == 0x12)
    }

    @Test func powerButtonInterruptsWhenEnabled() {
        let bench = Bench()
        bench.power.pressPowerButton()
        #expect(bench.read(0) == 0x100)
        bench.write(2, 0x0100)
        #expect(!bench.probe.isAsserted, "not in ACPI mode")
        bench.enableACPI()
        #expect(bench.probe.isAsserted)
        bench.write(0, 0x00FF)
        #expect(bench.probe.isAsserted)
        bench.write(0, 0x0100)
        #expect(!bench.probe.isAsserted)
        #expect(bench.read(0) == 0)
        #expect(bench.read(2) == 0x0100)
    }

    @Test func onlyImplementedEnablesAreKept() {
        let bench = Bench()
        bench.write(2, 0xFFFF)
        #expect(bench.read(2) == 0x0321)
        #expect(bench.power.read(offset: 0, width: 4) == 0x0321_0000)
        bench.power.write(offset: 3, value: 0, width: 1)
        #expect(bench.read(2) == 0x0021)
    }

    @Test func timerCounts24Bits() {
        let bench = Bench()
        bench.time.advance(to: 1_000_000_000)
        #expect(bench.power.read(offset: 8, width: 4) == 3_579_545)
        #expect(bench.power.read(offset: 9, width: 1) & 0xFF == 3_579_545 >> 8 & 0xFF)
        bench.time.advance(to: 5_000_000_000)
        #expect(bench.power.read(offset: 8, width: 4) == (5 * 3_579_545) & 0xFF_FFFF)
        bench.power.write(offset: 8, value: 0, width: 4)
        #expect(bench.power.read(offset: 8, width: 4) == (5 * 3_579_545) & 0xFF_FFFF)
    }

    @Test func timerStatusAtEveryHalfTurn() {
        let bench = Bench()
        bench.enableACPI()
        bench.write(2, 1)
        bench.time.advance(to: 2_343_000_000)
        #expect(!bench.probe.isAsserted)
        #expect(bench.read(0) == 0)
        bench.time.advance(to: 2_344_000_000)
        #expect(bench.probe.isAsserted)
        bench.write(0, 1)
        #expect(!bench.probe.isAsserted)
        bench.time.advance(to: 4_688_000_000)
        #expect(bench.probe.rises == 2)
        #expect(bench.time.clock.nextDeadline == nil, "it waits for the guest")
    }

    @Test func softOff() {
        let bench = Bench()
        bench.write(4, 5 << 10)
        #expect(bench.powerOffs == 0)
        #expect(bench.read(4) == 5 << 10)
        bench.write(4, 5 << 10 | 1 << 13)
        #expect(bench.powerOffs == 1)
        #expect(bench.read(4) == 5 << 10, "SLP_EN reads as zero")
        bench.write(4, 1 << 10 | 1 << 13)
        #expect(bench.powerOffs == 1, "no other sleep state")
    }

    @Test func resetControlTakesBytesOnly() {
        let device = ResetControl()
        var resets = 0
        device.onReset = { resets += 1 }
        device.write(offset: 0, value: 0x8000_FFFF, width: 4)
        device.write(offset: 2, value: 0x06, width: 1)
        device.write(offset: 1, value: 0x02, width: 1)
        #expect(resets == 0)
        #expect(device.inb(1) == 0x02)
        #expect(device.read(offset: 0, width: 4) == 0xFFFF_FFFF, "no PCI")
        device.write(offset: 1, value: UInt32(ACPIPorts.resetValue), width: 1)
        device.write(offset: 1, value: UInt32(ACPIPorts.resetValue), width: 1)
        #expect(resets == 1)
    }
}
