import Synchronization

/// A flag that asks a run to end; may be raised from a signal handler or another thread.
public final class StopRequest: Sendable {
    private let isRaised = Atomic<Bool>(false)

    /// Raises the flag. Async-signal-safe: one atomic store.
    public func raise() { isRaised.store(true, ordering: .relaxed) }

    /// Whether it was raised; lowers it.
    func take() -> Bool { isRaised.exchange(false, ordering: .relaxed) }
}
