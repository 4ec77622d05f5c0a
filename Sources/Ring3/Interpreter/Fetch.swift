import X86

extension Processor {
    /// Makes `fetch` cover EIP. Throws #GP beyond the CS limit, #PF where the page can't be executed. Leaves the window
    /// empty outside RAM, where bytes come from the bus.
    func refillFetchWindow() throws(Fault) {
        let eip = pointee.eip
        pointee.fetch.count = 0
        guard eip <= pointee.cs.limit else { throw .generalProtection() }
        let linear = pointee.cs.base &+ eip
        let physical = try translate(linear, .execute, isUser: pointee.cpl == 3)
        guard isRAM(physical) else { return }
        let inPage = linear & 0xFFF
        // The window begins at the page's start, or at EIP 0 if the segment begins inside the page.
        let before = Swift.min(inPage, eip)
        let count =
            UInt64(before) + UInt64(Swift.min(0x1000 - inPage, UInt32(clamping: UInt64(pointee.cs.limit - eip) + 1)))
        pointee.fetch = FetchWindow(
            start: eip - before, count: UInt32(count),
            physical: UInt32(truncatingIfNeeded: physical) - before,
            tag: DecodeCache.tag(UInt32(truncatingIfNeeded: physical) - before, is32Bit: pointee.is32BitCode))
    }

    /// Physical address of the RAM page at `linear` (a page address), if the TLB knows it to be executable.
    @inline(__always)
    func executableRAM(_ linear: UInt32) -> UInt32? {
        let entry = pointee.tlb + Int(linear >> 12 & TLB.mask)
        return entry.pointee.executeTag == linear ? entry.pointee.physicalPage : nil
    }

    /// Decodes the instruction at EIP, which is in the fetch window; nil if the window ends before it does.
    func decodeInWindow(_ decoder: Decoder) -> Instruction? {
        let offset = pointee.eip &- pointee.fetch.start
        let bytes = UnsafeRawBufferPointer(
            start: pointee.ramBase + Int(pointee.fetch.physical &+ offset),
            count: Int(Swift.min(pointee.fetch.count &- offset, 15)))
        pointee.statistics.decodes &+= 1
        let instruction = decoder.decode(bytes, size: pointee.is32BitCode ? .bits32 : .bits16)
        return instruction.operation == .truncated ? nil : instruction
    }

    /// Fetches and decodes byte by byte, each translated when the instruction turns out to need it.
    ///
    /// Throws #PF, also for the second page of an instruction that crosses into one that is not there, and #GP beyond
    /// the CS limit.
    func decodeAcrossPages(_ decoder: Decoder, _ bytes: inout InlineArray<16, UInt8>) throws(Fault) -> Instruction {
        pointee.statistics.decodes &+= 1
        for count in 1...15 {
            bytes[count - 1] = try fetchByte(UInt32(count - 1))
            let instruction = withUnsafeBytes(of: &bytes) {
                decoder.decode(
                    UnsafeRawBufferPointer(rebasing: $0[..<count]), size: pointee.is32BitCode ? .bits32 : .bits16)
            }
            if instruction.operation != .truncated { return instruction }
        }
        return Instruction(.overlong, length: 15)
    }

    /// The byte `index` (0...14) behind EIP. Throws as `decodeAcrossPages` does.
    func fetchByte(_ index: UInt32) throws(Fault) -> UInt8 {
        let eip = pointee.eip &+ index
        // Running past the limit, or around 4 GiB, is #GP.
        guard eip <= pointee.cs.limit, eip >= pointee.eip else { throw .generalProtection() }
        let physical = try translate(pointee.cs.base &+ eip, .execute, isUser: pointee.cpl == 3)
        return UInt8(truncatingIfNeeded: readPhysical(physical, count: 1))
    }

    /// #DB for an instruction breakpoint: a fault, with RF clear in the saved image (SDM 3B 17.3.1.1).
    func deliverInstructionBreakpoint(_ hits: UInt32) {
        deliverDebugTrap(hits)
    }
}
