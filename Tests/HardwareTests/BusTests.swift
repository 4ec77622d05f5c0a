import Testing

@testable import Hardware

/// Records what reaches it and answers with the offset.
private final class Recorder: BusDevice {
    let accessWidth: Int
    var log: [String] = []
    init(accessWidth: Int) { self.accessWidth = accessWidth }
    func read(offset: UInt32, width: Int) -> UInt32 {
        log.append("r\(offset)/\(width)")
        return 0x1111_1110 + offset
    }
    func write(offset: UInt32, value: UInt32, width: Int) { log.append("w\(offset)/\(width)=\(value)") }
}

@Suite struct BusTests {
    @Test func unclaimedAddressesReadAllOnes() {
        let bus = Bus(limit: 0xFFFF)
        #expect(bus.read(0x300, width: 1) == 0xFF)
        #expect(bus.read(0x300, width: 2) == 0xFFFF)
        #expect(bus.read(0xFFFF, width: 4) == 0xFFFF_FFFF)
    }

    @Test func wideAccessesAreSplitForNarrowDevices() throws {
        let bus = Bus(limit: 0xFFFF)
        let device = Recorder(accessWidth: 1)
        try bus.register(device, at: 0x70...0x71)
        #expect(bus.read(0x70, width: 4) == 0xFFFF_1110)
        bus.write(0x71, value: 0xABCD, width: 2)
        #expect(device.log == ["r0/1", "r1/1", "w1/1=205"])
    }

    @Test func wideDevicesSeeOneCycle() throws {
        let bus = Bus(limit: 0xFFFF)
        let device = Recorder(accessWidth: 4)
        try bus.register(device, at: 0x600...0x607, offset: 8)
        #expect(bus.read(0x604, width: 4) == 0x1111_111C)
        #expect(device.log == ["r12/4"])
    }

    @Test func overlapsAreRejected() throws {
        let bus = Bus(limit: 0xFFFF)
        try bus.register(Recorder(accessWidth: 1), at: 0x20...0x21)
        #expect(throws: Bus.Conflict.self) { try bus.register(Recorder(accessWidth: 1), at: 0x21...0x22) }
    }
}
