import Glibc
import X86

/// A part of the processor's state in which two engines differ.
public struct StateDifference: Sendable, Equatable {
    public let name: String
    /// Values of the engine under test and of the reference.
    public let tested: String
    public let reference: String
}

/// Compares everything a guest can see of two processors.
struct ProcessorComparison {
    let tested: Processor
    let reference: Processor

    /// Everything compared without making text of it.
    var isEqual: Bool {
        let (a, b) = (tested, reference)
        // The general registers and EIP are one piece of plain words at the beginning.
        guard memcmp(a, b, RegisterFile.size + 4) == 0, a.pointee.instructions == b.pointee.instructions,
            a.pointee.status.image == b.pointee.status.image, a.pointee.systemFlags == b.pointee.systemFlags,
            a.pointee.cpl == b.pointee.cpl
        else { return false }
        for register in SegmentRegister.allCases
        where !Self.isSame(a.segment(register).pointee, b.segment(register).pointee) {
            return false
        }
        return hasSameSystemRegisters && hasSameModelSpecificRegisters && hasSameExtendedState
    }

    private static func isSame(_ a: Segment, _ b: Segment) -> Bool {
        a.selector == b.selector && a.attributes == b.attributes && a.base == b.base && a.limit == b.limit
    }

    private var hasSameSystemRegisters: Bool {
        let (a, b) = (tested, reference)
        return Self.isSame(a.pointee.ldtr, b.pointee.ldtr) && Self.isSame(a.pointee.tr, b.pointee.tr)
            && a.pointee.gdtr == b.pointee.gdtr && a.pointee.idtr == b.pointee.idtr
            && a.pointee.cr0 == b.pointee.cr0 && a.pointee.cr2 == b.pointee.cr2
            && a.pointee.cr3 == b.pointee.cr3 && a.pointee.cr4 == b.pointee.cr4
            && a.pointee.efer == b.pointee.efer && a.pointee.dr6 == b.pointee.dr6
            && a.pointee.dr7 == b.pointee.dr7
            && (0..<4).allSatisfy { a.pointee.dr[$0] == b.pointee.dr[$0] && a.pointee.pdpte[$0] == b.pointee.pdpte[$0] }
    }

    private var hasSameModelSpecificRegisters: Bool {
        let (a, b) = (tested, reference)
        return a.pointee.sysenterCS == b.pointee.sysenterCS && a.pointee.sysenterESP == b.pointee.sysenterESP
            && a.pointee.sysenterEIP == b.pointee.sysenterEIP
            && a.pointee.timestampOffset == b.pointee.timestampOffset
            && a.pointee.miscellaneousEnable == b.pointee.miscellaneousEnable
    }

    private var hasSameExtendedState: Bool {
        let (a, b) = (tested.fpu, reference.fpu)
        guard a.pointee.control == b.pointee.control, a.pointee.status == b.pointee.status,
            a.pointee.occupied == b.pointee.occupied,
            a.pointee.instructionOffset == b.pointee.instructionOffset,
            a.pointee.instructionSelector == b.pointee.instructionSelector,
            a.pointee.dataOffset == b.pointee.dataOffset, a.pointee.dataSelector == b.pointee.dataSelector,
            hasSameX87Opcode,
            tested.pointee.sse.mxcsr == reference.pointee.sse.mxcsr,
            memcmp(tested.xmm(0), reference.xmm(0), 128) == 0
        else { return false }
        for number in UInt8(0)..<8 where a.physical(number).pointee != b.physical(number).pointee { return false }
        return true
    }

    /// The same instruction, or nothing since the same opcode was loaded. The opcodes are only worked out where it is not.
    private var hasSameX87Opcode: Bool {
        let (a, b) = (tested.fpu, reference.fpu)
        guard a.pointee.lastInstruction == b.pointee.lastInstruction else {
            return a.pointers.opcode == b.pointers.opcode
        }
        return a.pointee.lastInstruction.operation != .invalid || a.pointee.loadedOpcode == b.pointee.loadedOpcode
    }

    /// What differs, by name; empty if nothing does.
    var differences: [StateDifference] {
        var found: [StateDifference] = []
        let (a, b) = (values(of: tested), values(of: reference))
        for (x, y) in zip(a, b) where x.value != y.value {
            found.append(StateDifference(name: x.name, tested: x.value, reference: y.value))
        }
        return found
    }

    private func values(of cpu: Processor) -> [(name: String, value: String)] {
        let s = cpu.pointee
        var list: [(String, String)] = [("instructions", String(s.instructions)), ("EIP", hex(s.eip, 8))]
        for (index, name) in ["EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI"].enumerated() {
            list.append((name, hex(cpu.register(UInt8(index * 4), as: UInt32.self), 8)))
        }
        list.append(("EFLAGS", hex(cpu.eflags, 8)))
        let segments = [
            ("ES", s.es), ("CS", s.cs), ("SS", s.ss), ("DS", s.ds), ("FS", s.fs), ("GS", s.gs), ("LDTR", s.ldtr),
            ("TR", s.tr),
        ]
        for (name, segment) in segments {
            list.append(
                (
                    name,
                    "\(hex(segment.selector, 4)) base \(hex(segment.base, 8)) limit \(hex(segment.limit, 8)) "
                        + hex(segment.attributes, 4)
                ))
        }
        list.append(("GDTR", "\(hex(s.gdtr.base, 8)) \(hex(s.gdtr.limit, 4))"))
        list.append(("IDTR", "\(hex(s.idtr.base, 8)) \(hex(s.idtr.limit, 4))"))
        list += [("CR0", hex(s.cr0, 8)), ("CR2", hex(s.cr2, 8)), ("CR3", hex(s.cr3, 8)), ("CR4", hex(s.cr4, 8))]
        list += [("EFER", hex(s.efer, 8)), ("DR6", hex(s.dr6, 8)), ("DR7", hex(s.dr7, 8)), ("CPL", String(s.cpl))]
        for index in 0..<4 { list.append(("DR\(index)", hex(s.dr[index], 8))) }
        for index in 0..<4 { list.append(("PDPTE\(index)", hex(s.pdpte[index], 16))) }
        list += [
            ("SYSENTER_CS", hex(s.sysenterCS, 8)), ("SYSENTER_ESP", hex(s.sysenterESP, 8)),
            ("SYSENTER_EIP", hex(s.sysenterEIP, 8)), ("TSC offset", hex(s.timestampOffset, 16)),
            ("MISC_ENABLE", hex(s.miscellaneousEnable, 8)),
        ]
        return list + extendedValues(cpu)
    }

    private func extendedValues(_ cpu: Processor) -> [(name: String, value: String)] {
        let s = cpu.pointee
        var list: [(String, String)] = [
            ("x87 control", hex(s.fpu.control, 4)), ("x87 status", hex(s.fpu.status, 4)),
            ("x87 tags", hex(s.fpu.occupied, 2)),
            ("x87 instruction", "\(hex(s.fpu.instructionSelector, 4)):\(hex(s.fpu.instructionOffset, 8))"),
            ("x87 data", "\(hex(s.fpu.dataSelector, 4)):\(hex(s.fpu.dataOffset, 8))"),
            ("x87 opcode", hex(cpu.fpu.pointers.opcode, 3)), ("MXCSR", hex(s.sse.mxcsr, 8)),
        ]
        for index in 0..<8 {
            let r = s.fpu.registers[index]
            list.append(("R\(index)", "\(hex(r.signExponent, 4)) \(hex(r.significand, 16))"))
            list.append(("XMM\(index)", "\(s.sse.registers[index])"))
        }
        return list
    }
}
