import Glibc
import X86

/// Runs the guest from translated blocks: finds or makes the block at EIP, executes it and what it leads to, and leaves
/// to the interpreter what no block can hold.
final class ThreadedEngine {
    let cpu: Processor
    let cache: TranslationCache
    let interpreter: Interpreter
    let translator: Translator
    /// Instruction count behind an instruction that was interpreted because its block is longer than the slice has left.
    private var tailAt = UInt64.max

    /// Bytes of translated code before everything is translated anew.
    static let cacheSize = 64 << 20

    init(
        cpu: Processor, interpreter: Interpreter, cacheSize: Int = ThreadedEngine.cacheSize
    ) throws(TranslationCache.Failure) {
        self.cpu = cpu
        self.interpreter = interpreter
        cache = try TranslationCache(ramSize: Int(cpu.pointee.ramSize), capacity: cacheSize)
        translator = Translator(cpu: cpu, cache: cache, source: interpreter)
    }

    /// RAM that holds translated or decoded code was written.
    func codeWritten(_ physical: UInt32, count: UInt32) {
        cache.invalidate(physical, count: count)
        interpreter.codeWritten(physical, count: count) { cache.holdsCode($0, count: 64) }
    }

    /// Runs until `sliceEnd` instructions have been counted, or something else stops it.
    func run(until sliceEnd: UInt64) -> EngineStop {
        cpu.settleUnits()
        stop(at: sliceEnd)
        while true {
            if cpu.pointee.instructions >= cpu.pointee.stopAt {
                if let stop = attend() { return stop }
            } else {
                advance()
            }
        }
    }

    /// Runs one block or so: its exits lead on only as far as the count allows that it could have reached itself.
    func runBlock(until sliceEnd: UInt64) -> EngineStop? {
        cpu.settleUnits()
        var isDone = false
        while true {
            stop(at: sliceEnd)
            if cpu.pointee.instructions >= cpu.pointee.stopAt {
                let before = cpu.pointee.instructions
                if let stop = attend() { return stop }
                isDone = isDone || cpu.pointee.instructions != before
            } else if isDone {
                return nil
            } else {
                advance(endingWithBlock: true)
                isDone = true
            }
        }
    }

    /// Sets the count at which a run has to be looked at.
    private func stop(at sliceEnd: UInt64) {
        cpu.pointee.sliceEnd = Swift.min(sliceEnd, TranslatedBlock.stale >> 1)
        tailAt = .max
        cpu.setAttention([], true)
    }

    /// Executes the block at EIP and what it leads to, or a single instruction: where there is no block, or one that is
    /// longer than what is left of the slice.
    ///
    /// - Parameter endingWithBlock: the slice ends where the block does if it is executed to its end.
    @inline(__always)
    private func advance(endingWithBlock: Bool = false) {
        // What follows is in the midst of the same block, most likely: a block from there would be made in vain, and one
        // from each instruction behind it.
        let isTail = cpu.pointee.instructions == tailAt
        let block = blockHere(mayTranslate: !isTail)
        guard let block, cpu.pointee.instructions &+ block.pointee.limit <= cpu.pointee.stopAt else {
            stepAlone()
            if isTail || block != nil { tailAt = cpu.pointee.instructions }
            return
        }
        if endingWithBlock { stop(at: cpu.pointee.instructions &+ block.pointee.limit) }
        cache.statistics.entries &+= 1
        execute(from: block)
        cache.profile?.leave()
    }

    /// Looks at what is pending; may execute an instruction.
    private func attend() -> EngineStop? {
        guard let profile = cache.profile else { return interpreter.attend() }
        return profile.interpret(with: interpreter) { interpreter.attend() }
    }

    /// Has the interpreter execute one instruction.
    private func stepAlone() {
        cache.statistics.interpreted &+= 1
        guard let profile = cache.profile else { return interpreter.stepAlone() }
        profile.interpret(with: interpreter) { interpreter.stepAlone() }
    }

    /// The block at EIP, translated now if need be; nil where there can be none: outside RAM, where fetching faults, or
    /// across a page.
    private func blockHere(mayTranslate: Bool) -> BlockPointer? {
        let eip = cpu.pointee.eip
        guard eip <= cpu.pointee.cs.limit else { return nil }
        let physical: UInt64
        do throws(Fault) {
            physical = try cpu.translate(cpu.pointee.cs.base &+ eip, .execute, isUser: cpu.pointee.cpl == 3)
        } catch {
            // The interpreter will run into the same fault, and deliver it.
            return nil
        }
        guard cpu.isRAM(physical) else { return nil }
        let mode = cpu.blockMode
        let place = UInt32(truncatingIfNeeded: physical)
        let known = cache.find(TranslationCache.key(place, mode))
        guard known != nil || mayTranslate,
            let block = known ?? translator.translate(place, linear: cpu.pointee.cs.base &+ eip, mode)
        else { return nil }
        // What lies in this page. `isUnchanged` looks at what the last instruction has in the next one.
        let last = block.pointee.end &- block.pointee.physical &- 1
        guard mode.contains(.flatCode) || cpu.pointee.cs.limit - eip >= last else { return nil }
        return block
    }

    /// Binds an exit to the block it leads to, and returns that if it may be entered. Otherwise leaves the processor at
    /// its address.
    @inline(never)
    func resolve(_ exit: UnsafeMutablePointer<ExitOp>, of block: BlockPointer, _ entry: UInt32) -> BlockPointer? {
        let instructions = cpu.pointee.instructions &+ UInt64(exit.pointee.advance)
        if exit.pointee.opcode == .jumpAway {
            let target = blockElsewhere(entry &+ exit.pointee.offset, block.pointee.mode)
            if let target, instructions &+ target.pointee.limit <= cpu.pointee.stopAt { return target }
        } else if exit.pointee.link.pointee.limit >= TranslatedBlock.stale {
            let key = TranslationCache.key(block.pointee.physical &+ exit.pointee.offset, block.pointee.mode)
            if let target = cache.find(key) {
                exit.pointee.link = target
                cache.statistics.links &+= 1
                if instructions &+ target.pointee.limit <= cpu.pointee.stopAt { return target }
            }
        }
        cpu.pointee.instructions = instructions
        cpu.pointee.eip = entry &+ exit.pointee.offset
        return nil
    }

    /// The block at `eip`, if the TLB knows the page and the cache the block.
    private func blockElsewhere(_ eip: UInt32, _ mode: BlockMode) -> BlockPointer? {
        let linear = cpu.pointee.cs.base &+ eip
        return cpu.executableRAM(linear & 0xFFFF_F000).flatMap {
            cache.find(TranslationCache.key($0 | linear & 0xFFF, mode))
        }
    }

    /// Whether the next page still holds the rest of an instruction that begins in this one, and EIP may go there: not
    /// beyond the limit of CS, nor around 4 GiB. If not, the interpreter executes what is there now, or finds the fault.
    @inline(never)
    func isUnchanged(crossing pc: MicroOpPointer, in block: BlockPointer, _ entry: UInt32) -> Bool {
        let record = block.pointee.instructions + Int(pc.pointee.index)
        let eip = entry &+ UInt32(record.pointee.offset)
        let page = ((cpu.pointee.cs.base &+ eip) | 0xFFF) &+ 1
        let last = eip &+ UInt32(record.pointee.instruction.length) &- 1
        if last >= eip, last <= cpu.pointee.cs.limit, let physical = cpu.executableRAM(page) {
            let there = cpu.pointee.ramBase + Int(physical)
            // The slot after the micro-op holds the bytes; `a` says how many of them lie in the second page.
            if memcmp(there, UnsafeRawPointer(pc + 1), Int(pc.pointee.a)) == 0 { return true }
        }
        cpu.pointee.instructions &+= UInt64(record.pointee.sinceSync) - 1
        cpu.pointee.eip = eip
        stepAlone()
        return false
    }

    /// Does the whole instruction of a micro-op by the shared semantics; nothing of it has been done.
    ///
    /// Returns the next instruction's micro-op, or nil when the block must be left.
    @inline(never)
    func executeSlowly(_ pc: MicroOpPointer, in block: BlockPointer, _ entry: UInt32) -> MicroOpPointer? {
        cache.statistics.slowPaths &+= 1
        let index = Int(pc.pointee.index)
        let record = block.pointee.instructions + index
        if record.pointee.recovery != 0 {
            cpu.recoverFlags(of: block.pointee.instructions + Int(record.pointee.recovery - 1))
        }
        let count = UInt64(record.pointee.sinceSync)
        let remaining = UInt64(block.pointee.instructionCount) - UInt64(index) - 1
        guard perform(record, entry, count), remaining > 0, mayGoOn(block, remaining) else { return nil }
        // The micro-op that counts them next counts these as well.
        cpu.pointee.instructions &-= count
        return block.pointee.ops + Int(block.pointee.instructions[index + 1].firstOp)
    }

    /// Does a micro-op's instruction by the shared semantics, everything counted. False when the block must be left.
    @inline(never)
    func executeShared(_ pc: MicroOpPointer, in block: BlockPointer, _ entry: UInt32) -> Bool {
        let record = block.pointee.instructions + Int(pc.pointee.index)
        return perform(record, entry, UInt64(pc.pointee.immediate)) && mayGoOn(block, UInt64(pc.pointee.displacement))
    }

    /// Executes an instruction, counting `count` of them; false if it did not end at the one behind it.
    @inline(__always)
    private func perform(_ record: UnsafeMutablePointer<BlockInstruction>, _ entry: UInt32, _ count: UInt64) -> Bool {
        cpu.pointee.instructions &+= count &- 1
        return cpu.perform(
            withUnsafePointer(to: &record.pointee.instruction) { $0 }, at: entry &+ UInt32(record.pointee.offset))
    }

    /// Whether `remaining` more instructions of a block may be executed: nothing pending, not at the end of the slice,
    /// and the block not overwritten by itself.
    @inline(__always)
    private func mayGoOn(_ block: BlockPointer, _ remaining: UInt64) -> Bool {
        cpu.pointee.instructions &+ remaining <= cpu.pointee.stopAt && block.pointee.limit < TranslatedBlock.stale
    }
}
