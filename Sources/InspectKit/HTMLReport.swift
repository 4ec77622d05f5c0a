import Ring3

/// The report as one page that needs nothing else: styles and script are inside, see `HTMLAssets`.
package struct HTMLReport: CustomStringConvertible {
    private let report: InspectReport
    private let shown: Set<Int>

    package init(_ report: InspectReport) {
        self.report = report
        shown = Set(report.blocks.map(\.number))
    }

    package var description: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Translations of \(escaped(report.image))</title>
        <style>
        \(HTMLAssets.style)
        </style>
        </head>
        <body>
        <header>
        <h1>Translations of <span class="image">\(escaped(report.image))</span></h1>
        <p class="run">\(escaped(runLine))</p>
        \(tiles)
        \(shares)
        </header>
        <main>
        \(blocks)
        \(callouts)
        </main>
        <footer><p>\(escaped(report.timing)) Hover over a disposition for the manual's section.</p></footer>
        <script>
        \(HTMLAssets.script)
        </script>
        </body>
        </html>
        """
    }

    // MARK: Head

    private var runLine: String {
        guard !report.isStatic else {
            return "Reached by direct control flow from the entry point; nothing was executed."
        }
        return "\(report.instructions.grouped) instructions on engine \(report.engine) in "
            + "\(Show.time(report.hostSeconds * 1e9)); end: \(report.ending)."
    }

    private var tiles: String {
        let totals = report.totals
        var tiles: [(String, String)] = [
            ("blocks translated", totals.blocksTranslated.grouped),
            ("instructions translated", totals.instructionsTranslated.grouped),
            totals.microOps.map { ("micro-ops", $0.grouped) }
                ?? ("bytes of host code", (totals.emittedBytes ?? 0).grouped),
        ]
        if !report.isStatic {
            tiles += [
                ("links", totals.links.grouped), ("invalidated", totals.blocksInvalidated.grouped),
                ("evictions", totals.evictions.grouped), ("slow paths", totals.slowPaths.grouped),
                ("interpreted", totals.instructionsInterpreted.grouped),
            ]
        }
        let items = tiles.map { "<div><dt>\($0.0)</dt><dd>\($0.1)</dd></div>" }
        return "<dl class=\"tiles\">\(items.joined())</dl>"
    }

    /// A bar of what was executed, by disposition; in a static report only the legend.
    private var shares: String {
        let all = report.totals.executedByDisposition
        let parts = InspectedBlock.dispositions.compactMap { name -> String? in
            guard let share = all[name], share > 0 else { return nil }
            let title = "\(name) \(Show.percent(share))"
            return "<span class=\"\(Self.style(name))\" style=\"flex-grow:\(share)\" title=\"\(title)\"></span>"
        }
        let legend = InspectedBlock.dispositions.map { name in
            "<span class=\"key \(Self.style(name))\"><i></i>\(name)\(all[name].map { " \(Show.percent($0))" } ?? "")</span>"
        }
        let bar = parts.isEmpty ? "" : "<div class=\"bar\">\(parts.joined())</div>"
        return "<div class=\"shares\"><p>\(parts.isEmpty ? "Dispositions" : "Instructions executed in blocks")</p>"
            + "\(bar)<p class=\"legend\">\(legend.joined())</p></div>"
    }

    // MARK: Blocks

    private var blocks: String {
        guard !report.blocks.isEmpty else { return "" }
        let titles: [(String, Bool)] =
            report.isStatic
            ? [("block", true), ("bytes", true), ("instructions", true), ("callouts", true)]
            : [
                ("block", true), ("executed", true), ("instructions", true), ("time", true), ("each", true),
                ("callouts", true), ("versions", true), ("state", false),
            ]
        let heads = titles.enumerated().map { index, title in
            "<th scope=\"col\"\(title.1 && index > 0 ? " class=\"number\"" : "")><button type=\"button\">\(title.0)</button></th>"
        }
        let most = Double(report.blocks.map(\.instructionsExecuted).max() ?? 0)
        let bodies = report.blocks.enumerated().map { index, block in body(block, index, most, columns: titles.count) }
        return """
            <section>
            <div class="bar-title"><h2>Blocks <small>\(report.blocks.count) of \(report.totals.places.grouped)</small></h2>
            <input type="search" placeholder="Filter: symbol, address, instruction" aria-label="Filter blocks">
            <button type="button" data-all="open">Open all</button><button type="button" data-all="close">Close all</button></div>
            <table class="list" id="blocks">
            <thead><tr>\(heads.joined())</tr></thead>
            \(bodies.joined(separator: "\n"))
            </table>
            </section>
            """
    }

    private func body(_ block: InspectedBlock, _ index: Int, _ most: Double, columns: Int) -> String {
        let callouts = block.count(of: "callout")
        var cells = [cell(nameCell(block), value: "\(block.address.value)", isNumber: false)]
        if report.isStatic {
            cells += [
                number(UInt64(block.length)), number(UInt64(block.instructions.count)), number(UInt64(callouts)),
            ]
        } else {
            let heat = most > 0 ? Double(block.instructionsExecuted) / most * 100 : 0
            let bar = "<i class=\"heat\" style=\"width:\(Int(heat.rounded()))%\"></i>"
            cells += [
                number(block.executions),
                "<td class=\"number hot\" data-v=\"\(block.instructionsExecuted)\">\(bar)<span>\(block.instructionsExecuted.grouped)</span></td>",
                time(block.totalNanoseconds), time(block.nanoseconds), number(UInt64(callouts)),
                number(UInt64(block.version)), cell(block.state.rawValue, value: block.state.rawValue, isNumber: false),
            ]
        }
        return """
            <tbody id="b\(block.number)" data-order="\(index)">
            <tr class="head" tabindex="0" aria-expanded="true">\(cells.joined())</tr>
            <tr class="more"><td colspan="\(columns)">\(details(block))</td></tr>
            </tbody>
            """
    }

    private func nameCell(_ block: InspectedBlock) -> String {
        let symbol = block.symbol.map { "<b>\(escaped($0))</b>" } ?? ""
        return "<span class=\"turn\"></span><code>\(block.address)</code> \(symbol) <small>#\(block.number)</small>"
    }

    private func details(_ block: InspectedBlock) -> String {
        var facts = ["\(block.length) bytes at physical \(block.physical)"]
        if block.eip != block.address { facts.append("EIP \(block.eip)") }
        facts += block.mode
        if let bytes = block.hostBytes { facts.append("\(bytes) bytes of host code") }
        if let samples = block.samples { facts.append(samples == 1 ? "1 sample" : "\(samples.grouped) samples") }
        if block.timedExecutions > 0 { facts.append("\(block.timedExecutions.grouped) executions timed") }
        let isNative = block.prologue != nil
        let rows =
            codeRow("before the first instruction", block.prologue) + block.instructions.map(row)
            + block.exits.flatMap { exit in
                codeRow("\(exit.kind)\(exit.target.map { ": to \($0)" } ?? "")", exit.hostCode)
            }
            + codeRow("once its code has changed", block.staleExit)
        let listing =
            rows.isEmpty
            ? "<p>Its translation has been dropped.</p>"
            : """
            <table class="\(isNative ? "listing native" : "listing")"><thead><tr><th>address</th><th>bytes</th><th>instruction</th><th>\(isNative ? "host code" : "micro-ops")</th><th>disposition and reason</th></tr></thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody></table>
            """
        return """
            <p class="facts">\(facts.map { "<span>\(escaped($0))</span>" }.joined())</p>
            <div class="wide">\(listing)</div>
            <div class="ways">\(ways("In", block.entries.map(entry), none: block.state == .current && !report.isStatic ? "No block is linked to this one; it is looked up." : ""))
            \(ways("Out", block.exits.map(exit), none: ""))
            \(ways("Earlier versions", history(block), none: ""))</div>
            """
    }

    private func row(_ instruction: InspectedBlock.Instruction) -> String {
        let style = Self.style(instruction.disposition)
        let label = instruction.symbol.map { "<tr class=\"label\"><td colspan=\"5\">\(escaped($0)):</td></tr>" } ?? ""
        let microOps = instruction.microOps.map { "<code>\(escaped($0))</code>" }.joined(separator: "<br>")
        let product = instruction.hostCode.map(hostCode) ?? microOps
        let ops = product.isEmpty ? "–" : product
        let source = instruction.source.map { " title=\"\(escaped($0))\"" } ?? ""
        let note = instruction.note.map { "<br><em>\(escaped($0))</em>" } ?? ""
        let reason = instruction.reason == "Innocuous." ? "" : " \(escaped(instruction.reason))"
        return label + "<tr class=\"\(style)\"><td><code>\(instruction.address)</code></td>"
            + "<td class=\"bytes\"><code>\(instruction.bytes)</code></td>"
            + "<td><code class=\"guest\">\(escaped(instruction.text))</code></td><td class=\"ops\">\(ops)</td>"
            + "<td class=\"why\"><span class=\"chip\"\(source)>\(instruction.disposition)</span>\(reason)\(note)</td></tr>"
    }

    /// Host code that belongs to no instruction of the guest's.
    private func codeRow(_ title: String, _ code: [InspectedBlock.HostCode]?) -> [String] {
        guard let code, !code.isEmpty else { return [] }
        return [
            "<tr class=\"frame\"><td colspan=\"3\">\(escaped(title))</td>"
                + "<td class=\"ops\">\(hostCode(code))</td><td></td></tr>"
        ]
    }

    private func hostCode(_ code: [InspectedBlock.HostCode]) -> String {
        guard !code.isEmpty else { return "" }
        let lines = code.map { "<code>\(escaped($0.text))</code><code class=\"host\">\($0.bytes)</code>" }
        return "<div class=\"lines\">\(lines.joined())</div>"
    }

    private func ways(_ title: String, _ items: [String], none: String) -> String {
        if items.isEmpty, none.isEmpty { return "" }
        let some = items.isEmpty ? "<p>\(none)</p>" : list(items.prefix(Self.waysShown))
        let rest = items.dropFirst(Self.waysShown)
        let more = rest.isEmpty ? "" : "<details><summary>\(rest.count) more</summary>\(list(rest))</details>"
        return "<div><h3>\(title)</h3>\(some)\(more)</div>"
    }

    private static let waysShown = 9

    private func list(_ items: some Sequence<String>) -> String {
        "<ul>\(items.map { "<li>\($0)</li>" }.joined())</ul>"
    }

    private func entry(_ entry: InspectedBlock.Entry) -> String {
        "linked from \(link(entry.block, Show.place(entry.from, entry.symbol)))"
    }

    private func exit(_ exit: InspectedBlock.Exit) -> String {
        guard let target = exit.target else { return "\(exit.kind): \(escaped(exit.how))" }
        let place = Show.place(target, exit.symbol)
        let there = exit.block.map { link($0, place) } ?? "<code>\(escaped(place))</code>"
        let times = report.isStatic ? nil : exit.executions.map { " <small>\(Show.times($0))</small>" }
        return
            "\(exit.kind) to \(there): <span class=\"\(exit.isLinked ? "linked" : "unlinked")\">\(escaped(exit.how))</span>\(times ?? "")"
    }

    private func link(_ number: Int, _ text: String) -> String {
        let code = "<code>\(escaped(text))</code>"
        return shown.contains(number)
            ? "<a href=\"#b\(number)\">\(code)</a>" : "\(code) <small>#\(number), not shown</small>"
    }

    private func history(_ block: InspectedBlock) -> [String] {
        var items = block.earlier.reversed().map {
            "version \($0.version), executed \(Show.times($0.executions)): \(escaped($0.reason))"
        }
        let unlisted = Int(block.version) - (block.state == .current ? 1 : 0) - block.earlier.count
        if unlisted > 0 { items.append("and \(unlisted.grouped) before these") }
        return items
    }

    // MARK: Callouts

    private var callouts: String {
        let kind =
            report.callouts.allSatisfy(\.isSensitive)
            ? "sensitive instruction" : "instruction, or why it was the monitor's"
        let subject = report.isStatic ? "what the monitor would do" : "what the monitor did for the guest"
        guard !report.callouts.isEmpty else {
            return "<section><h2>Callouts</h2><p>No instruction went through the monitor.</p></section>"
        }
        let titles =
            [kind] + (report.isStatic ? [] : ["executed", "mean", "least", "total"]) + ["addresses"]
        let heads = titles.enumerated().map { index, title in
            "<th scope=\"col\"\(index > 0 ? " class=\"number\"" : "")><button type=\"button\">\(title)</button></th>"
        }
        let bodies = report.callouts.enumerated().map { index, group in
            """
            <tbody data-order="\(index)" class="closed">
            <tr class="head" tabindex="0" aria-expanded="false">\(cells(group))</tr>
            <tr class="more"><td colspan="\(titles.count)">
            <p>\(escaped(group.reason)) <small>\(escaped(group.source))</small></p>
            <div class="wide"><table class="sites">\(group.sites.map(site).joined())</table></div></td></tr>
            </tbody>
            """
        }
        return """
            <section>
            <h2>Callouts <small>\(subject)</small></h2>
            <table class="list" id="callouts">
            <thead><tr>\(heads.joined())</tr></thead>
            \(bodies.joined(separator: "\n"))
            </table>
            </section>
            """
    }

    private func cells(_ group: CalloutGroup) -> String {
        let name = "<span class=\"turn\"></span><code>\(escaped(group.form))</code>"
        let costs = [
            number(group.executions), time(group.mean), time(Double(group.leastNanoseconds)),
            time(Double(group.nanoseconds)),
        ]
        let all =
            [cell(name, value: group.form, isNumber: false)] + (report.isStatic ? [] : costs)
            + [number(UInt64(group.sites.count))]
        return all.joined()
    }

    private func site(_ site: InspectedCallout) -> String {
        let row =
            "<tr><td><code>\(escaped(Show.place(site.address, site.symbol)))</code></td>"
            + "<td><code class=\"guest\">\(escaped(site.text))</code></td>"
        guard !report.isStatic else { return row + "</tr>" }
        let mean = Show.time(Double(site.nanoseconds) / Double(max(1, site.executions)))
        let outside = site.interpreted > 0 ? "\(site.interpreted.grouped) outside of blocks" : ""
        return row + "<td class=\"number\">\(Show.times(site.executions))</td>"
            + "<td class=\"number\">\(mean) each</td><td>\(outside)</td></tr>"
    }

    // MARK: Pieces

    private func cell(_ html: String, value: String, isNumber: Bool) -> String {
        "<td\(isNumber ? " class=\"number\"" : "") data-v=\"\(escaped(value))\">\(html)</td>"
    }

    private func number(_ value: UInt64) -> String {
        cell(value.grouped, value: "\(value)", isNumber: true)
    }

    private func time(_ nanoseconds: Double?) -> String {
        cell(nanoseconds.map { Show.time($0) } ?? "–", value: nanoseconds.map { "\($0)" } ?? "-1", isNumber: true)
    }

    private static func style(_ disposition: String) -> String {
        "d-" + disposition.split(separator: " ").joined(separator: "-")
    }

    /// Text as HTML, for contents and quoted attributes.
    private func escaped(_ text: String) -> String {
        var html = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": html += "&amp;"
            case "<": html += "&lt;"
            case ">": html += "&gt;"
            case "\"": html += "&quot;"
            case "'": html += "&#39;"
            default: html.unicodeScalars.append(scalar)
            }
        }
        return html
    }
}
