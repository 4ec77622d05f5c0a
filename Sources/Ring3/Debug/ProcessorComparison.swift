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

    /// A quick look at all of it; false negatives (equal states that look different) are settled by `differences`.
    var looksEqual: Bool {
        let (a, b) = (tested.pointee, reference.pointee)
        // The register file, EIP and everything behind it up to the task register is one piece of plain words.
        guard a.instructions == b.instructions, a.status.image == b.status.image, a.systemFlags == b.systemFlags,
            isSame(from: \.eax, to: \.status), isSame(from: \.es, to: \.sysenterCS), a.cpl == b.cpl,
            a.stackMask == b.stackMask
        else { return false }
        return isSame(from: \.fpu, to: \.statistics)
    }

    /// Whether the bytes between two fields are the same.
    private func isSame<A, B>(from first: KeyPath<ProcessorState, A>, to last: KeyPath<ProcessorState, B>) -> Bool {
        guard let start = MemoryLayout<ProcessorState>.offset(of: first),
            let end = MemoryLayout<ProcessorState>.offset(of: last)
        else { return false }
        return memcmp(UnsafeRawPointer(tested) + start, UnsafeRawPointer(reference) + start, end - start) == 0
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
        return list + extendedValues(s)
    }

    private func extendedValues(_ s: ProcessorState) -> [(name: String, value: String)] {
        var list: [(String, String)] = [
            ("x87 control", hex(s.fpu.control, 4)), ("x87 status", hex(s.fpu.status, 4)),
            ("x87 tags", hex(s.fpu.occupied, 2)),
            ("x87 instruction", "\(hex(s.fpu.instructionSelector, 4)):\(hex(s.fpu.instructionOffset, 8))"),
            ("x87 data", "\(hex(s.fpu.dataSelector, 4)):\(hex(s.fpu.dataOffset, 8))"),
            ("MXCSR", hex(s.sse.mxcsr, 8)),
        ]
        for index in 0..<8 {
            let r = s.fpu.registers[index]
            list.append(("R\(index)", "\(hex(r.signExponent, 4)) \(hex(r.significand, 16))"))
            list.append(("XMM\(index)", "\(s.sse.registers[index])"))
        }
        return list
    }
}
