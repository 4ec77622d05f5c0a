import Foundation
import Testing

@testable import OracleKit

/// The real processor, where there is one that can judge.
enum OracleHost {
    static let build = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent(".build")
    static let program = build.appendingPathComponent("guests/oracle").path

    /// Why it cannot judge; nil if it can.
    static let obstacle: String? = {
        do {
            _ = try OracleProcess(program: program, window: MemoryWindow(seed: 1), capacity: 1)
            return nil
        } catch {
            let line = "*** SKIPPED: comparison with the real processor: \(error) ***\n"
            FileHandle.standardError.write(Data(line.utf8))
            return "\(error)"
        }
    }()

    /// In continuous integration nothing may be missing, on hosts of the right kind.
    static var isRequired: Bool {
        #if arch(x86_64)
            ProcessInfo.processInfo.environment["CI"] == "true"
        #else
            false
        #endif
    }

    static var isAvailable: Bool { isRequired || obstacle == nil }

    static let skipped: Comment = "SKIPPED: this host does not run the oracle's 32-bit program; see standard error"

    /// Real code to cut cases from.
    static var corpus: [String] {
        let busybox = build.appendingPathComponent("debian/busybox").path
        if FileManager.default.fileExists(atPath: busybox) { return [busybox] }
        return ["integer", "x87", "compute-hash"].map { build.appendingPathComponent("guests/\($0).elf").path }
    }
}
