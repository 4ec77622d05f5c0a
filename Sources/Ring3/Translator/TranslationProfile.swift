import X86

/// What the micro-op `profile` stands for.
enum ProfiledStep: UInt8 {
    /// The block is entered; `immediate` is the number of its record.
    case entry
    /// A callout, to be timed: the micro-op is otherwise the callout's own. `b`, `c` and `d` are its site's number.
    case callout, calloutEnd
}

/// What becomes of translated blocks, kept only while somebody inspects: executions, time, callouts, invalidations.
///
/// Without one the translator emits no `profile` micro-ops, so that it costs nothing. Records are by place in RAM and
/// mode, not by translation: a guest that rewrites its code for ever does not make them grow.
final class TranslationProfile {
    /// What the micro-ops count; of all translations of a place together.
    struct Counter {
        var executions: UInt64 = 0
        /// Exact: what was counted between this block's entries and those of the blocks behind it.
        var instructions: UInt64 = 0
        /// Nanoseconds of the executions that were timed.
        var sampledTime: UInt64 = 0
        var samples: UInt64 = 0
        /// Address of the first byte in the latest execution, or translation.
        var linear: UInt32 = 0
        var eip: UInt32 = 0
    }

    /// How a translation ended.
    struct Ending {
        enum Cause {
            /// The instruction at linear address `writer` wrote `count` bytes there.
            case write(physical: UInt32, count: UInt32, writer: UInt32)
            /// The cache was full.
            case eviction
        }

        var cause: Cause
        /// Which of the translations it was, from 1.
        var version: UInt32
        /// How often this one was executed, and how many instructions the machine had executed when it ended.
        var executions: UInt64
        var instructions: UInt64
    }

    /// A place in RAM that has been translated.
    struct Record {
        var key: UInt64
        /// Linear address at the first translation: the same place may be executed at others.
        var firstLinear: UInt32
        /// The translation in force; nil if it has ended.
        var block: BlockPointer?
        /// The guest's bytes, as last translated.
        var bytes: [UInt8] = []
        var versions: UInt32 = 0
        /// Executions before this version.
        var executionsBefore: UInt64 = 0
        /// The latest; older ones are only counted.
        var endings: [Ending] = []
        /// What the last translation was, if its memory has been reused.
        var remains: BlockRemains?
    }

    /// A copy of a block that had to go.
    struct BlockRemains {
        var mode: BlockMode
        var instructions: [BlockInstruction]
        var ops: [MicroOp]
    }

    /// A sensitive instruction that was met.
    struct Site {
        var linear: UInt32
        /// Row of `Sensitivity.table`.
        var row: UInt8
        var instruction: Instruction
        var executions: UInt64 = 0
        /// Of `executions`, those that the interpreter did.
        var interpreted: UInt64 = 0
        var time: UInt64 = 0
        var leastTime = UInt64.max
    }

    private struct SiteKey: Hashable {
        var linear: UInt32
        var row: UInt8
    }

    /// Endings kept of a place, and copies of blocks kept at an eviction.
    static let endingsKept = 8
    static let remainsKept = 1000
    /// Addresses of which it is known how often the interpreter executed what is there.
    private static let addressesKept = 1 << 16

    private let cpu: Processor
    private(set) var records: [Record] = []
    private(set) var sites: [Site] = []
    private(set) var interpreted: [UInt32: UInt64] = [:]
    private(set) var counters: UnsafeMutablePointer<Counter>
    private var capacity = 1 << 10
    private var recordNumbers: [UInt64: Int] = [:]
    private var siteNumbers: [SiteKey: Int] = [:]
    /// The block that is being executed, the count when it was entered; -1 if none is.
    private var current = -1
    private var enteredAt: UInt64 = 0
    /// Address of the block that is being translated.
    private var translating: UInt32 = 0
    // Time is taken of one execution in 16 on average, in no fixed rhythm.
    private var untilSample: UInt32 = 1
    private var random: UInt32 = 1
    private var sampleStart: UInt64?
    /// Nanoseconds of reading the clock that fell into the sample.
    private var disturbance: UInt64 = 0
    /// What reading the clock takes, and a sample that was surely interrupted by the host.
    let clockCost: UInt64
    private static let longestSample: UInt64 = 200_000

    init(cpu: Processor) {
        self.cpu = cpu
        counters = .allocate(capacity: capacity)
        counters.initialize(repeating: Counter(), count: capacity)
        clockCost = (0..<1000).reduce(UInt64.max) { least, _ in
            let start = VirtualTime.hostNow()
            return Swift.min(least, VirtualTime.hostNow() - start)
        }
    }

    deinit { counters.deallocate() }

    // MARK: What the translator asks

    /// The micro-op for the start of a block.
    func entry(_ key: UInt64, linear: UInt32) -> MicroOp {
        let number = recordNumbers[key] ?? addRecord(key, linear)
        counters[number].linear = linear
        counters[number].eip = linear &- cpu.pointee.cs.base
        translating = linear
        var op = MicroOp(opcode: .profile, index: 0)
        op.a = ProfiledStep.entry.rawValue
        op.immediate = UInt32(truncatingIfNeeded: number)
        return op
    }

    private func addRecord(_ key: UInt64, _ linear: UInt32) -> Int {
        let number = records.count
        records.append(Record(key: key, firstLinear: linear))
        recordNumbers[key] = number
        if number == capacity {
            let larger = UnsafeMutablePointer<Counter>.allocate(capacity: capacity * 2)
            larger.initialize(repeating: Counter(), count: capacity * 2)
            larger.update(from: counters, count: capacity)
            counters.deallocate()
            counters = larger
            capacity *= 2
        }
        return number
    }

    /// Makes `op` time itself, if it is a callout.
    func time(_ op: inout MicroOp, _ record: BlockInstruction) {
        let step: ProfiledStep
        switch op.opcode {
        case .callout: step = .callout
        case .calloutEnd: step = .calloutEnd
        default: return
        }
        let number = site(record.instruction, linear: translating &+ UInt32(record.offset))
        // 24 bits are left in the micro-op. A guest with more sites than that has the rest in its blocks' time only.
        guard number < 1 << 24 else { return }
        op.opcode = .profile
        op.a = step.rawValue
        op.b = UInt8(truncatingIfNeeded: number)
        op.c = UInt8(truncatingIfNeeded: number >> 8)
        op.d = UInt8(truncatingIfNeeded: number >> 16)
    }

    private func site(_ instruction: Instruction, linear: UInt32) -> Int {
        let key = SiteKey(linear: linear, row: instruction.sensitivityIndex)
        if let number = siteNumbers[key] { return number }
        sites.append(Site(linear: linear, row: key.row, instruction: instruction))
        siteNumbers[key] = sites.count - 1
        return sites.count - 1
    }

    func translated(_ block: BlockPointer) {
        guard let number = number(of: block) else { return }
        records[number].block = block
        records[number].bytes = block.bytes(in: cpu)
        records[number].versions &+= 1
        records[number].remains = nil
    }

    /// The number of the record of a block.
    func number(of block: BlockPointer) -> Int? {
        let first = block.pointee.ops
        guard block.pointee.opCount > 0, first.pointee.opcode == .profile else { return nil }
        return Int(first.pointee.immediate)
    }

    // MARK: What the cache tells

    func invalidated(_ block: BlockPointer, byWritingTo physical: UInt32, count: UInt32) {
        let writer = cpu.pointee.cs.base &+ cpu.pointee.instructionStart
        end(block, .write(physical: physical, count: count, writer: writer))
    }

    /// All blocks are about to go. Keeps copies of the hottest.
    func evicted(_ blocks: [BlockPointer]) {
        leave()
        for block in blocks { end(block, .eviction) }
        let hottest = blocks.compactMap(number(of:)).sorted { counters[$0].instructions > counters[$1].instructions }
        var left = Set(hottest.prefix(Self.remainsKept))
        for block in blocks {
            guard let number = number(of: block), left.remove(number) != nil else { continue }
            records[number].remains = BlockRemains(block)
        }
    }

    private func end(_ block: BlockPointer, _ cause: Ending.Cause) {
        guard let number = number(of: block), records[number].block == block else { return }
        records[number].block = nil
        // The arena keeps what a stale block was, until everything goes.
        if case .write = cause { records[number].remains = BlockRemains(block) }
        let executions = counters[number].executions - records[number].executionsBefore
        records[number].executionsBefore = counters[number].executions
        if records[number].endings.count == Self.endingsKept { records[number].endings.removeFirst() }
        records[number].endings.append(
            Ending(
                cause: cause, version: records[number].versions, executions: executions,
                instructions: cpu.pointee.instructions))
    }

    // MARK: What the engine does

    /// A block is entered.
    @inline(never)
    func enter(_ number: Int, eip: UInt32) {
        leave()
        current = number
        let counter = counters + number
        counter.pointee.executions &+= 1
        counter.pointee.eip = eip
        counter.pointee.linear = cpu.pointee.cs.base &+ eip
        untilSample -= 1
        if untilSample == 0 {
            random = random &* 1_664_525 &+ 1_013_904_223
            untilSample = random >> 27 + 1
            disturbance = 0
            sampleStart = VirtualTime.hostNow()
        }
    }

    /// The block that was entered last is over, everything counted.
    @inline(never)
    func leave() {
        let instructions = cpu.pointee.instructions
        guard current >= 0 else { return enteredAt = instructions }
        let counter = counters + current
        counter.pointee.instructions &+= instructions &- enteredAt
        if let start = sampleStart {
            let time = VirtualTime.hostNow() - start
            sampleStart = nil
            if time < Self.longestSample {
                counter.pointee.samples &+= 1
                counter.pointee.sampledTime &+= time - Swift.min(time, clockCost + disturbance)
            }
        }
        current = -1
        enteredAt = instructions
    }

    /// Does a callout and times it.
    func timed<T>(_ number: Int, _ body: () -> T) -> T {
        let start = VirtualTime.hostNow()
        let result = body()
        note(number, VirtualTime.hostNow() - start)
        return result
    }

    private func note(_ number: Int, _ elapsed: UInt64) {
        let time = elapsed - Swift.min(elapsed, clockCost)
        disturbance &+= clockCost * 2
        sites[number].executions &+= 1
        sites[number].time &+= time
        sites[number].leastTime = Swift.min(sites[number].leastTime, time)
    }

    /// Lets the interpreter do what may be an instruction outside of any block.
    func interpret<T>(with interpreter: Interpreter, _ body: () -> T) -> T {
        leave()
        let before = cpu.pointee.instructions
        let linear = cpu.pointee.cs.base &+ cpu.pointee.eip
        let (isUser, is32Bit) = (cpu.pointee.cpl == 3, cpu.pointee.is32BitCode)
        // Looking must change nothing, not even the TLB: what is not known before the fetch is known behind it.
        let known = instruction(at: linear, isUser: isUser, is32Bit: is32Bit, interpreter)
        let start = VirtualTime.hostNow()
        let result = body()
        let elapsed = VirtualTime.hostNow() - start
        // It may have delivered an interrupt instead, or found that nothing may be executed.
        guard cpu.pointee.instructions != before else { return result }
        if interpreted[linear] != nil || interpreted.count < Self.addressesKept {
            interpreted[linear, default: 0] &+= 1
        }
        guard let begun = known ?? instruction(at: linear, isUser: isUser, is32Bit: is32Bit, interpreter),
            begun.sensitivity.isSensitive
        else { return result }
        let number = site(begun, linear: linear)
        note(number, elapsed)
        sites[number].interpreted &+= 1
        return result
    }

    /// The instruction at a linear address, if the TLB knows its page.
    private func instruction(
        at linear: UInt32, isUser: Bool, is32Bit: Bool, _ interpreter: Interpreter
    ) -> Instruction? {
        let entry = cpu.pointee.tlbBanks + (Int(linear >> 12 & TLB.mask) + (isUser ? TLB.entries : 0))
        guard entry.pointee.executeTag == linear & 0xFFFF_F000 else { return nil }
        let physical = entry.pointee.physicalPage | linear & 0xFFF
        return interpreter.decoded(at: physical, is32Bit: is32Bit)
            ?? interpreter.decodedAcrossPages(at: physical, linear: linear, is32Bit: is32Bit)?.instruction
    }
}

extension TranslationProfile.BlockRemains {
    init(_ block: BlockPointer) {
        mode = block.pointee.mode
        instructions = Array(
            UnsafeBufferPointer(start: block.pointee.instructions, count: Int(block.pointee.instructionCount)))
        ops = Array(UnsafeBufferPointer(start: block.pointee.ops, count: Int(block.pointee.opCount)))
    }
}

extension BlockPointer {
    /// The guest's bytes: those of the block's page from RAM, those beyond it from the guard of the last instruction.
    fileprivate func bytes(in cpu: Processor) -> [UInt8] {
        let inPage = UnsafeRawBufferPointer(
            start: cpu.pointee.ramBase + Int(pointee.physical), count: Int(pointee.end &- pointee.physical))
        var bytes = Array(inPage)
        for index in 0..<Int(pointee.opCount) where pointee.ops[index].opcode == .crossing {
            withUnsafeBytes(of: &pointee.ops[index + 1]) { bytes += $0.prefix(Int(pointee.ops[index].a)) }
            break
        }
        return bytes
    }
}

extension ThreadedEngine {
    /// Does what the micro-op `profile` stands for; false when the block must be left.
    @inline(never)
    func executeProfiled(_ pc: MicroOpPointer, in block: BlockPointer, _ entry: UInt32) -> Bool {
        guard let profile = cache.profile, let step = ProfiledStep(rawValue: pc.pointee.a) else { return false }
        if step == .entry {
            profile.enter(Int(pc.pointee.immediate), eip: entry)
            return true
        }
        let op = pc.pointee
        let goesOn = profile.timed(Int(op.b) | Int(op.c) << 8 | Int(op.d) << 16) {
            executeShared(pc, in: block, entry)
        }
        return goesOn && step == .callout
    }

    /// Begins to keep a profile; blocks translated before are forgotten.
    func startProfile() {
        cache.removeAll()
        cache.profile = TranslationProfile(cpu: cpu)
    }
}
