import X86

/// Why the processor shut down: the chain of faults, the IDT entries they went through, and the state it died in.
public struct TripleFaultReport: Sendable, CustomStringConvertible {
    /// The fault that began it and those raised while delivering it: three, or four if the first was a benign one. The
    /// last two before the end made a double fault; the last was raised while delivering that.
    public let chain: [FaultRecord]
    public let registers: RegisterDump
    /// The last instructions, oldest first, disassembled as memory is now.
    public let lastInstructions: [String]
    /// One line for each vector of the chain: its IDT entry decoded.
    public let gates: [String]

    init(_ cpu: Processor, decoder: Decoder) {
        chain = cpu.pointee.faultChain.all
        registers = RegisterDump(cpu)
        lastInstructions = cpu.lastInstructions(15, decoder)
        var vectors: [UInt8] = []
        for vector in chain.dropLast().map(\.vector) + [Vector.doubleFault] where !vectors.contains(vector) {
            vectors.append(vector)
        }
        gates = vectors.map { Self.describeGate($0, cpu) }
    }

    public var description: String {
        var lines = ["Triple fault: the processor shut down."]
        for (index, record) in chain.enumerated() {
            lines.append("  \(index + 1). \(title(index)): \(Self.describe(record))")
        }
        lines.append("IDT entries (IDT at \(hex(registers.idtr.base, 8)), limit \(hex(registers.idtr.limit, 4))):")
        lines += gates.map { "  " + $0 }
        lines.append("Last instructions:")
        lines += lastInstructions.map { "  " + $0 }
        lines.append("Registers:")
        lines += registers.description.split(separator: "\n").map { "  " + $0 }
        return lines.joined(separator: "\n")
    }

    private func title(_ index: Int) -> String {
        switch index {
        case 0: "fault"
        case chain.count - 1: "while delivering the double fault"
        case chain.count - 2: "while delivering that, which makes a double fault"
        default: "while delivering that"
        }
    }

    static func describe(_ record: FaultRecord) -> String {
        var text = Vector.name(record.vector) ?? "vector \(record.vector)"
        if let code = record.errorCode {
            text += ", error code \(hex(code, 4)) (\(describe(code, vector: record.vector)))"
        }
        if record.vector == Vector.pageFault { text += ", CR2 \(hex(record.cr2, 8))" }
        return text + ", at EIP \(hex(record.eip, 8))"
    }

    /// What the bits of an error code say (SDM 3A 6.13, 4.7).
    private static func describe(_ code: UInt32, vector: UInt8) -> String {
        if vector == Vector.pageFault {
            let access = code & PageFaultCode.fetch != 0 ? "fetch" : code & PageFaultCode.write != 0 ? "write" : "read"
            let level = code & PageFaultCode.user != 0 ? "user" : "supervisor"
            let cause =
                code & PageFaultCode.reserved != 0
                ? "reserved bit set" : code & PageFaultCode.present != 0 ? "not permitted" : "page not present"
            return "\(level) \(access), \(cause)"
        }
        let external = code & 1 != 0 ? ", during delivery of an event" : ""
        if code & 2 != 0 { return "IDT entry \(code >> 3)\(external)" }
        if code & ~1 == 0 { return "no selector\(external)" }
        return "\(code & 4 != 0 ? "LDT" : "GDT") selector \(hex(code & 0xFFF8, 4))\(external)"
    }

    private static func describeGate(_ vector: UInt8, _ cpu: Processor) -> String {
        let prefix = "\(vector): "
        guard cpu.pointee.isProtected else { return prefix + "real-mode vector table" }
        guard UInt32(vector) * 8 + 7 <= UInt32(cpu.pointee.idtr.limit) else { return prefix + "beyond the IDT's limit" }
        guard let bytes = cpu.inspect(cpu.pointee.idtr.base &+ UInt32(vector) * 8, count: 8) else {
            return prefix + "not mapped"
        }
        func word(_ at: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32($1 * 8) }
        }
        let gate = Descriptor(low: word(0), high: word(4), address: 0)
        let types: [UInt32: String] = [
            SystemType.taskGate: "task gate", SystemType.interruptGate16: "16-bit interrupt gate",
            SystemType.trapGate16: "16-bit trap gate", SystemType.interruptGate32: "32-bit interrupt gate",
            SystemType.trapGate32: "32-bit trap gate",
        ]
        let raw = bytes.reversed().map { hex($0, 2) }.joined()
        guard !gate.isCodeOrData, let type = types[gate.type] else { return prefix + "not a gate (\(raw))" }
        let target = "\(hex(gate.gateSelector, 4)):\(hex(gate.gateOffset, 8))"
        return prefix + "\(type) to \(target), DPL \(gate.dpl)\(gate.isPresent ? "" : ", NOT PRESENT") (\(raw))"
    }
}

extension Processor {
    /// The last `limit` (0...16) instructions, oldest first, disassembled as memory is now.
    func lastInstructions(_ limit: Int, _ decoder: Decoder) -> [String] {
        let count = Swift.min(UInt64(limit), pointee.instructions)
        return (0..<count).map { back in
            let index = Int(truncatingIfNeeded: (pointee.instructions - (count - 1 - back)) & 15)
            return disassemble(at: pointee.history[index], decoder)
        }
    }
}
