import X86

extension Processor {
    /// Throws #GP(0) unless the current privilege may access `width` bytes at `port` (SDM 1 18.5).
    func checkPort(_ port: UInt16, width: UInt32) throws(Fault) {
        guard pointee.isProtected, pointee.cpl > iopl || pointee.isVirtual8086 else { return }
        let tr = pointee.tr
        // Only a 32-bit TSS has an I/O permission bitmap, at the offset in its last word.
        guard tr.isPresent, tr.type & 8 != 0, tr.limit >= 0x67 else { throw .generalProtection() }
        let map = UInt32(try readSystem(tr.base &+ 0x66, as: UInt16.self))
        let byte = map + UInt32(port) >> 3
        guard byte + 1 <= tr.limit else { throw .generalProtection() }
        let bits = UInt32(try readSystem(tr.base &+ byte, as: UInt16.self)) >> UInt32(port & 7)
        guard bits & (1 << width - 1) == 0 else { throw .generalProtection() }
    }

    func readPort(_ port: UInt16, width: UInt32) -> UInt32 {
        pointee.statistics.portReads &+= 1
        if pointee.hasDataBreakpoints { notePortAccess(port, width: width) }
        return pointee.platform._withUnsafeGuaranteedRef { $0.ports.read(UInt32(port), width: Int(width)) }
    }

    func writePort(_ port: UInt16, _ value: UInt32, width: UInt32) {
        pointee.statistics.portWrites &+= 1
        if pointee.hasDataBreakpoints { notePortAccess(port, width: width) }
        pointee.platform._withUnsafeGuaranteedRef { $0.ports.write(UInt32(port), value: value, width: Int(width)) }
    }

    /// The port of IN and OUT: immediate or DX.
    private func port(_ i: InstructionPointer, _ operand: Operand) -> UInt16 {
        operand.kind == .register
            ? register(8, as: UInt16.self) : UInt16(truncatingIfNeeded: i.pointee.immediate & 0xFF)
    }

    func portInput(_ i: InstructionPointer) throws(Fault) {
        let port = port(i, i.pointee.operands.1)
        let width = UInt32(i.pointee.operandSize)
        try checkPort(port, width: width)
        let value = readPort(port, width: width)
        switch width {
        case 1: setRegister(0, UInt8(truncatingIfNeeded: value))
        case 2: setRegister(0, UInt16(truncatingIfNeeded: value))
        default: setRegister(0, value)
        }
    }

    func portOutput(_ i: InstructionPointer) throws(Fault) {
        let port = port(i, i.pointee.operands.0)
        let width = UInt32(i.pointee.operandSize)
        try checkPort(port, width: width)
        writePort(port, pointee.eax, width: width)
    }
}
