import Foundation
import Ring3

/// What the host's kernel has mapped where emitted code reaches the guest's memory: the guest's RAM, or nothing.
package struct WindowCheck: Encodable, Equatable, Sendable {
    package let windows: Int
    /// Pieces of guest RAM that are mapped in them, and their bytes.
    package let mappings: Int
    package let bytes: UInt64
    /// Of what is mapped there, how much is anything else.
    package let violations: Int

    /// - Parameters:
    ///   - maps: as Linux has it in /proc/self/maps.
    ///   - ramSize: bytes of guest RAM.
    init(_ windows: [Range<UInt64>], maps: String, ramSize: UInt64) {
        let inside = maps.split(separator: "\n").map { Mapping($0) }.filter { mapping in
            guard let mapping else { return false }
            return windows.contains { $0.overlaps(mapping.addresses) }
        }.compactMap { $0 }
        let ram = inside.filter { $0.isGuestRAM(ofSize: ramSize) }
        self.windows = windows.count
        mappings = ram.count
        bytes = ram.reduce(0) { $0 + UInt64($1.addresses.count) }
        violations = inside.count - ram.count - inside.count { !$0.isAccessible }
    }

    /// This process as it is now; nil without windows.
    static func now(_ windows: [Range<UInt64>], ramSize: UInt64) throws(RunFailure) -> WindowCheck? {
        guard !windows.isEmpty else { return nil }
        do {
            return WindowCheck(windows, maps: try ProcessCheck.maps(), ramSize: ramSize)
        } catch {
            throw RunFailure(
                "cannot look at this process: \(error.localizedDescription)", exitStatus: ExitStatus.hostFailure)
        }
    }

    /// One line of /proc/self/maps: "7f00-7f10 rw-s 00000000 00:01 42 /memfd:ring3-ram (deleted)".
    private struct Mapping {
        let addresses: Range<UInt64>
        let rights: Substring
        let offset: UInt64
        let file: String

        init?(_ line: Substring) {
            let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
            guard fields.count >= 5, let offset = UInt64(fields[2], radix: 16) else { return nil }
            let ends = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
            guard ends.count == 2, ends[0] <= ends[1] else { return nil }
            (addresses, rights, self.offset) = (ends[0]..<ends[1], fields[1], offset)
            file = fields.count > 5 ? fields[5].trimmingCharacters(in: .whitespaces) : ""
        }

        var isAccessible: Bool { !rights.hasPrefix("---") }

        /// A part of guest RAM, which nobody can execute.
        func isGuestRAM(ofSize size: UInt64) -> Bool {
            isAccessible && file.hasPrefix(VirtualMachine.memoryFile) && !rights.contains("x")
                && offset <= size && UInt64(addresses.count) <= size - offset
        }
    }
}
