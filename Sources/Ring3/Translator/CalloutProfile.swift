import X86

/// Why an instruction went through the monitor.
enum CalloutCause: Hashable {
    /// It is sensitive: the row of `Sensitivity.table`.
    case sensitive(row: UInt8)
    // Innocuous, and on the engine `native` the monitor's all the same:
    /// There is no host code for it.
    case notEmittable
    /// It leaves flags undefined, and what the host makes of them cannot be made good.
    case flags
    /// It kept faulting, so that the monitor is asked without a fault.
    case keptFaulting
    /// Its access faulted: it concerns a device, changes code, or the guest's page tables forbid it.
    case faulted
    /// The x87 and SSE units are switched off, or may raise exceptions.
    case units
}

/// Instructions that went through the monitor, by address: how often, and how long that took.
///
/// What is beyond the bounds of the tables is executed like everything else, but not counted.
final class CalloutProfile {
    /// An instruction that went through the monitor.
    struct Site {
        var linear: UInt32
        var cause: CalloutCause
        var instruction: Instruction
        var executions: UInt64 = 0
        /// Of `executions`, those that the interpreter did.
        var interpreted: UInt64 = 0
        /// Nanoseconds.
        var time: UInt64 = 0
        var leastTime = UInt64.max
    }

    private struct SiteKey: Hashable {
        var linear: UInt32
        var cause: CalloutCause
    }

    /// Bounds for guests that make ever more code.
    private static let sitesKept = 1 << 20
    /// Addresses of which it is known how often the interpreter executed what is there.
    private static let addressesKept = 1 << 16

    private let cpu: Processor
    private(set) var sites: [Site] = []
    private var numbers: [SiteKey: Int] = [:]
    /// Instructions that the interpreter executed, by address; and all of them.
    private(set) var interpreted: [UInt32: UInt64] = [:]
    private(set) var interpretedCount: UInt64 = 0
    /// Nanoseconds that reading the clock takes.
    let clockCost: UInt64
    /// Times the clock was read for callouts.
    private(set) var clockReadings: UInt64 = 0

    init(cpu: Processor) {
        self.cpu = cpu
        clockCost = (0..<1000).reduce(UInt64.max) { least, _ in
            let start = VirtualTime.hostNow()
            return Swift.min(least, VirtualTime.hostNow() - start)
        }
    }

    /// The number of a site, for `timed`; nil if there is no room for another.
    func site(_ instruction: Instruction, linear: UInt32, _ cause: CalloutCause) -> Int? {
        let key = SiteKey(linear: linear, cause: cause)
        if let number = numbers[key] { return number }
        guard sites.count < Self.sitesKept else { return nil }
        sites.append(Site(linear: linear, cause: cause, instruction: instruction))
        numbers[key] = sites.count - 1
        return sites.count - 1
    }

    /// Does a callout and times it.
    func timed<T>(_ number: Int, _ body: () -> T) -> T {
        let start = VirtualTime.hostNow()
        let result = body()
        note(number, VirtualTime.hostNow() - start)
        return result
    }

    private func note(_ number: Int, _ elapsed: UInt64) {
        let time = elapsed - Swift.min(elapsed, clockCost)
        clockReadings &+= 2
        sites[number].executions &+= 1
        sites[number].time &+= time
        sites[number].leastTime = Swift.min(sites[number].leastTime, time)
    }

    /// Lets the interpreter do what may be an instruction outside of any block.
    func interpret<T>(with interpreter: Interpreter, _ body: () -> T) -> T {
        let before = cpu.pointee.instructions
        let linear = cpu.pointee.cs.base &+ cpu.pointee.eip
        let (isUser, is32Bit) = (cpu.pointee.cpl == 3, cpu.pointee.is32BitCode)
        // Looking must change nothing, not even the TLB: what is not known before the fetch is known behind it.
        let known = instruction(at: linear, isUser: isUser, is32Bit: is32Bit, interpreter)
        let start = VirtualTime.hostNow()
        let result = body()
        let elapsed = VirtualTime.hostNow() - start
        // It may have delivered an interrupt instead, or found that nothing may be executed.
        guard cpu.pointee.instructions != before else { return result }
        interpretedCount &+= cpu.pointee.instructions &- before
        if interpreted[linear] != nil || interpreted.count < Self.addressesKept {
            interpreted[linear, default: 0] &+= 1
        }
        guard let begun = known ?? instruction(at: linear, isUser: isUser, is32Bit: is32Bit, interpreter),
            begun.sensitivity.isSensitive,
            let number = site(begun, linear: linear, .sensitive(row: begun.sensitivityIndex))
        else { return result }
        note(number, elapsed)
        sites[number].interpreted &+= 1
        return result
    }

    /// The instruction at a linear address, if the TLB knows its page.
    private func instruction(
        at linear: UInt32, isUser: Bool, is32Bit: Bool, _ interpreter: Interpreter
    ) -> Instruction? {
        let entry = cpu.pointee.tlbBanks + (Int(linear >> 12 & TLB.mask) + (isUser ? TLB.entries : 0))
        guard entry.pointee.executeTag == linear & 0xFFFF_F000 else { return nil }
        let physical = entry.pointee.physicalPage | linear & 0xFFF
        return interpreter.decoded(at: physical, is32Bit: is32Bit)
            ?? interpreter.decodedAcrossPages(at: physical, linear: linear, is32Bit: is32Bit)?.instruction
    }
}

extension CalloutCause {
    /// What reports call it.
    var form: String {
        switch self {
        case .sensitive(let row): Sensitivity.table[Int(row)].form
        case .notEmittable: "not emittable"
        case .flags: "flags"
        case .keptFaulting: "kept faulting"
        case .faulted: "faulted"
        case .units: "units"
        }
    }

    var reason: String {
        switch self {
        case .sensitive(let row): Sensitivity.table[Int(row)].reason
        case .notEmittable: "Innocuous, but not emittable: there is no host code for it in this place."
        case .flags: "Innocuous, but its flags cannot be made good: the manual leaves some undefined."
        case .keptFaulting: "Innocuous, but kept faulting (MMIO, traced or not mapped): the monitor is asked at once."
        case .faulted: "Innocuous, but its access faulted (MMIO, traced or not mapped)."
        case .units: "Innocuous, but the x87 and SSE units are off, or may raise exceptions."
        }
    }

    /// Where the manual says so; empty if it has nothing to do with it.
    var source: String {
        guard case .sensitive(let row) = self else { return "" }
        return Sensitivity.table[Int(row)].source
    }

    var isSensitive: Bool {
        if case .sensitive = self { true } else { false }
    }
}
