import Foundation

/// The built `ring3`, run as users run it.
struct Command {
    /// What a finished run left.
    struct Result {
        let status: Int32
        let output: String
        let errors: String

        /// Lines on standard error.
        var errorLines: [Substring] { errors.split(separator: "\n") }
    }

    /// Beside the test bundle, which is this process.
    static let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("ring3")

    /// Runs `ring3 arguments` to its end, with `input` on standard input and `environment` beside this process's own.
    static func run(
        _ arguments: [String], input: String = "", environment: [String: String] = [:]
    ) throws -> Result {
        try TemporaryFolder.with { folder in
            let inputFile = try folder.file("input", Array(input.utf8))
            let outputFile = try folder.file("output", [])
            let errorFile = try folder.file("errors", [])
            let process = Process()
            process.executableURL = executable
            process.arguments = arguments
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: inputFile))
            process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: outputFile))
            process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errorFile))
            try process.run()
            process.waitUntilExit()
            func text(_ path: String) throws -> String {
                String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
            }
            return Result(
                status: process.terminationStatus, output: try text(outputFile), errors: try text(errorFile))
        }
    }

    /// Boots `guest` with options; gives up after half a minute.
    static func run(_ guest: [UInt8], _ options: [String] = [], input: String = "") throws -> Result {
        try TemporaryFolder.with { folder in
            try run(["run", try folder.file("guest", guest), "--timeout", "30"] + options, input: input)
        }
    }
}

/// A folder for the files of one test.
struct TemporaryFolder {
    let path: String

    static func with<T>(_ body: (TemporaryFolder) throws -> T) throws -> T {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("ring3-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: url) }
        return try body(TemporaryFolder(path: url.path))
    }

    /// Creates a file and returns its path.
    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        let path = "\(path)/\(name)"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }
}
