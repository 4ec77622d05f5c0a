import X86

/// Bits of paging-structure entries (SDM 3A 4.3, 4.4).
enum PagingEntry {
    static let present: UInt64 = 1 << 0
    static let writable: UInt64 = 1 << 1
    static let user: UInt64 = 1 << 2
    static let accessed: UInt64 = 1 << 5
    static let dirty: UInt64 = 1 << 6
    static let large: UInt64 = 1 << 7
    static let global: UInt64 = 1 << 8
    static let noExecute: UInt64 = 1 << 63
    /// Address bits above the 36 that this processor has.
    static let beyondAddress: UInt64 = 0x7FFF_FFF0_0000_0000
}

/// Bits of a page-fault error code (SDM 3A 4.7).
enum PageFaultCode {
    static let present: UInt32 = 1
    static let write: UInt32 = 2
    static let user: UInt32 = 4
    static let reserved: UInt32 = 8
    static let fetch: UInt32 = 16
}

/// Where a page is, and what may be done with it without walking again.
struct PageTranslation {
    /// Physical address of the 4 KiB page.
    var page: UInt64
    /// Writable by this privilege level (before the dirty bit is considered).
    var isWritable = true
    var isDirty = true
    var isExecutable = true
    var isGlobal = false
    var isLarge = false
}

extension Processor {
    /// Physical address behind `linear` for an access of one privilege level; fills the TLB. Throws #PF, CR2 set.
    func translate(_ linear: UInt32, _ kind: AccessKind, isUser: Bool) throws(Fault) -> UInt64 {
        let entry = pointee.tlbBanks + (Int(linear >> 12 & TLB.mask) + (isUser ? TLB.entries : 0))
        let tag =
            switch kind {
            case .read: entry.pointee.readTag
            case .write: entry.pointee.dirtyTag
            case .execute: entry.pointee.executeTag
            }
        if tag == linear & 0xFFFF_F000 { return UInt64(entry.pointee.physicalPage | linear & 0xFFF) }
        pointee.statistics.tlbMisses &+= 1
        var page = try walk(linear, kind, isUser: isUser)
        page.page &= UInt64(pointee.a20Mask) | 0xFFFF_FFFF_0000_0000
        if isRAM(page.page) { fillTLB(linear, page, isUser: isUser) }
        return page.page | UInt64(linear & 0xFFF)
    }

    private func fillTLB(_ linear: UInt32, _ page: PageTranslation, isUser: Bool) {
        let index = Int(linear >> 12 & TLB.mask) + (isUser ? TLB.entries : 0)
        if page.isGlobal { pointee.tlbHasGlobal = true } else { noteLocal(index) }
        let entry = pointee.tlbBanks + index
        let tag = linear & 0xFFFF_F000
        let physical = UInt32(truncatingIfNeeded: page.page)
        let isWatched = pointee.hasDataBreakpoints && isDataBreakpointPage(tag)
        let holdsCode = pointee.codeMap[Int(physical >> 12)] != 0
        entry.pointee.readTag = isWatched ? TLB.noTag : tag
        let isWritable = page.isWritable && page.isDirty
        let isSeen = holdsCode || isWatched || pointee.writeLog != nil
        entry.pointee.writeTag = isWritable && !isSeen ? tag : TLB.noTag
        entry.pointee.dirtyTag = isWritable ? tag : TLB.noTag
        entry.pointee.executeTag = page.isExecutable ? tag : TLB.noTag
        entry.pointee.physicalPage = physical
        entry.pointee.addend = Int(bitPattern: pointee.ramBase) &+ Int(physical) &- Int(tag)
        entry.pointee.isGlobal = page.isGlobal
        if page.isLarge { pointee.largePageRegions.insert(linear) }
    }

    /// Walks the page tables (SDM 3A 4.3, 4.4), checks rights (4.6), sets A and D. Throws #PF, CR2 set.
    func walk(_ linear: UInt32, _ kind: AccessKind, isUser: Bool) throws(Fault) -> PageTranslation {
        guard pointee.cr0 & CR0.pg != 0 else { return PageTranslation(page: UInt64(linear & 0xFFFF_F000)) }
        let found: TableWalk
        do throws(WalkFailure) {
            found = try find(linear)
        } catch {
            let code = error == .reserved ? PageFaultCode.present | PageFaultCode.reserved : 0
            throw pageFault(linear, kind, isUser, code)
        }
        let page = translation(found, kind, isUser: isUser)
        if isUser && found.rights & PagingEntry.user == 0 || kind == .write && !page.isWritable
            || kind == .execute && !page.isExecutable
        {
            throw pageFault(linear, kind, isUser, PageFaultCode.present)
        }
        let size: UInt32 = pointee.cr4 & CR4.pae != 0 ? 8 : 4
        setAccessed(found.directory, size: size, isDirty: found.isLarge && kind == .write)
        if !found.isLarge { setAccessed(found.table, size: size, isDirty: kind == .write) }
        return page
    }

    /// What the tables have for `linear`; nil if a walk for reading would fault or would have to set an accessed bit.
    /// Nothing changes.
    func peek(_ linear: UInt32, isUser: Bool) -> PageTranslation? {
        guard pointee.cr0 & CR0.pg != 0 else { return PageTranslation(page: UInt64(linear & 0xFFFF_F000)) }
        do throws(WalkFailure) {
            let found = try find(linear)
            let isAccessed =
                found.directory.value & (found.isLarge ? .max : found.table.value) & PagingEntry.accessed != 0
            guard isAccessed, !isUser || found.rights & PagingEntry.user != 0 else { return nil }
            return translation(found, .read, isUser: isUser)
        } catch {
            return nil
        }
    }

    /// Entries of the paging structures that map a page.
    private struct TableWalk {
        var directory: (address: UInt64, value: UInt64)
        /// Not looked at if the page is large.
        var table: (address: UInt64, value: UInt64) = (0, 0)
        var isLarge = false
        var page: UInt64 = 0

        var leaf: UInt64 { isLarge ? directory.value : table.value }

        /// The intersection of both levels; no-execute is the union.
        var rights: UInt64 {
            guard !isLarge else { return directory.value }
            return directory.value & table.value & ~PagingEntry.noExecute
                | (directory.value | table.value) & PagingEntry.noExecute
        }
    }

    private enum WalkFailure: Error { case notPresent, reserved }

    /// Address of the page directory's entry for `linear`; nil if no PDPTE leads to one (SDM 3A 4.3, 4.4.2).
    @inline(__always)
    func directoryEntryAddress(_ linear: UInt32) -> UInt64? {
        guard pointee.cr4 & CR4.pae != 0 else { return UInt64(pointee.cr3 & 0xFFFF_F000 | (linear >> 22) << 2) }
        let pdpte = pointee.pdpte[Int(linear >> 30)]
        guard pdpte & PagingEntry.present != 0 else { return nil }
        return pdpte & 0xF_FFFF_F000 | UInt64(linear >> 21 & 0x1FF) << 3
    }

    /// Address of the page table's entry for `linear`, to which the directory's entry `pde` leads.
    @inline(__always)
    func tableEntryAddress(_ linear: UInt32, _ pde: UInt64) -> UInt64 {
        pointee.cr4 & CR4.pae != 0
            ? pde & 0xF_FFFF_F000 | UInt64(linear >> 12 & 0x1FF) << 3
            : pde & 0xFFFF_F000 | UInt64(linear >> 12 & 0x3FF) << 2
    }

    /// Whether a directory's entry maps a page of 2 or 4 MiB itself. With PAE, CR4.PSE does not matter.
    @inline(__always)
    func mapsLargePage(_ pde: UInt64) -> Bool {
        pde & PagingEntry.large != 0 && pointee.cr4 & (CR4.pae | CR4.pse) != 0
    }

    @inline(__always)
    private func find(_ linear: UInt32) throws(WalkFailure) -> TableWalk {
        let isPAE = pointee.cr4 & CR4.pae != 0
        let noExecute = pointee.efer & EFER.nxe == 0 ? PagingEntry.noExecute : 0
        let reserved = isPAE ? PagingEntry.beyondAddress | noExecute : 0
        guard let directory = directoryEntryAddress(linear) else { throw .notPresent }
        let pde = readTableEntry(directory)
        guard pde & PagingEntry.present != 0 else { throw .notPresent }
        guard pde & reserved == 0 else { throw .reserved }
        var found = TableWalk(directory: (directory, pde))
        if mapsLargePage(pde) {
            // Bits 13–20, or 13–21 without PSE-36 (SDM 3A tables 4-4, 4-9).
            guard pde & (isPAE ? 0x1F_E000 : 0x3F_E000) == 0 else { throw .reserved }
            let offset: UInt64 = isPAE ? 0x1F_FFFF : 0x3F_FFFF
            found.page = pde & 0xF_FFFF_F000 & ~offset | UInt64(linear & 0xFFFF_F000) & offset
            found.isLarge = true
            return found
        }
        let table = tableEntryAddress(linear, pde)
        found.table = (table, readTableEntry(table))
        guard found.table.value & PagingEntry.present != 0 else { throw .notPresent }
        guard found.table.value & reserved == 0 else { throw .reserved }
        found.page = found.table.value & 0xF_FFFF_F000
        return found
    }

    /// What may be done with a page that was found, and is accessed now.
    @inline(__always)
    private func translation(_ found: TableWalk, _ kind: AccessKind, isUser: Bool) -> PageTranslation {
        PageTranslation(
            page: found.page,
            isWritable: found.rights & PagingEntry.writable != 0 || !isUser && pointee.cr0 & CR0.wp == 0,
            isDirty: found.leaf & PagingEntry.dirty != 0 || kind == .write,
            isExecutable: found.rights & PagingEntry.noExecute == 0 || pointee.efer & EFER.nxe == 0,
            isGlobal: found.leaf & PagingEntry.global != 0 && pointee.cr4 & CR4.pge != 0, isLarge: found.isLarge)
    }

    /// An entry of a paging structure, of 8 bytes with PAE and 4 without.
    @inline(__always)
    func readTableEntry(_ address: UInt64) -> UInt64 {
        readTableEntry(address, size: pointee.cr4 & CR4.pae != 0 ? 8 : 4)
    }

    @inline(__always)
    private func readTableEntry(_ address: UInt64, size: UInt32) -> UInt64 {
        let place = address & (UInt64(pointee.a20Mask) | 0xFFFF_FFFF_0000_0000)
        guard isRAM(place) else { return readPhysical(place, count: size) }
        let entry = UnsafeRawPointer(pointee.ramBase) + Int(place)
        return size == 8 ? entry.load(as: UInt64.self) : UInt64(entry.load(as: UInt32.self))
    }

    private func setAccessed(_ entry: (address: UInt64, value: UInt64), size: UInt32, isDirty: Bool) {
        let wanted = entry.value | PagingEntry.accessed | (isDirty ? PagingEntry.dirty : 0)
        guard wanted != entry.value else { return }
        writePhysical(entry.address & (UInt64(pointee.a20Mask) | 0xFFFF_FFFF_0000_0000), wanted, count: size)
    }

    private func pageFault(_ linear: UInt32, _ kind: AccessKind, _ isUser: Bool, _ code: UInt32) -> Fault {
        pointee.cr2 = linear
        var code = code
        if kind == .write { code |= PageFaultCode.write }
        if isUser { code |= PageFaultCode.user }
        if kind == .execute, pointee.efer & EFER.nxe != 0, pointee.cr4 & CR4.pae != 0 { code |= PageFaultCode.fetch }
        return Fault(Vector.pageFault, code)
    }

    /// Loads the four PDPTEs that `cr3` points to (SDM 3A 4.4.1). Throws #GP(0) for reserved bits, nothing changed.
    func loadPDPTEs(_ cr3: UInt32) throws(Fault) {
        var entries: InlineArray<4, UInt64> = [0, 0, 0, 0]
        for index in 0..<4 {
            let entry = readTableEntry(UInt64(cr3 & 0xFFFF_FFE0) + UInt64(index * 8), size: 8)
            let reserved: UInt64 = PagingEntry.beyondAddress | PagingEntry.noExecute | 0x1E6
            if entry & PagingEntry.present != 0, entry & reserved != 0 { throw .generalProtection() }
            entries[index] = entry
        }
        pointee.pdpte = entries
    }

    /// Forgets all translations, or all that are not global.
    func flushTLB(keepingGlobal: Bool) {
        pointee.statistics.tlbFlushes &+= 1
        pointee.translationObserver?.translationsFlushed(keepingGlobal: keepingGlobal)
        let count = pointee.tlbLocalCount
        pointee.tlbLocalCount = 0
        if count <= TLB.listed, keepingGlobal || !pointee.tlbHasGlobal {
            for place in 0..<count { flushEntry(Int(pointee.tlbLocal[place]), keepingGlobal: true) }
        } else {
            for index in 0..<TLB.entries * 2 { flushEntry(index, keepingGlobal: keepingGlobal) }
        }
        if !keepingGlobal {
            pointee.tlbHasGlobal = false
            pointee.largePageRegions = RegionSet()
        }
        pointee.fetch.count = 0
    }

    private func flushEntry(_ index: Int, keepingGlobal: Bool) {
        let entry = pointee.tlbBanks + index
        guard !keepingGlobal || !entry.pointee.isGlobal else { return }
        entry.pointee.readTag = TLB.noTag
        entry.pointee.writeTag = TLB.noTag
        entry.pointee.dirtyTag = TLB.noTag
        entry.pointee.executeTag = TLB.noTag
    }

    private func noteLocal(_ index: Int) {
        if pointee.tlbLocalCount < TLB.listed {
            pointee.tlbLocal[pointee.tlbLocalCount] = UInt16(truncatingIfNeeded: index)
        }
        pointee.tlbLocalCount &+= 1
    }

    /// Forgets the translations of the page at `linear` (INVLPG); of its whole region if it was part of a large page.
    func flushPage(_ linear: UInt32) {
        pointee.fetch.count = 0
        pointee.translationObserver?.pageFlushed(linear)
        let region = linear >> 22
        let isLarge = pointee.largePageRegions.contains(linear)
        for bank in 0..<2 {
            if isLarge {
                for index in 0..<TLB.entries { flushEntry(bank * TLB.entries + index, region: region) }
            } else {
                pointee.tlbBanks[bank * TLB.entries + Int(linear >> 12 & TLB.mask)] = TLBEntry()
            }
        }
    }

    private func flushEntry(_ index: Int, region: UInt32) {
        let entry = pointee.tlbBanks + index
        if entry.pointee.readTag >> 22 == region || entry.pointee.executeTag >> 22 == region {
            entry.pointee = TLBEntry()
        }
    }

    /// Makes writes to the RAM page at `physical` take the slow path from now on: it holds decoded code.
    func protectCodePage(_ physical: UInt32) {
        pointee.translationObserver?.codeProtected(physical)
        for index in 0..<TLB.entries * 2 where pointee.tlbBanks[index].physicalPage == physical & 0xFFFF_F000 {
            pointee.tlbBanks[index].writeTag = TLB.noTag
        }
    }

    /// Chooses the TLB bank for the current privilege level and alignment checking.
    func selectTLB() {
        let bank = isAlignmentChecked ? 2 : pointee.cpl == 3 ? 1 : 0
        pointee.tlb = pointee.tlbBanks + bank * TLB.entries
    }
}
