import Foundation

@testable import Hardware
@testable import Ring3

/// QEMU running what `BootLoader` left in memory: an ISA PC whose firmware does nothing but set the CPU to the start
/// state and jump to the guest. The guests are then the judges of the boot protocols.
enum BootOnQEMU {
    static let path = "/usr/bin/qemu-system-i386"
    static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: path) }

    /// Runs QEMU and answers what it wrote to its standard output, until `isEnough` of it or `seconds` have passed.
    static func run(_ arguments: [String], seconds: Double, isEnough: (String) -> Bool) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments =
            ["-M", "isapc", "-accel", "tcg", "-cpu", "pentium3,-apic", "-display", "none", "-nodefaults", "-no-reboot"]
            + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        // Not SIGTERM, which QEMU inherits blocked from the thread that starts it.
        let processID = process.processIdentifier
        defer {
            kill(processID, SIGKILL)
            process.waitUntilExit()
        }
        // Ends the read below, whatever the guest is doing.
        let watchdog = DispatchWorkItem { kill(processID, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + seconds, execute: watchdog)
        defer { watchdog.cancel() }
        var text = ""
        while case let data = output.fileHandleForReading.availableData, !data.isEmpty {
            text += String(decoding: data, as: UTF8.self)
            if isEnough(text) { break }
        }
        return text
    }

    /// Arguments that start `guest` on QEMU; its memory goes to files in `folder`.
    static func arguments(for guest: Booted, in folder: URL) throws -> [String] {
        func file(_ name: String, _ address: UInt32, _ count: Int) throws -> URL {
            let url = folder.appending(path: name)
            try Data(guest.bytes(address, count)).write(to: url)
            return url
        }
        let low = try file("low.bin", 0, 0xA_0000)
        let high = try file("high.bin", 0x10_0000, guest.memory.size - 0x10_0000)
        let firmware = folder.appending(path: "firmware.bin")
        try Data(Self.firmware(for: guest)).write(to: firmware)
        return [
            "-m", "\(guest.memory.size >> 20)", "-bios", firmware.path(),
            "-device", "loader,file=\(low.path()),addr=0,force-raw=on",
            "-device", "loader,file=\(high.path()),addr=0x100000,force-raw=on",
        ]
    }

    /// The guest's memory from 0xE0000 to 1 MiB with the way to its first instruction in its last 256 bytes.
    private static func firmware(for guest: Booted) -> [UInt8] {
        guard case .protectedFlat(let gdt, let limit, let code, let data) = guest.state.cpuMode else { return [] }
        var rom = guest.bytes(0xE_0000, 0x2_0000)
        var real: [UInt8] = [0xFA, 0x66, 0x2E, 0x0F, 0x01, 0x16, 0xE0, 0xFF]  // cli; lgdt cs:[0xffe0]
        real += [0x0F, 0x20, 0xC0, 0x0C, 0x01, 0x0F, 0x22, 0xC0]  // mov eax, cr0; or al, 1; mov cr0, eax
        real += [0x66, 0xEA] + TestImage.longs(0xF_FF40) + [UInt8(code), 0]  // jmp code:0xfff40
        var flat: [UInt8] = [0xB8] + TestImage.longs(UInt32(data))  // mov eax, data
        for register: UInt8 in [0xD8, 0xC0, 0xD0, 0xE0, 0xE8] { flat += [0x8E, register] }  // ds, es, ss, fs, gs
        let state = guest.state
        let registers = [state.eax, state.ecx, state.edx, state.ebx, state.esp, state.ebp, state.esi, state.edi]
        for (number, value) in registers.enumerated() { flat += [0xB8 + UInt8(number)] + TestImage.longs(value) }
        flat += [0xE9] + TestImage.longs(state.eip &- (0xF_FF40 + UInt32(flat.count) + 5))  // jmp eip
        var pointer: [UInt8] = []
        pointer.append(little: limit)
        pointer.append(little: gdt)
        for (offset, bytes) in [(0xFF00, real), (0xFF40, flat), (0xFFE0, pointer), (0xFFF0, [0xE9, 0x0D, 0xFF])] {
            rom.replaceSubrange(0x1_0000 + offset..<0x1_0000 + offset + bytes.count, with: bytes)
        }
        return rom
    }

    /// Calls `body` with a new folder, which is gone afterwards.
    static func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "ring3-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }
}
