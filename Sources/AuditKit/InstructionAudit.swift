import Ring3
import X86

/// The theorem, instruction by instruction: what each sensitive one does in ring 3 of this host, what ring 0 must see,
/// and what it saw under Ring3.
package struct InstructionAudit: Encodable, Sendable {
    package enum Verdict: String, Encodable, Sendable {
        /// The host stops it: a monitor that waits for traps would notice.
        case traps
        /// It runs to its end, with another result than ring 0 must see.
        case silentlyWrong = "silently wrong"
        /// It ends up in the host's kernel, as a system call.
        case entersHost = "enters the host"
        /// It runs to its end, and the result happens to be right.
        case coincides
        /// The host cannot be asked.
        case unknown
    }

    package struct Row: Encodable, Sendable {
        package let form: String
        package let isControlSensitive: Bool
        package let isBehaviourSensitive: Bool
        package let privilege: String
        package let reason: String
        package let source: String
        /// The machine code that was run, hexadecimal.
        package let code: String
        package let native: Outcome?
        package let nativeText: String
        package let must: Outcome
        package let mustText: String
        package let ring0: Outcome
        package let ring0Text: String
        package let ring3: Outcome
        package let ring3Text: String
        package let verdict: Verdict
        /// Ring 0 saw what it must, and ring 3 was stopped where it must be.
        package let isRight: Bool
    }

    /// What the guest reported on one engine.
    package struct EngineResult: Encodable, Sendable {
        package let engine: String
        package let right: Int
        /// What was not as it must be, in words.
        package let wrong: [String]
    }

    package let host: HostFacts
    /// The engine on which rings 0 and 3 of `rows` were seen: the first of `engines`.
    package let engine: String
    package let rows: [Row]
    package let engines: [EngineResult]

    /// Forms of the table that were not tried; none, unless the guest is older than the table.
    package let missing: [String]

    package var isRight: Bool { missing.isEmpty && engines.allSatisfy { $0.right == rows.count } }

    /// Runs everything. A host that cannot be asked leaves its column empty, and `host` says why.
    ///
    /// - Parameter others: more engines, whose guests must see the same.
    package static func run(engine: Engine, and others: [Engine] = []) throws(RunFailure) -> InstructionAudit {
        try engine.checkAvailability()
        let imagePath = try BuiltFiles.find("audit.elf")
        let image = try InputFile.read(imagePath, limit: 64 << 20)
        let guest = try GuestProbe.run(image, named: imagePath, engine: engine)
        var results: [(engine: String, guest: [GuestProbe.Row])] = []
        for other in others {
            results.append((other.rawValue, try GuestProbe.run(image, named: imagePath, engine: other)))
        }
        var host = HostFacts()
        var probe: HostProbe?
        let program = try BuiltFiles.find("oracle")
        do {
            probe = try HostProbe(program: program)
        } catch {
            host.nativeFailure = error.reason
        }
        let natives = guest.map { probe?.run($0.code, words: $0.words) }
        return InstructionAudit(host: host, engine: engine.rawValue, guest: guest, natives: natives, others: results)
    }

    init(
        host: HostFacts, engine: String, guest: [GuestProbe.Row], natives: [HostProbe.Answer?],
        others: [(engine: String, guest: [GuestProbe.Row])] = []
    ) {
        self.host = host
        self.engine = engine
        let results = Dictionary(
            zip(guest, natives).map { ($0.form, (guest: $0, native: $1)) }, uniquingKeysWith: { first, _ in first })
        let table = Sensitivity.table.filter(\.isSensitive)
        rows = table.compactMap { entry in
            results[entry.form].map { Row(entry, guest: $0.guest, native: $0.native, host: host) }
        }
        engines =
            [EngineResult(engine, rows)]
            + others.map { engine, guest in
                let seen = Dictionary(guest.map { ($0.form, $0) }, uniquingKeysWith: { first, _ in first })
                let rows = table.compactMap { entry in
                    seen[entry.form].map { Row(entry, guest: $0, native: results[entry.form]?.native, host: host) }
                }
                return EngineResult(engine, rows)
            }
        missing = table.map(\.form).filter { results[$0] == nil }
    }
}

extension InstructionAudit.EngineResult {
    init(_ engine: String, _ rows: [InstructionAudit.Row]) {
        self.engine = engine
        right = rows.count(where: \.isRight)
        wrong = rows.filter { !$0.isRight }.map {
            "\($0.form): ring 0 saw \($0.ring0Text), ring 3 \($0.ring3Text)"
        }
    }
}

extension InstructionAudit.Row {
    init(_ entry: Sensitivity, guest: GuestProbe.Row, native answer: HostProbe.Answer?, host: HostFacts) {
        form = entry.form
        isControlSensitive = entry.kind.contains(.control)
        isBehaviourSensitive = entry.kind.contains(.behaviour)
        privilege = "\(entry.privilege)"
        reason = entry.reason
        source = entry.source
        code = guest.code.map { hexadecimal($0, 2) }.joined(separator: " ")
        native = answer?.outcome
        must = guest.must ?? Self.knownHere[entry.form] ?? .lost("unknown")
        ring0 = guest.ring0
        ring3 = guest.ring3
        nativeText = answer.map { Self.text($0, entry, host) } ?? "-"
        mustText = OutcomeText.text(must, of: form)
        ring0Text = OutcomeText.text(ring0, of: form)
        ring3Text = OutcomeText.text(ring3, of: form)
        verdict = Self.verdict(answer?.outcome, must: must)
        isRight = ring0 == must && Self.isStopped(ring3, entry.privilege)
    }

    /// What must be seen where only the monitor can know: the processor that guests are told of, 10 ticks for each of
    /// the 1001 instructions between two RDTSCs, and no performance counters.
    private static let knownHere: [String: Outcome] = [
        "CPUID": .answer([0x6D8]), "RDTSC": .answer([10010]), "RDPMC": .vector(13, errorCode: 0),
    ]

    private static func verdict(_ native: Outcome?, must: Outcome) -> InstructionAudit.Verdict {
        switch native {
        case nil, .lost: .unknown
        case .vector: .traps
        case .systemCall: .entersHost
        case .answer: native == must ? .coincides : .silentlyWrong
        }
    }

    /// In ring 3 of the guest privileged instructions fault, as its kernel expects. It has IOPL 0, no I/O permissions,
    /// and neither CR4.TSD nor CR4.PCE.
    private static func isStopped(_ ring3: Outcome, _ privilege: Sensitivity.Privilege) -> Bool {
        switch privilege {
        case .never, .timestampDisable: true
        case .always, .ioPrivilege, .ioPermission, .performanceCounters: ring3 == .vector(13, errorCode: 0)
        }
    }

    private static func text(_ answer: HostProbe.Answer, _ entry: Sensitivity, _ host: HostFacts) -> String {
        var text = OutcomeText.text(answer.outcome, of: entry.form)
        if let signal = answer.signal { text += ", \(signal)" }
        if let instruction = answer.instruction, instruction.sensitivity.form != entry.form {
            text += " at \(instruction.sensitivity.form)"
        }
        if case .answer = answer.outcome, host.hasUMIP, HostFacts.emulatedForms.contains(entry.form) {
            text += " (UMIP)"
        }
        return text
    }
}
