/// A Multiboot kernel as its file describes it: what goes where, and where it starts.
struct KernelImage {
    struct Segment {
        let name: String
        /// Physical address the kernel was linked to.
        let address: UInt64
        /// The bytes in the file; the rest of `memorySize` is zero.
        let file: Range<Int>
        let memorySize: UInt64

        var end: UInt64 { address + memorySize }
    }

    var segments: [Segment]
    /// Physical address of the first instruction.
    var entry: UInt64
    /// For symbols; nil for images that are not ELF.
    var sections: ELFSections?
}

/// Where a kernel may be put instead of where it was linked to (Multiboot2 3.1.10).
struct Relocation {
    let window: Range<UInt64>
    let alignment: UInt64
    /// Nil: the linked address if possible, else the lowest.
    let preference: BootMemory.Preference?
}

/// A kernel in guest memory.
struct LoadedKernel {
    let entry: UInt32
    /// Lowest and highest address it occupies.
    let range: Range<UInt64>
    /// Add (modulo 2³²) to a linked address to get the loaded one.
    let displacement: UInt32
}

extension KernelImage {
    /// Puts the kernel into `memory`.
    func load(
        from file: ImageBytes, into memory: inout BootMemory, relocation: Relocation? = nil
    ) throws(BootError) -> LoadedKernel {
        guard let first = segments.map(\.address).min(), let last = segments.map(\.end).max() else {
            throw BootError("nothing in it is to be loaded")
        }
        guard last <= 1 << 32 else { throw BootError("reaches past 4 GiB") }
        guard segments.contains(where: { $0.address <= entry && entry < $0.end }) else {
            throw BootError("entry point \(hex(entry)) lies in nothing that is loaded")
        }
        let base = try relocation.map { relocation throws(BootError) in
            try relocation.base(for: first..<last, in: memory)
        }
        let loaded = base ?? first
        for segment in segments {
            let start = segment.address - first + loaded
            try memory.load(
                file.bytes[segment.file], into: start..<start + segment.memorySize, for: segment.name)
        }
        return LoadedKernel(
            entry: UInt32(entry - first + loaded), range: loaded..<loaded + (last - first),
            displacement: UInt32(truncatingIfNeeded: loaded) &- UInt32(truncatingIfNeeded: first))
    }
}

extension Relocation {
    /// Where to load what was linked to `linked`.
    fileprivate func base(for linked: Range<UInt64>, in memory: BootMemory) throws(BootError) -> UInt64 {
        let size = linked.upperBound - linked.lowerBound
        let fits = linked.lowerBound >= window.lowerBound && linked.upperBound <= window.upperBound
        if preference == nil, fits, linked.lowerBound % alignment == 0,
            memory.find(size, alignment: 1, in: linked) != nil
        {
            return linked.lowerBound
        }
        guard
            let base = memory.find(size, alignment: alignment, in: window, preferring: preference ?? .lowest)
        else {
            throw BootError(
                "no room for its \(size) bytes at \(hex(window.lowerBound))–\(hex(window.upperBound)), where it wants "
                    + "to be loaded", isUsage: true)
        }
        return base
    }
}

/// Load addresses in a Multiboot header, for images in any format (Multiboot 0.6.96 3.1.3, Multiboot2 3.1.5).
struct AddressFields {
    /// Where in the file the header was found.
    let headerOffset: UInt64
    /// Where in memory the header belongs.
    let headerAddress: UInt32
    let loadAddress: UInt32
    /// End of what is loaded from the file; 0: the whole rest of it.
    let loadEnd: UInt32
    /// End of the zeros after it; 0: none.
    let bssEnd: UInt32

    /// The image they describe, started at `entry`.
    func image(entry: UInt32, file: ImageBytes) throws(BootError) -> KernelImage {
        let load = UInt64(loadAddress)
        guard load <= headerAddress, UInt64(headerAddress) - load <= headerOffset else {
            throw BootError("its header's load address \(hex(load)) does not fit header address \(hex(headerAddress))")
        }
        let start = headerOffset - (UInt64(headerAddress) - load)
        let rest = UInt64(file.count) - start
        guard loadEnd == 0 || loadEnd >= loadAddress else {
            throw BootError("its header ends loading at \(hex(loadEnd)), before it starts at \(hex(load))")
        }
        let size = loadEnd == 0 ? rest : UInt64(loadEnd - loadAddress)
        guard let range = file.range(start, size) else {
            throw BootError("truncated: \(size) bytes are to be loaded from offset \(start), \(rest) are there")
        }
        guard bssEnd == 0 || UInt64(bssEnd) >= load + size else {
            throw BootError("its header ends zeroed memory at \(hex(bssEnd)), inside what is loaded")
        }
        let memorySize = bssEnd == 0 ? size : UInt64(bssEnd) - load
        let segment = KernelImage.Segment(name: "the image", address: load, file: range, memorySize: memorySize)
        return KernelImage(segments: [segment], entry: UInt64(entry), sections: nil)
    }
}
