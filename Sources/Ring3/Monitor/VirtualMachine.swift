import Hardware
import X86

/// A PC: processor, RAM, chipset and an engine, put together and run.
///
/// Not thread-safe: everything happens on the thread that calls `run`, except `stop`, which may be called from a signal
/// handler or another thread.
public final class VirtualMachine {
    /// Why a machine could not be built, in one line.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
        /// The configuration is at fault, not the host.
        public let isUsage: Bool
    }

    public let configuration: MachineConfiguration
    public let memory: PhysicalMemory
    public let chipset: Chipset
    /// Guest output and input through COM1.
    public let console: SerialConsole
    let cpu: Processor
    let decoder: Decoder
    private let time: VirtualTime
    private let platform: Platform
    let engine: any ExecutionEngine
    /// The engine, if it is compared with another on a second machine.
    private let lockstep: LockstepEngine?
    /// The second machine, then.
    let reference: VirtualMachine?
    /// The engine, compared with another or not, if there are translations to look into.
    let inspectable: (any InspectableEngine)?
    private var outcome: RunOutcome?
    private var isRunning = false
    private var pace = ExecutionPace()
    /// A second machine's processor is halted.
    private var isHalted = false
    private let stopRequest = StopRequest()

    public init(
        _ wanted: MachineConfiguration = MachineConfiguration(),
        console: SerialConsole = SerialConsole(), debugConsole: @escaping (UInt8) -> Void = { _ in }
    ) throws(Failure) {
        var configuration = wanted
        if configuration.lockstep != nil { configuration.isDeterministic = true }
        self.configuration = configuration
        self.console = console
        memory = try Self.allocate(configuration.memorySize)
        do { decoder = try Decoder() } catch { throw Failure(description: error.description, isUsage: false) }

        // The clock's source needs the processor, which needs the buses, which belong to the chipset.
        let timeBox = TimeBox()
        var board = Chipset.Configuration(
            memorySize: configuration.memorySize, startDate: configuration.startDate,
            timeSource: { timeBox.read() })
        board.serialOutput = { console.transmit($0) }
        board.debugOutput = debugConsole
        chipset = Chipset(board)
        platform = Platform(memory: memory, ports: chipset.ports, mmio: chipset.memory)
        cpu = .allocate(capacity: 1)
        cpu.initialize(to: ProcessorState(platform: platform))
        cpu.reset()
        time = VirtualTime(cpu: cpu, isDeterministic: configuration.isDeterministic)
        timeBox.time = time
        console.clock = { [time] in time.now }
        let engine = try Self.engine(configuration, cpu, decoder)
        inspectable = engine as? any InspectableEngine
        if let other = configuration.lockstep {
            let reference = try Self.reference(configuration, other, console)
            let lockstep = LockstepEngine(testing: engine, cpu, named: configuration.engine, reference: reference)
            (self.engine, self.lockstep, self.reference) = (lockstep, lockstep, reference)
        } else {
            (self.engine, lockstep, reference) = (engine, nil, nil)
        }
        connect()
        guard !configuration.isDeterministic else { return }
        // How long a slice takes is an estimate. A guest that reads a clock in it must not see an event go by.
        timeBox.onRead = { [unowned self] now in
            if isRunning, let next = chipset.clock.nextDeadline, now >= next { cpu.setAttention(.external, true) }
        }
    }

    deinit {
        cpu.pointee.release()
        cpu.deinitialize(count: 1)
        cpu.deallocate()
    }

    private final class TimeBox {
        var time: VirtualTime?
        var onRead: (UInt64) -> Void = { _ in }

        func read() -> UInt64 {
            let now = time?.now ?? 0
            onRead(now)
            return now
        }
    }

    private static func allocate(_ size: Int) throws(Failure) -> PhysicalMemory {
        guard size >= 2 << 20 else {
            throw Failure(description: "memory size \(size) bytes is less than 2 MiB", isUsage: true)
        }
        do {
            return try PhysicalMemory(size: size)
        } catch {
            switch error {
            case .badSize:
                throw Failure(
                    description: "memory size \(size) bytes: a multiple of 4 KiB of at most 3 GiB is needed",
                    isUsage: true)
            case .host(let error):
                throw Failure(description: "cannot reserve \(size >> 20) MiB of memory: errno \(error)", isUsage: false)
            }
        }
    }

    private static func engine(
        _ configuration: MachineConfiguration, _ cpu: Processor, _ decoder: Decoder
    ) throws(Failure) -> any BlockEngine {
        do {
            return try configuration.engine.make(
                cpu: cpu, decoder: decoder, usesCache: configuration.usesDecodeCache,
                verifies: configuration.verifiesEmittedCode, keepsTranslations: !configuration.isDeterministic)
        } catch {
            throw Failure(description: error.description, isUsage: error.isUsage)
        }
    }

    /// The second machine of a lockstep run: same configuration, other engine, the first one's input, no output.
    private static func reference(
        _ configuration: MachineConfiguration, _ engine: Engine, _ console: SerialConsole
    ) throws(Failure) -> VirtualMachine {
        var configuration = configuration
        configuration.engine = engine
        configuration.lockstep = nil
        let reference = try VirtualMachine(configuration)
        console.mirror(to: reference.console)
        return reference
    }

    private func connect() {
        platform.acknowledgeInterrupt = { [chipset] in chipset.acknowledgeInterrupt() }
        platform.timestamp = { [time] in time.now }
        platform.codeWritten = { [engine] in engine.codeWritten($0, count: $1) }
        platform.floatingPointError = { [chipset] in chipset.interrupts.line(irq: 13).set($0) }
        chipset.interruptRequest.onChange = { [cpu] in cpu.setInterruptLine($0) }
        chipset.onReset = { [unowned self] in end(.reset) }
        chipset.onPowerOff = { [unowned self] in end(.powerOff) }
        chipset.onDebugExit = { [unowned self] in end(.debugExit(status: $0)) }
        chipset.onA20Change = { [cpu] isEnabled in
            cpu.pointee.a20Mask = isEnabled ? .max : ~(1 << 20)
            cpu.flushTLB(keepingGlobal: false)
        }
        chipset.clock.onNextDeadlineChange = { [unowned self] in
            // A device armed an earlier alarm than this slice was cut for.
            if isRunning { cpu.setAttention(.external, true) }
        }
    }

    /// Ends the run before the next instruction.
    private func end(_ outcome: RunOutcome) {
        if self.outcome == nil { self.outcome = outcome }
        cpu.setAttention(.external, true)
    }

    /// Loads an image and puts the processor where its boot protocol says.
    public func boot(_ request: BootRequest) throws(BootError) {
        let start = try BootLoader.load(request, into: memory)
        cpu.start(start)
        chipset.initializeAsFirmware()
        try reference?.boot(request)
    }

    /// Asks `run` to return; safe in a signal handler.
    public var stopper: StopRequest { stopRequest }

    /// Runs until something ends it. May be called again after `timeout`, `instructionLimit` or `stopped`.
    public func run() -> RunOutcome {
        let outcome = runToOutcome()
        if let finding = engine.finding ?? reference?.engine.finding { return .unsafeCode(finding) }
        if let lockstep, !lockstep.agreesInTheEnd(), let divergence = lockstep.divergence {
            return .diverged(divergence)
        }
        return outcome
    }

    private func runToOutcome() -> RunOutcome {
        let deadline = VirtualTime.hostNow().addingReportingOverflow(configuration.timeout)
        let end = deadline.overflow ? UInt64.max : deadline.partialValue
        outcome = nil
        while true {
            serve()
            if let outcome { return outcome }
            if stopRequest.take() || console.wantsQuit { return .stopped }
            if cpu.pointee.instructions >= configuration.maximumInstructions { return .instructionLimit }
            let (begin, instructions) = (VirtualTime.hostNow(), cpu.pointee.instructions)
            if begin >= end { return .timeout }
            isRunning = true
            let stop = engine.run(until: sliceEnd())
            isRunning = false
            pace.executed(cpu.pointee.instructions &- instructions, in: VirtualTime.hostNow() &- begin)
            switch stop {
            case .sliceEnd, .external: continue
            case .shutdown: return .tripleFault(TripleFaultReport(cpu, decoder: decoder))
            // What the engines differ in, and what the verifier found, `run` reports.
            case .diverged, .unsafeCode: return .stopped
            case .halted:
                if outcome == nil, !idle() { return .finalHalt }
            }
        }
    }

    /// What happens between two slices: timers that are due, input.
    private func serve() {
        chipset.clock.fireDueTimers()
        console.poll(chipset.serial)
    }

    /// As a second machine: does what a machine does before a slice.
    func turn() {
        if isHalted { _ = idle() }
        serve()
    }

    /// As a second machine: executes up to `count` instructions since reset, and attends to what is pending there.
    func follow(to count: UInt64) {
        isRunning = true
        defer { isRunning = false }
        while true {
            let stop = engine.run(until: count)
            isHalted = stop == .halted
            guard stop == .external, cpu.pointee.instructions < count else { return }
        }
    }

    /// How far engines in lockstep have come.
    public var lockstepProgress: LockstepProgress? { lockstep?.progress }

    /// Most instructions between two looks at the host in deterministic runs, the same for all engines, because input is
    /// looked at then.
    private static let longestSlice: UInt64 = 20_000
    /// Nanoseconds between two looks at the host otherwise, about: when a guest turns from fast code to nothing but ports,
    /// one slice lasts a hundred times as long.
    private static let sliceTimes: ClosedRange<UInt64> = 5_000...250_000

    /// Instruction count at which the next event is due, or at which to look at the host again.
    private func sliceEnd() -> UInt64 {
        let now = time.now
        let left = chipset.clock.nextDeadline.map { $0 > now ? $0 - now : 0 } ?? .max
        let count: UInt64
        if configuration.isDeterministic {
            let unit = VirtualTime.nanosecondsPerInstruction
            count = Swift.min(Self.longestSlice, Swift.max(1, left / unit + (left % unit == 0 ? 0 : 1)))
        } else {
            // An estimate: the event is looked at again in any case.
            count = pace.instructions(
                in: Swift.min(Swift.max(left, Self.sliceTimes.lowerBound), Self.sliceTimes.upperBound))
        }
        return Swift.min(cpu.pointee.instructions + count, configuration.maximumInstructions)
    }

    /// The processor is halted: waits for the next event. False if none can come.
    private func idle() -> Bool {
        guard cpu.isInterruptEnabled else { return false }
        if console.offer(to: chipset.serial, isHalted: true) { return true }
        let inputTime = console.inputTime(chipset.serial, isHalted: true)
        let event = Swift.min(chipset.clock.nextDeadline ?? .max, inputTime ?? .max)
        guard event < .max else {
            // Only input can end this halt now.
            guard console.canReceive(chipset.serial) else { return false }
            console.wait(nanoseconds: .max)
            return true
        }
        if configuration.isDeterministic {
            time.skip(to: event)
        } else {
            let now = time.now
            if event > now { console.wait(nanoseconds: event - now) }
        }
        return true
    }

    /// Counters of the run so far.
    public var statistics: RunStatistics {
        RunStatistics(cpu.pointee, virtualNanoseconds: time.now, translation: engine.translation)
    }

    /// Counts executed instructions by sensitivity from now on, which makes the interpreter several times slower.
    public func startCensus() { engine.interpreter.census = CensusTaker() }

    /// What has been counted; nil without `startCensus`.
    public var census: InstructionCensus? { engine.interpreter.census?.result(cpu) }

    /// The processor's state as it is now.
    public var registers: RegisterDump { RegisterDump(cpu) }
}
