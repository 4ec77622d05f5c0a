import Testing

@testable import Hardware

private final class Machine {
    final class Sink { var bytes: [UInt8] = [] }

    let time = ManualTime()
    let sink = Sink()
    let chipset: Chipset
    var log: [String] = []

    init() {
        let time = time
        let sink = sink
        var configuration = Chipset.Configuration(memorySize: 64 << 20, startDate: 0) { time.now }
        configuration.serialOutput = { sink.bytes.append($0) }
        configuration.debugOutput = { sink.bytes.append($0) }
        chipset = Chipset(configuration)
        chipset.onReset = { [unowned self] in log.append("reset") }
        chipset.onPowerOff = { [unowned self] in log.append("off") }
        chipset.onDebugExit = { [unowned self] in log.append("exit \($0)") }
        chipset.onA20Change = { [unowned self] in log.append("A20 \($0)") }
    }

    func out(_ port: UInt32, _ value: UInt32) { chipset.ports.write(port, value: value, width: 1) }
    func inb(_ port: UInt32) -> UInt8 { UInt8(chipset.ports.read(port, width: 1)) }
    func advance(by nanoseconds: UInt64) { time.advance(by: nanoseconds, of: chipset.clock) }
}

@Suite struct ChipsetTests {
    @Test func timerInterruptReachesTheCPU() {
        let machine = Machine()
        machine.chipset.initializeAsFirmware()
        var changes: [Bool] = []
        machine.chipset.interruptRequest.onChange = { changes.append($0) }
        #expect(machine.chipset.interruptRequest.isAsserted, "OUT rose when the mode was set")
        machine.out(0x43, 0x34)
        machine.out(0x40, 0x9C)
        machine.out(0x40, 0x2E)
        #expect(machine.chipset.acknowledgeInterrupt() == 0x08)
        machine.out(0x20, 0x20)
        #expect(!machine.chipset.interruptRequest.isAsserted)
        machine.advance(by: 10_010_000)
        #expect(machine.chipset.interruptRequest.isAsserted)
        #expect(changes == [false, true])
        #expect(machine.chipset.acknowledgeInterrupt() == 0x08)
    }

    @Test(arguments: [(1, 0x09), (3, 0x0B), (4, 0x0C), (8, 0x70), (9, 0x71), (12, 0x74)])
    func everyDeviceHasItsLine(irq: Int, vector: UInt8) {
        let machine = Machine()
        machine.chipset.initializeAsFirmware()
        machine.out(0x21, irq < 8 ? ~(1 << UInt32(irq)) & 0xFF : 0xFB)
        machine.out(0xA1, irq < 8 ? 0xFF : ~(1 << UInt32(irq - 8)) & 0xFF)
        machine.out(0x64, 0x60)
        machine.out(0x60, 0x47)
        machine.chipset.keyboardController.keyboard.press(.enter)
        for port in [0x2F8, 0x3F8] as [UInt32] {
            machine.out(port + 4, 0x0B)
            machine.out(port + 1, 0x02)
        }
        for (register, value) in [(0x0B, 0x42), (0x0A, 0x26)] as [(UInt32, UInt32)] {
            machine.out(0x70, register)
            machine.out(0x71, value)
        }
        machine.out(UInt32(ACPIPorts.smiCommand), UInt32(ACPIPorts.acpiEnable))
        machine.out(UInt32(ACPIPorts.pm1aEvent) + 3, 1)
        machine.chipset.power.pressPowerButton()
        if irq == 12 {
            machine.out(0x64, 0xD3)
            machine.out(0x60, 0x00)
        }
        machine.advance(by: 2_000_000)
        #expect(machine.chipset.interruptRequest.isAsserted)
        #expect(machine.chipset.acknowledgeInterrupt() == vector)
    }

    @Test func outputsAndExits() {
        let machine = Machine()
        machine.out(0x3F8, 0x41)
        machine.out(0xE9, 0x42)
        #expect(machine.sink.bytes == [0x41, 0x42])
        machine.out(0xF4, 0x10)
        machine.out(0x64, 0xFE)
        machine.out(0xCF9, 0x06)
        machine.out(0x92, 0x03)
        machine.chipset.ports.write(0x604, value: 5 << 10 | 1 << 13, width: 2)
        #expect(machine.log == ["exit 33", "reset", "reset", "reset", "off"])
    }

    @Test func eitherGateOpensA20() {
        let machine = Machine()
        #expect(machine.chipset.isA20Enabled)
        machine.out(0x92, 0x02)
        machine.out(0x64, 0xDD)
        #expect(machine.log.isEmpty)
        machine.out(0x92, 0x00)
        #expect(!machine.chipset.isA20Enabled)
        machine.out(0x64, 0xDF)
        #expect(machine.log == ["A20 false", "A20 true"])
    }

    @Test func noPCIAndNoResetFromLookingForIt() {
        let machine = Machine()
        for function in 0..<256 as Range<UInt32> {
            machine.chipset.ports.write(0xCF8, value: 0x8000_0000 | function << 8, width: 4)
            #expect(machine.chipset.ports.read(0xCFC, width: 4) == 0xFFFF_FFFF)
        }
        #expect(machine.log.isEmpty)
    }

    @Test func displayMemoryIsMapped() {
        let machine = Machine()
        machine.chipset.memory.write(0xB8000, value: 0x0742_0741, width: 4)
        #expect(machine.chipset.display.screen().text == "AB")
        #expect(!machine.chipset.memory.isClaimed(0xC0000))
        #expect(!machine.chipset.memory.isClaimed(0xB7FFF))
    }

    @Test func everyPortTakesEverything() {
        let machine = Machine()
        for value in [0x00, 0xFF, 0x55AA_C3E1, 0x1234_5678] as [UInt32] {
            for port in 0...0xFFFF as ClosedRange<UInt32> {
                for width in [1, 2, 4] {
                    machine.chipset.ports.write(port, value: value &+ port, width: width)
                    _ = machine.chipset.ports.read(port, width: width)
                }
            }
            for _ in 0..<100 {
                machine.time.skip(to: machine.time.now + 7_777_777)
                machine.chipset.clock.fireDueTimers()
                _ = machine.chipset.acknowledgeInterrupt()
            }
        }
        #expect(machine.chipset.display.screen().cells.count > 0)
    }
}
