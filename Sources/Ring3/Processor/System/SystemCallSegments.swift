import X86

/// What SYSENTER and SYSEXIT (SDM 2B) load into CS and SS: flat segments, by IA32_SYSENTER_CS.
struct SystemCallSegments {
    /// 1 if the register is null: both raise #GP.
    private(set) var areMissing: UInt32 = 1
    private(set) var entered = FlatSegments(code: 0, cpl: 0)
    private(set) var left = FlatSegments(code: 0, cpl: 3)

    init() {}

    init(sysenterCS: UInt32) {
        let code = UInt16(truncatingIfNeeded: sysenterCS & 0xFFFC)
        areMissing = code == 0 ? 1 : 0
        entered = FlatSegments(code: code, cpl: 0)
        left = FlatSegments(code: code &+ 16 | 3, cpl: 3)
    }
}

/// CS and, 8 above it, SS: base 0, 4 GiB, present, accessed.
struct FlatSegments {
    private(set) var cs: Segment
    private(set) var ss: Segment

    init(code: UInt16, cpl: UInt8) {
        let dpl = UInt32(cpl) << 13
        cs = Segment(selector: code, low: 0xFFFF, high: 0x00CF_9B00 | dpl)
        ss = Segment(selector: code &+ 8, low: 0xFFFF, high: 0x00CF_9300 | dpl)
    }
}
