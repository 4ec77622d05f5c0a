import X86

extension SegmentRegister {
    /// Those that hold neither code nor the stack, in the order of the v86 interrupt frame from its lower end.
    static let dataRegisters: [SegmentRegister] = [.es, .ds, .fs, .gs]
}

extension Segment {
    /// Type field of the descriptor, 0...15; with S for its meaning.
    @inline(__always) var type: UInt16 { attributes & 0xF }
    /// S: a code or data segment, not a system descriptor.
    @inline(__always) var isCodeOrData: Bool { attributes & 0x10 != 0 }
    @inline(__always) var dpl: UInt8 { UInt8(truncatingIfNeeded: attributes >> 5) & 3 }
    @inline(__always) var isPresent: Bool { attributes & 0x80 != 0 }
    @inline(__always) var isCode: Bool { attributes & 0x18 == 0x18 }
    @inline(__always) var isConforming: Bool { attributes & 0x1C == 0x1C }
    @inline(__always) var isExpandDown: Bool { attributes & 0x1C == 0x14 }
    @inline(__always) var isReadable: Bool { attributes & 0x18 == 0x10 || attributes & 0x1A == 0x1A }
    @inline(__always) var isWritable: Bool { attributes & 0x1A == 0x12 }
    /// D/B: 32-bit code, 32-bit stack, or 4 GiB upper bound of an expand-down segment.
    @inline(__always) var isBig: Bool { attributes & 0x4000 != 0 }
    @inline(__always) var rpl: UInt8 { UInt8(truncatingIfNeeded: selector & 3) }
    /// A null selector was loaded: nothing may be accessed through it.
    @inline(__always) var isNull: Bool { selector & 0xFFFC == 0 }

    /// From the two words of a descriptor (SDM 3A 3.4.5).
    @inline(__always)
    init(selector: UInt16, low: UInt32, high: UInt32) {
        self.selector = selector
        attributes = UInt16(truncatingIfNeeded: high >> 8) & 0xF0FF
        base = low >> 16 | (high & 0xFF) << 16 | high & 0xFF00_0000
        let raw = low & 0xFFFF | high & 0xF0000
        limit = high & (1 << 23) != 0 ? raw << 12 | 0xFFF : raw
        updateEnds()
    }

    /// The same of both words in one.
    @inline(__always)
    init(selector: UInt16, word: UInt64) {
        self.init(
            selector: selector, low: UInt32(truncatingIfNeeded: word), high: UInt32(truncatingIfNeeded: word >> 32))
    }

    /// As real and virtual-8086 mode load it.
    init(realMode selector: UInt16, dpl: UInt16 = 0) {
        self.selector = selector
        base = UInt32(selector) << 4
        limit = 0xFFFF
        attributes = 0x93 | dpl << 5
        updateEnds()
    }

    /// Recomputes `readEnd` and `writeEnd`. Expand-down segments and all others with a rule of their own get 0.
    mutating func updateEnds() {
        let plain = isPresent && isCodeOrData && !isExpandDown
        let end = UInt64(limit) + 1
        readEnd = plain && isReadable ? end : 0
        writeEnd = plain && isWritable ? end : 0
    }

    /// Whether `count` bytes from `offset` lie within the limit. Offsets wrap at 4 GiB only in a 4 GiB segment.
    func covers(_ offset: UInt32, count: UInt32) -> Bool {
        let (last, wraps) = offset.addingReportingOverflow(count - 1)
        if isExpandDown {
            return !wraps && offset > limit && last <= (isBig ? .max : 0xFFFF)
        }
        return wraps ? limit == .max : last <= limit
    }
}
