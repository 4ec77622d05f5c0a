import Hardware
import X86

@testable import Ring3

/// A guest that does harm, in ring 0 and ring 3, and comes back from whatever becomes of that.
///
/// ```
/// 0x1000 GDT │ 0x2000 IDT │ 0x3000 monitor │ 0x4000 orders │ 0x5000 two TSSs │ 0x6000 counter │ stack, 0x7000
/// 0x10000 code, 16 KiB │ 0x20000 data │ 0x100000 page tables, `spaceSize` for each address space │ data
/// ```
/// Every exception, and the INT by which a run of instructions ends, leads to a monitor, which takes the next of 64 orders:
/// where to go on, in which ring and address space, with which stack, segments and registers. Exceptions that cannot be
/// delivered on the stack in use are double faults, which come by a task gate.
struct HostileGuest {
    /// How the guest's linear addresses are mapped.
    enum Paging: CaseIterable { case none, twoLevels, pae }

    let hostility: HostileCode.Hostility
    let paging: Paging
    /// Address spaces, of which the orders take turns.
    let spaces: Int
    /// The tables are random but for what the monitor needs. Otherwise most of what is mapped is data, with all rights.
    let hasRandomTables: Bool
    /// The guest can write to its tables, and has memory that it writes for tables.
    let writesTables: Bool

    private static let code: UInt32 = 0x1_0000
    private static let codeSize = 0x4000
    private static let tables: UInt32 = 0x10_0000
    private static let spaceSize: UInt32 = 0xC000
    private static let orders: UInt32 = 0x4000
    private static let orderCount = 64
    private static let monitor: UInt32 = 0x3000
    private static let counter: UInt32 = 0x6000

    /// Orders that were taken so far.
    static func ordersTaken(_ memory: PhysicalMemory) -> UInt32 { memory.read(counter, as: UInt32.self) ?? 0 }

    /// Where the code is: in the last pages of the address space, from which it runs over to the first, or where it is in
    /// RAM.
    private var codeAddress: UInt32 {
        hostility == .codeAtTheEnd ? UInt32(0) &- UInt32(Self.codeSize) : Self.code
    }

    /// Makes a machine start with the guest of that number.
    func prepare(_ memory: PhysicalMemory, _ cpu: Processor, seed: UInt64) {
        var code = HostileCode(hostility, start: codeAddress, size: Self.codeSize, SeededGenerator(seed: seed))
        for address in stride(from: UInt32(0x2_0000), to: 0x20_0000, by: 64) {
            memory.write(address, code.random.next())
        }
        memory.write(Self.code, bytes: code.bytes)
        writeSegments(memory)
        let roots = (0..<spaces).map { writeTables(memory, UInt32($0), &code) }
        writeMonitor(memory, root: roots[0])
        writeOrders(memory, roots, &code)
        var state = StartState(
            eip: Self.monitor, cpuMode: .protectedFlat(gdtBase: 0x1000, gdtLimit: 0x4F, code: 8, data: 0x10))
        state.esp = 0x7000
        cpu.start(state)
        cpu.pointee.idtr = DescriptorTable(base: 0x2000, limit: 0x1FF)
        cpu.pointee.tr = Segment(selector: 0x28, low: 0x5000_0067, high: 0x0000_8B00)
        cpu.pointee.cr4 |= CR4.osfxsr | CR4.osxmmexcpt
        cpu.pointee.cr0 |= CR0.ne
        guard paging != .none else { return }
        cpu.pointee.cr3 = roots[0]
        cpu.pointee.cr4 |= paging == .pae ? CR4.pae : CR4.pse
        if code.oneIn(2) { cpu.pointee.cr4 |= CR4.pge }
        cpu.pointee.cr0 |= CR0.pg
        // Without WP, ring 0 writes to the tables also where they are mapped for reading.
        if !writesTables || code.oneIn(2) { cpu.pointee.cr0 |= CR0.wp }
        if paging == .pae { try? cpu.loadPDPTEs(roots[0]) }
        cpu.flushTLB(keepingGlobal: false)
    }

    // MARK: Segments

    private func writeSegments(_ memory: PhysicalMemory) {
        let descriptors: [UInt64] = [
            0, 0x00CF_9B00_0000_FFFF, 0x00CF_9300_0000_FFFF, 0x00CF_FB00_0000_FFFF, 0x00CF_F300_0000_FFFF,
            0x0000_8B00_5000_0067, 0x0000_8900_5100_0067,
            // Data that begins in the last page, that is short, and that lies above a limit.
            0xFFCF_F3FF_F000_FFFF, 0x0040_F301_2345_FFFF, 0x00CF_F700_0000_0FFF,
        ]
        for (index, descriptor) in descriptors.enumerated() {
            memory.write(0x1000 + UInt32(index) * 8, descriptor)
        }
        for vector in UInt64(0)..<64 {
            // Interrupt gates; a task gate for the double fault.
            let isForUser = [3, 4, 0x30].contains(vector)
            let gate: UInt64 =
                vector == 8
                ? 0x8500 << 32 | 0x30 << 16 : UInt64(Self.monitor) | 8 << 16 | (isForUser ? 0xEE00 : 0x8E00) << 32
            memory.write(0x2000 + UInt32(vector) * 8, gate)
        }
    }

    // MARK: The monitor

    private func little(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

    /// An instruction whose operand is a field of the order at EAX.
    private func order(_ opcode: [UInt8], _ field: UInt32) -> [UInt8] { opcode + little(Self.orders + field * 4) }

    private func writeMonitor(_ memory: PhysicalMemory, root: UInt32) {
        var code: [UInt8] = [0xBC, 0, 0x70, 0, 0, 0x0F, 0x06]  // mov esp, 0x7000; clts
        code += [0xFF, 0x05] + little(Self.counter) + [0xA1] + little(Self.counter)  // inc and load the counter
        code += [0x83, 0xE0, UInt8(Self.orderCount - 1), 0xC1, 0xE0, 0x06]  // and eax, 63; shl eax, 6
        if paging != .none { code += order([0x8B, 0x88], 3) + [0x0F, 0x22, 0xD9] }  // mov cr3, ecx
        code += [0xB9, 0x23, 0, 0, 0, 0x8E, 0xD9, 0x8E, 0xC1]  // mov ds, es
        code += order([0x8E, 0xA0], 4) + order([0x8E, 0xA8], 5)  // mov fs, gs
        for (field, number) in zip(7..., [1, 2, 3, 5, 6, 7] as [UInt8]) {
            code += order([0x8B, 0x80 | number << 3], UInt32(field))  // mov ecx, edx, ebx, ebp, esi, edi
        }
        let supervisor = order([0xFF, 0xB0], 6) + [0x9D] + order([0x8B, 0xA0], 1) + order([0xFF, 0xA0], 0)
        code += order([0x83, 0xB8], 2) + [0, 0x75, UInt8(supervisor.count)] + supervisor  // cmp, jne to ring 3
        code +=
            [0x6A, 0x23] + order([0xFF, 0xB0], 1) + order([0xFF, 0xB0], 6) + [0x6A, 0x1B] + order([0xFF, 0xB0], 0)
        code += [0xCF]
        memory.write(Self.monitor, bytes: code)
        // Of the double fault's task: neither TSS is busy any more, and the first is in use again.
        let entry = Self.monitor + 0x200
        var back: [UInt8] = [0x80, 0x25] + little(0x102D) + [0xFD, 0x80, 0x25] + little(0x1035) + [0xFD]
        back += [0xB8, 0x28, 0, 0, 0, 0x0F, 0x00, 0xD8, 0x6A, 0x02, 0x9D]  // ltr ax; push 2; popfd
        back += [0xE9] + little(Self.monitor &- entry &- UInt32(back.count) &- 5)
        memory.write(entry, bytes: back)
        for (place, value) in [(4, 0x7000), (8, 0x10)] as [(UInt32, UInt32)] {
            memory.write(0x5000 + place, value)
            memory.write(0x5100 + place, value)
        }
        let task: [(UInt32, UInt32)] = [
            (0x1C, root), (0x20, entry), (0x24, 2), (0x38, 0x7800), (0x48, 0x10), (0x4C, 8), (0x50, 0x10), (0x54, 0x10),
            (0x58, 0x10), (0x5C, 0x10),
        ]
        for (place, value) in task { memory.write(0x5100 + place, value) }
    }

    /// EIP, ESP, whether it is for ring 3, CR3, FS, GS, EFLAGS, six registers.
    private func writeOrders(_ memory: PhysicalMemory, _ roots: [UInt32], _ code: inout HostileCode) {
        for index in 0..<UInt32(Self.orderCount) {
            let selectors: [UInt32] = [0x23, 0x23, 0x3B, 0x43, 0x4B, 0]
            let order: [UInt32] =
                [
                    code.target(), code.stack(), code.oneIn(2) ? 1 : 0, code.pick(roots), code.pick(selectors),
                    code.pick(selectors), code.word() & 0xCD5 | 2,
                ] + (0..<6).map { _ in code.oneIn(2) ? code.address() : code.word() }
            for (field, value) in order.enumerated() {
                memory.write(Self.orders + index * 64 + UInt32(field) * 4, value)
            }
        }
    }

    // MARK: Page tables

    /// Returns what CR3 has to be.
    private func writeTables(_ memory: PhysicalMemory, _ space: UInt32, _ code: inout HostileCode) -> UInt32 {
        let root = Self.tables + space * Self.spaceSize
        let tables = Tables(memory: memory, isPAE: paging == .pae, root: root)
        for number in 0..<Tables.count { fill(tables, number, &code) }
        let directoryCount = tables.isPAE ? 2048 : 1024
        for index in 0..<UInt32(directoryCount) { tables.setDirectory(index, directoryEntry(tables, &code)) }
        // The first region has the monitor and the guest where they are in RAM, and the last one the code once more.
        tables.setDirectory(0, UInt64(tables.table(0)) | 0x67)
        tables.setDirectory(UInt32(directoryCount - 1), UInt64(tables.table(Tables.count - 1)) | 0x67)
        for page in 1..<UInt32(8) { tables.set(0, page, UInt64(page) << 12 | 0x63) }
        for page in UInt32(Self.code >> 12)..<0x20 {
            tables.set(0, page, UInt64(page) << 12 | (code.oneIn(16) ? 0x66 : 0x67))
        }
        for page in UInt32(0x20)..<tables.entries where !hasRandomTables || !code.oneIn(3) {
            let isRoot = page << 12 >= Self.tables && page << 12 < Self.tables + UInt32(spaces) * Self.spaceSize
            let isThere = code.below(8) != 0 && (writesTables || !isRoot)
            tables.set(0, page, UInt64(page) << 12 | (isThere ? 0x67 : 0x66))
        }
        // From the end to the beginning.
        tables.set(0, 0, UInt64(Self.code) | (code.oneIn(4) ? 0x66 : 0x67))
        if hostility == .codeAtTheEnd || code.oneIn(2) {
            for page in 0..<UInt32(Self.codeSize >> 12) {
                let place = UInt64(Self.code) + UInt64(page) << 12
                tables.set(Tables.count - 1, tables.entries - UInt32(Self.codeSize >> 12) + page, place | 0x67)
            }
        }
        return root
    }

    private func fill(_ tables: Tables, _ number: Int, _ code: inout HostileCode) {
        for index in 0..<tables.entries { tables.set(number, index, entry(&code, isPAE: tables.isPAE)) }
    }

    /// A page somewhere, with any rights.
    private func entry(_ code: inout HostileCode, isPAE: Bool) -> UInt64 {
        guard !code.oneIn(8) else { return 0 }
        let tablePage = Self.tables + code.word() % Self.spaceSize
        let device = code.pick([0xB_8000, 0xA_0000, 0xFEC0_0000, code.word() | 0x0100_0000])
        let page = code.pick([
            Self.code + code.word() % 0x4000, 0x2_0000 + code.word() % 0x6_0000, 0xC_0000 + code.word() % 0x4_0000,
            writesTables ? tablePage : 0x2_0000, device,
        ])
        var entry = UInt64(page & 0xFFFF_F000) | (code.oneIn(8) ? 0 : 1)
        guard hasRandomTables else { return entry | 0x66 }
        // A global page that other address spaces have elsewhere is whichever the TLB holds.
        let rights: UInt32 = writesTables || spaces == 1 ? 0x17E : 0x7E
        entry |= UInt64(code.word() & rights) | (code.oneIn(2) ? 6 : 0)
        if isPAE, code.oneIn(16) { entry |= code.random.next() & 0x8000_000F_0000_0000 }
        return entry
    }

    private func directoryEntry(_ tables: Tables, _ code: inout HostileCode) -> UInt64 {
        switch code.below(8) {
        case 0: return 0
        case 1:
            // A large page, of RAM or beyond.
            let other: UInt64 = tables.isPAE ? 0x20_0000 : 0x40_0000
            return 0xE7 | code.pick([writesTables ? 0 : other, other, 0x80_0000, 0xFFC0_0000])
        case 2 where writesTables: return UInt64(tables.directory) | 0x67
        case 3 where writesTables: return UInt64(code.word() & 0x1F_F000) | UInt64(code.word() & 0x66) | 1
        default: return UInt64(tables.table(1 + code.below(Tables.count - 1))) | (code.oneIn(4) ? 0x65 : 0x67)
        }
    }

    /// The paging structures of an address space: directories, and tables that several entries of these share.
    private struct Tables {
        let memory: PhysicalMemory
        let isPAE: Bool
        let root: UInt32

        static let count = 6

        init(memory: PhysicalMemory, isPAE: Bool, root: UInt32) {
            (self.memory, self.isPAE, self.root) = (memory, isPAE, root)
            guard isPAE else { return }
            for index in 0..<UInt32(4) { memory.write(root + index * 8, UInt64(directory + index << 12) | 1) }
        }

        var entries: UInt32 { isPAE ? 512 : 1024 }
        var directory: UInt32 { isPAE ? root + 0x1000 : root }
        func table(_ number: Int) -> UInt32 { directory + (isPAE ? 0x4000 : 0x1000) + UInt32(number) << 12 }

        func setDirectory(_ index: UInt32, _ entry: UInt64) { write(directory, index, entry) }
        func set(_ number: Int, _ index: UInt32, _ entry: UInt64) { write(table(number), index, entry) }

        private func write(_ base: UInt32, _ index: UInt32, _ entry: UInt64) {
            if isPAE {
                memory.write(base + index * 8, entry)
            } else {
                memory.write(base + index * 4, UInt32(truncatingIfNeeded: entry))
            }
        }
    }
}
