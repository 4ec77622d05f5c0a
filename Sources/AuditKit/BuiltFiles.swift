import Foundation
import Ring3

/// Where `Guests/build` has put its images: `.build/guests` in or above the current folder, or that of this program.
package enum BuiltFiles {
    package static func find(_ name: String) throws(RunFailure) -> String {
        let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let current = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
        for start in [current, executable.deletingLastPathComponent()] {
            var folder = start
            while true {
                let path = folder.appendingPathComponent(".build/guests/\(name)").path
                if FileManager.default.fileExists(atPath: path) { return path }
                guard folder.path != "/" else { break }
                folder = folder.deletingLastPathComponent()
            }
        }
        throw RunFailure(
            ".build/guests/\(name) is neither here nor beside this program; Guests/build makes it",
            exitStatus: ExitStatus.noInput)
    }
}
