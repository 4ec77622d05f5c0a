#if arch(x86_64) && os(Linux)
    import Glibc

    /// Host exceptions in emitted code. The handler notes what happened in the processor's state, to which R13 points
    /// there, and goes on at the code arena's exit; it does nothing else. A jump to 0 is one by an entry that the jump cache
    /// does not have, and goes on at the way out for that. Exceptions anywhere else, and signals that are
    /// none, as somebody sent them, go to whoever handled them before; as a rule they end the process, as bugs should.
    enum HostFaults {
        /// A code arena in use.
        private struct Range {
            var start: UInt64 = 0
            var end: UInt64 = 0
            /// Where the blocks begin: from there on, R13 points to the processor's state.
            var blocks: UInt64 = 0
            /// Where to go on after a fault.
            var exit: UInt64 = 0
            /// Where RSP is while code is executed.
            var stackStart: UInt64 = 0
            var stackEnd: UInt64 = 0
            /// Where to go on after a jump to 0.
            var missing: UInt64 = 0
        }

        private static let capacity = 256
        /// Read by the handler: a fixed place, and an entry is complete before its `end` is set.
        nonisolated(unsafe) private static let ranges: UnsafeMutablePointer<Range> = {
            let ranges = UnsafeMutablePointer<Range>.allocate(capacity: capacity)
            ranges.initialize(repeating: Range(), count: capacity)
            return ranges
        }()
        nonisolated(unsafe) private static var table: UnsafeMutablePointer<Range>?
        nonisolated(unsafe) private static var contextOffset = 0
        nonisolated(unsafe) private static var lock = pthread_mutex_t()

        private static let signals = [SIGSEGV, SIGBUS, SIGFPE, SIGILL]
        /// Who had them before.
        nonisolated(unsafe) private static let previous: UnsafeMutablePointer<sigaction> = {
            let actions = UnsafeMutablePointer<sigaction>.allocate(capacity: signals.count)
            actions.initialize(repeating: sigaction(), count: signals.count)
            return actions
        }()

        /// Installs the handler, once in the process.
        private static let isInstalled: Bool = {
            table = ranges
            contextOffset = ProcessorState.place(\.native)
            var action = sigaction()
            action.__sigaction_handler.sa_sigaction = { signal, information, context in
                HostFaults.handle(signal, information, context)
            }
            action.sa_flags = SA_SIGINFO
            return signals.indices.allSatisfy { sigaction(signals[$0], &action, previous + $0) == 0 }
        }()

        /// From now on faults in `start..<end` go on at `exit`. False if there are too many arenas already.
        ///
        /// - Parameters:
        ///   - blocks: where the blocks begin.
        ///   - stack: where RSP is while they are executed.
        ///   - missing: where to go on after a jump to 0.
        static func register(
            start: UInt64, end: UInt64, blocks: UInt64, exit: UInt64, stack: Swift.Range<UInt64>, missing: UInt64
        ) -> Bool {
            guard isInstalled else { return false }
            pthread_mutex_lock(&lock)
            defer { pthread_mutex_unlock(&lock) }
            for index in 0..<capacity where ranges[index].end == 0 {
                ranges[index].start = start
                ranges[index].blocks = blocks
                ranges[index].exit = exit
                ranges[index].missing = missing
                ranges[index].stackStart = stack.lowerBound
                ranges[index].stackEnd = stack.upperBound
                ranges[index].end = end
                return true
            }
            return false
        }

        static func unregister(start: UInt64) {
            pthread_mutex_lock(&lock)
            defer { pthread_mutex_unlock(&lock) }
            for index in 0..<capacity where ranges[index].start == start {
                // Another thread's handler may be looking: the range is empty before anything else changes.
                ranges[index].stackEnd = 0
                ranges[index].end = 0
                ranges[index].start = 0
            }
        }

        // Places in the general registers of a `ucontext_t` (sys/ucontext.h).
        private static let r13 = 5
        private static let rsp = 15
        private static let rip = 16
        private static let errorCode = 19
        private static let vector = 20
        private static let cr2 = 22

        private static func handle(
            _ signal: Int32, _ information: UnsafeMutablePointer<siginfo_t>?, _ context: UnsafeMutableRawPointer?
        ) {
            // What a fault caused has a positive code (sigaction(2)).
            if let context, let table, let code = information?.pointee.si_code, code > 0 {
                let machine = context.assumingMemoryBound(to: ucontext_t.self)
                let isOurs = withUnsafeMutablePointer(to: &machine.pointee.uc_mcontext.gregs) { registers in
                    let registers = UnsafeMutableRawPointer(registers).assumingMemoryBound(to: UInt64.self)
                    let place = registers[rip]
                    guard place != 0 else { return leadOut(registers, table) }
                    for index in 0..<capacity where place >= table[index].start && place < table[index].end {
                        guard let cpu = UnsafeMutableRawPointer(bitPattern: UInt(registers[r13])) else { continue }
                        let native = (cpu + contextOffset).assumingMemoryBound(to: NativeContext.self)
                        native.pointee.faultPlace = place
                        native.pointee.faultVector = registers[vector]
                        native.pointee.faultAddress = registers[cr2]
                        native.pointee.faultCode = registers[errorCode]
                        registers[rip] = table[index].exit
                        return true
                    }
                    return false
                }
                if isOurs { return }
            }
            pass(signal, information, context)
        }

        /// Emitted code has jumped to 0, if it was that: the jump cache has no entry. Nothing else uses the stack.
        private static func leadOut(
            _ registers: UnsafeMutablePointer<UInt64>, _ table: UnsafeMutablePointer<Range>
        ) -> Bool {
            let stack = registers[rsp]
            for index in 0..<capacity where stack >= table[index].stackStart && stack < table[index].stackEnd {
                registers[rip] = table[index].missing
                return true
            }
            return false
        }

        /// Where emitted code was interrupted, and what the monitor shares with it; nil outside of blocks. For signal
        /// handlers.
        static func interruption(
            _ context: UnsafeMutableRawPointer
        ) -> (place: UInt64, native: UnsafeMutablePointer<NativeContext>)? {
            guard let table else { return nil }
            let machine = context.assumingMemoryBound(to: ucontext_t.self)
            return withUnsafeMutablePointer(to: &machine.pointee.uc_mcontext.gregs) { registers in
                let registers = UnsafeMutableRawPointer(registers).assumingMemoryBound(to: UInt64.self)
                let place = registers[rip]
                for index in 0..<capacity where place >= table[index].blocks && place < table[index].end {
                    guard let cpu = UnsafeMutableRawPointer(bitPattern: UInt(registers[r13])) else { continue }
                    return (place, (cpu + contextOffset).assumingMemoryBound(to: NativeContext.self))
                }
                return nil
            }
        }

        /// Not ours.
        private static func pass(
            _ signal: Int32, _ information: UnsafeMutablePointer<siginfo_t>?, _ context: UnsafeMutableRawPointer?
        ) {
            let action = previous + (signals.firstIndex(of: signal) ?? 0)
            if action.pointee.sa_flags & SA_SIGINFO != 0, let other = action.pointee.__sigaction_handler.sa_sigaction {
                return other(signal, information, context)
            }
            // SIG_DFL is 0 and SIG_IGN 1; neither is a function.
            let handler = unsafeBitCast(action.pointee.__sigaction_handler.sa_handler, to: Int.self)
            if handler > 1, let other = action.pointee.__sigaction_handler.sa_handler { return other(signal) }
            // The process ends by the signal, also if it was not a fault, which would come again.
            Glibc.signal(signal, SIG_DFL)
            raise(signal)
        }
    }
#endif
