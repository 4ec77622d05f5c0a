import Ring3

/// The report for a terminal.
package struct TextReport: CustomStringConvertible {
    private let report: InspectReport
    private static let width = 120

    package init(_ report: InspectReport) { self.report = report }

    package var description: String {
        var parts = [head]
        parts += report.blocks.map(block)
        if report.showsCallouts { parts.append(callouts) }
        return parts.joined(separator: "\n\n")
    }

    private var head: String {
        let totals = report.totals
        var lines = ["Translations of \(report.image)"]
        if report.isStatic {
            lines.append("Reached by direct control flow from the entry point; nothing was executed.")
        } else {
            lines.append(
                "\(report.instructions.grouped) instructions on \(report.engine), "
                    + "\(Show.time(report.hostSeconds * 1e9)); end: \(report.ending)")
        }
        lines.append(
            "\(totals.blocksTranslated.grouped) blocks translated, \(totals.blocksInvalidated.grouped) "
                + "invalidated, \(totals.evictions.grouped) evictions; \(totals.instructionsTranslated.grouped) "
                + "instructions became \(report.product)")
        if !report.isStatic {
            let shares = InspectedBlock.dispositions.compactMap { name in
                totals.executedByDisposition[name].map { "\(name) \(Show.percent($0))" }
            }
            lines.append("Executed in blocks: " + shares.joined(separator: ", "))
            lines += wrapped(report.timing, to: Self.width)
        }
        let shown = report.blocks.count
        if shown > 0, shown < totals.places {
            lines.append("Shown: \(shown) of \(totals.places.grouped) blocks.")
        }
        return lines.joined(separator: "\n")
    }

    // MARK: Blocks

    private static let entriesShown = 8

    private func block(_ block: InspectedBlock) -> String {
        var lines = ["Block \(block.number): \(Show.place(block.address, block.symbol))"]
        let bytes = "\(block.length) bytes at physical \(block.physical)"
        let host = block.hostBytes.map { "; \($0) bytes of host code" } ?? ""
        let facts = "\(bytes); \(block.mode.joined(separator: ", ")); \(state(block))\(host)"
        lines += wrapped(facts, to: Self.width - 2).map { "  " + $0 }
        if !report.isStatic { lines.append("  " + executions(block)) }
        for entry in block.entries.prefix(Self.entriesShown) {
            lines.append("  in:  linked from block \(entry.block) at \(Show.place(entry.from, entry.symbol))")
        }
        if block.entries.count > Self.entriesShown {
            lines.append("  in:  ... and from \(block.entries.count - Self.entriesShown) more")
        }
        lines += code(block.prologue, titled: "before the first instruction")
        lines += listing(block)
        for exit in block.exits {
            lines.append("  out: " + self.exit(exit))
            lines += code(exit.hostCode)
        }
        lines += code(block.staleExit, titled: "once its code has changed")
        for version in block.earlier.reversed() {
            lines.append(
                "  version \(version.version): executed \(Show.times(version.executions)); \(version.reason)")
        }
        let unlisted = Int(block.version) - (block.state == .current ? 1 : 0) - block.earlier.count
        if unlisted > 0 { lines.append("  ... and \(unlisted.grouped) versions before these") }
        return lines.joined(separator: "\n")
    }

    private func state(_ block: InspectedBlock) -> String {
        let version = block.version == 1 ? "" : "version \(block.version), "
        return version + block.state.rawValue
    }

    private func executions(_ block: InspectedBlock) -> String {
        var text = "executed \(Show.times(block.executions)), "
        text += "\(block.instructionsExecuted.grouped) instructions"
        if let mean = block.nanoseconds, let total = block.totalNanoseconds {
            text += "; about \(Show.time(total)), \(Show.time(mean)) each"
        }
        if let samples = block.samples { text += samples == 1 ? " (1 sample)" : " (\(samples.grouped) samples)" }
        return text
    }

    private func exit(_ exit: InspectedBlock.Exit) -> String {
        guard let target = exit.target else { return "\(exit.kind): \(exit.how)" }
        let block = exit.block.map { exit.isLinked ? " to block \($0)" : " (block \($0) is there)" } ?? ""
        let times = report.isStatic ? nil : exit.executions.map { "; \(Show.times($0))" }
        return "\(exit.kind) to \(Show.place(target, exit.symbol)): \(exit.how)\(block)\(times ?? "")"
    }

    /// Host code, below what it was made of.
    private func code(_ code: [InspectedBlock.HostCode]?, titled title: String? = nil) -> [String] {
        guard let code, !code.isEmpty else { return [] }
        let lines = code.map { Self.indent + "> \(padded($0.bytes, Self.hostBytes))  \($0.text)" }
        return (title.map { ["    \($0):"] } ?? []) + lines
    }

    private static let indent = String(repeating: " ", count: 14)
    /// Columns for host code: eleven bytes, and longer ones as they come.
    private static let hostBytes = 32

    private func listing(_ block: InspectedBlock) -> [String] {
        guard !block.instructions.isEmpty else { return ["  (its translation has been dropped)"] }
        let bytes = min(29, block.instructions.map(\.bytes.count).max() ?? 0)
        let text = block.instructions.map(\.text.count).max() ?? 0
        return block.instructions.flatMap { instruction -> [String] in
            let code = "\(padded(instruction.bytes, bytes))  \(padded(instruction.text, text))"
            let start = "    \(instruction.address)  \(code)"
            var lines: [String] = []
            if let symbol = instruction.symbol { lines.append("  \(symbol):") }
            lines.append("\(start)  \(instruction.disposition)")
            let source = instruction.source.map { " [\($0)]" } ?? ""
            let isPlain = instruction.reason == "Innocuous."
            if !isPlain {
                lines += wrapped(instruction.reason + source, to: Self.width - 16).map { Self.indent + "; " + $0 }
            }
            if let note = instruction.note {
                lines += wrapped(note, to: Self.width - 16).map { Self.indent + "; " + $0 }
            }
            lines += instruction.microOps.map { Self.indent + "> " + $0 }
            lines += self.code(instruction.hostCode)
            return lines
        }
    }

    // MARK: Callouts

    private var callouts: String {
        guard !report.callouts.isEmpty else { return "Callouts: no instruction went through the monitor." }
        let who = report.callouts.allSatisfy(\.isSensitive) ? "sensitive instructions" : "instructions of the monitor's"
        let what = report.isStatic ? "translated" : "executed, and what the monitor took for them"
        var lines = ["Callouts: \(who) \(what)"]
        let rows = report.callouts.map { group in
            report.isStatic
                ? [group.form, group.sites.count.grouped]
                : [
                    group.form, group.executions.grouped, Show.time(group.mean),
                    Show.time(Double(group.leastNanoseconds)), Show.time(Double(group.nanoseconds)),
                ]
        }
        let titles = report.isStatic ? ["form", "addresses"] : ["form", "executed", "mean", "least", "total"]
        let widths = titles.indices.map { column in ([titles] + rows).map { $0[column].count }.max() ?? 0 }
        func row(_ cells: [String]) -> String {
            zip(cells, widths).enumerated().map { column, cell in
                column == 0 ? padded(cell.0, cell.1) : String(repeating: " ", count: cell.1 - cell.0.count) + cell.0
            }.joined(separator: "  ")
        }
        lines.append("  " + row(titles))
        for (group, cells) in zip(report.callouts, rows) {
            lines.append("  " + row(cells))
            let source = group.source.isEmpty ? "" : " [\(group.source)]"
            lines += wrapped(group.reason + source, to: Self.width - 8).map { "      ; " + $0 }
            for site in group.sites.prefix(Self.sitesShown) { lines.append("      " + self.site(site)) }
            if group.sites.count > Self.sitesShown {
                lines.append("      ... and \(group.sites.count - Self.sitesShown) more addresses")
            }
        }
        return lines.joined(separator: "\n")
    }

    private static let sitesShown = 8

    private func site(_ site: InspectedCallout) -> String {
        guard !report.isStatic else { return "\(Show.place(site.address, site.symbol))  \(site.text)" }
        let mean = Show.time(Double(site.nanoseconds) / Double(max(1, site.executions)))
        let outside = site.interpreted > 0 ? ", \(site.interpreted.grouped) of them outside of blocks" : ""
        return "\(Show.place(site.address, site.symbol))  \(site.text): "
            + "\(Show.times(site.executions))\(outside), \(mean)"
    }

    // MARK: Layout

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private func wrapped(_ text: String, to width: Int) -> [String] {
        var lines = [""]
        for word in text.split(separator: " ") {
            if lines[lines.count - 1].isEmpty {
                lines[lines.count - 1] = String(word)
            } else if lines[lines.count - 1].count + 1 + word.count <= width {
                lines[lines.count - 1] += " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
