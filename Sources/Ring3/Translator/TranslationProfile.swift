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

    typealias Record = ProfileRecord<BlockPointer, BlockRemains>

    /// A copy of a block that had to go.
    struct BlockRemains {
        var mode: BlockMode
        var instructions: [BlockInstruction]
        var ops: [MicroOp]
    }

    /// Copies of blocks kept at an eviction.
    static let remainsKept = 1000
    /// Bounds for guests that make ever more code: places, and copies of blocks that were written to. What is beyond them
    /// is executed like everything else, but not counted.
    private static let placesKept = 4 << 20
    private static let writtenKept = 50_000

    private let cpu: Processor
    private(set) var records: [Record] = []
    let callouts: CalloutProfile
    private(set) var counters: UnsafeMutablePointer<Counter>
    private var capacity = 1 << 10
    private var recordNumbers: [UInt64: Int] = [:]
    /// The block that is being executed, the count when it was entered; -1 if none is.
    private var current = -1
    private var enteredAt: UInt64 = 0
    /// Copies kept.
    private var remains = 0
    /// Address of the block that is being translated.
    private var translating: UInt32 = 0
    // Time is taken of one execution in 16 on average, in no fixed rhythm.
    private var untilSample: UInt32 = 1
    private var random: UInt32 = 1
    private var sampleStart: UInt64?
    /// How often the clock had been read for callouts when the sample began.
    private var readingsBefore: UInt64 = 0
    /// Nanoseconds of a sample that was surely interrupted by the host.
    private static let longestSample: UInt64 = 200_000

    init(cpu: Processor) {
        self.cpu = cpu
        counters = .allocate(capacity: capacity)
        counters.initialize(repeating: Counter(), count: capacity)
        callouts = CalloutProfile(cpu: cpu)
    }

    deinit { counters.deallocate() }

    // MARK: What the translator asks

    /// The micro-op for the start of a block.
    func entry(_ key: UInt64, linear: UInt32) -> MicroOp? {
        translating = linear
        guard let number = recordNumbers[key] ?? addRecord(key, linear) else { return nil }
        counters[number].linear = linear
        counters[number].eip = linear &- cpu.pointee.cs.base
        var op = MicroOp(opcode: .profile, index: 0)
        op.a = ProfiledStep.entry.rawValue
        op.immediate = UInt32(truncatingIfNeeded: number)
        return op
    }

    private func addRecord(_ key: UInt64, _ linear: UInt32) -> Int? {
        let number = records.count
        guard number < Self.placesKept else { return nil }
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
        let address = translating &+ UInt32(record.offset)
        let cause = CalloutCause.sensitive(row: record.instruction.sensitivityIndex)
        guard let number = callouts.site(record.instruction, linear: address, cause) else { return }
        op.opcode = .profile
        op.a = step.rawValue
        op.b = UInt8(truncatingIfNeeded: number)
        op.c = UInt8(truncatingIfNeeded: number >> 8)
        op.d = UInt8(truncatingIfNeeded: number >> 16)
    }

    func translated(_ block: BlockPointer) {
        guard let number = number(of: block) else { return }
        records[number].block = block
        records[number].bytes = block.bytes(in: cpu)
        records[number].versions &+= 1
        if records[number].remains != nil { remains -= 1 }
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
            remains += 1
        }
    }

    private func end(_ block: BlockPointer, _ cause: ProfileEnding.Cause) {
        guard let number = number(of: block), records[number].block == block else { return }
        // The arena keeps what a stale block was, until everything goes.
        if case .write = cause, remains < Self.writtenKept {
            records[number].remains = BlockRemains(block)
            remains += 1
        }
        records[number].end(
            cause, executions: counters[number].executions, instructions: cpu.pointee.instructions)
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
            readingsBefore = callouts.clockReadings
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
                let readings = callouts.clockReadings &- readingsBefore &+ 1
                counter.pointee.sampledTime &+= time - Swift.min(time, callouts.clockCost * readings)
            }
        }
        current = -1
        enteredAt = instructions
    }

    /// Lets the interpreter do what may be an instruction outside of any block.
    func interpret<T>(with interpreter: Interpreter, _ body: () -> T) -> T {
        leave()
        return callouts.interpret(with: interpreter, body)
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
        let goesOn = profile.callouts.timed(Int(op.b) | Int(op.c) << 8 | Int(op.d) << 16) {
            executeShared(pc, in: block, entry)
        }
        return goesOn && step == .callout
    }
}
