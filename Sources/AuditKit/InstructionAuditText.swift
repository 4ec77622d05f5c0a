extension InstructionAudit: CustomStringConvertible {
    /// The table and its summary, at most 120 columns wide.
    package var description: String {
        var table = TextTable(["instruction", "", "natively in ring 3", "ring 0 must see", "Ring3", "verdict"])
        for row in rows {
            let kind = (row.isControlSensitive ? "c" : " ") + (row.isBehaviourSensitive ? "b" : " ")
            table.add([
                row.form, kind, row.nativeText, row.mustText, row.isRight ? "right" : "WRONG", row.verdict.rawValue,
            ])
        }
        return ([title, "", table.text, ""] + legend + [""] + summary + failures).joined(separator: "\n")
    }

    private var title: String {
        """
        Sensitive instructions on this machine: \(host.processor),
        \(host.system); Ring3's engine: \(engine)
        """
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
        let right = rows.count(where: \.isRight)
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
        lines.append("Under Ring3, ring 0 of a guest saw what it must in \(right) of \(rows.count) rows.")
        return lines
    }

    private var failures: [String] {
        rows.filter { !$0.isRight }.map { "WRONG: \($0.form): ring 0 saw \($0.ring0Text), ring 3 \($0.ring3Text)" }
            + missing.map { "MISSING: \($0): the guest did not try it" }
    }
}
