import X86

/// Why an engine came back from running.
enum EngineStop {
    /// The slice's instructions are done.
    case sliceEnd
    /// HLT, and no interrupt to deliver.
    case halted
    /// Triple fault.
    case shutdown
    /// `Attention.external` was raised.
    case external
    /// Two engines in lockstep differ.
    case diverged
    /// The verifier has something against emitted code.
    case unsafeCode
}

/// The reference engine: one instruction at a time, decoded once and kept, or (textbook) decoded every time.
final class Interpreter {
    private let cpu: Processor
    let decoder: Decoder
    private let cache: DecodeCache
    private var crossing = CrossingCache()
    /// False: fetch and decode every instruction anew.
    private let usesCache: Bool
    /// Where an instruction lives while it is executed without a slot of its own.
    private let single: UnsafeMutablePointer<Instruction>
    /// Sees every instruction, if there is one.
    var census: CensusTaker? {
        didSet { cpu.setAttention(.census, census != nil) }
    }

    init(cpu: Processor, decoder: Decoder, usesCache: Bool) throws(DecodeCache.Failure) {
        self.cpu = cpu
        self.decoder = decoder
        self.usesCache = usesCache
        if !usesCache { decoder.remembers = false }
        cache = try DecodeCache(codeMap: cpu.pointee.codeMap, pages: Int(cpu.pointee.ramSize >> 12))
        single = .allocate(capacity: 1)
        single.initialize(to: Instruction(.invalid))
    }

    deinit {
        single.deallocate()
    }

    /// RAM that holds code, perhaps decoded here, was written.
    ///
    /// - Parameter isStillCode: whether another cache of translated code needs to be told of writes to such a chunk.
    func codeWritten(
        _ physical: UInt32, count: UInt32, isStillCode: (_ chunk: UInt32) -> Bool
    ) {
        cache.invalidate(physical, count: count, isStillCode: isStillCode)
    }

    /// The 64 bytes of RAM at `chunk` are no code to anybody any more, whatever was decoded there.
    ///
    /// - Parameter isMarked: somebody still wants to hear of writes to them.
    func forgetChunk(_ chunk: UInt32, isMarked: Bool) { cache.forgetChunk(chunk, isMarked: isMarked) }

    /// Whether one of the `count` bytes at `physical`, which lie in one page of RAM, is of an instruction that was decoded.
    func holdsInstruction(_ physical: UInt32, count: UInt32) -> Bool {
        cache.holdsInstruction(physical, count: count)
    }

    /// Forgets everything decoded.
    func flush() {
        cache.clear()
        crossing = CrossingCache()
    }

    /// Runs until `sliceEnd` instructions have been counted, or something else stops it.
    func run(until sliceEnd: UInt64) -> EngineStop {
        let cpu = cpu
        cpu.settleUnits()
        cpu.pointee.sliceEnd = sliceEnd
        cpu.setAttention([], true)
        // Straight-line code: the next instruction's slot follows from this one's length, which spares the chain from
        // EIP to slot to length to EIP. `nextEIP` says where that guess holds.
        var next = cache.slots
        var nextEIP = cpu.pointee.eip
        while true {
            if cpu.pointee.instructions >= cpu.pointee.stopAt {
                if let stop = attend() { return stop }
                continue
            }
            do throws(Fault) {
                try step(cpu, &next, &nextEIP)
            } catch {
                cpu.deliver(error)
            }
        }
    }

    /// One instruction, and what is pending behind it; nil if nothing stops the run there.
    func runBlock(until sliceEnd: UInt64) -> EngineStop? {
        let next = Swift.min(sliceEnd, cpu.pointee.instructions &+ 1)
        let stop = run(until: next)
        return stop == .sliceEnd && cpu.pointee.instructions < sliceEnd ? nil : stop
    }

    /// One instruction, from its slot if it has one.
    @inline(__always)
    private func step(
        _ cpu: Processor, _ next: inout UnsafeMutablePointer<DecodeCache.Slot>, _ nextEIP: inout UInt32
    ) throws(Fault) {
        let eip = cpu.pointee.eip
        let offset = UInt64(eip &- cpu.pointee.fetch.start)
        let tag = cpu.pointee.fetch.tag &+ offset
        var slot = next
        if eip != nextEIP || slot.pointee.tag != tag {
            slot = cache.slot(UInt32(truncatingIfNeeded: tag))
            if slot.pointee.tag != tag { return try stepSlowly() }
        }
        // An instruction that would leave the window (page or CS limit) goes the slow way.
        let length = UInt64(slot.pointee.instruction.length)
        if offset + length > UInt64(cpu.pointee.fetch.count) { return try stepSlowly() }
        next = slot + Int(length)
        nextEIP = eip &+ UInt32(truncatingIfNeeded: length)
        cpu.begin(eip, next: nextEIP)
        try cpu.execute(withUnsafePointer(to: &slot.pointee.instruction) { $0 })
    }

    /// Executes one instruction, whatever it is, and delivers what it raises.
    func stepAlone() {
        do throws(Fault) {
            try stepSlowly()
        } catch {
            cpu.deliver(error)
        }
    }

    /// The instruction at a physical address in RAM, decoded once and kept; nil if its page ends before it does.
    func decoded(at physical: UInt32, is32Bit: Bool) -> Instruction? {
        let slot = cache.slot(physical)
        if slot.pointee.tag == DecodeCache.tag(physical, is32Bit: is32Bit) { return slot.pointee.instruction }
        guard let instruction = decode(at: physical, is32Bit: is32Bit) else { return nil }
        remember(physical, instruction, is32Bit: is32Bit)
        return instruction
    }

    /// The same, for those who keep it themselves and `mark` its bytes.
    func decode(at physical: UInt32, is32Bit: Bool) -> Instruction? {
        let bytes = UnsafeRawBufferPointer(
            start: cpu.pointee.ramBase + Int(physical), count: Int(Swift.min(0x1000 - physical & 0xFFF, 15)))
        cpu.pointee.statistics.decodes &+= 1
        let instruction = decoder.decode(bytes, size: is32Bit ? .bits32 : .bits16)
        return instruction.operation == .truncated ? nil : instruction
    }

    /// The instruction that begins at `linear` in one page and ends in the next, with its bytes; nil if the next page is
    /// not known to be executable RAM just now.
    func decodedAcrossPages(
        at physical: UInt32, linear: UInt32, is32Bit: Bool
    ) -> (instruction: Instruction, bytes: InlineArray<16, UInt8>)? {
        guard let second = cpu.executableRAM((linear | 0xFFF) &+ 1) else { return nil }
        let inFirst = Int(0x1000 - physical & 0xFFF)
        var bytes: InlineArray<16, UInt8> = InlineArray(repeating: 0)
        for index in 0..<15 {
            let place = index < inFirst ? Int(physical) + index : Int(second) + index - inFirst
            bytes[index] = (cpu.pointee.ramBase + place).load(as: UInt8.self)
        }
        cpu.pointee.statistics.decodes &+= 1
        let instruction = withUnsafeBytes(of: &bytes) {
            decoder.decode(UnsafeRawBufferPointer(rebasing: $0[..<15]), size: is32Bit ? .bits32 : .bits16)
        }
        guard Int(instruction.length) > inFirst, instruction.operation != .truncated else { return nil }
        mark(physical, count: UInt32(inFirst))
        return (instruction, bytes)
    }

    /// Marks `count` bytes of RAM, which lie in one page, as code: somebody wants to hear of writes to them.
    func mark(_ physical: UInt32, count: UInt32) {
        let isNewPage = cpu.pointee.codeMap[Int(physical >> 12)] == 0
        cache.mark(physical, count: count)
        if isNewPage { cpu.protectCodePage(physical) }
    }

    /// One instruction that is not in the cache, or crosses a page, or lies outside RAM.
    @inline(never)
    private func stepSlowly() throws(Fault) {
        let eip = cpu.pointee.eip
        // A fetch that faults counts as an instruction begun.
        cpu.begin(eip, next: eip)
        let instruction = try fetch()
        cpu.pointee.instructions &-= 1
        cpu.begin(eip, next: eip &+ UInt32(instruction.length))
        single.pointee = instruction
        try cpu.execute(single)
    }

    /// Fetches and decodes the instruction at EIP, and remembers it.
    private func fetch() throws(Fault) -> Instruction {
        let eip = cpu.pointee.eip
        if eip &- cpu.pointee.fetch.start >= cpu.pointee.fetch.count { try cpu.refillFetchWindow() }
        let offset = eip &- cpu.pointee.fetch.start
        // Outside RAM there is no window, and nothing is remembered.
        let isInRAM = offset < cpu.pointee.fetch.count
        let tag = cpu.pointee.fetch.tag &+ UInt64(offset)
        // The window may only just have come here: what is decoded already counts.
        let slot = cache.slot(UInt32(truncatingIfNeeded: tag))
        if usesCache, isInRAM, slot.pointee.tag == tag,
            offset + UInt32(slot.pointee.instruction.length) <= cpu.pointee.fetch.count
        {
            return slot.pointee.instruction
        }
        if usesCache, isInRAM,
            let known = try crossing.lookup(tag, fetch: { index throws(Fault) in try cpu.fetchByte(index) })
        {
            return known
        }
        if isInRAM, let instruction = cpu.decodeInWindow(decoder) {
            if usesCache {
                remember(cpu.pointee.fetch.physical &+ offset, instruction, is32Bit: cpu.pointee.is32BitCode)
            }
            return instruction
        }
        var bytes: InlineArray<16, UInt8> = InlineArray(repeating: 0)
        let instruction = try cpu.decodeAcrossPages(decoder, &bytes)
        if usesCache, isInRAM { crossing.insert(tag, instruction, bytes: bytes) }
        return instruction
    }

    private func remember(_ physical: UInt32, _ instruction: Instruction, is32Bit: Bool) {
        let isNewPage = cpu.pointee.codeMap[Int(physical >> 12)] == 0
        cache.insert(physical, instruction, is32Bit: is32Bit)
        if isNewPage { cpu.protectCodePage(physical) }
    }

    /// Looks at everything that can be pending between two instructions, in order of priority (SDM 3A table 6-2), and
    /// executes one instruction if that has to be watched.
    @inline(never)
    func attend() -> EngineStop? {
        let attention = cpu.pointee.attention
        if attention.contains(.shutdown) { return .shutdown }
        if attention.contains(.external) {
            cpu.setAttention(.external, false)
            return .external
        }
        let pendingDebug = cpu.pointee.pendingDebug
        if pendingDebug != 0, cpu.pointee.instructions != cpu.pointee.debugShadowAt {
            cpu.pointee.pendingDebug = 0
            cpu.setAttention(.debugTrap, false)
            cpu.setAttention(.halted, false)
            cpu.deliverDebugTrap(pendingDebug)
            return nil
        }
        let isShadowed = cpu.pointee.instructions == cpu.pointee.shadowAt
        if attention.contains(.interrupt), !isShadowed {
            cpu.deliverExternalInterrupt()
            return nil
        }
        if attention.contains(.halted) { return .halted }
        if cpu.pointee.instructions >= cpu.pointee.sliceEnd { return .sliceEnd }
        stepWatched()
        return nil
    }

    /// One instruction under single-step, instruction breakpoints, RF or an interrupt shadow.
    private func stepWatched() {
        let flags = cpu.pointee.systemFlags
        let isStepping = flags & Flags.tf != 0
        if cpu.pointee.attention.contains(.instructionBreakpoints), flags & Flags.rf == 0,
            cpu.pointee.instructions != cpu.pointee.debugShadowAt
        {
            let hits = cpu.instructionBreakpoints(at: cpu.pointee.cs.base &+ cpu.pointee.eip)
            if hits != 0 { return cpu.deliverInstructionBreakpoint(hits) }
        }
        // RF lasts for one instruction; one that sets it (IRET, a task switch) does so after this.
        if flags & Flags.rf != 0 {
            cpu.pointee.systemFlags &= ~Flags.rf
            cpu.flagsChanged()
        }
        let steps = cpu.pointee.stepsCancelled
        do throws(Fault) {
            try stepCounted()
            // Entering a handler clears TF and takes the pending trap with it.
            if isStepping, steps == cpu.pointee.stepsCancelled { cpu.pointee.pendingDebug |= DebugRegister.dr6BS }
        } catch {
            cpu.deliver(error)
        }
        if cpu.pointee.pendingDebug != 0 { cpu.setAttention(.debugTrap, true) }
    }

    /// One instruction, which the census sees.
    private func stepCounted() throws(Fault) {
        var (next, nextEIP) = (cache.slots, cpu.pointee.eip)
        guard let census else { return try step(cpu, &next, &nextEIP) }
        let isUser = cpu.pointee.cpl == 3
        let offset = UInt64(nextEIP &- cpu.pointee.fetch.start)
        let tag = cpu.pointee.fetch.tag &+ offset
        let slot = cache.slot(UInt32(truncatingIfNeeded: tag))
        let isCached = slot.pointee.tag == tag && offset < cpu.pointee.fetch.count
        // What is not in the cache is put here, once it has been fetched.
        single.pointee.length = 0
        let cached = slot.pointee.instruction
        defer {
            let begun = single.pointee.length == 0 && isCached ? cached : single.pointee
            if begun.length != 0 { census.count(begun, isUser: isUser, cpu) }
        }
        try step(cpu, &next, &nextEIP)
    }
}

extension Processor {
    /// Executes the instruction at `eip` and delivers what it raises; false if it did not end at the one behind it.
    @inline(__always)
    func perform(_ i: InstructionPointer, at eip: UInt32) -> Bool {
        perform(i, at: eip) { cpu, i throws(Fault) in try cpu.execute(i) }
    }

    /// The same with `operation`, which is all that may have to be executed.
    @inline(__always)
    func perform(
        _ i: InstructionPointer, at eip: UInt32, _ operation: (Processor, InstructionPointer) throws(Fault) -> Void
    ) -> Bool {
        let next = eip &+ UInt32(i.pointee.length)
        begin(eip, next: next)
        do throws(Fault) {
            try operation(self, i)
        } catch {
            deliver(error)
            return false
        }
        return pointee.eip == next
    }

    /// Bookkeeping at the start of an instruction.
    @inline(__always)
    func begin(_ eip: UInt32, next: UInt32) {
        pointee.instructionStart = eip
        pointee.eip = next
        let count = pointee.instructions &+ 1
        pointee.instructions = count
        let place = withUnsafeMutablePointer(to: &pointee.history) { UnsafeMutableRawPointer($0) }
        place.storeBytes(
            of: eip, toByteOffset: Int(truncatingIfNeeded: count & 15) << 2, as: UInt32.self)
    }
}
