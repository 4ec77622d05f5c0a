import Foundation

/// Makes Bochs run a guest: it has a BIOS but no Multiboot loader, so the guest comes on a disk behind a boot sector
/// (Guests/disk/boot.S) that loads it to 1 MiB.
struct BochsMachine {
    static let bootSector = "boot.bin"
    static let bios = "/usr/share/seabios/bios.bin"
    static let videoBIOS = "/usr/share/seabios/vgabios.bin"

    let program: String
    /// For what Bochs wants in files.
    let folder: String
    let guests: String
    let memory: Int

    private static let serialPipe = "serial"

    func launch(image: String, commandLine: String) throws -> Launch {
        let sector = try Data(contentsOf: URL(fileURLWithPath: "\(guests)/\(Self.bootSector)"))
        let kernel = try Data(contentsOf: URL(fileURLWithPath: image))
        let disk = try BochsDisk(bootSector: [UInt8](sector), kernel: [UInt8](kernel), commandLine: commandLine)
        try write(Data(disk.bytes), "disk")
        try? FileManager.default.removeItem(atPath: "\(folder)/disk.lock")
        try write(Data(configuration(cylinders: disk.cylinders).utf8), "bochsrc")
        // Debian's Bochs starts in its debugger: continue.
        try write(Data("c\n".utf8), "commands")
        return Launch(
            command: [program, "-q", "-f", "\(folder)/bochsrc", "-rc", "\(folder)/commands"],
            serialPipe: "\(folder)/\(Self.serialPipe)", goodStatus: nil)
    }

    private func write(_ data: Data, _ name: String) throws {
        try data.write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }

    /// As Scripts/guests-on-bochs has it. `ips` is the speed that Bochs's own clock supposes, not a limit.
    private func configuration(cylinders: Int) -> String {
        """
        display_library: rfb, options="timeout=0"
        config_interface: textconfig
        romimage: file=\(Self.bios)
        vgaromimage: file=\(Self.videoBIOS)
        plugin_ctrl: speaker=0, gameport=0, parallel=0
        sound: driver=default, waveoutdrv=dummy
        cpu: model=corei7_sandy_bridge_2600k, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=0
        memory: guest=\(memory), host=\(memory)
        ata0-master: type=disk, path=\(folder)/disk, mode=flat, cylinders=\(cylinders), heads=16, spt=63
        boot: disk
        com1: enabled=1, mode=file, dev=\(folder)/\(Self.serialPipe)
        log: \(folder)/log
        panic: action=fatal
        error: action=ignore
        info: action=ignore

        """
    }
}

/// A disk image: boot sector, the kernel as it lies in memory, and a Multiboot information structure behind it.
struct BochsDisk {
    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    let bytes: [UInt8]
    let cylinders: Int

    private static let sectorSize = 512
    private static let cylinderSize = 16 * 63 * sectorSize
    /// Where the boot sector puts what follows it, and how much of that it reads at a time.
    private static let loadAddress = 0x10_0000
    private static let chunk = 64 * sectorSize
    /// Its last words before the signature: sectors, entry, information.
    private static let parameters = 498

    init(bootSector: [UInt8], kernel: [UInt8], commandLine: String) throws {
        guard bootSector.count == Self.sectorSize else { throw Malformed(description: "boot.bin is no boot sector") }
        var (entry, memory) = try Self.flatten(kernel)
        memory += [UInt8](repeating: 0, count: -memory.count & 15)
        let information = Self.loadAddress + memory.count
        // Multiboot 0.6.96, 3.3: flag 2, the command line's address at 16.
        var words = [UInt32](repeating: 0, count: 24)
        words[0] = 1 << 2
        words[4] = UInt32(information + 4 * words.count)
        memory += words.flatMap(Self.littleEndian) + Array(commandLine.utf8) + [0]
        let sectors = (memory.count + Self.sectorSize - 1) / Self.sectorSize
        let parameters = [sectors, Int(entry), information].flatMap { Self.littleEndian(UInt32($0)) }
        var bytes = bootSector
        bytes.replaceSubrange(Self.parameters..<Self.parameters + parameters.count, with: parameters)
        bytes += memory
        // The last chunk is read whole.
        cylinders = (bytes.count + Self.chunk) / Self.cylinderSize + 1
        bytes += [UInt8](repeating: 0, count: cylinders * Self.cylinderSize - bytes.count)
        self.bytes = bytes
    }

    private static func littleEndian(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (8 * $0) & 0xFF) } }

    /// Entry and memory from 1 MiB of one of our own ELF images (System V ABI, chapters 4 and 5), BSS included.
    private static func flatten(_ file: [UInt8]) throws -> (entry: UInt32, memory: [UInt8]) {
        func long(_ offset: Int) throws -> Int {
            guard offset >= 0, offset + 4 <= file.count else { throw Malformed(description: "a truncated guest") }
            return (0..<4).reduce(0) { $0 | Int(file[offset + $1]) << (8 * $1) }
        }
        guard try long(0) == 0x464C_457F else { throw Malformed(description: "a guest that is no ELF image") }
        let (entry, table) = (try long(24), try long(28))
        let (size, count) = (try long(42) & 0xFFFF, try long(44) & 0xFFFF)
        var memory: [UInt8] = []
        for header in (0..<count).map({ table + $0 * size }) where try long(header) == 1 {
            let (offset, address) = (try long(header + 4), try long(header + 12) - loadAddress)
            let (fileSize, memorySize) = (try long(header + 16), try long(header + 20))
            guard address >= 0, memorySize < 1 << 26, fileSize <= memorySize, offset + fileSize <= file.count,
                address < 1 << 26
            else { throw Malformed(description: "a guest that lies where the boot sector cannot load it") }
            let missing = address + memorySize - memory.count
            if missing > 0 { memory += [UInt8](repeating: 0, count: missing) }
            memory.replaceSubrange(address..<address + fileSize, with: file[offset..<offset + fileSize])
        }
        return (UInt32(entry), memory)
    }
}
