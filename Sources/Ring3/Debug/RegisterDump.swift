import X86

/// A copy of the processor's visible state, and its text in the layout that users of QEMU and Bochs know.
public struct RegisterDump: Sendable, CustomStringConvertible {
    public struct SegmentDump: Sendable {
        public let name: String
        public let selector: UInt16
        public let base: UInt32
        public let limit: UInt32
        /// See `Segment.attributes`.
        public let attributes: UInt16
    }

    /// EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI.
    public let general: [UInt32]
    public let eip: UInt32
    public let eflags: UInt32
    public let cpl: UInt8
    /// "real mode", "protected mode" or "virtual-8086 mode".
    public let mode: String
    public let segments: [SegmentDump]
    public let gdtr: DescriptorTable
    public let idtr: DescriptorTable
    public let cr0: UInt32
    public let cr2: UInt32
    public let cr3: UInt32
    public let cr4: UInt32

    init(_ cpu: Processor) {
        general = (UInt8(0)..<8).map { cpu.register($0 << 2, as: UInt32.self) }
        eip = cpu.pointee.instructionStart
        eflags = cpu.eflags
        cpl = cpu.pointee.cpl
        mode =
            !cpu.pointee.isProtected
            ? "real mode" : cpu.pointee.isVirtual8086 ? "virtual-8086 mode" : "protected mode"
        func dump(_ name: String, _ s: Segment) -> SegmentDump {
            SegmentDump(name: name, selector: s.selector, base: s.base, limit: s.limit, attributes: s.attributes)
        }
        let state = cpu.pointee
        segments = [
            dump("CS", state.cs), dump("SS", state.ss), dump("DS", state.ds), dump("ES", state.es),
            dump("FS", state.fs), dump("GS", state.gs), dump("LDT", state.ldtr), dump("TR", state.tr),
        ]
        (gdtr, idtr) = (state.gdtr, state.idtr)
        (cr0, cr2, cr3, cr4) = (state.cr0, state.cr2, state.cr3, state.cr4)
    }

    public var description: String {
        let names = ["EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI"]
        func pair(_ index: Int) -> String { "\(names[index])=\(hex(general[index], 8))" }
        var lines = [
            [0, 3, 1, 2].map(pair).joined(separator: " "),
            [6, 7, 5, 4].map(pair).joined(separator: " "),
            "EIP=\(hex(eip, 8)) EFL=\(hex(eflags, 8)) [\(flagNames)] CPL=\(cpl) (\(mode))",
        ]
        lines += segments.map {
            "\($0.name.padding(to: 3)) =\(hex($0.selector, 4)) \(hex($0.base, 8)) \(hex($0.limit, 8)) "
                + Self.describe($0.attributes)
        }
        lines.append("GDT =     \(hex(gdtr.base, 8)) \(hex(gdtr.limit, 8))")
        lines.append("IDT =     \(hex(idtr.base, 8)) \(hex(idtr.limit, 8))")
        lines.append("CR0=\(hex(cr0, 8)) CR2=\(hex(cr2, 8)) CR3=\(hex(cr3, 8)) CR4=\(hex(cr4, 8))")
        return lines.joined(separator: "\n")
    }

    private var flagNames: String {
        let names: [(UInt32, Character)] = [
            (Flags.of, "O"), (Flags.df, "D"), (Flags.if, "I"), (Flags.tf, "T"), (Flags.sf, "S"), (Flags.zf, "Z"),
            (Flags.af, "A"), (Flags.pf, "P"), (Flags.cf, "C"),
        ]
        return String(names.map { eflags & $0.0 != 0 ? $0.1 : "-" })
    }

    /// "DPL=0 CS32 [-RA]" and the like.
    static func describe(_ attributes: UInt16) -> String {
        guard attributes & 0x80 != 0 else { return "not present" }
        let dpl = "DPL=\(attributes >> 5 & 3)"
        let type = attributes & 0xF
        guard attributes & 0x10 != 0 else {
            let systemNames = [
                0: "reserved", 1: "TSS16-avl", 2: "LDT", 3: "TSS16-busy", 9: "TSS32-avl", 11: "TSS32-busy",
            ]
            return "\(dpl) \(systemNames[Int(type)] ?? "type \(type)")"
        }
        let size = attributes & 0x4000 != 0 ? "32" : "16"
        func flag(_ bit: UInt16, _ name: String) -> String { type & bit != 0 ? name : "-" }
        return type & 8 != 0
            ? "\(dpl) CS\(size) [\(flag(4, "C"))\(flag(2, "R"))\(flag(1, "A"))]"
            : "\(dpl) DS\(size) [\(flag(4, "E"))\(flag(2, "W"))\(flag(1, "A"))]"
    }
}

/// Hexadecimal with leading zeros, without prefix.
func hex(_ value: some BinaryInteger, _ digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: Swift.max(0, digits - text.count)) + text
}

extension String {
    /// Spaces appended up to `width` characters.
    func padding(to width: Int) -> String {
        self + String(repeating: " ", count: Swift.max(0, width - count))
    }
}
