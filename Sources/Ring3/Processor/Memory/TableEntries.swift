/// The entries of the paging structures for a page, the last one 0 for a large page; all 0 if there is none, or if they
/// are not in RAM. While these and the `PagingControls` stay, so does what a walk finds.
struct TableEntries: Equatable {
    var directory: UInt64 = 0
    var table: UInt64 = 0

    /// There is a page.
    var arePresent: Bool { directory != 0 }

    /// A translation by them survives a load of CR3 (SDM 3A 4.10.2.4), if CR4.PGE is set.
    var areGlobal: Bool { (table != 0 ? table : directory) & PagingEntry.global != 0 }
}

/// Bits of the control registers that paging depends on.
struct PagingControls: Equatable {
    var cr0: UInt32 = 0
    var cr4: UInt32 = 0
    var efer: UInt32 = 0
    var a20Mask: UInt32 = 0

    init() {}

    init(_ cpu: Processor) {
        cr0 = cpu.pointee.cr0 & (CR0.pg | CR0.wp)
        cr4 = cpu.pointee.cr4 & (CR4.pae | CR4.pse | CR4.pge)
        efer = cpu.pointee.efer & EFER.nxe
        a20Mask = cpu.pointee.a20Mask
    }
}

/// Reads the entries for many pages, none of which changes meanwhile, without looking at what they mean: most of the
/// time it is enough to know that they are as they were.
struct TableReader {
    private let cpu: Processor
    /// The directory's entry that was read last: the number of its 2 MiB, what it is, and whether it leads to a table.
    private var region = UInt32.max
    private var directory: UInt64 = 0
    private var hasTable = false

    init(_ cpu: Processor) { self.cpu = cpu }

    @inline(__always)
    mutating func entries(of linear: UInt32) -> TableEntries {
        if linear >> 21 != region { readDirectory(linear) }
        guard hasTable else { return TableEntries(directory: directory) }
        let table = entry(at: cpu.tableEntryAddress(linear, directory))
        return table & PagingEntry.present != 0 ? TableEntries(directory: directory, table: table) : TableEntries()
    }

    private mutating func readDirectory(_ linear: UInt32) {
        region = linear >> 21
        (directory, hasTable) = (0, false)
        guard cpu.pointee.cr0 & CR0.pg != 0, let address = cpu.directoryEntryAddress(linear) else { return }
        let found = entry(at: address)
        guard found & PagingEntry.present != 0 else { return }
        directory = found
        hasTable = !cpu.mapsLargePage(found)
    }

    /// 0 if that is not in RAM.
    @inline(__always)
    private func entry(at address: UInt64) -> UInt64 {
        guard cpu.isRAM(address & (UInt64(cpu.pointee.a20Mask) | 0xFFFF_FFFF_0000_0000)) else { return 0 }
        return cpu.readTableEntry(address)
    }
}
