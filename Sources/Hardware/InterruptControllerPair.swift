/// The AT's two 8259As: IRQ 0–7 on the master, IRQ 8–15 on a slave whose output is the master's input 2.
public final class InterruptControllerPair {
    /// Ports 0x20 and 0x21.
    public let master: InterruptController8259
    /// Ports 0xA0 and 0xA1.
    public let slave: InterruptController8259
    /// Ports 0x4D0 and 0x4D1.
    public let edgeLevelControl: EdgeLevelControl

    /// - Parameter output: the CPU's INTR pin.
    public init(output: InterruptLine) {
        master = InterruptController8259(output: output)
        slave = InterruptController8259(output: master.inputs[Self.cascade])
        edgeLevelControl = EdgeLevelControl(master: master, slave: slave)
    }

    /// The wire of `irq` (0–15); IRQ 2 is taken by the slave.
    public func line(irq: Int) -> InterruptLine {
        precondition((0..<16).contains(irq) && irq != Self.cascade, "no such interrupt line")
        return irq < 8 ? master.inputs[irq] : slave.inputs[irq - 8]
    }

    /// What the CPU's INTA cycles read: the vector of the most urgent request, now in service.
    public func acknowledge() -> UInt8 {
        let (level, vector) = master.acknowledge()
        guard level == Self.cascade, master.cascadedInputs & (1 << Self.cascade) != 0 else { return vector }
        return slave.acknowledge().vector
    }

    private static let cascade = 2
}

/// ELCR, the edge/level control registers: offset 0 for IRQ 0–7, offset 1 for IRQ 8–15; a set bit means level-triggered.
///
/// Source: Intel 82371AB (PIIX4) data sheet, "ELCR1", "ELCR2".
public final class EdgeLevelControl: BusDevice {
    private let master: InterruptController8259
    private let slave: InterruptController8259

    init(master: InterruptController8259, slave: InterruptController8259) {
        self.master = master
        self.slave = slave
    }

    public func read(offset: UInt32, width: Int) -> UInt32 {
        UInt32(offset & 1 == 0 ? master.levelTriggeredInputs : slave.levelTriggeredInputs)
    }

    public func write(offset: UInt32, value: UInt32, width: Int) {
        let value = UInt8(truncatingIfNeeded: value)
        // The timer, keyboard, cascade, clock and coprocessor (0, 1, 2, 8, 13) are edge-triggered for good.
        if offset & 1 == 0 {
            master.levelTriggeredInputs = value & 0xF8
        } else {
            slave.levelTriggeredInputs = value & 0xDE
        }
    }
}
