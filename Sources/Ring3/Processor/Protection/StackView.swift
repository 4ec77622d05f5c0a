import X86

/// A stack that is being worked on and not yet (or no longer) the current one: transfers push and pop through it and
/// commit ESP when nothing can fault any more.
struct StackView {
    var segment: Segment
    var esp: UInt32
    /// Accesses are made with user rights.
    var isUser: Bool
    /// Error code of the #SS that running out of it raises.
    var errorCode: UInt32 = 0

    var mask: UInt32 { segment.isBig ? .max : 0xFFFF }
}

extension Processor {
    /// The stack in SS:ESP.
    var currentStack: StackView {
        StackView(segment: pointee.ss, esp: pointee.esp, isUser: pointee.cpl == 3)
    }

    // Inlined, so that no view is copied: its fields have just been stored one by one, and larger loads would wait for that.

    /// Pushes `size` (2 or 4) bytes. Throws #SS or #PF.
    @inline(__always)
    func push(_ value: UInt32, size: UInt32, on stack: inout StackView) throws(Fault) {
        let esp = stack.esp &- 4
        if size == 4, stack.segment.isBig, UInt64(esp) + 4 <= stack.segment.writeEnd, !isAlignmentChecked,
            writeThroughTLB(stack.segment.base &+ esp, value, isUser: stack.isUser)
        {
            stack.esp = esp
        } else {
            try pushSlowly(value, size: size, on: &stack)
        }
    }

    @inline(never)
    private func pushSlowly(_ value: UInt32, size: UInt32, on stack: inout StackView) throws(Fault) {
        let esp = stack.esp & ~stack.mask | (stack.esp &- size) & stack.mask
        guard stack.segment.covers(esp & stack.mask, count: size) else { throw .stack(stack.errorCode) }
        let linear = stack.segment.base &+ (esp & stack.mask)
        try writeLinearSlow(linear, UInt64(value), count: size, isUser: stack.isUser)
        stack.esp = esp
    }

    /// Pops `size` (2 or 4) bytes. Throws #SS or #PF.
    @inline(__always)
    func pop(size: UInt32, from stack: inout StackView) throws(Fault) -> UInt32 {
        let value = try peek(stack, at: 0, size: size)
        drop(size, from: &stack)
        return value
    }

    /// Value `offset` bytes above the top.
    @inline(__always)
    func peek(_ stack: StackView, at offset: UInt32, size: UInt32) throws(Fault) -> UInt32 {
        let place = stack.esp &+ offset
        if size == 4, stack.segment.isBig, UInt64(place) + 4 <= stack.segment.readEnd, !isAlignmentChecked,
            let value = readThroughTLB(stack.segment.base &+ place, isUser: stack.isUser, as: UInt32.self)
        {
            return value
        }
        return try peekSlowly(stack, at: offset, size: size)
    }

    @inline(never)
    private func peekSlowly(_ stack: StackView, at offset: UInt32, size: UInt32) throws(Fault) -> UInt32 {
        let place = (stack.esp &+ offset) & stack.mask
        guard stack.segment.covers(place, count: size) else { throw .stack(stack.errorCode) }
        let linear = stack.segment.base &+ place
        return UInt32(truncatingIfNeeded: try readLinearSlow(linear, count: size, isUser: stack.isUser))
    }

    /// Removes `count` bytes.
    @inline(__always)
    func drop(_ count: UInt32, from stack: inout StackView) {
        stack.esp = stack.esp & ~stack.mask | (stack.esp &+ count) & stack.mask
    }

    /// Makes `stack` the current one.
    func commit(_ stack: StackView) {
        setSegment(.ss, stack.segment)
        pointee.esp = stack.esp
    }

    /// Only ESP: the segment has not changed.
    func commitPointer(_ stack: StackView) { pointee.esp = stack.esp }
}
