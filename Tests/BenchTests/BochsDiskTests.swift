import Testing

@testable import BenchKit

@Suite struct BochsDiskTests {
    /// A little-endian ELF image of one segment: `bytes` at 1 MiB, and `extra` zeros.
    private func kernel(_ bytes: [UInt8], extra: UInt32, address: UInt32 = 0x10_0000) -> [UInt8] {
        var file = [UInt8](repeating: 0, count: 84)
        func put(_ value: UInt32, at offset: Int) {
            for index in 0..<4 { file[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
        }
        put(0x464C_457F, at: 0)
        put(address + 2, at: 24)
        put(52, at: 28)
        put(32, at: 42)
        put(1, at: 44)
        for (index, value) in [1, 84, address, address, UInt32(bytes.count), UInt32(bytes.count) + extra].enumerated() {
            put(value, at: 52 + 4 * index)
        }
        return file + bytes
    }

    private func long(_ bytes: [UInt8], _ offset: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }

    @Test func layout() throws {
        let disk = try BochsDisk(
            bootSector: [UInt8](repeating: 0xCC, count: 512), kernel: kernel([1, 2, 3], extra: 600),
            commandLine: "units=9")
        #expect(disk.bytes.count == disk.cylinders * 16 * 63 * 512)
        #expect(Array(disk.bytes[512..<516]) == [1, 2, 3, 0])
        #expect(disk.bytes[510] == 0xCC, "the signature stays")
        #expect(long(disk.bytes, 502) == 0x10_0002)
        let information = long(disk.bytes, 506)
        #expect(information == 0x10_0000 + 608, "behind the zeros, aligned")
        let offset = 512 + information - 0x10_0000
        #expect(long(disk.bytes, offset) == 4)
        let line = 512 + long(disk.bytes, offset + 16) - 0x10_0000
        #expect(disk.bytes[line...].starts(with: Array("units=9\0".utf8)))
        #expect(long(disk.bytes, 498) == (line + 8 - 512 + 511) / 512)
    }

    @Test func malformed() {
        let sector = [UInt8](repeating: 0, count: 512)
        let images = [
            [], [1, 2, 3], Array(kernel([1], extra: 0).prefix(60)), kernel([1], extra: 0, address: 0x1000),
            kernel([1], extra: 0, address: 0xF000_0000), Array(kernel([1, 2, 3], extra: 0).dropLast()),
        ]
        for image in images {
            #expect(throws: BochsDisk.Malformed.self) {
                try BochsDisk(bootSector: sector, kernel: image, commandLine: "")
            }
        }
        #expect(throws: BochsDisk.Malformed.self) {
            try BochsDisk(bootSector: [], kernel: kernel([1], extra: 0), commandLine: "")
        }
    }
}
