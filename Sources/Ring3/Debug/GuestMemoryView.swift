import X86

extension Processor {
    /// Bytes at a linear address as ring 0 would see them, or nil where they are not mapped. For reports: reads nothing
    /// but RAM, and leaves no trace.
    func inspect(_ linear: UInt32, count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        for offset in 0..<UInt32(clamping: count) {
            guard let physical = inspectMapping(linear &+ offset), let byte = inspectPhysical(physical) else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }

    /// Where a linear address leads: what `walk` would find for ring 0, but without touching CR2 or the tables, whose
    /// accessed bits are the guest's to see.
    func inspectMapping(_ linear: UInt32) -> UInt64? {
        guard pointee.cr0 & CR0.pg != 0 else { return masked(UInt64(linear)) }
        return pointee.cr4 & CR4.pae != 0 ? inspectPAE(linear) : inspect32(linear)
    }

    private func inspect32(_ linear: UInt32) -> UInt64? {
        let directory = UInt64(pointee.cr3 & 0xFFFF_F000)
        guard let pde = inspectEntry(directory, linear >> 22, size: 4) else { return nil }
        if pde & 1 << 7 != 0, pointee.cr4 & CR4.pse != 0 {
            return pde & 0x3F_E000 == 0 ? masked(pde & 0xFFC0_0000 | UInt64(linear & 0x3F_FFFF)) : nil
        }
        guard let pte = inspectEntry(pde & 0xFFFF_F000, linear >> 12 & 0x3FF, size: 4) else { return nil }
        return masked(pte & 0xFFFF_F000 | UInt64(linear & 0xFFF))
    }

    private func inspectPAE(_ linear: UInt32) -> UInt64? {
        let address: UInt64 = 0xF_FFFF_F000
        let pdpte = pointee.pdpte[Int(linear >> 30)]
        // Bits 62 to 36, and NX where it does not exist.
        let reserved: UInt64 = 0x7FFF_FFF0_0000_0000 | (pointee.efer & EFER.nxe == 0 ? 1 << 63 : 0)
        guard pdpte & 1 != 0, let pde = inspectEntry(pdpte & address, linear >> 21 & 0x1FF, size: 8),
            pde & reserved == 0
        else { return nil }
        if pde & 1 << 7 != 0 {
            return pde & 0x1F_E000 == 0 ? masked(pde & 0xF_FFE0_0000 | UInt64(linear & 0x1F_FFFF)) : nil
        }
        guard let pte = inspectEntry(pde & address, linear >> 12 & 0x1FF, size: 8), pte & reserved == 0 else {
            return nil
        }
        return masked(pte & address | UInt64(linear & 0xFFF))
    }

    /// An entry of a table in RAM; nil unless it is present.
    private func inspectEntry(_ table: UInt64, _ index: UInt32, size: UInt32) -> UInt64? {
        let place = masked(table + UInt64(index * size))
        guard isRAM(place) else { return nil }
        let entry = readPhysical(place, count: size)
        return entry & 1 != 0 ? entry : nil
    }

    /// With address line 20 as it is.
    private func masked(_ physical: UInt64) -> UInt64 {
        physical & (UInt64(pointee.a20Mask) | 0xFFFF_FFFF_0000_0000)
    }

    /// One line of disassembly at CS:`eip`, as far as the bytes can be read.
    ///
    /// Where nothing is mapped it shows what lies at the same physical address, and says so: a guest that has just
    /// switched paging on or over has most often run from there.
    func disassemble(at eip: UInt32, _ decoder: Decoder) -> String {
        let linear = pointee.cs.base &+ eip
        let mapped = longestRun { inspect(linear &+ $0, count: 1)?.first }
        let bytes = mapped.isEmpty ? longestRun { inspectPhysical(UInt64(linear &+ $0)) } : mapped
        guard !bytes.isEmpty else { return "\(hex(eip, 8)): (not mapped)" }
        let line = bytes.withUnsafeBytes {
            decoder.disassemble($0, size: pointee.is32BitCode ? .bits32 : .bits16, address: eip)
        }
        let code = bytes.prefix(line.length).map { hex($0, 2) }.joined(separator: " ")
        let note = mapped.isEmpty ? "  (not mapped; at this physical address)" : ""
        return "\(hex(eip, 8)): \(code.padding(to: 24)) \(line.text)\(note)"
    }

    /// A byte of RAM.
    private func inspectPhysical(_ physical: UInt64) -> UInt8? {
        guard isRAM(physical) else { return nil }
        return UInt8(truncatingIfNeeded: readPhysical(physical, count: 1))
    }

    /// As many bytes of an instruction, from offset 0, as `byte` can give.
    private func longestRun(_ byte: (UInt32) -> UInt8?) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < 15, let next = byte(UInt32(bytes.count)) { bytes.append(next) }
        return bytes
    }
}
