import Foundation
import Testing

@testable import Hardware
@testable import Ring3

@Suite(.serialized, .enabled(if: BootOnQEMU.isInstalled)) struct BootOnQEMUTests {
    private static let buildFolder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../.build").standardized
    private static let debianFolder = buildFolder.appending(path: "debian")
    private static let hasDebian = FileManager.default.fileExists(
        atPath: debianFolder.appending(path: "initrd.gz").path())
    private static let helloGuest = buildFolder.appending(path: "guests/hello.elf")
    private static let hasGuests = FileManager.default.fileExists(atPath: helloGuest.path())

    private func debian(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: Self.debianFolder.appending(path: name)))
    }

    /// Debian's kernels find in memory everything that the boot protocol promises, and reach a shell.
    @Test(.enabled(if: hasDebian), arguments: ["vmlinuz-686", "vmlinuz-686-pae"])
    func debianBootsFromOurMemory(kernel: String) throws {
        let guest = try Booted(
            BootRequest(
                image: debian(kernel), imageName: kernel, commandLine: "console=ttyS0 ring3.test=1",
                initrd: debian("initrd.gz")),
            mebibytes: 128)
        let log = try BootOnQEMU.withFolder { folder in
            let arguments = try BootOnQEMU.arguments(for: guest, in: folder)
            return try BootOnQEMU.run(arguments + ["-serial", "stdio"], seconds: 120) { $0.contains("/ # ") }
        }
        let expected = [
            "BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable",
            "BIOS-e820: [mem 0x000000000009fc00-0x000000000009ffff] reserved",
            "BIOS-e820: [mem 0x00000000000f0000-0x00000000000fffff] reserved",
            "BIOS-e820: [mem 0x0000000000100000-0x0000000007ffffff] usable",
            "Kernel command line: console=ttyS0 ring3.test=1",
            "ACPI: FACP 0x", "(v03 RING3  RING3PC ", "ACPI: PM-Timer IO Port: 0x608",
            "ACPI: 1 ACPI AML tables successfully acquired and loaded", "pnp: PnP ACPI: found 3 devices",
            "ttyS0 at I/O 0x3f8 (irq = 4", "Run /init as init process", "/ # ",
        ]
        for line in expected { #expect(log.contains(line), "\(kernel) did not print \(line):\n\(log)") }
    }

    /// An ELF guest made by a real linker says the same whether QEMU's loader or ours started it.
    @Test(.enabled(if: hasGuests)) func helloRunsAlikeFromBothLoaders() throws {
        let guest = try Booted(Array(try Data(contentsOf: Self.helloGuest)))
        let byQEMU = ["-m", "32", "-kernel", Self.helloGuest.path()]
        let transcripts = try BootOnQEMU.withFolder { folder in
            try [byQEMU, BootOnQEMU.arguments(for: guest, in: folder)].map { arguments in
                try BootOnQEMU.run(
                    arguments + ["-serial", "stdio", "-device", "isa-debug-exit,iobase=0xf4"], seconds: 60,
                    isEnough: { _ in false })
            }
        }
        #expect(transcripts[0].contains("Hello from ring 0"))
        #expect(transcripts[1] == transcripts[0])
    }

    /// A kernel that shows what it was given sees the same whether QEMU's own Multiboot loader or ours started it.
    @Test func multibootKernelSeesWhatQEMUWouldShowIt() throws {
        let kernel = TestImage.flatMultiboot1(code: MultibootReport.code)
        let module: [UInt8] = Array("contents of the module".utf8)
        let reports = try BootOnQEMU.withFolder { folder in
            let image = folder.appending(path: "kernel.bin")
            let moduleFile = folder.appending(path: "module.bin")
            try Data(kernel).write(to: image)
            try Data(module).write(to: moduleFile)
            let guest = try Booted(
                BootRequest(
                    image: kernel, imageName: image.path(), commandLine: "one two",
                    modules: [.init(arguments: "\(moduleFile.path()) three", bytes: module)]))
            let byQEMU = [
                "-m", "32", "-kernel", image.path(), "-append", "one two",
                "-initrd", "\(moduleFile.path()) three",
            ]
            return try [byQEMU, BootOnQEMU.arguments(for: guest, in: folder)].map { arguments in
                try MultibootReport(running: arguments, in: folder)
            }
        }
        let (theirs, ours) = (reports[0], reports[1])
        #expect(ours.magic == theirs.magic)
        #expect(ours.information[1...2] == theirs.information[1...2])  // mem_lower, mem_upper
        #expect(ours.commandLine == theirs.commandLine)
        #expect(ours.information[5] == theirs.information[5])  // mods_count
        #expect(ours.moduleArguments == theirs.moduleArguments)
        #expect(ours.moduleBytes == theirs.moduleBytes)
        #expect(ours.module[0] % 4096 == 0)
        // QEMU's firmware also reports its flash below 4 GiB.
        #expect(theirs.memoryMap.starts(with: ours.memoryMap))
        // What QEMU gives, we give, but for the boot device, which a guest without disks does not have.
        #expect(theirs.information[0] & ~ours.information[0] == 1 << 1)
    }
}

/// What a Multiboot 1 kernel was given, as it wrote it itself to QEMU's debug console (port 0xE9).
private struct MultibootReport {
    let magic: UInt32
    /// The information structure's first 29 longs.
    let information: [UInt32]
    let commandLine: String
    let memoryMap: [UInt8]
    /// start, end, string, zero.
    let module: [UInt32]
    let moduleArguments: String
    let moduleBytes: [UInt8]

    /// Writes, in this order, the fields above, and leaves QEMU through the debug exit device at port 0xF4. For a kernel
    /// at 1 MiB, whose first four bytes it overwrites.
    static let code: [UInt8] =
        [0xBA, 0xE9, 0, 0, 0, 0xFC]  // mov edx, 0xe9; cld
        + [0xA3, 0, 0, 0x10, 0]  // mov [0x100000], eax
        + [0xBE, 0, 0, 0x10, 0, 0xB9, 4, 0, 0, 0, 0xF3, 0x6E]  // mov esi, 0x100000; mov ecx, 4; rep outsb
        + [0x89, 0xDE, 0xB9, 116, 0, 0, 0, 0xF3, 0x6E]  // mov esi, ebx; mov ecx, 116; rep outsb
        + [0x8B, 0x73, 16] + string  // mov esi, [ebx + 16]
        + [0x8B, 0x73, 48, 0x8B, 0x4B, 44, 0xF3, 0x6E]  // mov esi, [ebx + 48]; mov ecx, [ebx + 44]; rep outsb
        + [0x8B, 0x7B, 24, 0x89, 0xFE]  // mov edi, [ebx + 24]; mov esi, edi
        + [0xB9, 16, 0, 0, 0, 0xF3, 0x6E]  // mov ecx, 16; rep outsb
        + [0x8B, 0x77, 8] + string  // mov esi, [edi + 8]
        + [0x8B, 0x37, 0x8B, 0x4F, 4, 0x29, 0xF1, 0xF3, 0x6E]  // mov esi, [edi]; mov ecx, [edi + 4]; sub ecx, esi; ...
        + [0xE6, 0xF4] + TestImage.halt  // out 0xf4, al

    /// lodsb; out dx, al; test al, al; jnz back
    private static let string: [UInt8] = [0xAC, 0xEE, 0x84, 0xC0, 0x75, 0xFA]

    init(running arguments: [String], in folder: URL) throws {
        let console = folder.appending(path: "console.bin")
        _ = try BootOnQEMU.run(
            arguments + ["-debugcon", "file:\(console.path())", "-device", "isa-debug-exit,iobase=0xf4"],
            seconds: 60, isEnough: { _ in false })
        let report = ImageBytes(bytes: Array(try Data(contentsOf: console)))
        let informationStart = try #require(report.bytes.indices.last { report.long($0) == Multiboot1.loaderMagic }) + 4
        var next = informationStart - 4
        func longs(_ count: Int) -> [UInt32] {
            defer { next += 4 * count }
            return (0..<count).map { report.long(next + 4 * $0) ?? 0 }
        }
        func bytes(_ count: UInt32) throws -> [UInt8] {
            let range = try #require(report.range(UInt64(next), UInt64(count)))
            next = range.upperBound
            return Array(report.bytes[range])
        }
        func string() throws -> String {
            let rest = report.bytes[next...]
            let end = try #require(rest.firstIndex(of: 0))
            next = end + 1
            return String(decoding: rest[..<end], as: UTF8.self)
        }
        magic = longs(1)[0]
        information = longs(29)
        commandLine = try string()
        memoryMap = try bytes(information[11])
        module = longs(4)
        moduleArguments = try string()
        moduleBytes = try bytes(module[1] &- module[0])
    }
}
