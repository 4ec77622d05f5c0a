import X86

/// What emitted code is specialised on. Code, stack, DS and ES are flat and 32-bit in any case.
struct NativeMode: OptionSet, Equatable {
    let rawValue: UInt8

    /// FS, GS end at 4 GiB and can be read and written: an offset needs no checking, only the base added.
    static let openFS = NativeMode(rawValue: 1 << 0)
    static let openGS = NativeMode(rawValue: 1 << 1)
    /// EFLAGS.DF is clear: string instructions go up.
    static let stringsGoUp = NativeMode(rawValue: 1 << 2)
    /// How many modes there are.
    static let count = 8
}

extension Processor {
    /// The mode bits as they are now.
    var nativeMode: NativeMode {
        var mode: NativeMode = []
        if pointee.fs.isOpen { mode.insert(.openFS) }
        if pointee.gs.isOpen { mode.insert(.openGS) }
        if pointee.systemFlags & Flags.df == 0 { mode.insert(.stringsGoUp) }
        return mode
    }
}

extension Segment {
    /// Whether an offset needs no checking.
    var isOpen: Bool { readEnd == 1 << 32 && writeEnd == 1 << 32 }
}
