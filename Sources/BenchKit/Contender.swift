import Ring3

/// Somebody who runs the guests: one of Ring3's engines, another emulator, or the host itself.
public struct Contender: Equatable, Sendable {
    enum Method: Equatable, Sendable {
        /// `ring3 run` with these options.
        case ring3([String])
        case qemu
        case bochs
        /// The same object file, linked as a 32-bit program of the host.
        case host
    }

    public let name: String
    /// What it is, in a few words.
    public let summary: String
    let method: Method
    /// Units of work to begin with when nothing is known yet: slower ones shall not be drowned in it.
    let firstUnits: Int

    /// All, in the order of reports: the host, Ring3's engines as the library lists them, the textbook, the peers.
    public static let all: [Contender] = {
        let engines = Engine.available.map { engine in
            Contender(
                name: engine.rawValue, summary: "ring3 run --engine \(engine.rawValue)",
                method: .ring3(["--engine", engine.rawValue]), firstUnits: 4)
        }
        return [
            Contender(name: host, summary: "the same code as a 32-bit program", method: .host, firstUnits: 64)
        ] + engines + [
            Contender(
                name: "textbook", summary: "interpret, decoding every instruction anew",
                method: .ring3(["--engine", Engine.interpret.rawValue, "--no-decode-cache"]), firstUnits: 1),
            Contender(name: "qemu", summary: "qemu-system-i386 -accel tcg", method: .qemu, firstUnits: 16),
            Contender(name: "bochs", summary: "Bochs", method: .bochs, firstUnits: 4),
        ]
    }()

    /// The name of the one that everything else is compared with where it can run.
    static let host = "host"

    func runs(_ workload: Workload) -> Bool { method != .host || workload.hostProgram != nil }
}
