import X86

/// Random code with operands, targets and stacks where they do harm.
struct HostileCode {
    /// What a guest does above all.
    enum Hostility: String, CaseIterable, Sendable {
        case randomPageTables, selfModifyingLoops, wildJumps, stackInMMIO, stackWrapAround, accessesAtTheEnd
        case codeAtTheEnd
    }

    let hostility: Hostility
    /// Linear address at which the code begins.
    let start: UInt32
    var random: SeededGenerator
    private(set) var bytes: [UInt8] = []
    /// Linear addresses at which a run of instructions begins.
    private(set) var entries: [UInt32] = []

    init(_ hostility: Hostility, start: UInt32, size: Int, _ random: SeededGenerator) {
        self.hostility = hostility
        self.start = start
        self.random = random
        while bytes.count < size { appendRun() }
        bytes.removeLast(bytes.count - size)
    }

    // MARK: Numbers

    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }
    mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }
    mutating func pick<T>(_ values: [T]) -> T { values[below(values.count)] }
    mutating func word() -> UInt32 { UInt32(truncatingIfNeeded: random.next()) }
    mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: random.next()) }

    func little(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

    /// A linear address to access.
    mutating func address() -> UInt32 {
        // A page of data, and sometimes its end.
        guard !oneIn(3) else {
            return oneIn(4) ? 0x3_0000 &- word() % 16 : 0x2_0000 + word() % 0x6_0000 & ~UInt32(pick([0, 3, 15]))
        }
        switch hostility {
        case .randomPageTables:
            // Anywhere, the page tables if the directory maps itself, and these where they are.
            return pick([word(), 0xFFC0_0000 | word(), word() & 0x00FF_FFFF, 0x10_0000 + word() % 0x1_8000])
        case .selfModifyingLoops: return codeAddress()
        case .wildJumps: return pick([word(), codeAddress()])
        case .stackInMMIO: return deviceAddress()
        case .stackWrapAround: return UInt32(0) &- word() % 64 &+ 32
        case .accessesAtTheEnd:
            return oneIn(4) ? word() % 32 : UInt32.max &- word() % pick([1, 4, 16, 128, 520, 5000])
        case .codeAtTheEnd: return pick([codeAddress(), UInt32.max &- word() % 16, word() % 16])
        }
    }

    /// A stack pointer.
    mutating func stack() -> UInt32 {
        guard !oneIn(4) else { return 0x9_0000 }
        switch hostility {
        case .stackInMMIO: return deviceAddress()
        case .stackWrapAround:
            return UInt32(0) &- word() % pick([1, 4, 40]) &+ word() % pick([1, 4, 40])
        case .accessesAtTheEnd, .codeAtTheEnd: return oneIn(3) ? UInt32.max &- word() % 16 : 0x9_0000
        case .randomPageTables: return oneIn(3) ? word() & 0xFF_FFFF : 0x8_8000
        case .selfModifyingLoops: return oneIn(4) ? codeAddress() : 0x9_0000
        case .wildJumps: return oneIn(8) ? word() : 0x9_0000
        }
    }

    /// Where a jump may lead.
    mutating func target() -> UInt32 {
        if let entry = entries.randomElement(using: &random), !oneIn(hostility == .wildJumps ? 2 : 8) { return entry }
        return pick([
            codeAddress(), word(), deviceAddress(), UInt32.max &- word() % 16, word() % 0x10_000,
            codeAddress() | 0xFFF, 0x8000_0000, 0x1_FFFF,
        ])
    }

    mutating func codeAddress() -> UInt32 {
        // What is near is soon executed.
        let size = UInt32(Swift.max(256, bytes.count))
        return start &+ (oneIn(2) ? UInt32(bytes.count) &+ word() % 96 &- 48 : word() % size)
    }

    /// The video window and its ends, and what lies beyond RAM.
    mutating func deviceAddress() -> UInt32 {
        pick([0xB8000, 0xA0000, 0xC0000, 0x80_0000, 0xF000_0000, 0xFEC0_0000]) &+ word() % 64 &- 24
    }

    /// Some instructions, and an INT by which they end.
    private mutating func appendRun() {
        entries.append(start &+ UInt32(bytes.count))
        for _ in 0..<2 + below(10) { bytes += instruction() }
        bytes += [0xCD, 0x30]
    }
}
