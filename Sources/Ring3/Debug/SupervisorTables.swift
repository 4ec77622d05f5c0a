import Hardware
import X86

/// The segments that user code starts with.
struct InitialSegments {
    let code: Segment
    let data: Segment
    let window: Segment
    let supervisorStack: Segment
}

/// Descriptor tables, page tables and handlers of a `UserModeMachine`, in the reserved part of its address space.
enum SupervisorTables {
    static let hlt: UInt8 = 0xF4

    private static let gdt: UInt32 = 0x31_0000
    private static let tss: UInt32 = 0x31_0100
    private static let idt: UInt32 = 0x31_0800
    /// The handler of vector n is the HLT at n.
    static let handlers: UInt32 = 0x31_1000
    static let stackTop: UInt32 = 0x31_3000
    /// Operand of FXSAVE and FXRSTOR.
    static let extendedImage: UInt32 = 0x31_3000
    private static let supervisorPages: Range<UInt32> = gdt..<0x31_4000
    private static let directoryPointers: UInt32 = 0x31_4000
    private static let directory: UInt32 = 0x31_5000
    private static let pageTable: UInt32 = 0x31_6000

    private static let supervisorCode: UInt16 = 0x08
    private static let supervisorData: UInt16 = 0x18
    private static let taskState: UInt16 = 0x40

    /// As in a 64-bit Linux (arch/x86/kernel/cpu/common.c, gdt_page), because LAR, LSL, VERR and VERW tell: 1 to 3 of
    /// the kernel, 4 to 6 for 32-bit and 64-bit programs, 8 the TSS, 12 to 14 of the thread.
    private static var descriptors: [Int: UInt64] {
        // Data, writable, accessed, DPL 3, 32-bit, byte-granular, with AVL set, which is the kernel's "usable".
        let window = UInt64(UserLayout.dataSize - 1) | UInt64(UserLayout.data & 0xFF_FFFF) << 16 | 0x0050_F300_0000_0000
        return [
            1: 0x00CF_9B00_0000_FFFF, 2: 0x00AF_9B00_0000_FFFF, 3: 0x00CF_9300_0000_FFFF,
            4: 0x00CF_FB00_0000_FFFF, 5: 0x00CF_F300_0000_FFFF, 6: 0x00AF_FB00_0000_FFFF,
            8: 0x0000_8900_0000_0067 | UInt64(tss & 0xFF_FFFF) << 16, 12: window,
        ]
    }

    /// Writes the tables.
    static func build(in memory: PhysicalMemory) -> InitialSegments {
        for (index, descriptor) in descriptors { memory.write(gdt + UInt32(index) * 8, descriptor) }
        // TSS (SDM 3A 7.2.1): stack of ring 0, and an I/O permission map that begins past its end.
        memory.write(tss + 4, stackTop)
        memory.write(tss + 8, UInt32(supervisorData))
        memory.write(tss + 0x66, UInt16(0xFFFF))
        for vector in UInt32(0)..<256 {
            let handler = handlers + vector
            // Interrupt gates; those of INT3 and INTO may be used by programs, as under Linux.
            let type: UInt64 = vector == 3 || vector == 4 ? 0xEE00 : 0x8E00
            let low = UInt64(handler & 0xFFFF) | UInt64(supervisorCode) << 16
            memory.write(idt + vector * 8, low | type << 32 | UInt64(handler >> 16) << 48)
            memory.write(handler, hlt)
        }
        mapPages(in: memory)
        func segment(_ selector: UInt16) -> Segment {
            let value = descriptors[Int(selector >> 3)] ?? 0
            return Segment(
                selector: selector, low: UInt32(truncatingIfNeeded: value),
                high: UInt32(truncatingIfNeeded: value >> 32))
        }
        return InitialSegments(
            code: segment(UserLayout.codeSelector), data: segment(UserLayout.dataSelector),
            window: segment(UserLayout.windowSelector), supervisorStack: segment(supervisorData))
    }

    /// PAE, for NX: one page directory of which one entry, that of 2 to 4 MiB, is there.
    private static func mapPages(in memory: PhysicalMemory) {
        let (present, writable, user, used): (UInt64, UInt64, UInt64, UInt64) = (1, 2, 4, 0x60)
        let noExecute: UInt64 = 1 << 63
        memory.write(directoryPointers, UInt64(directory) | present)
        memory.write(directory + 8, UInt64(pageTable) | present | writable | user | used)
        func map(_ start: UInt32, _ size: UInt32, _ rights: UInt64) {
            for page in stride(from: start, to: start + size, by: 0x1000) {
                memory.write(pageTable + (page >> 12 & 0x1FF) * 8, UInt64(page) | present | used | rights)
            }
        }
        map(UserLayout.code, UserLayout.codeSize, user)
        map(UserLayout.data, UserLayout.dataSize, user | writable | noExecute)
        map(UserLayout.constants, UserLayout.constantsSize, user | noExecute)
        map(UserLayout.stack, UserLayout.stackSize, user | writable | noExecute)
        map(supervisorPages.lowerBound, UInt32(supervisorPages.count), writable)
    }

    /// Lets the processor use the tables, at ring 0.
    static func activate(_ cpu: Processor) {
        cpu.pointee.gdtr = DescriptorTable(base: gdt, limit: 0x7F)
        cpu.pointee.idtr = DescriptorTable(base: idt, limit: 0x7FF)
        do throws(Fault) {
            try cpu.writeCR4(CR4.pae | CR4.osfxsr | CR4.osxmmexcpt)
            cpu.pointee.efer = EFER.nxe
            cpu.pointee.cr3 = directoryPointers
            try cpu.writeCR0(CR0.pe | CR0.mp | CR0.et | CR0.ne | CR0.wp | CR0.am | CR0.pg)
            try cpu.loadSegment(.ss, supervisorData)
            try cpu.loadTaskRegister(taskState)
        } catch {
            preconditionFailure("tables of our own making raise vector \(error.vector)")
        }
    }
}
