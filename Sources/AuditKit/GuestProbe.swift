import Ring3

/// Runs the guest `Guests/audit` and reads what it reports.
package enum GuestProbe {
    /// One row of its report.
    package struct Row: Equatable, Sendable {
        package let form: String
        /// What was run.
        package let code: [UInt8]
        /// How many words are the answer.
        package let words: Int
        /// What ring 0 must see; nil if the guest cannot know.
        package let must: Outcome?
        package let ring0: Outcome
        package let ring3: Outcome
    }

    /// Boots `image` on a machine of its own, whose time counts instructions.
    package static func run(_ image: [UInt8], named name: String, engine: Engine) throws(RunFailure) -> [Row] {
        var configuration = MachineConfiguration()
        configuration.engine = engine
        configuration.memorySize = 16 << 20
        configuration.isDeterministic = true
        configuration.timeout = 60_000_000_000
        var bytes: [UInt8] = []
        let outcome: RunOutcome
        do {
            let machine = try VirtualMachine(
                configuration, console: SerialConsole(input: nil) { _ in }, debugConsole: { bytes.append($0) })
            try machine.boot(BootRequest(image: image, imageName: name))
            outcome = machine.run()
        } catch {
            throw RunFailure("\(error)", exitStatus: ExitStatus.hostFailure)
        }
        guard case .debugExit = outcome else {
            throw RunFailure("\(name) did not end as it should: \(outcome.words)", exitStatus: ExitStatus.wrongResult)
        }
        return try parse(String(decoding: bytes, as: UTF8.self), from: name)
    }

    /// The lines "row FORM;CODE;WORDS;MUST;RING 0;RING 3" of Guests/audit/main.c.
    package static func parse(_ text: String, from name: String) throws(RunFailure) -> [Row] {
        var rows: [Row] = []
        for (number, line) in text.split(separator: "\n").enumerated() {
            guard let row = row(line) else {
                throw RunFailure(
                    "\(name) reports what it should not, in line \(number + 1): \(line)",
                    exitStatus: ExitStatus.wrongResult)
            }
            rows.append(row)
        }
        return rows
    }

    private static func row(_ line: Substring) -> Row? {
        guard line.hasPrefix("row ") else { return nil }
        let fields = line.dropFirst(4).split(separator: ";", omittingEmptySubsequences: false)
        guard fields.count == 6, let code = bytes(fields[1]), !code.isEmpty, let words = Int(fields[2]),
            let ring0 = outcome(fields[4], words), let ring3 = outcome(fields[5], words)
        else { return nil }
        let must = outcome(fields[3], words)
        guard must != nil || fields[3] == "-" else { return nil }
        return Row(form: String(fields[0]), code: code, words: words, must: must, ring0: ring0, ring3: ring3)
    }

    private static func bytes(_ text: Substring) -> [UInt8]? {
        let digits = Array(text)
        guard digits.count % 2 == 0 else { return nil }
        let bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
        return bytes.contains(nil) ? nil : bytes.compactMap { $0 }
    }

    /// The interrupt that says that the code has run to its end: REACHED in Guests/common/layout.h.
    private static let reached: UInt32 = 0x30

    private static func outcome(_ text: Substring, _ words: Int) -> Outcome? {
        let values = text.split(separator: " ").compactMap { UInt32($0, radix: 16) }
        guard values.count == 4, let vector = UInt8(exactly: values[0]) else { return nil }
        return values[0] == reached
            ? .answer(Array(values[2..<2 + min(words, 2)])) : .vector(vector, errorCode: values[1])
    }
}
