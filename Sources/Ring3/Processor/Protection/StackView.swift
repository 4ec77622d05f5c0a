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

    /// Pushes `size` (2 or 4) bytes. Throws #SS or #PF.
    func push(_ value: UInt32, size: UInt32, on stack: inout StackView) throws(Fault) {
        let esp = stack.esp & ~stack.mask | (stack.esp &- size) & stack.mask
        guard stack.segment.covers(esp & stack.mask, count: size) else { throw .stack(stack.errorCode) }
        let linear = stack.segment.base &+ (esp & stack.mask)
        if size != 4 || isAlignmentChecked || !writeThroughTLB(linear, value, isUser: stack.isUser) {
            try writeLinearSlow(linear, UInt64(value), count: size, isUser: stack.isUser)
        }
        stack.esp = esp
    }

    /// Pops `size` (2 or 4) bytes. Throws #SS or #PF.
    func pop(size: UInt32, from stack: inout StackView) throws(Fault) -> UInt32 {
        let value = try peek(stack, at: 0, size: size)
        drop(size, from: &stack)
        return value
    }

    /// Value `offset` bytes above the top.
    func peek(_ stack: StackView, at offset: UInt32, size: UInt32) throws(Fault) -> UInt32 {
        let place = (stack.esp &+ offset) & stack.mask
        guard stack.segment.covers(place, count: size) else { throw .stack(stack.errorCode) }
        let linear = stack.segment.base &+ place
        if size == 4, !isAlignmentChecked,
            let value = readThroughTLB(linear, isUser: stack.isUser, as: UInt32.self)
        {
            return value
        }
        return UInt32(truncatingIfNeeded: try readLinearSlow(linear, count: size, isUser: stack.isUser))
    }

    /// Removes `count` bytes.
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
