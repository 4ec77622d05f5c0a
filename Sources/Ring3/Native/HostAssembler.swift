/// Registers of the host, as numbered in ModR/M bytes and REX prefixes (SDM 2A 2.2.1).
///
/// The guest's registers are in those of the same number, but for ESP: RSP is the host's, and R12 shares its low bits, so
/// that ModR/M and SIB bytes carry over.
enum HostRegister: UInt8 {
    case rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi
    /// Ours, nothing kept in them from one guest instruction to the next.
    case r8, r9, r10, r11
    /// The guest's ESP.
    case r12
    /// The processor's state.
    case r13
    /// Instructions left: see `InstructionBudget`.
    case r14
    /// The jump cache.
    case r15

    static let guestESP = r12

    /// Where the guest's register `number` is kept.
    init(guest number: UInt8) {
        self = number & 7 == 4 ? .guestESP : HostRegister(rawValue: number & 7) ?? .rax
    }

    var low: UInt8 { rawValue & 7 }
    var isHigh: Bool { rawValue >= 8 }
}

/// Writes x86-64 instructions to memory.
///
/// The methods are the few instructions that the monitor's own code is made of. None of them touches a flag but where it
/// says so.
struct HostAssembler {
    private let base: UnsafeMutablePointer<UInt8>
    /// Offset of the next byte from `base`.
    private(set) var offset: Int

    init(_ base: UnsafeMutablePointer<UInt8>, at offset: Int) {
        self.base = base
        self.offset = offset
    }

    // MARK: Bytes

    mutating func byte(_ value: UInt8) {
        base[offset] = value
        offset += 1
    }

    mutating func bytes(_ values: UInt8...) { for value in values { byte(value) } }

    mutating func copy(_ source: UnsafeRawBufferPointer) {
        guard let start = source.baseAddress else { return }
        UnsafeMutableRawPointer(base + offset).copyMemory(from: start, byteCount: source.count)
        offset += source.count
    }

    /// The first `count` (0...16) bytes of two words; writes all sixteen.
    mutating func copy(_ words: (UInt64, UInt64), count: Int) {
        UnsafeMutableRawPointer(base + offset).storeBytes(of: words, as: (UInt64, UInt64).self)
        offset += count
    }

    /// The first `count` (0...8) bytes of a word; writes all eight.
    mutating func copy(_ word: UInt64, count: Int) {
        UnsafeMutableRawPointer(base + offset).storeBytes(of: word.littleEndian, as: UInt64.self)
        offset &+= count
    }

    mutating func dword(_ value: UInt32) {
        store(value, at: offset)
        offset += 4
    }

    /// Puts the distance from behind the four bytes at `place` to `target` there.
    func patch(at place: Int, to target: Int) {
        let distance = UInt32(truncatingIfNeeded: target - place - 4)
        store(distance, at: place)
    }

    /// Overwrites four bytes, a constant of an instruction.
    func replace(at place: Int, by value: UInt32) { store(value, at: place) }

    private func store(_ value: UInt32, at place: Int) {
        UnsafeMutableRawPointer(base + place).storeBytes(of: value.littleEndian, as: UInt32.self)
    }

    // MARK: Jumps

    /// JMP to an offset; returns where its distance is, for `patch`.
    @discardableResult
    mutating func jump(to target: Int) -> Int {
        byte(0xE9)
        dword(UInt32(truncatingIfNeeded: target - offset - 4))
        return offset - 4
    }

    /// CALL of an offset; returns where its distance is.
    mutating func call(_ target: Int) -> Int {
        byte(0xE8)
        dword(UInt32(truncatingIfNeeded: target - offset - 4))
        return offset - 4
    }

    /// Jcc to an offset that is not known yet; returns where its distance is.
    mutating func jump(if condition: UInt8) -> Int {
        bytes(0x0F, 0x80 | condition & 15)
        dword(0)
        return offset - 4
    }

    /// JRCXZ to a place at most 127 bytes on; returns where its distance is, for `patchShort`.
    mutating func jumpIfZeroRCX() -> Int {
        bytes(0xE3, 0)
        return offset - 1
    }

    /// LOOP: takes one off RCX and jumps to a place at most 127 bytes on if that is not zero then; returns where its distance
    /// is, for `patchShort`.
    mutating func loop() -> Int {
        bytes(0xE2, 0)
        return offset - 1
    }

    func patchShort(at place: Int, to target: Int) { base[place] = UInt8(truncatingIfNeeded: target - place - 1) }

    // MARK: The processor's state: [r13 + displacement]

    private mutating func state(_ opcode: UInt8, _ register: HostRegister, _ displacement: Int, isWide: Bool) {
        bytes(0x41 | (isWide ? 8 : 0) | (register.isHigh ? 4 : 0), opcode, 0x85 | register.low << 3)
        dword(UInt32(truncatingIfNeeded: displacement))
    }

    mutating func load(_ register: HostRegister, state displacement: Int, isWide: Bool = false) {
        state(0x8B, register, displacement, isWide: isWide)
    }

    mutating func store(_ register: HostRegister, state displacement: Int, isWide: Bool = false) {
        state(0x89, register, displacement, isWide: isWide)
    }

    mutating func store(immediate: UInt32, state displacement: Int) {
        state(0xC7, .rax, displacement, isWide: false)
        dword(immediate)
    }

    mutating func store(immediateByte: UInt8, state displacement: Int) {
        state(0xC6, .rax, displacement, isWide: false)
        byte(immediateByte)
    }

    /// MOVZX of a byte or word.
    mutating func load(_ register: HostRegister, stateByte displacement: Int) {
        extended(0xB6, register, displacement)
    }

    mutating func load(_ register: HostRegister, stateWord displacement: Int) {
        extended(0xB7, register, displacement)
    }

    private mutating func extended(_ opcode: UInt8, _ register: HostRegister, _ displacement: Int) {
        bytes(0x41 | (register.isHigh ? 4 : 0), 0x0F, opcode, 0x85 | register.low << 3)
        dword(UInt32(truncatingIfNeeded: displacement))
    }

    /// A segment register from one place to another, by R9.
    mutating func copySegment(_ source: Int, to target: Int) {
        for offset in stride(from: 0, to: MemoryLayout<Segment>.size, by: 8) {
            load(.r9, state: source + offset, isWide: true)
            store(.r9, state: target + offset, isWide: true)
        }
    }

    /// PUSH and POP of eight bytes, and JMP to the address there.
    mutating func push(state displacement: Int) { state(0xFF, .rsi, displacement, isWide: false) }
    mutating func pop(state displacement: Int) { state(0x8F, .rax, displacement, isWide: false) }
    mutating func jump(state displacement: Int) { state(0xFF, .rsp, displacement, isWide: false) }

    /// CMP dword, 0. Touches flags.
    mutating func compareWithZero(state displacement: Int) {
        state(0x83, .rdi, displacement, isWide: false)
        byte(0)
    }

    /// LDMXCSR.
    mutating func loadSSEControl(state displacement: Int) {
        bytes(0x41, 0x0F, 0xAE, 0x95)
        dword(UInt32(truncatingIfNeeded: displacement))
    }

    /// FLDCW.
    mutating func loadX87Control(state displacement: Int) {
        bytes(0x41, 0xD9, 0xAD)
        dword(UInt32(truncatingIfNeeded: displacement))
    }

    // MARK: Counters

    /// Adds one to the eight bytes that lie `target` bytes from the start of the code. Changes R8, and no flag.
    ///
    /// - Returns: where the two distances to it are, for `patch`.
    @discardableResult
    mutating func count(at target: Int) -> (load: Int, store: Int) {
        bytes(0x4C, 0x8B, 0x05)  // mov r8, [rip + distance]
        dword(UInt32(truncatingIfNeeded: target - offset - 4))
        let load = offset - 4
        bytes(0x4D, 0x8D, 0x40, 0x01)  // lea r8, [r8 + 1]
        bytes(0x4C, 0x89, 0x05)  // mov [rip + distance], r8
        dword(UInt32(truncatingIfNeeded: target - offset - 4))
        return (load, offset - 4)
    }

    // MARK: Registers

    mutating func push(_ register: HostRegister) {
        if register.isHigh { byte(0x41) }
        byte(0x50 | register.low)
    }

    mutating func pop(_ register: HostRegister) {
        if register.isHigh { byte(0x41) }
        byte(0x58 | register.low)
    }

    /// MOV of 32 bits, which clears the upper half, or of 64.
    mutating func move(_ destination: HostRegister, _ source: HostRegister, isWide: Bool = false) {
        bytes(
            0x40 | (isWide ? 8 : 0) | (source.isHigh ? 4 : 0) | (destination.isHigh ? 1 : 0), 0x89,
            0xC0 | source.low << 3 | destination.low)
    }

    /// TEST of a register with itself. Touches flags.
    mutating func test(_ register: HostRegister) {
        bytes(0x40 | (register.isHigh ? 5 : 0), 0x85, 0xC0 | register.low << 3 | register.low)
    }

    /// PEXT and PDEP of 32 bits (SDM 2B). One behind the other, with the same mask, they are an AND that touches no flag.
    mutating func extractBits(_ target: HostRegister, _ source: HostRegister, mask: HostRegister) {
        bits(0x02, target, source, mask)
    }

    mutating func depositBits(_ target: HostRegister, _ source: HostRegister, mask: HostRegister) {
        bits(0x03, target, source, mask)
    }

    /// `register & mask`, by way of another register that then holds the mask. Touches no flag.
    mutating func keepBits(_ register: HostRegister, _ mask: UInt32, by other: HostRegister) {
        move(other, immediate: mask)
        extractBits(register, register, mask: other)
        depositBits(register, register, mask: other)
    }

    private mutating func bits(_ kind: UInt8, _ target: HostRegister, _ source: HostRegister, _ mask: HostRegister) {
        bytes(
            0xC4, 0x42 | (target.isHigh ? 0 : 0x80) | (mask.isHigh ? 0 : 0x20), ~source.rawValue << 3 & 0x78 | kind,
            0xF5,
            0xC0 | target.low << 3 | mask.low)
    }

    mutating func move(_ register: HostRegister, immediate: UInt32) {
        if register.isHigh { byte(0x41) }
        byte(0xB8 | register.low)
        dword(immediate)
    }

    /// `register = immediate`, all 64 bits of it.
    mutating func move(_ register: HostRegister, wideImmediate: Int) {
        bytes(register.isHigh ? 0x49 : 0x48, 0xB8 | register.low)
        dword(UInt32(truncatingIfNeeded: wideImmediate))
        dword(UInt32(truncatingIfNeeded: wideImmediate >> 32))
    }

    /// `register = base + displacement`, 32 or 64 bits of it. R12 as the base takes a SIB byte.
    mutating func lea(
        _ register: HostRegister, _ base: HostRegister, _ displacement: Int32, isWide: Bool = false
    ) {
        let short = Int8(exactly: displacement)
        bytes(
            0x40 | (isWide ? 8 : 0) | (register.isHigh ? 4 : 0) | (base.isHigh ? 1 : 0), 0x8D,
            (short == nil ? 0x80 : 0x40) | register.low << 3 | base.low)
        if base.low == 4 { byte(0x24) }
        if let short { byte(UInt8(bitPattern: short)) } else { dword(UInt32(bitPattern: displacement)) }
    }

    // MARK: The guest's memory: gs:[base]

    /// An instruction with the opcode `byteOpcode` for bytes and the next one for more, on `size` bytes of a register and
    /// of the memory at `base`, which is RSI or RDI.
    mutating func memory(_ byteOpcode: UInt8, _ register: HostRegister, _ base: HostRegister, size: UInt8) {
        if size == 2 { byte(0x66) }
        bytes(0x65, 0x67)
        if register.isHigh { byte(0x44) }
        bytes(size == 1 ? byteOpcode : byteOpcode | 1, register.low << 3 | base.low)
    }

    // MARK: The guest's stack: gs:[r12d + displacement]

    private mutating func stack(_ opcode: UInt8, _ register: HostRegister, _ displacement: Int8) {
        bytes(0x65, 0x67, 0x41 | (register.isHigh ? 4 : 0), opcode, 0x44 | register.low << 3, 0x24)
        byte(UInt8(bitPattern: displacement))
    }

    mutating func loadStack(_ register: HostRegister, _ displacement: Int8) { stack(0x8B, register, displacement) }

    /// MOVZX of a word.
    mutating func loadStackWord(_ register: HostRegister, _ displacement: Int8) {
        bytes(0x65, 0x67, 0x41 | (register.isHigh ? 4 : 0), 0x0F, 0xB7, 0x44 | register.low << 3, 0x24)
        byte(UInt8(bitPattern: displacement))
    }

    mutating func storeStack(_ register: HostRegister, _ displacement: Int8) { stack(0x89, register, displacement) }

    /// MOV of the register's low word.
    mutating func storeStackWord(_ register: HostRegister, _ displacement: Int8) {
        byte(0x66)
        stack(0x89, register, displacement)
    }

    mutating func storeStack(immediate: UInt32, _ displacement: Int8) {
        stack(0xC7, .rax, displacement)
        dword(immediate)
    }
}
