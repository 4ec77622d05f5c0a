// Registers seen as vectors of lanes. The loops have constant bounds and run over memory: of those the optimiser makes
// vector code, while of loops over the lanes of a `SIMD16` it does not always.

/// Applies `body` to every pair of lanes.
@inline(__always)
func mapLanes<V: SIMD>(
    _ a: XMMRegister, _ b: XMMRegister, _ type: V.Type, _ body: (V.Scalar, V.Scalar) -> V.Scalar
) -> XMMRegister where V.Scalar: BitwiseCopyable {
    var result = XMMRegister.zero
    withUnsafeBytes(of: a) { a in
        withUnsafeBytes(of: b) { b in
            withUnsafeMutableBytes(of: &result) { result in
                for offset in stride(from: 0, to: 16, by: MemoryLayout<V.Scalar>.size) {
                    let lane = body(
                        a.load(fromByteOffset: offset, as: V.Scalar.self),
                        b.load(fromByteOffset: offset, as: V.Scalar.self))
                    result.storeBytes(of: lane, toByteOffset: offset, as: V.Scalar.self)
                }
            }
        }
    }
    return result
}

/// Narrows the lanes of `a`, then those of `b`: PACK.
@inline(__always)
func narrow<Wide: FixedWidthInteger & BitwiseCopyable, Narrow: FixedWidthInteger & BitwiseCopyable>(
    _ a: XMMRegister, _ b: XMMRegister, _ wide: Wide.Type, _ narrow: Narrow.Type
) -> XMMRegister {
    var result = XMMRegister.zero
    withUnsafeBytes(of: (a, b)) { source in
        withUnsafeMutableBytes(of: &result) { result in
            for n in 0..<16 / MemoryLayout<Narrow>.size {
                let lane = source.load(fromByteOffset: n * MemoryLayout<Wide>.size, as: Wide.self)
                result.storeBytes(
                    of: Narrow(clamping: lane), toByteOffset: n * MemoryLayout<Narrow>.size, as: Narrow.self)
            }
        }
    }
    return result
}

/// Interleaves the lanes of both low halves: PUNPCKL.
@inline(__always)
func interleaveLow<V: SIMD>(_ a: XMMRegister, _ b: XMMRegister, _ type: V.Type) -> XMMRegister {
    let (x, y) = (unsafeBitCast(a, to: V.self), unsafeBitCast(b, to: V.self))
    var result = x
    for n in 0..<V.scalarCount / 2 {
        result[2 * n] = x[n]
        result[2 * n + 1] = y[n]
    }
    return unsafeBitCast(result, to: XMMRegister.self)
}

/// The sign bits of all lanes, lane 0's in bit 0.
@inline(__always)
func signMask<V: SIMD>(_ a: XMMRegister, _ type: V.Type) -> UInt32 where V.Scalar: SignedInteger {
    let x = unsafeBitCast(a, to: V.self)
    var mask: UInt32 = 0
    for n in 0..<V.scalarCount where x[n] < 0 { mask |= 1 << UInt32(n) }
    return mask
}

/// PMADDWD: products of signed words, added in pairs. Only 8000 * 8000 twice overflows, and wraps.
func multiplyAddPairs(_ a: XMMRegister, _ b: XMMRegister) -> XMMRegister {
    let (x, y) = (unsafeBitCast(a, to: SIMD8<Int16>.self), unsafeBitCast(b, to: SIMD8<Int16>.self))
    var result = SIMD4<Int32>()
    for n in 0..<4 {
        result[n] = Int32(x[2 * n]) * Int32(y[2 * n]) &+ Int32(x[2 * n + 1]) * Int32(y[2 * n + 1])
    }
    return unsafeBitCast(result, to: XMMRegister.self)
}

/// PSADBW: in each half the sum of the absolute differences of unsigned bytes.
func sumOfDifferences(_ a: XMMRegister, _ b: XMMRegister) -> XMMRegister {
    let distances = mapLanes(a, b, SIMD16<UInt8>.self) { $0 > $1 ? $0 &- $1 : $1 &- $0 }
    let bytes = unsafeBitCast(distances, to: SIMD16<UInt8>.self)
    let low = SIMD8<UInt16>(truncatingIfNeeded: bytes.lowHalf)
    let high = SIMD8<UInt16>(truncatingIfNeeded: bytes.highHalf)
    return XMMRegister(UInt64(low.wrappedSum()), UInt64(high.wrappedSum()))
}
