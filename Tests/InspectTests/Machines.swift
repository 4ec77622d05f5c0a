import AuditKit
import Foundation
import Logging
import Testing

@testable import InspectKit
@testable import Ring3

/// Guests for these tests: those of Guests/, and a few bytes of code.
enum Machines {
    static func make(_ engine: Engine, booting image: [UInt8]) throws -> VirtualMachine {
        var configuration = MachineConfiguration()
        configuration.engine = engine
        configuration.isDeterministic = true
        configuration.verifiesEmittedCode = true
        let machine = try VirtualMachine(configuration, console: SerialConsole(input: nil) { _ in })
        try machine.boot(BootRequest(image: image, imageName: "guest"))
        return machine
    }

    static func guest(_ name: String) throws -> [UInt8] {
        try InputFile.read(try BuiltFiles.find("\(name).elf"), limit: 1 << 24)
    }

    /// Those of this host's that have translations.
    static let engines = Engine.available.filter { $0 != .interpret }

    /// A machine that has run a guest to its end and kept a profile.
    static func inspected(_ image: [UInt8], on engine: Engine = .translate) throws -> VirtualMachine {
        let machine = try make(engine, booting: image)
        try machine.startInspection()
        _ = machine.run()
        return machine
    }

    static let codeAddress: UInt32 = 0x10_0020

    /// A Multiboot 1 image of some code, which is loaded and entered at `codeAddress`.
    static func image(_ code: [UInt8]) -> [UInt8] {
        let flags: UInt32 = 0x1_0000
        let end = codeAddress + UInt32(code.count)
        let header: [UInt32] = [
            0x1BAD_B002, flags, 0 &- (0x1BAD_B002 &+ flags), 0x10_0000, 0x10_0000, end, end, codeAddress,
        ]
        return header.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } } + code
    }

    /// What `ring3 inspect` makes of a guest, and the lines it complains with.
    static func report(
        _ name: String, _ change: (inout InspectOptions) -> Void = { _ in }
    ) throws -> (report: InspectReport, complaints: [String]) {
        var run = RunOptions(image: try BuiltFiles.find("\(name).elf"))
        run.machine.isDeterministic = true
        run.machine.engine = .translate
        var options = InspectOptions(run: run)
        change(&options)
        var complaints: [String] = []
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let report = try InspectSession(options, log: log, complain: { complaints.append($0) }).run()
        return (report, complaints)
    }
}
