/// Exception vectors (SDM 3A table 6-1).
public enum Vector {
    public static let divideError: UInt8 = 0
    public static let debug: UInt8 = 1
    public static let nmi: UInt8 = 2
    public static let breakpoint: UInt8 = 3
    public static let overflow: UInt8 = 4
    public static let boundRange: UInt8 = 5
    public static let invalidOpcode: UInt8 = 6
    public static let deviceNotAvailable: UInt8 = 7
    public static let doubleFault: UInt8 = 8
    public static let coprocessorSegmentOverrun: UInt8 = 9
    public static let invalidTSS: UInt8 = 10
    public static let segmentNotPresent: UInt8 = 11
    public static let stackFault: UInt8 = 12
    public static let generalProtection: UInt8 = 13
    public static let pageFault: UInt8 = 14
    public static let floatingPoint: UInt8 = 16
    public static let alignmentCheck: UInt8 = 17
    public static let machineCheck: UInt8 = 18
    public static let simdFloatingPoint: UInt8 = 19
}

/// An exception raised by an instruction, thrown from the semantics to the run loop, which delivers it to the guest.
///
/// By then nothing of the instruction's effect has happened, except that CR2 (page faults) and DR6 (debug exceptions)
/// are set, and that a repeated string instruction has completed some of its iterations.
public struct Fault: Error, Equatable, Sendable {
    public var vector: UInt8
    /// Pushed after the return address, for the vectors that have one.
    public var errorCode: UInt32?

    @inline(__always) public init(_ vector: UInt8, _ errorCode: UInt32? = nil) {
        self.vector = vector
        self.errorCode = errorCode
    }

    /// #UD
    public static let invalidOpcode = Fault(Vector.invalidOpcode)
    /// #NM
    public static let deviceNotAvailable = Fault(Vector.deviceNotAvailable)
    /// #MF
    public static let floatingPoint = Fault(Vector.floatingPoint)
    /// #DE
    public static let divideError = Fault(Vector.divideError)
    /// #GP(`selector`, without its RPL)
    @inline(__always) public static func generalProtection(_ code: UInt32 = 0) -> Fault {
        Fault(Vector.generalProtection, code)
    }
    /// #SS(`selector`)
    @inline(__always) public static func stack(_ code: UInt32 = 0) -> Fault { Fault(Vector.stackFault, code) }
    /// #NP(`selector`)
    @inline(__always) public static func notPresent(_ code: UInt32) -> Fault {
        Fault(Vector.segmentNotPresent, code)
    }
    /// #TS(`selector`)
    @inline(__always) public static func invalidTSS(_ code: UInt32) -> Fault { Fault(Vector.invalidTSS, code) }
}
