import X86

extension Processor {
    /// Bytes at a linear address as the processor itself would see them, or nil where they are not mapped. For reports:
    /// leaves CR2 alone and reads nothing but RAM.
    func inspect(_ linear: UInt32, count: Int) -> [UInt8]? {
        let cr2 = pointee.cr2
        defer { pointee.cr2 = cr2 }
        var bytes: [UInt8] = []
        for offset in 0..<UInt32(clamping: count) {
            guard let page = try? walk(linear &+ offset, .read, isUser: false), isRAM(page.page) else { return nil }
            let physical = page.page | UInt64((linear &+ offset) & 0xFFF)
            bytes.append(UInt8(truncatingIfNeeded: readPhysical(physical, count: 1)))
        }
        return bytes
    }

    /// One line of disassembly at CS:`eip`, as far as the bytes can be read.
    ///
    /// Where nothing is mapped it shows what lies at the same physical address, and says so: a guest that has just
    /// switched paging on or over has most often run from there.
    func disassemble(at eip: UInt32, _ decoder: Decoder) -> String {
        let linear = pointee.cs.base &+ eip
        let mapped = longestRun { inspect(linear &+ $0, count: 1)?.first }
        let bytes = mapped.isEmpty ? longestRun { inspectPhysical(linear &+ $0) } : mapped
        guard !bytes.isEmpty else { return "\(hex(eip, 8)): (not mapped)" }
        let line = bytes.withUnsafeBytes {
            decoder.disassemble($0, size: pointee.is32BitCode ? .bits32 : .bits16, address: eip)
        }
        let code = bytes.prefix(line.length).map { hex($0, 2) }.joined(separator: " ")
        let note = mapped.isEmpty ? "  (not mapped; at this physical address)" : ""
        return "\(hex(eip, 8)): \(code.padding(to: 24)) \(line.text)\(note)"
    }

    /// A byte of RAM.
    private func inspectPhysical(_ physical: UInt32) -> UInt8? {
        guard isRAM(UInt64(physical)) else { return nil }
        return UInt8(truncatingIfNeeded: readPhysical(UInt64(physical), count: 1))
    }

    /// As many bytes of an instruction, from offset 0, as `byte` can give.
    private func longestRun(_ byte: (UInt32) -> UInt8?) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < 15, let next = byte(UInt32(bytes.count)) { bytes.append(next) }
        return bytes
    }
}
