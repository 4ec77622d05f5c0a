import Foundation
import Ring3

/// What was looked at to see that a guest got hold of nothing that it was not given. It proves no more than it says.
package struct ResourceControl: Encodable, Sendable {
    /// Times the software TLB was looked through, entries in use seen, and those that reach outside guest RAM.
    package let tlbLooks: UInt64
    package let tlbEntries: UInt64
    package let tlbViolations: UInt64
    /// Accesses that went to the buses, where a device or nobody answers.
    package let portAccesses: UInt64
    package let mmioAccesses: UInt64
    /// Exceptions for breaking segment, privilege and page protection, which the guest got to handle.
    package let protectionFaults: [String: UInt64]
    package let process: ProcessCheck
    /// What was proved of emitted code, and what it can reach; nil if there is none.
    package let proofs: EmittedCodeProofs?
    package let windows: WindowCheck?

    init(
        _ memory: MemoryBoundsCheck, _ statistics: StatisticsReport, process: ProcessCheck,
        proofs: EmittedCodeProofs? = nil, windows: WindowCheck? = nil
    ) {
        tlbLooks = memory.looks
        tlbEntries = memory.entries
        tlbViolations = memory.violations
        portAccesses = (statistics.callouts["portRead"] ?? 0) + (statistics.callouts["portWrite"] ?? 0)
        mmioAccesses = statistics.callouts["mmio"] ?? 0
        protectionFaults = statistics.exceptions.filter { ["#TS", "#NP", "#SS", "#GP", "#PF"].contains($0.key) }
        self.process = process
        self.proofs = proofs
        self.windows = windows
    }

    package var isRight: Bool {
        tlbViolations == 0 && process.isRight && proofs?.refused ?? 0 == 0 && windows?.violations ?? 0 == 0
    }
}

/// What the host's kernel says of this process, in which the guest runs.
package struct ProcessCheck: Encodable, Sendable {
    package let mappings: Int
    /// Mappings that are writable and executable at once.
    package let writableCode: Int
    package let descriptors: Int
    /// Open files that lead to the host's memory, ports or virtualisation.
    package let hostDevices: [String]

    package var isRight: Bool { writableCode == 0 && hostDevices.isEmpty }

    /// - Parameters:
    ///   - maps: as Linux has it in /proc/self/maps.
    ///   - files: what the open descriptors lead to.
    init(maps: String, files: [String]) {
        let rights = maps.split(separator: "\n").compactMap { $0.split(separator: " ").dropFirst().first }
        mappings = rights.count
        writableCode = rights.count { $0.contains("w") && $0.contains("x") }
        descriptors = files.count
        hostDevices = files.filter { file in
            ["/dev/kvm", "/dev/mem", "/dev/kmem", "/dev/port", "/dev/cpu/", "/dev/vhost"].contains {
                file.hasPrefix($0)
            }
        }
    }

    /// What is mapped in this process, as Linux has it in /proc/self/maps. One read gets a page of that at most, which is all
    /// that `String(contentsOfFile:)` takes of a file that says it is empty.
    static func maps() throws -> String {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/maps"))
        defer { try? file.close() }
        return String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
    }

    /// This process as it is now. Throws where the host does not say: nothing seen is not nothing found.
    static func now() throws(RunFailure) -> ProcessCheck {
        let folder = "/proc/self/fd"
        do {
            let maps = try maps()
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            // One of them is that of reading the folder, gone by now.
            let files = names.compactMap {
                try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
            }
            return ProcessCheck(maps: maps, files: files)
        } catch {
            throw RunFailure(
                "cannot look at this process: \(error.localizedDescription)", exitStatus: ExitStatus.hostFailure)
        }
    }
}
