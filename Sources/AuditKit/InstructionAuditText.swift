extension InstructionAudit: CustomStringConvertible {
    /// The table and its summary, at most 120 columns wide.
    package var description: String {
        var table = TextTable(["instruction", "", "natively in ring 3", "ring 0 must see", "Ring3", "verdict"])
        for row in rows {
            let kind = (row.isControlSensitive ? "c" : " ") + (row.isBehaviourSensitive ? "b" : " ")
            table.add([
                row.form, kind, row.nativeText, row.mustText, isRight(row) ? "right" : "WRONG", row.verdict.rawValue,
            ])
        }
        return ([title, "", table.text, ""] + legend + [""] + summary + failures).joined(separator: "\n")
    }

    private var title: String {
        """
        Sensitive instructions on this machine: \(host.processor),
        \(host.system); Ring3's \(engines.count == 1 ? "engine" : "engines"): \
        \(engines.map(\.engine).joined(separator: ", "))
        """
    }

    /// On all engines.
    private func isRight(_ row: Row) -> Bool {
        engines.allSatisfy { result in !result.wrong.contains { $0.hasPrefix("\(row.form): ") } }
    }

    private var legend: [String] {
        var lines = ["c: control-sensitive, b: behaviour-sensitive (Popek and Goldberg 1974)."]
        if host.hasUMIP {
            lines.append("(UMIP): stopped by CR4.UMIP, and answered by the host's kernel in the processor's place.")
        }
        if let reason = host.nativeFailure { lines.append("The host could not be asked: \(reason).") }
        return lines
    }

    private var summary: [String] {
        func count(_ verdict: Verdict) -> Int { rows.count { $0.verdict == verdict } }
        let unprivileged = rows.count { $0.privilege == "never" }
        var lines = ["\(rows.count) sensitive instructions and forms, of which \(unprivileged) are never privileged."]
        if host.nativeFailure == nil {
            let wrong = count(.silentlyWrong) + count(.entersHost)
            lines.append(
                "Natively in ring 3, \(count(.traps)) trap and \(wrong) do not: "
                    + "\(count(.silentlyWrong)) go wrong silently, \(count(.entersHost)) enter the host's kernel"
                    + (count(.coincides) > 0 ? "; \(count(.coincides)) are right by chance." : "."))
            lines.append(
                wrong > 0
                    ? "So the theorem's condition does not hold: trapping is not enough on this machine."
                    : "So trapping would be enough for these.")
        }
        return lines
            + engines.map {
                "Under Ring3's \($0.engine), ring 0 of a guest saw what it must in \($0.right) of \(rows.count) rows."
            }
    }

    private var failures: [String] {
        engines.flatMap { result in result.wrong.map { "WRONG on \(result.engine): \($0)" } }
            + missing.map { "MISSING: \($0): the guest did not try it" }
    }
}
