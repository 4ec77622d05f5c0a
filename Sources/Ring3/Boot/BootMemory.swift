import Glibc
import Hardware

/// Guest RAM while a guest is put into it: every byte has at most one owner, and only owned bytes are written.
struct BootMemory {
    /// Which of several free places to take.
    enum Preference {
        case lowest
        case highest
    }

    private struct Claim {
        let range: Range<UInt64>
        let owner: String
    }

    /// Where small structures go: above what BIOS-era kernels treat as scratch, below the extended BIOS data area.
    private static let lowWindow: Range<UInt64> = 0x1_0000..<MemoryMap.lowEnd

    let memory: PhysicalMemory
    /// In ascending order.
    private var claims = [
        Claim(range: 0..<0x500, owner: "the BIOS data area"),
        Claim(range: MemoryMap.lowEnd..<MemoryMap.highBase, owner: "video memory and firmware"),
    ]

    init(_ memory: PhysicalMemory) throws(BootError) {
        guard memory.size >= MemoryMap.minimumRAM else {
            throw BootError("guests need at least \(MemoryMap.minimumRAM >> 20) MiB of RAM", isUsage: true)
        }
        self.memory = memory
    }

    /// First address past RAM.
    var end: UInt64 { UInt64(memory.size) }

    /// Makes `owner` the owner of `range`, which nobody else may own any part of.
    mutating func claim(_ range: Range<UInt64>, for owner: String) throws(BootError) {
        guard !range.isEmpty else { return }
        let place = "\(owner) at \(hex(range.lowerBound))–\(hex(range.upperBound - 1))"
        guard range.upperBound <= end else {
            throw BootError("\(place) does not fit into \(memory.size >> 20) MiB of RAM", isUsage: true)
        }
        let index = claims.firstIndex { $0.range.upperBound > range.lowerBound } ?? claims.endIndex
        if index < claims.endIndex, claims[index].range.overlaps(range) {
            throw BootError("\(place) overlaps \(claims[index].owner)")
        }
        claims.insert(Claim(range: range, owner: owner), at: index)
    }

    /// An address inside `window` from which `count` bytes are free.
    func find(
        _ count: UInt64, alignment: UInt64, in window: Range<UInt64>, preferring preference: Preference = .lowest
    ) -> UInt64? {
        let window = window.clamped(to: 0..<end)
        switch preference {
        case .lowest:
            var address = window.lowerBound.roundedUp(to: alignment)
            for claim in claims where address < claim.range.upperBound {
                if address + count <= claim.range.lowerBound { break }
                address = claim.range.upperBound.roundedUp(to: alignment)
            }
            return address + count <= window.upperBound ? address : nil
        case .highest:
            var limit = window.upperBound
            for claim in claims.reversed() where claim.range.lowerBound < limit {
                let address = limit >= count ? (limit - count) & ~(alignment - 1) : 0
                if limit >= count, address >= claim.range.upperBound { break }
                limit = claim.range.lowerBound
            }
            guard limit >= count else { return nil }
            let address = (limit - count) & ~(alignment - 1)
            return address >= window.lowerBound ? address : nil
        }
    }

    /// Puts `bytes` where there is room inside `window`, or answers nil.
    mutating func place(
        _ bytes: [UInt8], alignment: UInt64, in window: Range<UInt64>, preferring preference: Preference = .lowest,
        for owner: String
    ) throws(BootError) -> UInt32? {
        let count = UInt64(bytes.count)
        guard let address = find(count, alignment: alignment, in: window, preferring: preference) else { return nil }
        try claim(address..<address + count, for: owner)
        memory.write(UInt32(address), bytes: bytes)
        return UInt32(address)
    }

    /// Puts a structure of the boot protocol below 1 MiB, or above if it is too large.
    mutating func placeStructure(
        _ bytes: [UInt8], alignment: UInt64 = 8, for owner: String
    ) throws(BootError) -> UInt32 {
        for window in [Self.lowWindow, MemoryMap.highBase..<end] {
            if let address = try place(bytes, alignment: alignment, in: window, for: owner) { return address }
        }
        throw BootError("no room for \(owner) (\(bytes.count) bytes) in \(memory.size >> 20) MiB of RAM", isUsage: true)
    }

    /// Puts `bytes` at the start of `range` and zeros in the rest of it.
    mutating func load(_ bytes: ArraySlice<UInt8>, into range: Range<UInt64>, for owner: String) throws(BootError) {
        try claim(range, for: owner)
        guard !range.isEmpty else { return }
        memory.write(UInt32(range.lowerBound), bytes: bytes)
        memset(memory.base + Int(range.lowerBound) + bytes.count, 0, range.count - bytes.count)
    }
}
