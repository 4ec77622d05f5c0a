import Foundation

/// What about this host decides how sensitive instructions behave on it.
package struct HostFacts: Encodable, Sendable {
    package let processor: String
    package let system: String
    /// CR4.UMIP is set: SGDT, SIDT, SLDT, STR and SMSW trap in ring 3, and the kernel answers in their place.
    package let hasUMIP: Bool
    /// Why the native column is empty, if it is.
    package var nativeFailure: String?

    package init() {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        self.init(processorInformation: text)
    }

    /// - Parameter text: as Linux has it in /proc/cpuinfo.
    init(processorInformation text: String) {
        func field(_ name: String) -> String? {
            text.split(separator: "\n").first { $0.hasPrefix(name) }?.split(separator: ":", maxSplits: 1).last
                .map { $0.trimmingCharacters(in: .whitespaces) }
        }
        processor = field("model name") ?? "unknown processor"
        hasUMIP = (field("flags") ?? "").split(separator: " ").contains("umip")
        var names = utsname()
        uname(&names)
        func string<T>(_ value: T) -> String {
            withUnsafeBytes(of: value) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        system = "\(string(names.sysname)) \(string(names.release)) \(string(names.machine))"
    }

    /// Instructions that UMIP makes the kernel's business.
    static let emulatedForms: Set<String> = ["SGDT", "SIDT", "SLDT", "STR", "SMSW"]
}
