import Foundation

@testable import X86

/// binutils' disassembler, the independent reference of the sweep.
enum Objdump {
    struct Line {
        var length: Int
        var text: String
    }

    static let path = ["/usr/bin/objdump", "/usr/local/bin/objdump"].first(where: FileManager.default.isExecutableFile)
    static var isInstalled: Bool { path != nil }

    /// Bytes of a slot: a case, then NOPs enough to be back in step at the next one whatever the case was.
    static let slot = 24
    static let padding: UInt8 = 0x90

    static func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: padding, count: slot - bytes.count)
    }

    /// The first instruction of each case; nil where the reference got out of step.
    static func disassemble(_ cases: [[UInt8]], _ size: CodeSize) throws -> [Line?] {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("x86-\(UUID().uuidString).bin")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(cases.flatMap(padded)).write(to: file)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path ?? "")
        process.arguments = [
            "-D", "-z", "-w", "--no-show-raw-insn", "-b", "binary", "-m", "i386",
            "-M", size == .bits16 ? "intel,i8086" : "intel", file.path,
        ]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return output.withUnsafeBytes { parse($0, count: cases.count) }
    }

    /// Lines are `   12f:\tmov    eax,ebx`. Only those that start a slot, and the address after them, matter.
    private static func parse(_ output: UnsafeRawBufferPointer, count: Int) -> [Line?] {
        var lines = [Line?](repeating: nil, count: count)
        var open: (slot: Int, text: String)?
        var start = 0
        while let end = output[start...].firstIndex(of: UInt8(ascii: "\n")) {
            defer { start = end + 1 }
            guard let (address, textStart) = address(in: output, from: start, to: end) else { continue }
            if let current = open {
                lines[current.slot] = Line(length: address - current.slot * slot, text: current.text)
                open = nil
            }
            if address % slot == 0, address / slot < count {
                open = (address / slot, String(decoding: output[textStart..<end], as: UTF8.self))
            }
        }
        return lines
    }

    private static func address(in output: UnsafeRawBufferPointer, from start: Int, to end: Int) -> (Int, Int)? {
        var address = 0
        for index in start..<end {
            switch output[index] {
            case UInt8(ascii: " "): continue
            case let byte where UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte: address = address * 16 + Int(byte) - 0x30
            case let byte where UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte: address = address * 16 + Int(byte) - 0x57
            case UInt8(ascii: ":") where index + 1 < end && output[index + 1] == UInt8(ascii: "\t"):
                return (address, index + 2)
            default: return nil
            }
        }
        return nil
    }
}
