import CHost
import X86

// The SSE micro-ops. They do nothing and return false if the instruction might fault, or might have to answer an
// unmasked exception.
extension Processor {
    /// No SSE instruction can raise #UD or #NM now.
    @inline(__always)
    private var isSSEReady: Bool {
        pointee.cr0 & (CR0.em | CR0.ts) == 0 && pointee.cr4 & CR4.osfxsr != 0
    }

    /// Host address of 16 bytes in one page.
    @inline(__always)
    private func place16(_ op: MicroOpPointer, isAligned: Bool, isWrite: Bool) -> UnsafeMutableRawPointer? {
        let linear = address(op)
        guard !isAligned || linear & 15 == 0 else { return nil }
        let entry = pointee.tlb + Int(linear >> 12 & TLB.mask)
        let tag = isWrite ? entry.pointee.writeTag : entry.pointee.readTag
        guard tag == (linear &+ 15) & 0xFFFF_F000 else { return nil }
        return UnsafeMutableRawPointer(bitPattern: entry.pointee.addend &+ Int(linear))
    }

    // MARK: Moves

    @inline(__always)
    func loadXMM(_ op: MicroOpPointer, isAligned: Bool) -> Bool {
        guard isSSEReady, let place = place16(op, isAligned: isAligned, isWrite: false) else { return false }
        xmm(op.pointee.a).pointee = place.loadUnaligned(as: XMMRegister.self)
        return true
    }

    @inline(__always)
    func loadXMM<T: Word>(_ op: MicroOpPointer, _ type: T.Type) -> Bool {
        guard isSSEReady, let place = readable(address(op), T.self) else { return false }
        xmm(op.pointee.a).pointee = XMMRegister(UInt64(truncatingIfNeeded: place.loadUnaligned(as: T.self)), 0)
        return true
    }

    @inline(__always)
    func storeXMM(_ op: MicroOpPointer, isAligned: Bool) -> Bool {
        guard isSSEReady, let place = place16(op, isAligned: isAligned, isWrite: true) else { return false }
        place.storeBytes(of: xmm(op.pointee.a).pointee, as: XMMRegister.self)
        return true
    }

    @inline(__always)
    func storeXMM<T: Word>(_ op: MicroOpPointer, _ type: T.Type) -> Bool {
        guard isSSEReady, let place = writable(address(op), T.self) else { return false }
        place.storeBytes(of: T(truncatingIfNeeded: xmm(op.pointee.a).pointee.x), as: T.self)
        return true
    }

    // MARK: Registers

    @inline(__always)
    func combineXMM(_ op: MicroOpPointer, _ body: (XMMRegister, XMMRegister) -> XMMRegister) -> Bool {
        guard isSSEReady else { return false }
        let destination = xmm(op.pointee.a)
        destination.pointee = body(destination.pointee, xmm(op.pointee.b).pointee)
        return true
    }

    /// Two doublewords of c, then two of b, each selected by two bits of the immediate.
    @inline(__always)
    func shuffleXMM(_ op: MicroOpPointer) -> Bool {
        guard isSSEReady else { return false }
        let low = unsafeBitCast(xmm(op.pointee.c).pointee, to: SIMD4<UInt32>.self)
        let high = unsafeBitCast(xmm(op.pointee.b).pointee, to: SIMD4<UInt32>.self)
        let order = Int(truncatingIfNeeded: op.pointee.immediate)
        let result = SIMD4<UInt32>(
            low[order & 3], low[order >> 2 & 3], high[order >> 4 & 3], high[order >> 6 & 3])
        xmm(op.pointee.a).pointee = unsafeBitCast(result, to: XMMRegister.self)
        return true
    }

    // MARK: Arithmetic

    @inline(__always)
    private func calculate(_ op: MicroOpPointer, _ source: UnsafeRawPointer) -> Bool {
        #if arch(x86_64)
            let flags = ring3_sse_arithmetic_as_is(
                Int32(bitPattern: op.pointee.immediate), xmm(op.pointee.a), source)
            pointee.sse.mxcsr |= flags
            return true
        #else
            return false
        #endif
    }

    @inline(__always)
    func calculateXMM(_ op: MicroOpPointer) -> Bool {
        guard isSSEReady, isControlTheHosts else { return false }
        return calculate(op, xmm(op.pointee.b))
    }

    @inline(__always)
    func calculateXMM16(_ op: MicroOpPointer) -> Bool {
        guard isSSEReady, isControlTheHosts, let place = place16(op, isAligned: true, isWrite: false) else {
            return false
        }
        return calculate(op, place)
    }

    @inline(__always)
    func calculateXMM<T: Word>(_ op: MicroOpPointer, _ type: T.Type) -> Bool {
        guard isSSEReady, isControlTheHosts, let place = readable(address(op), T.self) else { return false }
        // The host's instruction gets a register: reading 16 bytes of the guest's could leave its page.
        var source = XMMRegister(UInt64(truncatingIfNeeded: place.loadUnaligned(as: T.self)), 0)
        return calculate(op, &source)
    }
}
