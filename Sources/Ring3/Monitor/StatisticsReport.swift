import Foundation

/// The statistics of a run as `--stats` prints them.
///
/// `hostSeconds` and `mips` measure the host; everything else is the same for every deterministic run of a guest.
public struct StatisticsReport: Encodable, CustomStringConvertible {
    public struct Interrupts: Encodable {
        public let hardware: UInt64
        public let software: UInt64
    }

    public struct TLB: Encodable {
        public let misses: UInt64
        public let flushes: UInt64
    }

    /// What translation came to. Counts are since power-on, but `bytes` are those in use now.
    public struct Translation: Encodable {
        public let blocks: UInt64
        public let instructions: UInt64
        /// Nil, and not in the JSON, for an engine without micro-ops.
        public let microOps: UInt64?
        public let invalidated: UInt64
        /// Writes of constants into code that blocks took over as they were.
        public let repaired: UInt64
        public let evictions: UInt64
        public let links: UInt64
        public let entries: UInt64
        public let interpreted: UInt64
        public let slowPaths: UInt64
        public let bytes: UInt64
    }

    public let engine: String
    public let instructions: UInt64
    public let hostSeconds: Double
    /// Million guest instructions per host second.
    public let mips: Double
    public let virtualSeconds: Double
    /// Exceptions delivered, by name: "#PF".
    public let exceptions: [String: UInt64]
    public let interrupts: Interrupts
    /// What the guest did that only the monitor can do for it, by kind.
    public let callouts: [String: UInt64]
    public let tlb: TLB
    /// Instructions decoded.
    public let decodes: UInt64
    /// Writes into memory that holds decoded code.
    public let codeWrites: UInt64
    public let taskSwitches: UInt64
    /// Nil, and not in the JSON, for an engine that does not translate.
    public let translation: Translation?

    public init(_ run: RunStatistics, engine: Engine, hostSeconds: Double) {
        let counts = run.processor
        self.engine = engine.rawValue
        instructions = run.instructions
        self.hostSeconds = hostSeconds
        mips = hostSeconds > 0 ? Double(run.instructions) / hostSeconds / 1e6 : 0
        virtualSeconds = Double(run.virtualNanoseconds) / 1e9
        let vectors = (UInt8(0)..<32).filter { counts.exceptions[Int($0)] > 0 }
        exceptions = Dictionary(
            uniqueKeysWithValues: vectors.map { (Vector.mnemonic($0), counts.exceptions[Int($0)]) })
        interrupts = Interrupts(hardware: counts.hardwareInterrupts, software: counts.softwareInterrupts)
        callouts = [
            "portRead": counts.portReads, "portWrite": counts.portWrites, "mmio": counts.mmioAccesses,
            "halt": counts.halts, "controlRegister": counts.controlRegisterWrites,
            "pageInvalidation": counts.pageInvalidations, "msr": counts.modelSpecificRegisterAccesses,
            "timestamp": counts.timestampReads, "cpuid": counts.identifications,
        ]
        tlb = TLB(misses: counts.tlbMisses, flushes: counts.tlbFlushes)
        decodes = counts.decodes
        codeWrites = counts.codeWrites
        taskSwitches = counts.taskSwitches
        translation = run.translation.map(Translation.init)
    }

    /// One JSON object, keys sorted, without a newline at the end.
    public var json: String { reportJSON }

    /// One line a number, aligned.
    public var description: String {
        func seconds(_ value: Double) -> String { String(format: "%.3f", value) }
        var rows: [(name: String, value: String)] = [
            ("engine", engine), ("instructions", "\(instructions)"), ("host seconds", seconds(hostSeconds)),
            ("MIPS", String(format: "%.1f", mips)), ("virtual seconds", seconds(virtualSeconds)),
        ]
        func add(_ title: String, _ counts: [String: UInt64]) {
            rows += counts.sorted { $0.key < $1.key }.map { ("\(title) \($0.key)", "\($0.value)") }
        }
        add("exceptions", exceptions)
        add("interrupts", ["hardware": interrupts.hardware, "software": interrupts.software])
        add("callouts", callouts)
        add("TLB", ["misses": tlb.misses, "flushes": tlb.flushes])
        add("code", ["decodes": decodes, "writes": codeWrites])
        rows.append(("task switches", "\(taskSwitches)"))
        if let translation { rows += translation.rows.map { ("translation \($0.name)", "\($0.value)") } }
        let width = (rows.map(\.value.count).max() ?? 0) + 30
        return rows.map { row in
            let gap = String(repeating: " ", count: width - row.name.count - row.value.count)
            return row.name + gap + row.value
        }.joined(separator: "\n")
    }
}

extension StatisticsReport.Translation {
    init(_ counts: TranslationStatistics) {
        blocks = counts.blocksTranslated
        instructions = counts.instructionsTranslated
        microOps = counts.microOps == 0 ? nil : counts.microOps
        invalidated = counts.blocksInvalidated
        repaired = counts.blocksRepaired
        evictions = counts.evictions
        links = counts.links
        entries = counts.entries
        interpreted = counts.interpreted
        slowPaths = counts.slowPaths
        bytes = counts.bytes
    }

    fileprivate var rows: [(name: String, value: UInt64)] {
        [("blocks", blocks), ("instructions", instructions)] + (microOps.map { [("micro-ops", $0)] } ?? []) + [
            ("invalidated", invalidated), ("repaired", repaired), ("evictions", evictions), ("links", links),
            ("entries", entries), ("interpreted", interpreted), ("slow paths", slowPaths), ("bytes", bytes),
        ]
    }
}
