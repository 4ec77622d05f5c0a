import X86

/// Looks into the translations of a machine that keeps a profile.
package protocol Inspector: AnyObject {
    /// Places in RAM that have been translated; their blocks are numbered from 0, in the order in which they were met.
    var count: Int { get }
    /// Numbers of all blocks: those in which most instructions were executed first, and of equals those met first.
    var hottest: [Int] { get }
    /// Numbers of the blocks that hold a linear address, where they were executed last or translated first.
    func blocks(at linear: UInt32) -> [Int]
    func block(_ number: Int) -> InspectedBlock
    /// Every instruction that may go through the monitor, executed or not.
    var monitoredInstructions: [InspectedCallout] { get }
    var totals: InspectionTotals { get }
    /// How the times were measured, in sentences.
    var timing: String { get }
}

extension Inspector {
    /// Every instruction that went through the monitor, in the order in which they were met.
    package var callouts: [InspectedCallout] { monitoredInstructions.filter { $0.executions > 0 } }
}

/// An engine into whose translations one can look.
protocol InspectableEngine: AnyObject {
    /// Begins to keep a profile; what was translated before is forgotten.
    ///
    /// - Parameter takesTime: blocks are to be timed, if that costs anything of its own.
    func startProfile(takesTime: Bool) throws(Decoder.Failure)
    /// What there is to see; nil without a profile.
    var inspector: (any Inspector)? { get }
    /// Translates what direct control flow reaches from where the processor is, and executes nothing.
    func translateAhead()
}

extension VirtualMachine {
    /// Keeps a profile of translated blocks from now on.
    ///
    /// - Parameter takesTime: false if only counts are wanted.
    /// - Throws: usage, if the engine has no translations; a failure of the host's.
    package func startInspection(takesTime: Bool = true) throws(RunFailure) {
        guard let inspectable else {
            throw RunFailure(
                "engine \(configuration.engine.rawValue) has no translations to show", exitStatus: ExitStatus.usage)
        }
        do throws(Decoder.Failure) {
            try inspectable.startProfile(takesTime: takesTime)
        } catch {
            throw RunFailure("cannot inspect: \(error.description)", exitStatus: ExitStatus.hostFailure)
        }
    }

    /// What there is to see; nil without `startInspection`.
    package var inspector: (any Inspector)? { inspectable?.inspector }

    /// Translates what direct control flow reaches from where the processor is, and executes nothing.
    package func translateAhead() { inspectable?.translateAhead() }
}

extension InspectedBlock.EarlierVersion {
    init(_ ending: ProfileEnding) {
        version = ending.version
        executions = ending.executions
        atInstruction = ending.instructions
        switch ending.cause {
        case .write(let physical, let bytes, let address):
            (cause, faulting) = ("written to", nil)
            (written, count, writer) = (GuestAddress(physical), bytes, GuestAddress(address))
        case .eviction: (cause, written, count, writer, faulting) = ("evicted", nil, nil, nil, nil)
        case .adaptation(let address):
            (cause, written, count, writer, faulting) = ("adapted", nil, nil, nil, GuestAddress(address))
        }
    }
}

extension ProfileRecord {
    /// What became of the translation made last.
    var state: InspectedBlock.State {
        switch (block, endings.last?.cause) {
        case (.some, _): .current
        case (nil, .write), (nil, .adaptation): .invalidated
        case (nil, _): .evicted
        }
    }
}

extension InspectedCallout {
    init(_ site: CalloutProfile.Site) {
        self.init(
            address: GuestAddress(site.linear), text: site.instruction.text(at: site.linear),
            isSensitive: site.cause.isSensitive, form: site.cause.form, reason: site.cause.reason,
            source: site.cause.source, executions: site.executions, interpreted: site.interpreted,
            nanoseconds: site.time, leastNanoseconds: site.executions > 0 ? site.leastTime : 0)
    }
}
