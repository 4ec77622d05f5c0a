// The MMX registers are the significands of the x87 unit's (SDM 3A 12.2).
extension Processor {
    /// MM`number`, 0...7.
    @inline(__always)
    func mmx(_ number: UInt8) -> UInt64 { fpu.physical(number & 7).pointee.significand }

    /// Writes MM`number`. What was the sign and the exponent becomes all ones.
    @inline(__always)
    func setMMX(_ number: UInt8, _ value: UInt64) {
        fpu.physical(number & 7).pointee = X87Register(significand: value, signExponent: 0xFFFF)
    }

    /// What every MMX instruction but EMMS does to the x87 unit: TOP is 0 and no register is empty.
    @inline(__always)
    func enterMMX() {
        fpu.pointee.status &= ~X87Status.top
        fpu.pointee.occupied = 0xFF
    }

    /// The checks before every MMX instruction: #UD, #NM, then #MF (SDM 3A 12.1, 12.5).
    @inline(__always)
    func checkMMX() throws(Fault) {
        if pointee.cr0 & CR0.em != 0 { throw .invalidOpcode }
        if pointee.cr0 & CR0.ts != 0 { throw .deviceNotAvailable }
        try checkX87Pending()
    }

    /// EMMS: the registers are free for x87 instructions again.
    func emms() throws(Fault) {
        try checkMMX()
        fpu.pointee.status &= ~X87Status.top
        fpu.pointee.occupied = 0
    }
}
