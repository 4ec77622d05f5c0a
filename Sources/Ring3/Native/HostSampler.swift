#if arch(x86_64) && os(Linux)
    import CHost
    import Glibc

    /// Notes every now and then where in emitted code the processor is: a timer of the host's sends SIGPROF to the thread
    /// that runs the machine, and the handler writes down the place where that interrupted it, if it is in a block.
    ///
    /// The signal is let through only while an engine runs, so that nobody else's system calls are interrupted.
    final class HostSampler {
        /// Nanoseconds between two samples; not in step with the milliseconds of timers.
        static let period: UInt64 = 97_000
        private static let capacity = 1 << 12

        private let cpu: Processor
        /// How many there are, then the places: host addresses.
        private let places: UnsafeMutablePointer<UInt64>
        private var timer: UInt?
        /// To which the timer sends its signal.
        private var thread: pthread_t?
        private var signals = sigset_t()
        /// Why there are no samples, if the host does not give a timer: `errno`.
        private(set) var failure: Int32?

        init(_ cpu: Processor) {
            self.cpu = cpu
            places = .allocate(capacity: Self.capacity + 1)
            places.initialize(repeating: 0, count: Self.capacity + 1)
            sigemptyset(&signals)
            sigaddset(&signals, SIGPROF)
            cpu.pointee.native.samples = UInt64(UInt(bitPattern: places))
        }

        deinit {
            stop()
            places.deallocate()
        }

        /// Begins to take samples on this thread.
        func begin() {
            let here = pthread_self()
            if failure == nil, thread.map({ pthread_equal($0, here) == 0 }) ?? true { start(here) }
            pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        }

        /// Stops until `begin`, and hands over the places found in the meantime.
        func end(_ body: (_ place: UInt64) -> Void) {
            pthread_sigmask(SIG_BLOCK, &signals, nil)
            for index in 0..<Int(places[0]) { body(places[1 + index]) }
            places[0] = 0
        }

        private func start(_ here: pthread_t) {
            stop()
            pthread_sigmask(SIG_BLOCK, &signals, nil)
            guard Self.isInstalled else {
                failure = EINVAL
                return
            }
            var created: UInt = 0
            guard ring3_timer_start(&created, SIGPROF, Int(Self.period)) == 0 else {
                failure = errno
                return
            }
            (timer, thread) = (created, here)
        }

        private func stop() {
            if let timer { ring3_timer_end(timer) }
            timer = nil
        }

        /// Installs the handler, once in the process.
        private static let isInstalled: Bool = {
            var action = sigaction()
            action.__sigaction_handler.sa_sigaction = { _, _, context in HostSampler.handle(context) }
            action.sa_flags = SA_SIGINFO | Int32(SA_RESTART)
            return sigaction(SIGPROF, &action, nil) == 0
        }()

        /// In the signal handler. Code that is no block's is of no interest.
        private static func handle(_ context: UnsafeMutableRawPointer?) {
            guard let context, let (place, native) = HostFaults.interruption(context),
                let places = UnsafeMutablePointer<UInt64>(bitPattern: UInt(native.pointee.samples))
            else { return }
            let count = places[0]
            guard count < capacity else { return }
            places[Int(truncatingIfNeeded: count) + 1] = place
            places[0] = count &+ 1
        }
    }
#endif
