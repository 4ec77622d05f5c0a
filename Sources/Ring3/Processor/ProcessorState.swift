import X86

/// A segment register with its hidden part (SDM 3A 3.4.3).
public struct Segment: Equatable, Sendable {
    public var selector: UInt16 = 0
    /// Descriptor bits 40–47 and 52–55 in their places of the descriptor's high word, shifted right by 8:
    /// type and S (0–4), DPL (5–6), P (7), AVL (12), D/B (14), G (15).
    public var attributes: UInt16 = 0
    public var base: UInt32 = 0
    /// Last offset (or, expand-down, the offset before the first), in bytes.
    public var limit: UInt32 = 0
    /// First byte offset past what an access may touch when nothing else needs checking; 0 sends every access through
    /// the checked path (null, expand-down, not readable). One for reads, one for writes.
    public var readEnd: UInt64 = 0
    public var writeEnd: UInt64 = 0
}

/// One entry of the software TLB: tags, one host address.
///
/// A tag is the linear page address, or 1 (which no page address equals) where that kind of access must take the slow
/// path: not permitted, MMIO, watched (code or data breakpoint), or not yet marked accessed/dirty.
struct TLBEntry {
    var readTag: UInt32 = 1
    var writeTag: UInt32 = 1
    var executeTag: UInt32 = 1
    /// The page is writable and marked dirty, whether or not writes must be seen (code, log, breakpoint): the slow path
    /// need not walk the page tables again.
    var dirtyTag: UInt32 = 1
    /// Guest-physical page address.
    var physicalPage: UInt32 = 0
    /// Page is global (kept over CR3 loads when CR4.PGE is set). Stands here to make an entry 32 bytes.
    var isGlobal: Bool = false
    /// Add to a linear address to get the host address.
    var addend: Int = 0
}

/// Everything the virtual CPU is made of, in one fixed-layout struct behind one unsafe pointer.
///
/// The register file is first: an instruction names registers by byte offset (see `RegisterFile`).
public struct ProcessorState {
    /// EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI and the zero slot.
    public var eax: UInt32 = 0
    public var ecx: UInt32 = 0
    public var edx: UInt32 = 0
    public var ebx: UInt32 = 0
    public var esp: UInt32 = 0
    public var ebp: UInt32 = 0
    public var esi: UInt32 = 0
    public var edi: UInt32 = 0
    var zero: UInt32 = 0
    public var eip: UInt32 = 0
    /// Status flags, lazily: see `StatusFlags`.
    var status = StatusFlags()
    /// EFLAGS without the six status flags; bit 1 is set.
    var systemFlags: UInt32 = Flags.reserved1

    // ES, CS, SS, DS, FS, GS, in the order of `SegmentRegister`.
    public var es = Segment()
    public var cs = Segment()
    public var ss = Segment()
    public var ds = Segment()
    public var fs = Segment()
    public var gs = Segment()

    public var ldtr = Segment()
    public var tr = Segment()
    public var gdtr = DescriptorTable()
    public var idtr = DescriptorTable()
    var known = KnownSegments()

    public var cr0: UInt32 = 0
    public var cr2: UInt32 = 0
    public var cr3: UInt32 = 0
    public var cr4: UInt32 = 0
    public var efer: UInt32 = 0
    /// The four page-directory-pointer entries, loaded with CR3 in PAE mode (SDM 3A 4.4.1).
    var pdpte: InlineArray<4, UInt64> = [0, 0, 0, 0]
    public var dr: InlineArray<4, UInt32> = [0, 0, 0, 0]
    public var dr6: UInt32 = DebugRegister.dr6Reserved
    public var dr7: UInt32 = DebugRegister.dr7Reserved
    var miscellaneousEnable = MiscellaneousEnable.reset
    var sysenterCS: UInt32 = 0 {
        didSet { systemCall = SystemCallSegments(sysenterCS: sysenterCS) }
    }
    var sysenterESP: UInt32 = 0
    var sysenterEIP: UInt32 = 0
    private(set) var systemCall = SystemCallSegments()
    /// Added to the platform's timestamp counter by WRMSR.
    var timestampOffset: UInt64 = 0

    /// Current privilege level, 0...3.
    public var cpl: UInt8 = 0
    /// CR0.PE, and EFLAGS.VM within it.
    var isProtected = false
    var isVirtual8086 = false
    /// D bit of CS.
    var is32BitCode = false
    /// 0xFFFF or 0xFFFF_FFFF by the B bit of SS.
    var stackMask: UInt32 = 0xFFFF

    /// EIP of the instruction being executed; `eip` already points past it.
    public var instructionStart: UInt32 = 0
    /// Instructions begun since reset.
    public var instructions: UInt64 = 0
    /// The run loop looks up when `instructions` reaches this. 0 when there is attention to be paid.
    var stopAt: UInt64 = 0
    /// What `stopAt` is when nothing wants attention.
    var sliceEnd: UInt64 = 0
    var attention: Attention = []
    /// Level of the INTR pin.
    var interruptLine = false
    /// Interrupts are held off at the instruction boundary with this count: after STI, MOV SS, POP SS.
    var shadowAt: UInt64 = .max
    /// Debug exceptions too are held off there: after MOV SS, POP SS (SDM 3A 6.8.3).
    var debugShadowAt: UInt64 = .max
    /// DR6 bits of a debug trap to be raised after this instruction.
    var pendingDebug: UInt32 = 0
    /// Counts the transfers through the IDT, which cancel the single-step trap of their instruction.
    var stepsCancelled: UInt64 = 0
    /// FERR#: an unmasked x87 exception with CR0.NE clear; reaches the PIC as IRQ 13.
    var ferr = false

    var fetch = FetchWindow()
    /// TLB bank in use: supervisor, user, or the never-filled one while alignment is checked.
    var tlb: UnsafeMutablePointer<TLBEntry>
    let tlbBanks: UnsafeMutablePointer<TLBEntry>
    /// Numbers of the entries that were filled since the last flush, but for global translations; how many there are, or more
    /// than there is room for.
    let tlbLocal: UnsafeMutablePointer<UInt16>
    var tlbLocalCount = 0
    /// Global ones were filled since all were flushed.
    var tlbHasGlobal = false
    /// Of which a part may be in the TLB as part of a large page.
    var largePageRegions = RegionSet()
    var hasDataBreakpoints = false
    /// Where a read-modify-write that cannot work in place keeps its value meanwhile.
    var scratch = ModifyScratch()
    /// Elements of a repeated string instruction that an engine has done of the slice that the instruction goes on with.
    var repeatsDone: UInt32 = 0

    let ramBase: UnsafeMutableRawPointer
    let ramSize: UInt32
    /// One word a RAM page, one bit per 64 bytes with code that somebody has decoded or translated: writes there must be told to `platform`.
    let codeMap: UnsafeMutablePointer<UInt64>
    /// Address line 20: all ones, or without bit 20.
    var a20Mask: UInt32 = .max
    let platform: Unmanaged<Platform>

    public var fpu = FPUState()
    public var sse = SSEState()
    public var statistics = Statistics()
    /// Accesses that somebody has to see: to the memory of devices, and writes to pages that hold code.
    var witnessed: UInt64 = 0
    var native = NativeContext()
    /// Keeps translations of its own, and is told when they end.
    unowned(unsafe) var translationObserver: (any TranslationObserver)?
    /// Gets every write to RAM; the TLB then holds no page for writing.
    var writeLog: Unmanaged<WriteLog>?
    /// The faults that the last exception consisted of: usually one.
    var faultChain = FaultChain()
    /// Linear addresses of the last instructions, at `instructions` modulo its size.
    var history: InlineArray<16, UInt32> = InlineArray(repeating: 0)

    init(platform: Platform) {
        tlbBanks = .allocate(capacity: TLB.entries * TLB.banks)
        tlbBanks.initialize(repeating: TLBEntry(), count: TLB.entries * TLB.banks)
        tlb = tlbBanks
        tlbLocal = .allocate(capacity: TLB.listed)
        tlbLocal.initialize(repeating: 0, count: TLB.listed)
        ramBase = platform.memory.base
        ramSize = UInt32(platform.memory.size)
        let pages = platform.memory.size >> 12
        codeMap = .allocate(capacity: pages)
        codeMap.initialize(repeating: 0, count: pages)
        self.platform = Unmanaged.passRetained(platform)
    }
}

/// GDTR or IDTR: linear base address, limit in bytes minus one.
public struct DescriptorTable: Equatable, Sendable {
    public var base: UInt32 = 0
    public var limit: UInt16 = 0xFFFF
}

/// The stretch of code that can be fetched without asking: one page, cut at the CS limit.
struct FetchWindow {
    /// EIP of the first byte, and how many follow; 0 when the window must be found anew.
    var start: UInt32 = 0
    var count: UInt32 = 0
    /// Guest-physical address of the first byte.
    var physical: UInt32 = 0
    /// The decode cache's tag of the first byte. Before there is a window, one from which no sum is the tag of an empty
    /// slot.
    var tag: UInt64 = 1
}

/// A read-modify-write under way through the slow path.
struct ModifyScratch {
    var value: UInt64 = 0
    var first: UInt64 = 0
    var second: UInt64 = 0
    var count: UInt32 = 0
}

/// One link of a chain of faults.
public struct FaultRecord: Equatable, Sendable {
    public var vector: UInt8 = 0
    public var errorCode: UInt32?
    public var cr2: UInt32 = 0
    public var eip: UInt32 = 0
}

/// A fault and those raised while delivering it, without allocation.
///
/// There are four at most: a benign fault, a contributory one or a page fault in delivering it, another that makes the
/// two a double fault, and the last that shuts the processor down (SDM 3A table 6-5).
struct FaultChain {
    private var records: InlineArray<4, FaultRecord> = InlineArray(repeating: FaultRecord())
    private(set) var count = 0

    mutating func removeAll() { count = 0 }

    mutating func append(_ record: FaultRecord) {
        guard count < 4 else { return }
        records[count] = record
        count += 1
    }

    var all: [FaultRecord] { (0..<count).map { records[$0] } }
}

/// What the processor counts.
public struct Statistics: Sendable {
    /// Exceptions delivered, by vector.
    public var exceptions: InlineArray<32, UInt64> = InlineArray(repeating: 0)
    public var hardwareInterrupts: UInt64 = 0
    public var softwareInterrupts: UInt64 = 0
    public var taskSwitches: UInt64 = 0
    public var tlbMisses: UInt64 = 0
    public var tlbFlushes: UInt64 = 0
    public var portReads: UInt64 = 0
    public var portWrites: UInt64 = 0
    public var mmioAccesses: UInt64 = 0
    public var halts: UInt64 = 0
    public var controlRegisterWrites: UInt64 = 0
    public var pageInvalidations: UInt64 = 0
    /// RDMSR and WRMSR.
    public var modelSpecificRegisterAccesses: UInt64 = 0
    public var timestampReads: UInt64 = 0
    public var identifications: UInt64 = 0
    public var codeWrites: UInt64 = 0
    public var decodes: UInt64 = 0
}

/// The virtual CPU: a pointer to its state, and (in extensions) everything that can be done to it.
///
/// All semantics are methods of this pointer, which reach state through `pointee`: no copies, no exclusivity checks,
/// no reference counting.
public typealias Processor = UnsafeMutablePointer<ProcessorState>
