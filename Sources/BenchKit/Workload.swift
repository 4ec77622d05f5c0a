/// One thing that is measured: a guest, and what it is asked to do.
public struct Workload: Equatable, Sendable {
    public enum Kind: String, Codable, CaseIterable, Sendable {
        /// User-mode computing, which also runs as a program of the host. An operation is one unit of work.
        case compute
        /// One operation of an operating system, over and over.
        case nano
    }

    public let name: String
    public let kind: Kind
    /// What it does, in a few words.
    public let summary: String

    /// The guest's file name.
    var image: String { kind == .nano ? "nano.elf" : "compute-\(name).elf" }
    /// The host program's path beside the guests.
    var hostProgram: String? { kind == .nano ? nil : "native/\(name)" }

    /// The guest's command line for so many units of work.
    func commandLine(units: Int) -> String { kind == .nano ? "op=\(name) units=\(units)" : "units=\(units)" }

    private init(_ kind: Kind, _ name: String, _ summary: String) {
        self.kind = kind
        self.name = name
        self.summary = summary
    }

    /// All, in the order of reports; a row here and a source file in Guests is all that a new one needs.
    public static let all = [
        Workload(.compute, "hash", "CRC-32 and MD5: integer arithmetic, rotates, look-ups"),
        Workload(.compute, "collatz", "a branch every few instructions that nobody predicts"),
        Workload(.compute, "calls", "recursion: calls and returns"),
        Workload(.compute, "interpreter", "bytecode: indirect jumps"),
        Workload(.compute, "chase", "pointers through 4 MiB, each load waiting for the last"),
        Workload(.compute, "stream", "copies, fills and sums of 128 KiB, by REP and by loops"),
        Workload(.compute, "strings", "SCAS, CMPS and byte loops over text"),
        Workload(.compute, "sieve", "byte stores at growing strides"),
        Workload(.compute, "sort", "quicksort of 4,096 words"),
        Workload(.compute, "matrix-x87", "doubles on the x87's stack"),
        Workload(.compute, "matrix-sse", "doubles in SSE2 registers, two at a time"),
        Workload(.compute, "smc", "code that is patched or generated every 2,000 instructions"),
        Workload(.nano, "syscall", "INT 0x80 from ring 3, IRET"),
        Workload(.nano, "sysenter", "SYSENTER from ring 3, SYSEXIT"),
        Workload(.nano, "in", "IN from port 0x80"),
        Workload(.nano, "cr-write", "MOV to CR0 that changes TS"),
        Workload(.nano, "call-ret", "near CALL and RET"),
        Workload(.nano, "page-fault", "a load from an absent page in ring 0, handler, IRET"),
        Workload(.nano, "divide-zero", "DIV by zero in ring 0, handler, IRET"),
        Workload(.nano, "pte-write", "a bit of a page table entry that is in use"),
        Workload(.nano, "pte-remap", "another frame for a page, INVLPG, and a load from it"),
        Workload(.nano, "context-switch", "another stack and CR3, and a load from a private page"),
        Workload(.nano, "timer", "8254 one-shot, HLT, interrupt, EOI, IRET"),
    ]
}
