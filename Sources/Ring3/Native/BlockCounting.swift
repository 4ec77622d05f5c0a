#if arch(x86_64) && os(Linux)
    import X86

    /// How a block that `NativeTranslator` emits counts its instructions: in parts, so that a conditional jump may lead to
    /// its target itself, with just what was executed counted.
    extension NativeTranslator {
        /// Divides the block into parts that are counted at once, each as far as a conditional jump that leads to its target
        /// directly.
        func divide() {
            var end = block.count
            instruction(Int(end)).pointee.counted = end
            for index in (0..<Int(end)).reversed() {
                if isDirect(index) { end = UInt16(index + 1) }
                instruction(index).pointee.counted = end
            }
        }

        /// Whether a conditional jump leads to its target directly, once that is linked, and not by way of an exit of its own.
        func isDirect(_ index: Int) -> Bool {
            let record = instruction(index)
            return record.pointee.role == .conditional && !record.pointee.isFollowed && !record.pointee.isMonitored
                && record.pointee.debt == .none && block.links(to: target(index))
        }

        /// Where a jump or call leads, if it is direct.
        func target(_ index: Int) -> UInt32 {
            let record = instruction(index).pointee
            let next = block.eip &+ UInt32(record.offset) &+ UInt32(record.instruction.length)
            return next &+ record.instruction.immediate
        }

        /// Counts the first part, and makes sure that there are enough instructions left for all.
        func emitCount() {
            let first = Int32(instruction(0).pointee.counted)
            host.lea(.r14, .r14, -first, isWide: true)
            let others = Int8(truncatingIfNeeded: Int32(block.count) - first)
            host.bytes(0x45, 0x8B)  // mov r8d, [r14 - others]
            if others == 0 { host.byte(0x06) } else { host.bytes(0x46, UInt8(bitPattern: -others)) }
        }

        /// Bytes of what counts a part.
        static let countSize = 4

        /// Counts the next part, if one begins behind the instruction at `index`.
        func emitCount(behind index: Int) {
            let next = instruction(index + 1).pointee
            guard NativeInstruction.isCounted(between: instruction(index).pointee, next) else { return }
            host.lea(.r14, .r14, Int32(index + 1) - Int32(next.counted), isWide: true)
        }

        /// Gives back what is counted of the instructions behind that at `index`.
        func emitUncount(behind index: Int) {
            let ahead = Int32(instruction(index).pointee.counted) - Int32(index + 1)
            if ahead != 0 { host.lea(.r14, .r14, ahead, isWide: true) }
        }
    }
#endif
