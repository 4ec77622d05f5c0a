import Ring3

/// A case, and what became of it: the same 1024 bytes as `struct record` in Guests/oracle/oracle.h.
package struct CaseRecord: BitwiseCopyable {
    package var magic = Self.magic
    package var codeLength: UInt32 = 0
    /// Of the first byte in the code pages.
    package var codeOffset: UInt32 = 0
    private var ignoredSizes: (UInt16, UInt16) = (0, 0)
    package var context = UserContext()
    /// Words of memory that differ from what was there before: how many, a hash over them, and the first few.
    package var changes = MemoryChanges()
    package var code: InlineArray<256, UInt8> = InlineArray(repeating: 0)
    /// As FXSAVE stores it.
    package var extended = ExtendedImage()

    package static let magic: UInt32 = 0x4553_4143
    /// Leaves room for the jump to the exit.
    package static let maximumCode = 251

    package init() {}

    package init(code bytes: [UInt8], at offset: UInt32 = 0) {
        precondition(bytes.count <= Self.maximumCode)
        codeLength = UInt32(bytes.count)
        codeOffset = offset
        for index in bytes.indices { code[index] = bytes[index] }
        context.eip = UserLayout.code + offset
    }

    /// Memory whose contents depend on the processor's model: no change there counts. At most two ranges of at most
    /// 512 bytes, each an address and a size.
    package var ignored: [(address: UInt32, size: UInt32)] {
        get {
            [
                (changes.ignoredAddresses.0, UInt32(ignoredSizes.0)),
                (changes.ignoredAddresses.1, UInt32(ignoredSizes.1)),
            ].filter { $0.size > 0 }
        }
        set {
            precondition(newValue.count <= 2)
            (ignoredSizes, changes.ignoredAddresses) = ((0, 0), (0, 0))
            if let (address, size) = newValue.first {
                (changes.ignoredAddresses.0, ignoredSizes.0) = (address, UInt16(size))
            }
            if newValue.count > 1 {
                (changes.ignoredAddresses.1, ignoredSizes.1) = (newValue[1].address, UInt16(newValue[1].size))
            }
        }
    }

    /// Whether `ignored` is not empty; the usual answer is no, and costs nothing.
    var ignoresSomething: Bool { ignoredSizes.0 | ignoredSizes.1 != 0 }

    package var codeBytes: [UInt8] { (0..<Int(codeLength)).map { code[$0] } }
}

/// What a run did to the memory windows.
package struct MemoryChanges: BitwiseCopyable {
    package var count: UInt32 = 0
    package var hash: UInt32 = Self.hashStart
    fileprivate var ignoredAddresses: (UInt32, UInt32) = (0, 0)
    /// Address and value of the first words.
    package var listed: InlineArray<40, UInt32> = InlineArray(repeating: 0)

    package static let listedLimit = 20
    static let hashStart: UInt32 = 2_166_136_261

    package init() {}

    mutating func note(_ address: UInt32, _ value: UInt32) {
        if count < Self.listedLimit {
            listed[Int(count) * 2] = address
            listed[Int(count) * 2 + 1] = value
        }
        count += 1
        hash = (hash ^ address) &* 16_777_619
        hash = (hash ^ value) &* 16_777_619
    }

    /// The listed words.
    package var words: [(address: UInt32, value: UInt32)] {
        (0..<min(Int(count), Self.listedLimit)).map { (listed[$0 * 2], listed[$0 * 2 + 1]) }
    }

    func isEqual(to other: MemoryChanges) -> Bool { count == other.count && hash == other.hash }
}

/// x87, MMX and SSE state as FXSAVE stores it (SDM 2A, "FXSAVE", table 3-43).
package struct ExtendedImage: BitwiseCopyable {
    private var bytes: InlineArray<512, UInt8> = InlineArray(repeating: 0)

    package init() {
        control = 0x37F
        mxcsr = 0x1F80
    }

    package subscript<T: FixedWidthInteger & BitwiseCopyable>(offset: Int) -> T {
        get { withUnsafeBytes(of: self) { $0.loadUnaligned(fromByteOffset: offset, as: T.self) } }
        set { withUnsafeMutableBytes(of: &self) { $0.storeBytes(of: newValue, toByteOffset: offset, as: T.self) } }
    }

    package var control: UInt16 {
        get { self[0] }
        set { self[0] = newValue }
    }
    package var status: UInt16 {
        get { self[2] }
        set { self[2] = newValue }
    }
    /// Bit n: Rn is not empty.
    package var occupied: UInt8 {
        get { self[4] }
        set { self[4] = newValue }
    }
    package var mxcsr: UInt32 {
        get { self[24] }
        set { self[24] = newValue }
    }
    package func significand(_ n: Int) -> UInt64 { self[32 + n * 16] }
    package func signExponent(_ n: Int) -> UInt16 { self[40 + n * 16] }
    package mutating func setRegister(_ n: Int, significand: UInt64, signExponent: UInt16) {
        self[32 + n * 16] = significand
        self[40 + n * 16] = signExponent
    }
    /// Low and high half of XMMn.
    package func xmm(_ n: Int) -> (UInt64, UInt64) { (self[160 + n * 16], self[168 + n * 16]) }
    package mutating func setXMM(_ n: Int, _ low: UInt64, _ high: UInt64) {
        self[160 + n * 16] = low
        self[168 + n * 16] = high
    }

    /// ES: some exception is pending and not masked.
    var isExceptionPending: Bool { status & 0x80 != 0 }

    /// The same with TOP 0, as an MMX instruction makes it (SDM 3A 12.2). Tags are by register, and stay.
    var withTopZero: ExtendedImage {
        var image = self
        let top = Int(status >> 11 & 7)
        image.status &= ~0x3800
        for n in 0..<8 {
            let place = (top + n) & 7
            image.setRegister(place, significand: significand(n), signExponent: signExponent(n))
        }
        return image
    }

    /// Whether two images are the same, in all that is ever compared: see `Comparison`.
    ///
    /// - Parameter withPointer: compare the address of the last x87 instruction.
    static func isEqual(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, withPointer: Bool) -> Bool {
        func differ(_ word: Int, _ mask: UInt64) -> UInt64 {
            let offset = word * 8
            return
                (a.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                ^ b.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) & mask
        }
        // Control, status, tags; instruction pointer; MXCSR; registers of 80 bits; XMM registers.
        var difference = differ(0, 0xFF_FFFF_FFFF) | differ(1, withPointer ? 0xFFFF_FFFF : 0)
        difference |= differ(3, 0xFFFF_FFFF)
        for n in 0..<8 { difference |= differ(4 + n * 2, .max) | differ(5 + n * 2, 0xFFFF) }
        for word in 20..<36 { difference |= differ(word, .max) }
        return difference == 0
    }

    /// Makes one byte of every MMX and SSE register negative.
    mutating func selectBytes(_ random: UInt64) {
        let bit: UInt64 = 0x80 << ((random & 7) * 8)
        for n in 0..<8 {
            setRegister(n, significand: significand(n) | bit, signExponent: signExponent(n))
            setXMM(n, xmm(n).0, xmm(n).1 | bit)
        }
    }
}
