import CHost
import Glibc

/// The file shared with the oracle's process, as in Guests/oracle/oracle.h: header, code pages, first contents of the
/// memory windows, then the records, which the oracle overwrites with what became of them.
///
/// What went in is kept apart: a case that runs wild may write to the shared file.
final class SharedCases {
    let descriptor: Int32
    let records: UnsafeMutableBufferPointer<CaseRecord>
    /// What `records` were before they ran.
    let inputs: UnsafeMutableBufferPointer<CaseRecord>
    private let base: UnsafeMutableRawPointer
    private let size: Int
    private let window: MemoryWindow

    // Offsets in the file and in its header.
    private static let dataOffset = 0x3000
    private static let stackOffset = 0x6000
    private static let recordsOffset = 0x7000
    private static let runningOffset = 16
    private static let begunOffset = 20

    private static let magic: UInt32 = 0x334F_4752
    private static let version: UInt32 = 2

    /// Nil, with `errno` saying why, if the host refuses the memory.
    init?(capacity: Int, window: MemoryWindow) {
        self.window = window
        size = Self.recordsOffset + capacity * MemoryLayout<CaseRecord>.stride
        descriptor = ring3_memfd_create("ring3-oracle-cases")
        guard descriptor >= 0, ftruncate(descriptor, size) == 0,
            let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), base != MAP_FAILED
        else {
            let error = errno
            if descriptor >= 0 { close(descriptor) }
            errno = error
            return nil
        }
        self.base = base
        records = UnsafeMutableBufferPointer(
            start: (base + Self.recordsOffset).bindMemory(to: CaseRecord.self, capacity: capacity), count: capacity)
        inputs = .allocate(capacity: capacity)
        inputs.initialize(repeating: CaseRecord())
        records.initialize(repeating: CaseRecord())
        fillHeader()
    }

    deinit {
        munmap(base, size)
        close(descriptor)
        inputs.deallocate()
    }

    /// Everything but the records, as an oracle expects it when it starts.
    func fillHeader() {
        let header = [
            Self.magic, Self.version, UInt32(MemoryLayout<CaseRecord>.stride), UInt32(records.count), .max, 0,
        ]
        copy(littleEndianBytes(of: header), to: 0)
        copy(window.data, to: Self.dataOffset)
        copy(window.stack, to: Self.stackOffset)
    }

    private func littleEndianBytes(of words: [UInt32]) -> [UInt8] { words.flatMap { littleEndian($0) } }

    private func copy(_ bytes: [UInt8], to offset: Int) {
        UnsafeMutableRawBufferPointer(start: base + offset, count: bytes.count).copyBytes(from: bytes)
    }

    /// The record that is running now; nil between batches.
    var running: Int? {
        let value = (base + Self.runningOffset).load(as: UInt32.self)
        return value == .max ? nil : Int(value)
    }

    /// Counts the cases begun.
    var begun: UInt32 { (base + Self.begunOffset).load(as: UInt32.self) }

    /// Puts `record` where the oracle will look for it.
    func place(_ record: CaseRecord, at index: Int) {
        inputs[index] = record
        records[index] = record
    }

    /// Whether the oracle has refused something that it was not given: then it was written to by a case.
    func isAltered(_ index: Int) -> Bool {
        guard index < records.count else { return true }
        return withUnsafeBytes(of: records[index]) { now in
            withUnsafeBytes(of: inputs[index]) { before in !now.elementsEqual(before) }
        }
    }
}
