import X86

/// Bits of paging-structure entries (SDM 3A 4.3, 4.4).
private enum Entry {
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
        let entry = pointee.tlbBanks + (Int(linear >> 12 & TLB.mask) + (isUser ? TLB.entries : 0))
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
        if page.isLarge { pointee.largePageRegions[Int(linear >> 28)] |= 1 << UInt64(linear >> 22 & 63) }
    }

    /// Walks the page tables (SDM 3A 4.3, 4.4), checks rights, sets A and D. Throws #PF, CR2 set.
    func walk(_ linear: UInt32, _ kind: AccessKind, isUser: Bool) throws(Fault) -> PageTranslation {
        guard pointee.cr0 & CR0.pg != 0 else { return PageTranslation(page: UInt64(linear & 0xFFFF_F000)) }
        return pointee.cr4 & CR4.pae != 0
            ? try walkPAE(linear, kind, isUser: isUser) : try walk32(linear, kind, isUser: isUser)
    }

    private func walk32(_ linear: UInt32, _ kind: AccessKind, isUser: Bool) throws(Fault) -> PageTranslation {
        let directory = UInt64(pointee.cr3 & 0xFFFF_F000 | (linear >> 22) << 2)
        let pde = readTableEntry(directory, size: 4)
        guard pde & Entry.present != 0 else { throw pageFault(linear, kind, isUser, 0) }
        if pde & Entry.large != 0, pointee.cr4 & CR4.pse != 0 {
            // Bits 13–21 are reserved without PSE-36 (SDM 3A table 4-4).
            guard pde & 0x3FE000 == 0 else { throw reservedFault(linear, kind, isUser) }
            var page = try checked(linear, kind, isUser, rights: pde, leaf: pde)
            setAccessed(directory, pde, size: 4, isDirty: kind == .write)
            page.page = pde & 0xFFC0_0000 | UInt64(linear & 0x3F_F000)
            page.isLarge = true
            return page
        }
        let table = pde & 0xFFFF_F000 | UInt64(linear >> 12 & 0x3FF) << 2
        let pte = readTableEntry(table, size: 4)
        guard pte & Entry.present != 0 else { throw pageFault(linear, kind, isUser, 0) }
        var page = try checked(linear, kind, isUser, rights: pde & pte, leaf: pte)
        setAccessed(directory, pde, size: 4, isDirty: false)
        setAccessed(table, pte, size: 4, isDirty: kind == .write)
        page.page = pte & 0xFFFF_F000
        return page
    }

    private func walkPAE(_ linear: UInt32, _ kind: AccessKind, isUser: Bool) throws(Fault) -> PageTranslation {
        let reserved = Entry.beyondAddress | (pointee.efer & EFER.nxe == 0 ? Entry.noExecute : 0)
        let pdpte = pointee.pdpte[Int(linear >> 30)]
        guard pdpte & Entry.present != 0 else { throw pageFault(linear, kind, isUser, 0) }
        let directory = pdpte & 0xF_FFFF_F000 | UInt64(linear >> 21 & 0x1FF) << 3
        let pde = readTableEntry(directory, size: 8)
        guard pde & Entry.present != 0 else { throw pageFault(linear, kind, isUser, 0) }
        guard pde & reserved == 0 else { throw reservedFault(linear, kind, isUser) }
        if pde & Entry.large != 0 {
            guard pde & 0x1F_E000 == 0 else { throw reservedFault(linear, kind, isUser) }
            var page = try checked(linear, kind, isUser, rights: pde, leaf: pde)
            setAccessed(directory, pde, size: 8, isDirty: kind == .write)
            page.page = pde & 0xF_FFE0_0000 | UInt64(linear & 0x1F_F000)
            page.isLarge = true
            return page
        }
        let table = pde & 0xF_FFFF_F000 | UInt64(linear >> 12 & 0x1FF) << 3
        let pte = readTableEntry(table, size: 8)
        guard pte & Entry.present != 0 else { throw pageFault(linear, kind, isUser, 0) }
        guard pte & reserved == 0 else { throw reservedFault(linear, kind, isUser) }
        // Rights are the intersection of both levels; no-execute is the union.
        let rights = pde & pte & ~Entry.noExecute | (pde | pte) & Entry.noExecute
        var page = try checked(linear, kind, isUser, rights: rights, leaf: pte)
        setAccessed(directory, pde, size: 8, isDirty: false)
        setAccessed(table, pte, size: 8, isDirty: kind == .write)
        page.page = pte & 0xF_FFFF_F000
        return page
    }

    /// Checks U/S, R/W, WP and NX (SDM 3A 4.6); `rights` are those of all levels together.
    private func checked(
        _ linear: UInt32, _ kind: AccessKind, _ isUser: Bool, rights: UInt64, leaf: UInt64
    ) throws(Fault) -> PageTranslation {
        let isWritable = rights & Entry.writable != 0 || !isUser && pointee.cr0 & CR0.wp == 0
        let isExecutable = rights & Entry.noExecute == 0 || pointee.efer & EFER.nxe == 0
        if isUser && rights & Entry.user == 0 || kind == .write && !isWritable || kind == .execute && !isExecutable {
            throw pageFault(linear, kind, isUser, PageFaultCode.present)
        }
        return PageTranslation(
            page: 0, isWritable: isWritable, isDirty: leaf & Entry.dirty != 0 || kind == .write,
            isExecutable: isExecutable, isGlobal: leaf & Entry.global != 0 && pointee.cr4 & CR4.pge != 0)
    }

    private func readTableEntry(_ address: UInt64, size: UInt32) -> UInt64 {
        readPhysical(address & (UInt64(pointee.a20Mask) | 0xFFFF_FFFF_0000_0000), count: size)
    }

    private func setAccessed(_ address: UInt64, _ entry: UInt64, size: UInt32, isDirty: Bool) {
        let wanted = entry | Entry.accessed | (isDirty ? Entry.dirty : 0)
        guard wanted != entry else { return }
        writePhysical(address & (UInt64(pointee.a20Mask) | 0xFFFF_FFFF_0000_0000), wanted, count: size)
    }

    private func pageFault(_ linear: UInt32, _ kind: AccessKind, _ isUser: Bool, _ code: UInt32) -> Fault {
        pointee.cr2 = linear
        var code = code
        if kind == .write { code |= PageFaultCode.write }
        if isUser { code |= PageFaultCode.user }
        if kind == .execute, pointee.efer & EFER.nxe != 0, pointee.cr4 & CR4.pae != 0 { code |= PageFaultCode.fetch }
        return Fault(Vector.pageFault, code)
    }

    private func reservedFault(_ linear: UInt32, _ kind: AccessKind, _ isUser: Bool) -> Fault {
        pageFault(linear, kind, isUser, PageFaultCode.present | PageFaultCode.reserved)
    }

    /// Loads the four PDPTEs that `cr3` points to (SDM 3A 4.4.1). Throws #GP(0) for reserved bits, nothing changed.
    func loadPDPTEs(_ cr3: UInt32) throws(Fault) {
        var entries: InlineArray<4, UInt64> = [0, 0, 0, 0]
        for index in 0..<4 {
            let entry = readTableEntry(UInt64(cr3 & 0xFFFF_FFE0) + UInt64(index * 8), size: 8)
            let reserved: UInt64 = Entry.beyondAddress | Entry.noExecute | 0x1E6
            if entry & Entry.present != 0, entry & reserved != 0 { throw .generalProtection() }
            entries[index] = entry
        }
        pointee.pdpte = entries
    }

    /// Forgets all translations, or all that are not global.
    func flushTLB(keepingGlobal: Bool) {
        pointee.statistics.tlbFlushes &+= 1
        pointee.translationObserver?.translationsFlushed(keepingGlobal: keepingGlobal)
        for index in 0..<TLB.entries * 2 {
            let entry = pointee.tlbBanks + index
            if keepingGlobal && entry.pointee.isGlobal { continue }
            entry.pointee.readTag = TLB.noTag
            entry.pointee.writeTag = TLB.noTag
            entry.pointee.dirtyTag = TLB.noTag
            entry.pointee.executeTag = TLB.noTag
        }
        if !keepingGlobal { pointee.largePageRegions = InlineArray(repeating: 0) }
        pointee.fetch.count = 0
    }

    /// Forgets the translations of the page at `linear` (INVLPG); of its whole region if it was part of a large page.
    func flushPage(_ linear: UInt32) {
        pointee.fetch.count = 0
        pointee.translationObserver?.pageFlushed(linear)
        let region = linear >> 22
        let isLarge = pointee.largePageRegions[Int(region >> 6)] & 1 << UInt64(region & 63) != 0
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
