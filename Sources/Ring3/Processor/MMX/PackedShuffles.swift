import X86

// Packing, unpacking, shuffling, and words and masks to and from general registers (SDM 1 9.4.3, 9.4.4, 10.4.1.3,
// 10.4.4, 11.4.1.3, 11.4.2). The floating-point names of the unpack instructions mean the same.
extension Processor {
    /// Packing and unpacking; everything else goes on to `executeShuffle`.
    func executePackedShuffle(_ i: InstructionPointer) throws(Fault) {
        switch i.pointee.operation {
        case .packsswb: try pack(i) { narrow($0, $1, Int16.self, Int8.self) }
        case .packuswb: try pack(i) { narrow($0, $1, Int16.self, UInt8.self) }
        case .packssdw: try pack(i) { narrow($0, $1, Int32.self, Int16.self) }
        case .punpcklbw: try packed(i) { interleaveLow($0, $1, SIMD16<UInt8>.self) }
        case .punpcklwd: try packed(i) { interleaveLow($0, $1, SIMD8<UInt16>.self) }
        case .punpckldq, .unpcklps: try packed(i) { interleaveLow($0, $1, SIMD4<UInt32>.self) }
        case .punpcklqdq, .unpcklpd: try packed(i) { XMMRegister($0.x, $1.x) }
        case .punpckhbw: try unpackHigh(i) { interleaveLow($0, $1, SIMD16<UInt8>.self) }
        case .punpckhwd: try unpackHigh(i) { interleaveLow($0, $1, SIMD8<UInt16>.self) }
        case .punpckhdq, .unpckhps: try unpackHigh(i) { interleaveLow($0, $1, SIMD4<UInt32>.self) }
        case .punpckhqdq, .unpckhpd: try packed(i) { XMMRegister($0.y, $1.y) }
        default: try executeShuffle(i)
        }
    }

    /// With MMX registers the operands side by side are what an SSE2 register holds of the first.
    @inline(__always)
    private func pack(
        _ i: InstructionPointer, _ body: (XMMRegister, XMMRegister) -> XMMRegister
    ) throws(Fault) {
        let isMMX = i.pointee.operands.0.kind == .mmx
        try packed(i) { a, b in isMMX ? body(XMMRegister(a.x, b.x), .zero) : body(a, b) }
    }

    /// Unpacks the high halves: 32 bits of an MMX register, 64 of an SSE register.
    @inline(__always)
    private func unpackHigh(
        _ i: InstructionPointer, _ body: (XMMRegister, XMMRegister) -> XMMRegister
    ) throws(Fault) {
        let isMMX = i.pointee.operands.0.kind == .mmx
        func high(_ a: XMMRegister) -> XMMRegister { XMMRegister(isMMX ? a.x >> 32 : a.y, 0) }
        try packed(i) { a, b in body(high(a), high(b)) }
    }

    /// Shuffles, words and masks; everything else goes on to `executeSSEComparison`.
    private func executeShuffle(_ i: InstructionPointer) throws(Fault) {
        let order = Int(i.pointee.immediate)
        switch i.pointee.operation {
        // What PSHUFW does to an MMX register PSHUFLW does to the low half.
        case .pshufw, .pshuflw: try packed(i) { _, b in XMMRegister(shuffleWords(b.x, order), b.y) }
        case .pshufhw: try packed(i) { _, b in XMMRegister(b.x, shuffleWords(b.y, order)) }
        case .pshufd: try packed(i) { _, b in shuffleDoublewords(b, b, order) }
        case .shufps: try packed(i) { a, b in shuffleDoublewords(a, b, order) }
        case .shufpd: try packed(i) { a, b in XMMRegister(a[order & 1], b[order >> 1 & 1]) }
        case .pinsrw: try insertWord(i)
        case .pextrw: try extractWord(i)
        case .pmovmskb: try moveMask(i) { signMask($0, SIMD16<Int8>.self) }
        case .movmskps: try moveMask(i) { signMask($0, SIMD4<Int32>.self) }
        case .movmskpd: try moveMask(i) { signMask($0, SIMD2<Int64>.self) }
        default: try executeSSEComparison(i)
        }
    }

    /// Four words, each selected by two bits of `order`.
    private func shuffleWords(_ words: UInt64, _ order: Int) -> UInt64 {
        var result: UInt64 = 0
        for n in 0..<4 {
            let selected = UInt64(order >> (2 * n) & 3)
            result |= (words >> (16 * selected) & 0xFFFF) << UInt64(16 * n)
        }
        return result
    }

    /// Two doublewords of `a`, two of `b`, each selected by two bits of `order`.
    private func shuffleDoublewords(_ a: XMMRegister, _ b: XMMRegister, _ order: Int) -> XMMRegister {
        let (x, y) = (unsafeBitCast(a, to: SIMD4<UInt32>.self), unsafeBitCast(b, to: SIMD4<UInt32>.self))
        let result = SIMD4(x[order & 3], x[order >> 2 & 3], y[order >> 4 & 3], y[order >> 6 & 3])
        return unsafeBitCast(result, to: XMMRegister.self)
    }

    /// PINSRW: the low word of a register, or a word in memory.
    private func insertWord(_ i: InstructionPointer) throws(Fault) {
        try checkSIMD(i)
        let destination = i.pointee.operands.0
        let word = try load(i, i.pointee.operands.1, as: UInt16.self)
        var words = unsafeBitCast(try loadSIMD(i, destination), to: SIMD8<UInt16>.self)
        words[Int(i.pointee.immediate) & (destination.kind == .mmx ? 3 : 7)] = word
        try storeSIMD(i, destination, unsafeBitCast(words, to: XMMRegister.self))
    }

    private func extractWord(_ i: InstructionPointer) throws(Fault) {
        try checkSIMD(i)
        let source = i.pointee.operands.1
        let words = unsafeBitCast(try loadSIMD(i, source), to: SIMD8<UInt16>.self)
        let word = words[Int(i.pointee.immediate) & (source.kind == .mmx ? 3 : 7)]
        try storeSIMD(i, i.pointee.operands.0, XMMRegister(UInt64(word), 0))
    }

    private func moveMask(_ i: InstructionPointer, _ mask: (XMMRegister) -> UInt32) throws(Fault) {
        try checkSIMD(i)
        let value = mask(try loadSIMD(i, i.pointee.operands.1))
        try storeSIMD(i, i.pointee.operands.0, XMMRegister(UInt64(value), 0))
    }
}
