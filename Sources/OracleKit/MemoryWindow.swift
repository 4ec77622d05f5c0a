import Glibc
import Hardware
import Ring3
import X86

/// What the memory that cases work on holds before each of them: data, constants and stack.
///
/// The contents are values that are interesting as one type or another, so that a random operand in memory is as good
/// as a chosen one in a register.
package struct MemoryWindow {
    /// Of data and constants.
    package let data: [UInt8]
    package let stack: [UInt8]

    /// Offsets in the data pages of operands that few values suit: 64 selectors, a dword apart, then 32 far pointers, 8
    /// bytes apart.
    static let selectors: UInt32 = 0x800
    static let farPointers: UInt32 = 0x900
    static let farPointerCount: UInt32 = 32
    /// Offset in the data pages of what far transfers take from memory, 16 bytes apart: EIP, CS and EFLAGS, as dwords
    /// in the first half of them and as words in the second.
    static let transfers: UInt32 = 0xA00
    static let transferCount: UInt32 = 64

    package init(seed: UInt64) {
        var random = SplitMix64(seed: seed ^ 0x6D65_6D6F)
        var data: [UInt8] = []
        let size = Int(UserLayout.dataSize + UserLayout.constantsSize)
        while data.count < size {
            switch UInt32(data.count) {
            case Self.selectors..<Self.farPointers:
                data += littleEndian(UInt32(EdgeValues.selector(&random)) | random.next32() << 16)
            case Self.farPointers..<Self.farPointers + Self.farPointerCount * 8:
                data += littleEndian(EdgeValues.integer(&random))
                data += littleEndian(UInt32(EdgeValues.selector(&random)))
            case Self.transfers..<Self.transfers + Self.transferCount * 16:
                let isWide = data.count < Int(Self.transfers + Self.transferCount * 8)
                data += Self.transfer(isWide: isWide, &random)
            default: data += EdgeValues.chunk(&random)
            }
        }
        self.data = data
        var stack: [UInt8] = []
        while stack.count < Int(UserLayout.stackSize) {
            stack += littleEndian(random.chance(1, 4) ? EdgeValues.address(&random) : EdgeValues.integer(&random))
        }
        self.stack = stack
    }

    private static func transfer(isWide: Bool, _ random: inout SplitMix64) -> [UInt8] {
        let target = EdgeValues.farTarget(&random)
        let selector = UInt32(EdgeValues.codeSelector(&random)) | random.next32() << 16
        var flags = StateValues.flags(&random)
        if random.chance(1, 3) { flags = random.next32() }
        // At the exit there is an instruction on one side and none on the other: no step may be traced there.
        if target == UserLayout.exit { flags &= ~Flags.tf }
        let tail = littleEndian(random.next32())
        if isWide { return littleEndian(target) + littleEndian(selector) + littleEndian(flags) + tail }
        let words = [target, selector, flags].flatMap { littleEndian(UInt16(truncatingIfNeeded: $0)) }
        return words + tail + tail + [0, 0]
    }

    func fill(_ memory: PhysicalMemory) {
        memory.write(UserLayout.data, bytes: data)
        memory.write(UserLayout.stack, bytes: stack)
    }

    /// Puts back what a run of `record` changed, and tells what it was.
    func collectChanges(in memory: PhysicalMemory, of record: CaseRecord) -> MemoryChanges {
        var changes = MemoryChanges()
        if record.ignoresSomething {
            for range in record.ignored { forget(range.address, range.size, in: memory) }
        }
        collect(memory, UserLayout.data, Int(UserLayout.dataSize), data, &changes)
        collect(memory, UserLayout.stack, stack.count, stack, &changes)
        return changes
    }

    private func forget(_ address: UInt32, _ size: UInt32, in memory: PhysicalMemory) {
        for byte in 0..<size {
            let place = address &+ byte
            if place &- UserLayout.data < UserLayout.dataSize {
                memory.write(place, data[Int(place - UserLayout.data)])
            } else if place &- UserLayout.stack < UserLayout.stackSize {
                memory.write(place, stack[Int(place - UserLayout.stack)])
            }
        }
    }

    private func collect(
        _ memory: PhysicalMemory, _ start: UInt32, _ size: Int, _ before: [UInt8], _ changes: inout MemoryChanges
    ) {
        before.withUnsafeBytes { before in
            guard let base = before.baseAddress else { return }
            // Most pieces are as they were.
            for piece in stride(from: 0, to: size, by: 256) {
                let now = memory.base + Int(start) + piece
                guard memcmp(now, base + piece, 256) != 0 else { continue }
                for offset in stride(from: 0, to: 256, by: 4) {
                    let value = (now + offset).load(as: UInt32.self)
                    let original = (base + piece + offset).load(as: UInt32.self)
                    guard value != original else { continue }
                    changes.note(start + UInt32(piece + offset), value)
                    (now + offset).storeBytes(of: original, as: UInt32.self)
                }
            }
        }
    }
}

func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { [UInt8]($0) }
}
