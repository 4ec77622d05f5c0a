import Ring3
import X86

/// What two runs of one case differ in, in words.
struct Comparison {
    let host: CaseRecord
    let ours: CaseRecord
    /// What the host does in its own way.
    var traits: Set<HostTrait> = []
    /// Flags that may differ.
    var undefined: UInt32 = 0
    /// What else may.
    var latitude = Latitude()
    /// The instruction at which the host ended, if that is known.
    var instruction: Instruction?

    private static let registerNames = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"]

    /// Whether the two are the same without anything to excuse.
    ///
    /// - Parameter isPointerKept: the host's image always has the address of the last x87 instruction.
    static func isEqual(
        _ ours: UnsafePointer<CaseRecord>, _ host: UnsafePointer<CaseRecord>, isPointerKept: Bool
    ) -> Bool {
        let (a, b) = (ours.pointee.context, host.pointee.context)
        let flags: UInt32 = b.vector == UserContext.ended ? ~Flags.rf : .max
        guard a.vector == b.vector, a.eip == b.eip, (a.eflags ^ b.eflags) & flags == 0,
            b.vector >= 32 || a.errorCode == b.errorCode && a.cr2 == b.cr2,
            ours.pointee.changes.count == host.pointee.changes.count,
            ours.pointee.changes.hash == host.pointee.changes.hash
        else { return false }
        var difference: UInt32 = 0
        for index in 0..<8 { difference |= a.registers[index] ^ b.registers[index] }
        for index in 0..<6 { difference |= UInt32(a.selectors[index] ^ b.selectors[index]) }
        guard difference == 0, let offset = MemoryLayout<CaseRecord>.offset(of: \.extended) else { return false }
        let withPointer = isPointerKept || host.pointee.extended.isExceptionPending
        return ExtendedImage.isEqual(
            UnsafeRawPointer(ours) + offset, UnsafeRawPointer(host) + offset, withPointer: withPointer)
    }

    /// Whether the host's image has the address of the last x87 instruction.
    private var isPointerKept: Bool {
        !traits.contains(.pointerWithExceptionOnly) || host.extended.isExceptionPending
    }

    var differences: [String] {
        var list: [String] = []
        func check(_ name: String, _ ours: UInt64, _ host: UInt64) {
            if ours != host { list.append("\(name) \(hex(ours)), host \(hex(host))") }
        }
        let (a, b) = (ours.context, host.context)
        let isExcused =
            latitude.orderlessFaults.isSuperset(of: [a.vector, b.vector])
            || instruction.map { Latitude.mayWrap($0, a, b) } ?? false
        if a.vector != b.vector, !isExcused { list.append("\(outcome(a)), host \(outcome(b))") }
        if !latitude.isTrapAddressOpen { check("eip", UInt64(a.eip), UInt64(b.eip)) }
        if a.vector == b.vector, a.vector < 32 {
            check("error code", UInt64(a.errorCode), UInt64(b.errorCode))
            if !latitude.allowsAddress(b, where: a) { check("cr2", UInt64(a.cr2), UInt64(b.cr2)) }
        }
        for index in 0..<8 where !latitude.areRegistersOpen || index == 4 {
            check(Self.registerNames[index], UInt64(a.registers[index]), UInt64(b.registers[index]))
        }
        check("eflags", UInt64(a.eflags & flagsMask), UInt64(b.eflags & flagsMask))
        for register in SegmentRegister.allCases {
            let index = Int(register.rawValue)
            check("\(register) selector", UInt64(a.selectors[index]), UInt64(b.selectors[index]))
        }
        if !latitude.isMemoryOpen, !ours.changes.isEqual(to: host.changes) {
            list.append(contentsOf: memoryDifferences)
        }
        list.append(contentsOf: extendedDifferences)
        return list
    }

    /// RF is in the image that a fault pushes, and not in what PUSHF sees at the exit.
    private var flagsMask: UInt32 {
        ~(undefined | latitude.flags) & (host.context.vector == UserContext.ended ? ~Flags.rf : .max)
    }

    private var memoryDifferences: [String] {
        let (a, b) = (ours.changes, host.changes)
        let values = Dictionary(b.words.map { ($0.address, $0.value) }) { first, _ in first }
        let mine = Dictionary(a.words.map { ($0.address, $0.value) }) { first, _ in first }
        let words = Set(values.keys).union(mine.keys).sorted().compactMap { address -> String? in
            func text(_ value: UInt32?) -> String { value.map { hex(UInt64($0)) } ?? "unchanged" }
            return values[address] == mine[address]
                ? nil : "[\(hex(UInt64(address)))] \(text(mine[address])), host \(text(values[address]))"
        }
        return ["\(a.count) words of memory changed, host \(b.count)"] + words
    }

    /// Of the last instruction's pointers, FIP only: hosts of today keep no selectors, and FOP and FDP for unmasked
    /// exceptions alone (SDM 1 8.1.8; CPUID.(EAX=7).EBX bits 6 and 13).
    private var extendedDifferences: [String] {
        var list: [String] = []
        let a = ours.extended
        let b = latitude.isTopKept ? host.extended.withTopZero : host.extended
        func check(_ name: String, _ ours: UInt64, _ host: UInt64) {
            if ours != host { list.append("\(name) \(hex(ours)), host \(hex(host))") }
        }
        check("fcw", UInt64(a.control), UInt64(b.control))
        check("fsw", UInt64(a.status), UInt64(b.status))
        check("ftw", UInt64(a.occupied), UInt64(b.occupied))
        if isPointerKept { check("fip", UInt64(a[8] as UInt32), UInt64(b[8] as UInt32)) }
        check("mxcsr", UInt64(a.mxcsr), UInt64(b.mxcsr))
        for n in 0..<8 where a.significand(n) != b.significand(n) || a.signExponent(n) != b.signExponent(n) {
            func text(_ image: ExtendedImage) -> String {
                "\(hex(UInt64(image.signExponent(n)))):\(hex(image.significand(n)))"
            }
            list.append("st(\(n)) \(text(a)), host \(text(b))")
        }
        for n in 0..<8 where a.xmm(n) != b.xmm(n) {
            func text(_ image: ExtendedImage) -> String { "\(hex(image.xmm(n).1)):\(hex(image.xmm(n).0))" }
            list.append("xmm\(n) \(text(a)), host \(text(b))")
        }
        return list
    }
}

func hex(_ value: UInt64) -> String { String(value, radix: 16) }

/// How a run ended.
func outcome(_ context: UserContext) -> String {
    switch context.vector {
    case UserContext.ended: return "ran to the end"
    case UserContext.runaway: return "did not end"
    case UserContext.systemCall: return "attempted a system call"
    case UserContext.shutdown: return "shut down"
    case UserContext.died: return "ended the oracle, status \(hex(UInt64(context.errorCode)))"
    default:
        let names = [
            0: "#DE", 1: "#DB", 3: "#BP", 4: "#OF", 5: "#BR", 6: "#UD", 7: "#NM", 8: "#DF", 10: "#TS", 11: "#NP",
            12: "#SS",
            13: "#GP", 14: "#PF", 16: "#MF", 17: "#AC", 19: "#XM",
        ]
        let name = names[Int(context.vector)] ?? "vector \(context.vector)"
        return "\(name)(\(hex(UInt64(context.errorCode)))) at \(hex(UInt64(context.eip)))"
    }
}
