#if arch(x86_64) && os(Linux)
    import X86

    /// Guests that patch constants into their code, time and again: those of emitted code are patched, too.
    extension NativeCache {
        /// Has a block that is not stale use what has been written to the `count` bytes at `physical`, of which it holds some, if
        /// they are all of one constant; false if it has to be emitted anew.
        func repair(_ number: Int32, _ physical: UInt32, _ count: UInt32) -> Bool {
            let block = blocks + Int(number)
            let start = physical &- block.pointee.physical
            // Somebody who looks at blocks wants to see each version. Loops that are written to need not be unrolled.
            guard profile == nil, !block.pointee.isUnrolled, physical >= block.pointee.physical,
                block.pointee.secondPage == nil
            else { return false }
            var record = instructions + Int(block.pointee.first)
            while UInt32(record[1].offset) <= start { record += 1 }
            let end = UInt32(record[1].offset)
            guard record.pointee.endsWithConstant, !record.pointee.isMonitored, start &+ 4 >= end, start &+ count <= end
            else { return false }
            let constant = (ram + Int(block.pointee.physical &+ end &- 4)).loadUnaligned(as: UInt32.self).littleEndian
            record.pointee.instruction.immediate = constant
            assembler.replace(
                at: Int(record.pointee.host) + Int(record.pointee.instruction.length) - 4, by: constant)
            statistics.pointee.blocksRepaired &+= 1
            verification?.verifyAgain(Int(number))
            return true
        }
    }
#endif
