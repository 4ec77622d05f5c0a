// Guest-physical addresses: RAM directly, everything else through the MMIO bus.
extension Processor {
    /// Whether the page at `physical` is RAM: below its end and not in the video window (0xA0000–0xBFFFF).
    @inline(__always)
    func isRAM(_ physical: UInt64) -> Bool {
        physical < UInt64(pointee.ramSize) && !(0xA0000..<0xC0000).contains(physical)
    }

    /// Reads `count` (1...8) bytes, which lie in one page. Physical addresses beyond 4 GiB read all ones.
    func readPhysical(_ physical: UInt64, count: UInt32) -> UInt64 {
        if isRAM(physical) {
            let place = pointee.ramBase + Int(truncatingIfNeeded: physical)
            switch count {
            case 1: return UInt64(place.load(as: UInt8.self))
            case 2: return UInt64(place.loadUnaligned(as: UInt16.self))
            case 4: return UInt64(place.loadUnaligned(as: UInt32.self))
            case 8: return place.loadUnaligned(as: UInt64.self)
            default:
                var value: UInt64 = 0
                for byte in 0..<Int(count) {
                    value |= UInt64((place + byte).load(as: UInt8.self)) << UInt64(byte * 8)
                }
                return value
            }
        }
        guard physical <= UInt64(UInt32.max) else { return .max }
        pointee.statistics.mmioAccesses &+= 1
        pointee.witnessed &+= 1
        let bus = pointee.platform.takeUnretainedValue().mmio
        var value: UInt64 = 0
        let width = busWidth(count)
        for offset in stride(from: UInt32(0), to: count, by: Int(width)) {
            value |=
                UInt64(bus.read(UInt32(truncatingIfNeeded: physical) &+ offset, width: Int(width)))
                << UInt64(offset * 8)
        }
        return value
    }

    /// Writes the low `count` (1...8) bytes of `value`, which lie in one page.
    func writePhysical(_ physical: UInt64, _ value: UInt64, count: UInt32) {
        if isRAM(physical) {
            let place = pointee.ramBase + Int(truncatingIfNeeded: physical)
            switch count {
            case 1: place.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
            case 2: place.storeBytes(of: UInt16(truncatingIfNeeded: value), as: UInt16.self)
            case 4: place.storeBytes(of: UInt32(truncatingIfNeeded: value), as: UInt32.self)
            case 8: place.storeBytes(of: value, as: UInt64.self)
            default:
                for byte in 0..<Int(count) {
                    let part = UInt8(truncatingIfNeeded: value >> UInt64(byte * 8))
                    (place + byte).storeBytes(of: part, as: UInt8.self)
                }
            }
            noteCodeWrite(UInt32(truncatingIfNeeded: physical), count: count)
            pointee.writeLog?.takeUnretainedValue().append(UInt32(truncatingIfNeeded: physical), count: count)
            return
        }
        guard physical <= UInt64(UInt32.max) else { return }
        pointee.statistics.mmioAccesses &+= 1
        pointee.witnessed &+= 1
        let bus = pointee.platform.takeUnretainedValue().mmio
        let width = busWidth(count)
        for offset in stride(from: UInt32(0), to: count, by: Int(width)) {
            bus.write(
                UInt32(truncatingIfNeeded: physical) &+ offset,
                value: UInt32(truncatingIfNeeded: value >> UInt64(offset * 8)), width: Int(width))
        }
    }

    /// The bus is 32 bits wide: larger accesses are split, odd sizes go byte by byte.
    private func busWidth(_ count: UInt32) -> UInt32 {
        switch count {
        case 2: 2
        case 4, 8: 4
        default: 1
        }
    }

    /// Tells whoever caches decoded code that `count` bytes at `physical` (one page, RAM) have changed.
    @inline(__always)
    func noteCodeWrite(_ physical: UInt32, count: UInt32) {
        let map = pointee.codeMap[Int(physical >> 12)]
        guard map != 0 else { return }
        pointee.witnessed &+= 1
        let first = UInt64(physical & 0xFFF) >> 6
        let last = UInt64((physical & 0xFFF) + count - 1) >> 6
        if map & (1 << first | 1 << last) != 0 {
            pointee.statistics.codeWrites &+= 1
            pointee.platform.takeUnretainedValue().codeWritten(physical, count)
        }
    }
}
