import Glibc
import X86

/// What one element of a string instruction does.
private protocol StringOperation {
    /// Whether the loop also ends on ZF (CMPS, SCAS).
    static var comparesFlags: Bool { get }
    /// What is checked even if the count of repetitions is zero.
    static func check<T: Word>(_ cpu: Processor, _ type: T.Type) throws(Fault)
    static func step<T: Word>(_ cpu: Processor, _ i: InstructionPointer, _ type: T.Type) throws(Fault)
    /// Does up to `count` elements at once where that is simple and fast; returns how many were done, or 0.
    static func bulk<T: Word>(_ cpu: Processor, _ i: InstructionPointer, _ type: T.Type, _ count: UInt32) -> UInt32
}

extension StringOperation {
    static var comparesFlags: Bool { false }
    @inline(__always)
    static func check<T: Word>(_ cpu: Processor, _ type: T.Type) throws(Fault) {}
    static func bulk<T: Word>(_ cpu: Processor, _ i: InstructionPointer, _ type: T.Type, _ count: UInt32) -> UInt32 {
        0
    }
}

private enum Movs: StringOperation {
    @inline(__always)
    static func step<T: Word>(_ cpu: Processor, _ i: InstructionPointer, _ type: T.Type) throws(Fault) {
        let value = try cpu.read(i.pointee.memory.segment, cpu.source(i), as: T.self)
        try cpu.write(.es, cpu.destination(i), value)
        cpu.advanceSource(i, T.bytes)
        cpu.advanceDestination(i, T.bytes)
    }

    @inline(__always)
    static func bulk<T: Word>(_ cpu: Processor, _ i: InstructionPointer, _ type: T.Type, _ count: UInt32) -> UInt32 {
        guard let from = cpu.run(i.pointee.memory.segment, cpu.source(i), as: T.self, isWrite: false),
            let to = cpu.run(.es, cpu.destination(i), as: T.self, isWrite: true)
        else { return 0 }
        let n = Swift.min(count, Swift.min(from.count, to.count))
        let bytes = Int(n * T.bytes)
        if to.place <= from.place || to.place >= from.place + bytes {
            memmove(to.place, from.place, bytes)
        } else {
            // Overlapping upwards: each element read may be one just written.
            for offset in stride(from: 0, to: bytes, by: Int(T.bytes)) {
                (to.place + offset).storeBytes(of: (from.place + offset).loadUnaligned(as: T.self), as: T.self)
            }
        }
        cpu.advanceSource(i, n * T.bytes)
        cpu.advanceDestination(i, n * T.bytes)
        return n
    }
}

private enum Stos: StringOperation {
    @inline(__always)
    static func step<T: Word>(_ cpu: Processor, _ i: InstructionPointer, _ type: T.Type) throws(Fault) {
        try cpu.write(.es, cpu.destination(i), cpu.register(0, as: T.self))
        cpu.advanceDestination(i, T.bytes)
    }

    @inline(__always)
    static func bulk<T: Word>(_ cpu: Processor, _ i: InstructionPointer, _ type: T.Type, _ count: UInt32) -> UInt32 {
        guard let to = cpu.run(.es, cpu.destination(i), as: T.self, isWrite: true) else { return 0 }
        let n = Swift.min(count, to.count)
        let value = cpu.register(0, as: T.self)
        let byte = UInt8(truncatingIfNeeded: value)
        if value == T(truncatingIfNeeded: UInt32(byte) &* 0x0101_0101) {
            // Zeros, as a rule.
            memset(to.place, Int32(byte), Int(n * T.bytes))
        } else {
            for offset in stride(from: 0, to: Int(n * T.bytes), by: Int(T.bytes)) {
                (to.place + offset).storeBytes(of: value, as: T.self)
            }
        }
        cpu.advanceDestination(i, n * T.bytes)
        return n
    }
}

private enum Lods: StringOperation {
    @inline(__always)
    static func step<T: Word>(_ cpu: Processor, _ i: InstructionPointer, _ type: T.Type) throws(Fault) {
        cpu.setRegister(0, try cpu.read(i.pointee.memory.segment, cpu.source(i), as: T.self))
        cpu.advanceSource(i, T.bytes)
    }
}

private enum Cmps: StringOperation {
    static var comparesFlags: Bool { true }

    @inline(__always)
    static func step<T: Word>(_ cpu: Processor, _ i: InstructionPointer, _ type: T.Type) throws(Fault) {
        // Processors read the destination first: it is what faults if neither can be read.
        let b = try cpu.read(.es, cpu.destination(i), as: T.self)
        let a = try cpu.read(i.pointee.memory.segment, cpu.source(i), as: T.self)
        _ = Sub.apply(cpu, a, b)
        cpu.advanceSource(i, T.bytes)
        cpu.advanceDestination(i, T.bytes)
    }
}

private enum Scas: StringOperation {
    static var comparesFlags: Bool { true }

    @inline(__always)
    static func step<T: Word>(_ cpu: Processor, _ i: InstructionPointer, _ type: T.Type) throws(Fault) {
        let b = try cpu.read(.es, cpu.destination(i), as: T.self)
        _ = Sub.apply(cpu, cpu.register(0, as: T.self), b)
        cpu.advanceDestination(i, T.bytes)
    }
}

private enum Ins: StringOperation {
    static func check<T: Word>(_ cpu: Processor, _ type: T.Type) throws(Fault) {
        try cpu.checkPort(cpu.register(8, as: UInt16.self), width: T.bytes)
    }

    static func step<T: Word>(_ cpu: Processor, _ i: InstructionPointer, _ type: T.Type) throws(Fault) {
        let port = cpu.register(8, as: UInt16.self)
        // The destination must be writable before the port is read: reading may have effects.
        try cpu.probeWrite(.es, cpu.destination(i), count: T.bytes)
        try cpu.write(.es, cpu.destination(i), T(truncatingIfNeeded: cpu.readPort(port, width: T.bytes)))
        cpu.advanceDestination(i, T.bytes)
    }
}

private enum Outs: StringOperation {
    static func check<T: Word>(_ cpu: Processor, _ type: T.Type) throws(Fault) {
        try cpu.checkPort(cpu.register(8, as: UInt16.self), width: T.bytes)
    }

    static func step<T: Word>(_ cpu: Processor, _ i: InstructionPointer, _ type: T.Type) throws(Fault) {
        let port = cpu.register(8, as: UInt16.self)
        let value = try cpu.read(i.pointee.memory.segment, cpu.source(i), as: T.self)
        cpu.writePort(port, UInt32(truncatingIfNeeded: value), width: T.bytes)
        cpu.advanceSource(i, T.bytes)
    }
}

extension Processor {
    /// MOVS, STOS, LODS, CMPS, SCAS, INS, OUTS, with or without a repeat prefix.
    @inline(never)
    func string(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operation {
        case .movs: try string(i, Movs.self)
        case .stos: try string(i, Stos.self)
        case .lods: try string(i, Lods.self)
        case .cmps: try string(i, Cmps.self)
        case .scas: try string(i, Scas.self)
        case .ins: try string(i, Ins.self)
        default: try string(i, Outs.self)
        }
    }

    @inline(__always)
    private func string<Op: StringOperation>(_ i: InstructionPointer, _ op: Op.Type) throws(Fault) {
        switch i.pointee.operandSize {
        case 1: try string(i, op, UInt8.self)
        case 2: try string(i, op, UInt16.self)
        default: try string(i, op, UInt32.self)
        }
    }

    /// At most this many elements are done before the run loop gets to look at interrupts; the instruction then starts
    /// again where it left off, as on the processor.
    static var repeatSlice: UInt32 { 4096 }

    @inline(__always)
    private func string<Op: StringOperation, T: Word>(
        _ i: InstructionPointer, _ op: Op.Type, _ type: T.Type
    ) throws(Fault) {
        try Op.check(self, type)
        guard !i.pointee.prefixes.isDisjoint(with: [.rep, .repne]) else {
            return try Op.step(self, i, type)
        }
        let endsOnEqual = i.pointee.prefixes.contains(.repne)
        let isStepping = !pointee.attention.isDisjoint(with: [.singleStep, .debugTrap])
        var budget = isStepping ? 1 : Self.repeatSlice &- pointee.repeatsDone
        pointee.repeatsDone = 0
        let flags = pointee.status
        while repeatCount(i) != 0 {
            guard budget > 0, pointee.pendingDebug == 0 else {
                // Nobody but a debugger has seen the instruction begin: the flags are still those before it.
                if Op.comparesFlags, !isStepping { pointee.status = flags }
                if budget == 0, !isStepping { return endRepeatSlice() }
                return resumeLater()
            }
            if budget > 1, pointee.systemFlags & Flags.df == 0 {
                let done = Op.bulk(self, i, type, Swift.min(repeatCount(i), budget))
                if done > 0 {
                    setRepeatCount(i, repeatCount(i) &- done)
                    budget -= done
                    continue
                }
            }
            do throws(Fault) {
                try Op.step(self, i, type)
            } catch {
                // The flags are those before the instruction, whatever was compared since (SDM 2B, "REP").
                if Op.comparesFlags { pointee.status = flags }
                throw error
            }
            setRepeatCount(i, repeatCount(i) &- 1)
            budget -= 1
            if Op.comparesFlags, pointee.status.zf == endsOnEqual { return }
        }
    }

    /// Leaves a repeat behind a slice's worth of elements, which are charged as time: a multiple of 16, which `history`
    /// goes by.
    func endRepeatSlice() {
        pointee.instructions &+= UInt64(Self.repeatSlice / 16)
        resumeLater()
    }

    /// Leaves a repeat in the midst: it starts again where it left off. Whatever interrupts it there saves RF set, so
    /// that a breakpoint on the instruction does not fire a second time (SDM 3B 17.3.1.1).
    private func resumeLater() {
        pointee.eip = pointee.instructionStart
        setSystemFlag(Flags.rf, true)
    }

    @inline(__always)
    private func repeatCount(_ i: InstructionPointer) -> UInt32 {
        i.pointee.addressSize == 2 ? UInt32(register(4, as: UInt16.self)) : pointee.ecx
    }

    @inline(__always)
    private func setRepeatCount(_ i: InstructionPointer, _ count: UInt32) {
        if i.pointee.addressSize == 2 {
            setRegister(4, UInt16(truncatingIfNeeded: count))
        } else {
            pointee.ecx = count
        }
    }

    @inline(__always)
    fileprivate func source(_ i: InstructionPointer) -> UInt32 {
        i.pointee.addressSize == 2 ? pointee.esi & 0xFFFF : pointee.esi
    }

    @inline(__always)
    fileprivate func destination(_ i: InstructionPointer) -> UInt32 {
        i.pointee.addressSize == 2 ? pointee.edi & 0xFFFF : pointee.edi
    }

    /// Moves SI/ESI by `bytes`, down if DF is set.
    @inline(__always)
    fileprivate func advanceSource(_ i: InstructionPointer, _ bytes: UInt32) {
        let value = pointee.esi &+ (pointee.systemFlags & Flags.df == 0 ? bytes : 0 &- bytes)
        pointee.esi = i.pointee.addressSize == 2 ? pointee.esi & 0xFFFF_0000 | value & 0xFFFF : value
    }

    @inline(__always)
    fileprivate func advanceDestination(_ i: InstructionPointer, _ bytes: UInt32) {
        let value = pointee.edi &+ (pointee.systemFlags & Flags.df == 0 ? bytes : 0 &- bytes)
        pointee.edi = i.pointee.addressSize == 2 ? pointee.edi & 0xFFFF_0000 | value & 0xFFFF : value
    }

    /// Host memory behind `segment:offset` and how many elements may be accessed there in a row without any check:
    /// inside the segment, the page, and 16-bit wrap-around. Nil when the TLB or the segment wants the checked path.
    @inline(__always)
    fileprivate func run<T: Word>(
        _ register: SegmentRegister, _ offset: UInt32, as type: T.Type, isWrite: Bool
    ) -> (place: UnsafeMutableRawPointer, count: UInt32)? {
        let s = segment(register)
        let end = isWrite ? s.pointee.writeEnd : s.pointee.readEnd
        guard UInt64(offset) < end else { return nil }
        let linear = s.pointee.base &+ offset
        let entry = pointee.tlb + Int(linear >> 12 & TLB.mask)
        let tag = isWrite ? entry.pointee.writeTag : entry.pointee.readTag
        guard tag == linear & 0xFFFF_F000 else { return nil }
        let inPage = 0x1000 - linear & 0xFFF
        // 64 KiB wrap-around of 16-bit addressing falls on a segment offset, hence counts like the limit.
        let inSegment = UInt32(clamping: Swift.min(end, UInt64(offset | 0xFFFF) + 1) - UInt64(offset))
        let count = Swift.min(inPage, inSegment) / T.bytes
        guard count > 0 else { return nil }
        return (UnsafeMutableRawPointer(bitPattern: entry.pointee.addend &+ Int(linear)).unsafelyUnwrapped, count)
    }
}
