/// A part of a page with code that has no code itself, and to which the guest stores: emitted code does so without the
/// monitor. There is one at a time, the one that was stored to last.
struct DataRegion {
    /// Where the page begins in the host's mapping of RAM.
    var page: UInt64 = 0
    /// Binary logarithm of the region's bytes: 2 to 12, the page. It is aligned.
    var shift: UInt32 = 12
    /// Its linear address, shifted right by that, and negated.
    var key: UInt32 = none

    /// The key while there is no region: added to no address it makes zero.
    static let none: UInt32 = 1 << 31
    /// Of a chunk, 64 bytes, for which `ProcessorState.codeMap` has a bit.
    fileprivate static let chunkShift: UInt32 = 6
    /// Those of a part of a chunk.
    static let smallShifts: ClosedRange<UInt32> = 2...5

    init() {}

    /// - Parameter page: where the host has the page.
    init(at linear: UInt32, shift: UInt32, page: UInt64) {
        (self.page, self.shift, key) = (page, shift, 0 &- linear >> shift)
    }

    /// The largest region round an address without a chunk that `map`, of the page's 64 chunks, marks as code; nil if the
    /// address's own chunk is.
    init?(around linear: UInt32, page: UInt64, codeMap map: UInt64) {
        func isFree(_ shift: UInt32) -> Bool {
            let count = UInt64(1) << UInt64(shift - Self.chunkShift)
            let first = UInt64(linear & 0xFFF) >> UInt64(shift) * count
            let chunks: UInt64 = count == 64 ? .max : (1 << count - 1) << first
            return map & chunks == 0
        }
        guard isFree(Self.chunkShift) else { return nil }
        var shift = Self.chunkShift
        while shift < 12, isFree(shift + 1) { shift += 1 }
        self.init(at: linear, shift: shift, page: page)
    }
}

#if arch(x86_64) && os(Linux)
    import X86

    extension Instruction {
        /// A store, or a change of what is in memory, that emitted code may do in a `DataRegion`.
        fileprivate var storesToMemory: Bool {
            guard operands.0.kind == .memory, [1, 2, 4].contains(operands.0.size), !prefixes.contains(.lock) else {
                return false
            }
            return switch operation {
            case .mov, .add, .or, .adc, .sbb, .and, .sub, .xor, .inc, .dec, .not, .neg: true
            default: false
            }
        }
    }

    extension NativeTranslator {
        /// Emits a store that is the monitor's, because it faults, and before it a look whether it goes to the `DataRegion`:
        /// then it is done here. False if that is not possible.
        ///
        /// ```
        /// lea r8d, address
        /// is r8d >> shift + key zero, and the same of the last byte?        else: the monitor
        /// pext r11d, r8d, mask                                              the place in the page
        /// mov r9, [r13 + page]
        /// mov [r9 + r11], value
        /// ```
        /// What the flags lack is paid before that, and again by the monitor, which is the same if only AF can be lacking.
        func emitStoreToRegion(_ index: Int) -> Bool {
            let record = instruction(index).pointee
            let i = record.instruction
            guard case .faulting = record.monitoring, i.storesToMemory, rewriter.isReachable(i),
                i.memory.segment != .fs, i.memory.segment != .gs,
                record.debt == .none || record.debt == .adjust
            else { return false }
            let start = host
            let size = UInt32(i.operands.0.size)
            host.pay(record.debt)
            rewriter.emitOffset(.r8, i, bytes(index), &host)
            host.callOutUnlessZero({ emitLeave(calloutSite(index), &$0) }) { host in
                host.load(.r11, state: places.regionShift)
                host.bytes(0xC4, 0x42, 0x23, 0xF7, 0xC8)  // shrx r9d, r8d, r11d
                host.bytes(0x41, 0x8D, 0x48, UInt8(truncatingIfNeeded: size - 1))  // lea ecx, [r8 + size - 1]
                host.bytes(0xC4, 0xE2, 0x23, 0xF7, 0xC9)  // shrx ecx, ecx, r11d
                host.load(.r11, state: places.regionKey)
                host.bytes(0x47, 0x8D, 0x0C, 0x19)  // lea r9d, [r9 + r11]
                host.bytes(0x46, 0x8D, 0x1C, 0x19)  // lea r11d, [rcx + r11]
                host.addToRCX()
            }
            host.move(.r11, immediate: 0xFFF)
            host.extractBits(.r11, .r8, mask: .r11)
            host.load(.r9, state: places.regionPage, isWide: true)
            guard rewriter.emitInPage(i, bytes(index), &host) else {
                host = start
                return false
            }
            instruction(index).pointee.storesToRegion = true
            return true
        }
    }

    extension Processor {
        /// Where in RAM the byte at `linear` lies, if the TLB knows that it may be written at this CPL and the page is dirty.
        fileprivate func writableRAM(_ linear: UInt32) -> UInt32? {
            let entry = pointee.tlb + Int(linear >> 12 & TLB.mask)
            return entry.pointee.dirtyTag == linear & ~0xFFF ? entry.pointee.physicalPage | linear & 0xFFF : nil
        }
    }

    /// Sees that emitted code has a `DataRegion` to store to, and that it has none once something is otherwise: a translation,
    /// the privilege, or what is code.
    final class DataRegions {
        private let cpu: Processor
        private let cache: NativeCache
        private let interpreter: Interpreter
        /// The chunk of code to which the monitor has stored last, and when, in guest instructions.
        private var last: (chunk: UInt32, time: UInt64) = (.max, 0)
        /// So many instructions after another store to its chunk, one is likely to be followed by more.
        private static let denseStores: UInt64 = 256
        /// Chunks of code where that was so, by the low bits of their numbers: whoever writes code there anew will do so again.
        private let dense = UnsafeMutablePointer<UInt32>.allocate(capacity: denseCount)
        private static let denseCount = 64

        init(_ cpu: Processor, _ cache: NativeCache, _ interpreter: Interpreter) {
            (self.cpu, self.cache, self.interpreter) = (cpu, cache, interpreter)
            dense.initialize(repeating: .max, count: Self.denseCount)
        }

        deinit { dense.deallocate() }

        /// From now on the monitor does all stores to pages with code.
        @inline(__always)
        func forget() { cpu.pointee.native.dataRegion.key = DataRegion.none }

        /// A store that emitted code left to the monitor has been executed: what follows it there may be emitted code's.
        func provide(for record: UnsafeMutablePointer<NativeInstruction>) {
            let linear = withUnsafePointer(to: &record.pointee.instruction) { cpu.effectiveAddress($0) }
            // Nothing is there of a device's registers.
            guard let physical = cpu.writableRAM(linear) else { return }
            let page = Int(physical >> 12)
            let place = UInt64(UInt(bitPattern: cpu.pointee.ramBase + page << 12))
            // It would not have faulted on a page without code.
            guard cpu.pointee.codeMap[page] != 0 else { return }
            let region =
                DataRegion(around: linear, page: place, codeMap: cpu.pointee.codeMap[page])
                ?? regionInChunk(linear, physical, place)
            if let region { cpu.pointee.native.dataRegion = region }
        }

        /// The map of code chunks of a page, but for those right behind `chunk` of which no block is left: whoever writes code
        /// goes upwards. They stay marked in the map itself, because there will be code again.
        private func mapWithoutLeftovers(behind chunk: UInt32) -> UInt64 {
            var map = cpu.pointee.codeMap[Int(chunk >> 12)]
            for next in stride(from: chunk &+ 64, through: chunk | 0xFC0, by: 64) {
                let bit: UInt64 = 1 << UInt64(next >> 6 & 63)
                guard map & bit != 0, !cache.holdsCode(next, count: 64) else { break }
                interpreter.forgetChunk(next, isMarked: true)
                map &= ~bit
            }
            return map
        }

        /// The same in a chunk that was code, or is in other places. It takes as long as some stores to find that out.
        private func regionInChunk(_ linear: UInt32, _ physical: UInt32, _ place: UInt64) -> DataRegion? {
            let (chunk, now) = (physical & ~63, cpu.pointee.instructions)
            let slot = Int(chunk >> DataRegion.chunkShift) & (Self.denseCount - 1)
            if last.chunk == chunk, now &- last.time < Self.denseStores { dense[slot] = chunk }
            last = (chunk, now)
            guard dense[slot] == chunk else { return nil }
            if !cache.holdsCode(chunk, count: 64) {
                interpreter.forgetChunk(chunk, isMarked: false)
                let map = mapWithoutLeftovers(behind: chunk)
                return DataRegion(around: linear, page: place, codeMap: map)
            }
            let shift = DataRegion.smallShifts.last { shift in
                let (first, count) = (physical & ~0 << shift, UInt32(1) << shift)
                return !cache.holdsCode(first, count: count) && !interpreter.holdsInstruction(first, count: count)
            }
            return shift.map { DataRegion(at: linear, shift: $0, page: place) }
        }
    }
#endif
