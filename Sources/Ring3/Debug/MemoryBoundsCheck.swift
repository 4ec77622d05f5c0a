/// Whether all that guest code reaches without asking lies in guest RAM: the entries of the software TLB, which hold host
/// addresses. Everything that is not in the TLB takes the checked path.
public struct MemoryBoundsCheck: Sendable {
    /// How often it was looked through.
    public private(set) var looks: UInt64 = 0
    /// Entries in use that were looked at.
    public private(set) var entries: UInt64 = 0
    /// Of these, how many reach outside guest RAM.
    public private(set) var violations: UInt64 = 0

    public init() {}

    mutating func look(_ cpu: Processor) {
        looks += 1
        let start = Int(bitPattern: cpu.pointee.ramBase)
        let end = start + Int(cpu.pointee.ramSize)
        for index in 0..<(TLB.entries * TLB.banks) {
            let entry = cpu.pointee.tlbBanks[index]
            // 1 is no page; an entry may have any of the three.
            for tag in [entry.readTag, entry.writeTag, entry.executeTag] where tag != 1 {
                entries += 1
                let host = Int(tag) &+ entry.addend
                if host < start || host &+ 0x1000 > end { violations += 1 }
            }
        }
    }
}
