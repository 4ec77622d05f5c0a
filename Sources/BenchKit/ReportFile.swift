import Foundation
import Ring3

/// A file that gets a report.
public struct ReportFile {
    private let path: String

    /// Throws if writing `path` is bound to fail: better now than after ten minutes of measuring.
    public init(path: String) throws(RunFailure) {
        self.path = path
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            throw failure("is a directory")
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard access(folder, W_OK | X_OK) == 0 || access(path, W_OK) == 0 else {
            throw failure(String(cString: strerror(errno)))
        }
    }

    /// Writes `text` at once or not at all; what is no regular file (a pipe, a device, a link) is simply written to.
    public func write(_ text: String) throws(RunFailure) {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        let type = attributes?[.type] as? FileAttributeType
        let isReplaceable = type == nil || type == .typeRegular
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: isReplaceable ? .atomic : [])
        } catch {
            throw failure("\(error.localizedDescription)")
        }
    }

    private func failure(_ reason: String) -> RunFailure {
        RunFailure("cannot write the report to \(path): \(reason)", exitStatus: ExitStatus.cannotCreate)
    }
}
