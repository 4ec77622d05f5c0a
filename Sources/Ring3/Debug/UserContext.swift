/// Registers of user-mode code, and why it stopped. 64 bytes, laid out as in the oracle's case file.
package struct UserContext: BitwiseCopyable {
    /// EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI.
    package var registers: InlineArray<8, UInt32> = InlineArray(repeating: 0)
    package var eflags: UInt32 = 0x202
    package var eip: UInt32 = 0
    /// The exception that ended the run, or one of the outcomes below.
    package var vector: UInt32 = 0
    package var errorCode: UInt32 = 0
    /// For page faults; otherwise 0.
    package var cr2: UInt32 = 0
    /// ES, CS, SS, DS, FS, GS.
    package var selectors: InlineArray<6, UInt16> = InlineArray(repeating: 0)

    package init() {}

    /// Ran to the exit.
    package static let ended: UInt32 = 0x100
    /// Did not end.
    package static let runaway: UInt32 = 0x101
    /// Attempted a system call.
    package static let systemCall: UInt32 = 0x102
    /// The processor could not deliver an exception, and shut down.
    package static let shutdown: UInt32 = 0x103
    /// The process that ran it ended; the error code is its status as `waitpid` gives it.
    package static let died: UInt32 = 0x104
}

/// The linear addresses user code finds something at: the same as in the oracle's process (Guests/oracle/oracle.h).
package enum UserLayout {
    package static let code: UInt32 = 0x20_0000
    package static let codeSize: UInt32 = 0x2000
    /// Writable pages, then one of constants, which is not.
    package static let data: UInt32 = 0x21_0000
    package static let dataSize: UInt32 = 0x2000
    package static let constants = data + dataSize
    package static let constantsSize: UInt32 = 0x1000
    package static let stack: UInt32 = 0x22_0000
    package static let stackSize: UInt32 = 0x1000
    /// Where code jumps that has run to its end.
    package static let exit: UInt32 = 0x30_0000
    /// Where the oracle keeps itself: nothing in it may be touched by user code that is to be compared.
    package static let reserved: Range<UInt32> = 0x30_0000..<0x80_0000

    // Selectors of 32-bit programs on a 64-bit Linux (arch/x86/include/asm/segment.h).
    package static let codeSelector: UInt16 = 0x23
    package static let dataSelector: UInt16 = 0x2B
    /// In FS: `dataSize` bytes from `data`. GS is null.
    package static let windowSelector: UInt16 = 0x63
}
