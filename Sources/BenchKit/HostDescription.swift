import Foundation
import Glibc

/// The machine on which things were measured, and what else it was doing.
public struct HostDescription: Codable, Equatable, Sendable {
    public var processor: String
    public var processors: Int
    public var system: String
    public var date: String
    /// Runnable processes, averaged over a minute, at the beginning and at the end.
    public var loadBefore: Double
    public var loadAfter: Double

    static func current() -> HostDescription {
        var name = utsname()
        uname(&name)
        func text<T>(_ field: T) -> String {
            withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        let load = currentLoad
        return HostDescription(
            processor: processorName ?? text(name.machine), processors: ProcessInfo.processInfo.activeProcessorCount,
            system: "\(text(name.sysname)) \(text(name.release))", date: ISO8601DateFormatter().string(from: Date()),
            loadBefore: load, loadAfter: load)
    }

    static var currentLoad: Double {
        var load = 0.0
        return getloadavg(&load, 1) == 1 ? (load * 100).rounded() / 100 : 0
    }

    private static var processorName: String? {
        guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("model name") }),
            let value = line.split(separator: ":", maxSplits: 1).last
        else { return nil }
        return value.trimmingCharacters(in: .whitespaces)
    }
}
