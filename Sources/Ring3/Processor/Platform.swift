import Hardware

/// What the processor is plugged into: RAM, the buses, the interrupt controller and a time source.
final class Platform {
    let memory: PhysicalMemory
    let ports: Bus
    let mmio: Bus
    /// Interrupt acknowledge cycle: the vector of the interrupt to be serviced.
    var acknowledgeInterrupt: () -> UInt8 = { 0xFF }
    /// Timestamp counter, before the guest's own offset.
    var timestamp: () -> UInt64 = { 0 }
    /// Called after a write to RAM that `codeMap` says holds code.
    var codeWritten: (_ physical: UInt32, _ count: UInt32) -> Void = { _, _ in }
    /// Level of FERR#, for IRQ 13.
    var floatingPointError: (Bool) -> Void = { _ in }

    init(memory: PhysicalMemory, ports: Bus, mmio: Bus) {
        self.memory = memory
        self.ports = ports
        self.mmio = mmio
    }
}
