/// One wire from a device to an interrupt controller (or from a controller to the CPU).
///
/// The device sets the level; whoever owns the other end is told of changes only.
public final class InterruptLine {
    public private(set) var isAsserted = false
    /// Called with the new level on every change.
    public var onChange: (Bool) -> Void

    public init(onChange: @escaping (Bool) -> Void = { _ in }) {
        self.onChange = onChange
    }

    public func set(_ asserted: Bool) {
        guard asserted != isAsserted else { return }
        isAsserted = asserted
        onChange(asserted)
    }
}
