import Foundation
import Ring3

extension GuestAudit: CustomStringConvertible {
    package var description: String {
        var parts = [head, equivalenceText, efficiencyText]
        if let efficiency, !efficiency.callouts.isEmpty { parts.append(callouts(efficiency)) }
        parts.append(resourceText)
        return parts.joined(separator: "\n\n")
    }

    private var head: String {
        let seconds = String(format: "%.1f", hostSeconds)
        return "Audit of \(image)\n\(instructions.grouped) instructions on \(engine), \(seconds) s; end: \(ending)"
    }

    private var equivalenceText: String {
        guard let equivalence else { return "Equivalence: not compared." }
        let counts = "\(equivalence.blocks.grouped) blocks, \(equivalence.instructions.grouped) instructions"
        let divergences =
            switch equivalence.divergences {
            case 0: "no divergence"
            case 1: "1 divergence"
            default: "\(equivalence.divergences.grouped) divergences"
            }
        var text = "Equivalence: \(equivalence.tested) against \(equivalence.reference), \(counts), \(divergences)."
        if let first = equivalence.first { text += "\nFirst divergence: \(first)" }
        return text
    }

    private var efficiencyText: String {
        guard let efficiency else { return "Efficiency: not counted on this engine." }
        var table = TextTable(["disposition", "executed", "share"], numeric: [1, 2])
        for share in efficiency.shares {
            table.add([share.disposition, share.executed.grouped, percent(share.executed, of: efficiency.executed)])
        }
        let names = efficiency.shares.map(\.disposition)
        let legend =
            names.contains(Efficiency.Share.monitored)
            ? "\nmonitored: innocuous, but done by the monitor; interpreted: outside of emitted blocks, as wherever a block is longer"
                + "\nthan what is left before the next comparison." : ""
        return "Efficiency: what becomes of the instructions executed\n" + table.text + legend
    }

    private func callouts(_ efficiency: Efficiency) -> String {
        let cells = efficiency.callouts.map { callout in
            [
                callout.form, callout.supervisor.grouped, callout.user.grouped,
                percent(callout.executed, of: efficiency.executed),
            ]
        }
        let titles = ["callout", "kernel", "user", "share"]
        let widths = titles.indices.map { column in ([titles] + cells).map { $0[column].count }.max() ?? 0 }
        // Reasons get what is left of 120 columns.
        let room = 120 - widths.map { $0 + 3 }.reduce(0, +) - 4
        var table = TextTable(titles + ["because"], numeric: [1, 2, 3])
        for (row, callout) in zip(cells, efficiency.callouts) { table.add(row + [shortened(callout.reason, to: room)]) }
        return table.text
    }

    private var resourceText: String {
        let faults = resources.protectionFaults.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.grouped)" }
        let process = resources.process
        let devices = process.hostDevices.isEmpty ? "none" : process.hostDevices.joined(separator: ", ")
        var lines = ["Resource control: what was checked"]
        if efficiency != nil {
            lines.append(
                "- TLB: \(resources.tlbEntries.grouped) entries seen in \(resources.tlbLooks.grouped) looks, "
                    + "\(resources.tlbViolations.grouped) reach outside guest RAM")
        }
        if let proofs = resources.proofs {
            lines.append(
                "- emitted code, proved before it was executed: \(proofs.blocks.grouped) blocks, "
                    + "\(proofs.links.grouped) links, \(proofs.retired.grouped) retirements; \(proofs.refused) refused")
        }
        if let windows = resources.windows {
            lines.append(
                "- windows: \(windows.windows), with \(windows.mappings.grouped) mappings of guest RAM "
                    + "(\((windows.bytes >> 10).grouped) KiB), \(windows.violations) of anything else")
        }
        lines += [
            "- devices: \(resources.portAccesses.grouped) port and \(resources.mmioAccesses.grouped) memory-mapped "
                + "accesses, all answered on the virtual buses",
            "- protection faults, all delivered to the guest: "
                + (faults.isEmpty ? "none" : faults.joined(separator: ", ")),
            "- this process: \(process.mappings) mappings, \(process.writableCode) both writable and executable",
            "- open files: \(process.descriptors), leading to the host's memory, ports or KVM: \(devices)",
        ]
        return lines.joined(separator: "\n")
    }

    /// As many whole words as fit.
    private func shortened(_ text: String, to room: Int) -> String {
        guard text.count > room else { return text }
        let words = text.prefix(max(0, room - 3))
        return (words.lastIndex(of: " ").map { words[..<$0] } ?? words) + "..."
    }

    private func percent(_ part: UInt64, of whole: UInt64) -> String {
        guard whole > 0 else { return "-" }
        let share = Double(part) / Double(whole) * 100
        return part > 0 && share < 0.001 ? "< 0.001 %" : String(format: "%.3f %%", share)
    }
}
