/// The virtual CPU at the guest's first instruction, as the boot protocol promises it.
///
/// What the protocols leave undefined is zero. Paging and interrupts are off, A20 is on, EFLAGS is 2.
public struct StartState: Equatable, Sendable {
    public var eip: UInt32
    public var eax: UInt32 = 0
    public var ebx: UInt32 = 0
    public var ecx: UInt32 = 0
    public var edx: UInt32 = 0
    public var esi: UInt32 = 0
    public var edi: UInt32 = 0
    public var ebp: UInt32 = 0
    public var esp: UInt32 = 0
    public var cpuMode: CPUMode

    /// The mode the CPU is in, and what the segment registers hold.
    public enum CPUMode: Equatable, Sendable {
        /// Protected mode; CS is `code`, all other segments are `data`, each 4 GiB from 0, as described by the GDT in
        /// guest memory at `gdtBase` (last byte at `gdtBase + gdtLimit`).
        case protectedFlat(gdtBase: UInt32, gdtLimit: UInt16, code: UInt16, data: UInt16)
    }

    public init(eip: UInt32, cpuMode: CPUMode) {
        self.eip = eip
        self.cpuMode = cpuMode
    }
}
