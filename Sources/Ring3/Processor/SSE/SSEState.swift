/// An SSE register: bits 63...0, then 127...64. The whole is aligned to 16 bytes.
public typealias XMMRegister = SIMD2<UInt64>

/// The SSE unit's state (SDM 1 10.2). Defaults are those after power-up and reset (SDM 3A table 9-1).
public struct SSEState: Sendable {
    public var registers: InlineArray<8, XMMRegister> = InlineArray(repeating: .zero)
    public var mxcsr: UInt32 = 0x1F80

    public init() {}
}

/// Bits of MXCSR (SDM 1 10.2.3):
/// ```
///  31..16    15   14  13    12 ..... 7         6    5 .......... 0
///  reserved  FZ   RC  RC    masks PM ... IM    DAZ  flags PE ... IE
/// ```
enum MXCSR {
    static let invalid: UInt32 = 1 << 0
    static let denormal: UInt32 = 1 << 1
    static let zeroDivide: UInt32 = 1 << 2
    static let overflow: UInt32 = 1 << 3
    static let underflow: UInt32 = 1 << 4
    static let precision: UInt32 = 1 << 5
    /// The six exception flags; their masks lie `maskShift` further up.
    static let flags: UInt32 = 0x3F
    static let maskShift: UInt32 = 7
    static let masks = flags << maskShift
    /// Exceptions found before anything is computed.
    static let beforeOperation = invalid | denormal | zeroDivide
    static let flushToZero: UInt32 = 1 << 15
    /// Bits that can be set, as FXSAVE reports them in MXCSR_MASK: DAZ is among them (SDM 1 11.6.6).
    static let defined: UInt32 = 0xFFFF
}

extension Processor {
    /// XMM`number`, 0...7.
    @inline(__always)
    func xmm(_ number: UInt8) -> UnsafeMutablePointer<XMMRegister> {
        // The eight lie in a row behind a stable pointer.
        withUnsafeMutablePointer(to: &pointee.sse.registers) {
            UnsafeMutableRawPointer($0).assumingMemoryBound(to: XMMRegister.self) + Int(number & 7)
        }
    }

    /// The checks before every SSE instruction: #UD, then #NM (SDM 3A 2.5, 13.1.3).
    @inline(__always)
    func checkSSE() throws(Fault) {
        if pointee.cr0 & CR0.em != 0 || pointee.cr4 & CR4.osfxsr == 0 { throw .invalidOpcode }
        if pointee.cr0 & CR0.ts != 0 { throw .deviceNotAvailable }
    }
}
