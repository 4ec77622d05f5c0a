/// Bits of CR0 (SDM 3A 2.5).
enum CR0 {
    static let pe: UInt32 = 1 << 0
    static let mp: UInt32 = 1 << 1
    static let em: UInt32 = 1 << 2
    static let ts: UInt32 = 1 << 3
    static let et: UInt32 = 1 << 4
    static let ne: UInt32 = 1 << 5
    static let wp: UInt32 = 1 << 16
    static let am: UInt32 = 1 << 18
    static let nw: UInt32 = 1 << 29
    static let cd: UInt32 = 1 << 30
    static let pg: UInt32 = 1 << 31
    static let defined: UInt32 = pe | mp | em | ts | et | ne | wp | am | nw | cd | pg
}

/// Bits of CR4 that this processor has (SDM 3A 2.5); the others are reserved and raise #GP when set.
enum CR4 {
    static let tsd: UInt32 = 1 << 2
    static let de: UInt32 = 1 << 3
    static let pse: UInt32 = 1 << 4
    static let pae: UInt32 = 1 << 5
    static let pge: UInt32 = 1 << 7
    static let pce: UInt32 = 1 << 8
    static let osfxsr: UInt32 = 1 << 9
    static let osxmmexcpt: UInt32 = 1 << 10
    static let defined: UInt32 = tsd | de | pse | pae | pge | pce | osfxsr | osxmmexcpt
}

/// Bits of EFER that a 32-bit processor with NX has (SDM 3A 2.2.1).
enum EFER {
    static let nxe: UInt32 = 1 << 11
}

/// Bits of IA32_MISC_ENABLE (SDM 4 table 2-2), which Linux reads on family 6 from model 13 on.
enum MiscellaneousEnable {
    static let fastStrings: UInt32 = 1 << 0
    static let branchTraceUnavailable: UInt32 = 1 << 11
    static let eventSamplingUnavailable: UInt32 = 1 << 12
    static let reset = fastStrings | branchTraceUnavailable | eventSamplingUnavailable
}

/// Bits of DR6 and DR7 (SDM 3B 17.2).
enum DebugRegister {
    static let dr6Reserved: UInt32 = 0xFFFF_0FF0
    static let dr6BD: UInt32 = 1 << 13
    static let dr6BS: UInt32 = 1 << 14
    static let dr6BT: UInt32 = 1 << 15
    static let dr7GD: UInt32 = 1 << 13
    static let dr7Reserved: UInt32 = 1 << 10
}

/// Why the run loop must look up before the next instruction.
struct Attention: OptionSet {
    let rawValue: UInt32
    /// INTR is asserted and IF is set.
    static let interrupt = Attention(rawValue: 1 << 0)
    static let nmi = Attention(rawValue: 1 << 1)
    /// HLT was executed.
    static let halted = Attention(rawValue: 1 << 2)
    /// EFLAGS.TF is set.
    static let singleStep = Attention(rawValue: 1 << 3)
    /// An instruction breakpoint is enabled in DR7.
    static let instructionBreakpoints = Attention(rawValue: 1 << 4)
    /// A debug trap (data breakpoint, task switch) is to be raised: see `pendingDebug`.
    static let debugTrap = Attention(rawValue: 1 << 5)
    /// EFLAGS.RF is set and must be cleared after one instruction.
    static let resumeFlag = Attention(rawValue: 1 << 6)
    /// Someone outside (a device, the user) wants the run loop to return.
    static let external = Attention(rawValue: 1 << 7)
    /// Triple fault: the processor has shut down.
    static let shutdown = Attention(rawValue: 1 << 8)
}
