import Glibc

/// The signals that people and systems send to end or pause a program, held back and asked for between two instructions
/// of the guest, where everything can be put in order.
package struct HostSignals {
    private var set = sigset_t()
    private var previous = sigset_t()

    /// Holds back those of `signals` that this process was not started to ignore (nohup, background jobs).
    package init(_ signals: [Int32]) {
        sigemptyset(&set)
        for signal in signals where !Self.isIgnored(signal) { sigaddset(&set, signal) }
        pthread_sigmask(SIG_BLOCK, &set, &previous)
    }

    /// The next one that has arrived.
    package mutating func next() -> Int32? {
        var now = timespec()
        let signal = sigtimedwait(&set, nil, &now)
        return signal > 0 ? signal : nil
    }

    /// Lets them do their usual work again.
    package mutating func release() { pthread_sigmask(SIG_SETMASK, &previous, nil) }

    private static func isIgnored(_ signal: Int32) -> Bool {
        var action = sigaction()
        sigaction(signal, nil, &action)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
