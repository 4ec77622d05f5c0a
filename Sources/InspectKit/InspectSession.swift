import Foundation
import Logging
import Ring3

/// What `ring3 inspect` was asked to show.
package struct InspectOptions: Sendable {
    /// Its engine is one that translates.
    package var run: RunOptions
    /// Execute nothing.
    package var isStatic = false
    /// Addresses or symbols whose blocks are wanted.
    package var places: [String] = []
    /// How many of the hottest blocks; nil if not asked for.
    package var hottest: Int?
    package var wantsCallouts = false
    /// A file with symbols; nil: those of the image, if it has any.
    package var symbolFile: String?

    package init(run: RunOptions) { self.run = run }
}

/// Boots a guest, or translates it without running it, and looks at what was translated.
package struct InspectSession {
    private let options: InspectOptions
    private let log: Logger
    /// Gets a line about what cannot be shown, while the rest goes on.
    private let complain: (String) -> Void

    package static let defaultHottest = 10
    private static let symbolFileLimit = 256 << 20

    package init(_ options: InspectOptions, log: Logger, complain: @escaping (String) -> Void) {
        self.options = options
        self.log = log
        self.complain = complain
    }

    package func run() throws(RunFailure) -> InspectReport {
        var run = options.run
        var log = log
        // The report has standard output, unless the guest was given it.
        if run.serial == nil { run.serial = RunOptions.Channel.none }
        if options.isStatic {
            run.machine.maximumInstructions = 0
            // That the run has ended at once is no news.
            log.logLevel = max(log.logLevel, .warning)
        }
        try run.machine.engine.checkAvailability()
        let symbols = symbols(image: run.image)
        let finished = try RunSession(run, log: log).run { machine throws(RunFailure) in
            try machine.startInspection()
            if options.isStatic { machine.translateAhead() }
        }
        guard let inspector = finished.machine.inspector else {
            preconditionFailure("the machine was inspected")
        }
        let report = report(inspector, symbols, finished)
        guard !report.isEmpty else {
            throw RunFailure("nothing of what was asked for was translated", exitStatus: ExitStatus.usage)
        }
        return report
    }

    /// The symbols of the file that was named, or of the image. A file without any is a reason to complain only if it
    /// was named for them.
    private func symbols(image: String) -> SymbolTable {
        if let file = options.symbolFile {
            do throws(RunFailure) {
                return try Self.symbols(file: file)
            } catch {
                complain("\(error); going on without it")
            }
        }
        // An image that cannot be read is about to be reported by those who boot it; a pipe can be read only once.
        let attributes = try? FileManager.default.attributesOfItem(atPath: (image as NSString).resolvingSymlinksInPath)
        guard attributes?[.type] as? FileAttributeType == .typeRegular,
            let bytes = try? InputFile.read(image, limit: Self.symbolFileLimit), ELFSymbols.isELF(bytes)
        else { return SymbolTable() }
        return (try? SymbolTable(file: bytes)) ?? SymbolTable()
    }

    private static func symbols(file: String) throws(RunFailure) -> SymbolTable {
        let bytes = try InputFile.read(file, limit: symbolFileLimit)
        do throws(SymbolTable.Failure) {
            return try SymbolTable(file: bytes)
        } catch {
            throw RunFailure("\(file) \(error)", exitStatus: ExitStatus.noInput)
        }
    }

    private func report(_ inspector: any Inspector, _ symbols: SymbolTable, _ run: FinishedRun) -> InspectReport {
        var numbers: [Int] = []
        for place in options.places {
            guard let address = symbols.resolve(place) else {
                complain("--at \(place): no such symbol, and no hexadecimal address")
                continue
            }
            let found = inspector.blocks(at: address)
            if found.isEmpty {
                complain("--at \(place): no translated block holds \(GuestAddress(address))")
            }
            numbers += found.filter { !numbers.contains($0) }
        }
        let wantsDefault = options.places.isEmpty && !options.wantsCallouts
        if let count = options.hottest ?? (wantsDefault ? Self.defaultHottest : nil) {
            // Without executions, the order in which they were found.
            let all = options.isStatic ? Array(0..<inspector.count) : inspector.hottest
            numbers += all.prefix(count).filter { !numbers.contains($0) }
        }
        var report = InspectReport(
            image: options.run.image, engine: options.run.machine.engine.rawValue, isStatic: options.isStatic,
            ending: options.isStatic ? "not run" : run.outcome.words,
            instructions: run.machine.statistics.instructions, hostSeconds: run.hostSeconds,
            timing: options.isStatic ? "Nothing was executed." : inspector.timing, symbols: symbols.symbols.count,
            totals: inspector.totals,
            blocks: numbers.map(inspector.block),
            callouts: CalloutGroup.groups(options.isStatic ? inspector.monitoredInstructions : inspector.callouts),
            showsCallouts: options.wantsCallouts)
        report.addNames(from: symbols)
        return report
    }
}
