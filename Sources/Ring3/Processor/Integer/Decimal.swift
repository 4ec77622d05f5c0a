import X86

// BCD arithmetic (SDM 2A, "AAA" and so on). Flags that the manual leaves undefined follow P6 behaviour: OF is clear.
extension Processor {
    private var al: UInt8 { register(0, as: UInt8.self) }
    private var ah: UInt8 { register(1, as: UInt8.self) }

    private func setDecimalFlags(_ result: UInt8, cf: Bool, af: Bool) {
        var flags = StatusFlags.ofLogic(result)
        if af { flags.carries |= StatusFlags.adjust }
        if cf { flags.carries |= StatusFlags.carry | StatusFlags.partialOverflow }
        pointee.status = flags
    }

    func daa() {
        let (old, oldCarry) = (al, pointee.status.cf)
        var result = old
        let adjusts = old & 0xF > 9 || pointee.status.af
        var carry = false
        if adjusts {
            carry = oldCarry || old > 0xF9
            result = result &+ 6
        }
        if old > 0x99 || oldCarry {
            result = result &+ 0x60
            carry = true
        }
        setRegister(0, result)
        setDecimalFlags(result, cf: carry, af: adjusts)
    }

    func das() {
        let (old, oldCarry) = (al, pointee.status.cf)
        var result = old
        let adjusts = old & 0xF > 9 || pointee.status.af
        var carry = false
        if adjusts {
            carry = oldCarry || old < 6
            result = result &- 6
        }
        if old > 0x99 || oldCarry {
            result = result &- 0x60
            carry = true
        }
        setRegister(0, result)
        setDecimalFlags(result, cf: carry, af: adjusts)
    }

    func aaa() {
        let adjusts = al & 0xF > 9 || pointee.status.af
        if adjusts { setRegister(0, register(0, as: UInt16.self) &+ 0x106) }
        setRegister(0, al & 0xF)
        setDecimalFlags(al, cf: adjusts, af: adjusts)
    }

    func aas() {
        let adjusts = al & 0xF > 9 || pointee.status.af
        if adjusts {
            setRegister(0, register(0, as: UInt16.self) &- 6)
            setRegister(1, ah &- 1)
        }
        setRegister(0, al & 0xF)
        setDecimalFlags(al, cf: adjusts, af: adjusts)
    }

    func aam(_ i: InstructionPointer) throws(Fault) {
        let base = UInt8(truncatingIfNeeded: i.pointee.immediate)
        guard base != 0 else { throw .divideError }
        let value = al
        setRegister(1, value / base)
        setRegister(0, value % base)
        pointee.status = .ofLogic(al)
    }

    func aad(_ i: InstructionPointer) {
        let result = al &+ ah &* UInt8(truncatingIfNeeded: i.pointee.immediate)
        setRegister(0, UInt16(result))
        pointee.status = .ofLogic(result)
    }
}
