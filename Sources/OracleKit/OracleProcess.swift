import CHost
import Glibc
import Ring3

/// The other process: runs cases on the real processor, in batches, out of a file shared with it.
package final class OracleProcess {
    /// Why there is no oracle, or none any more.
    package enum Failure: Error, CustomStringConvertible {
        /// The program is not there, or the host does not run 32-bit programs.
        case cannotStart(String)
        /// It ended: it refused a case, and has said why on standard error, or it crashed.
        case died(String)

        package var description: String {
            switch self {
            case .cannotStart(let reason): "the oracle cannot be started: \(reason)"
            case .died(let reason): "the oracle is gone: \(reason)"
            }
        }
    }

    /// Records in the case file.
    package let records: UnsafeMutableBufferPointer<CaseRecord>
    private let file: Int32
    private let mapping: UnsafeMutableRawPointer
    private let size: Int
    private var process: pid_t = 0
    private var toOracle: Int32 = -1
    private var fromOracle: Int32 = -1

    // Offsets in the case file; see Guests/oracle/oracle.h.
    private static let dataOffset = 0x3000
    private static let stackOffset = 0x6000
    private static let recordsOffset = 0x7000

    /// Starts `program` with room for `capacity` records (at most 4000).
    package init(program: String, window: MemoryWindow, capacity: Int) throws(Failure) {
        guard access(program, X_OK) == 0 else { throw .cannotStart("\(program) is not there; run Guests/build") }
        size = Self.recordsOffset + capacity * MemoryLayout<CaseRecord>.stride
        file = ring3_memfd_create("ring3-oracle-cases")
        guard file >= 0, ftruncate(file, size) == 0,
            let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), base != MAP_FAILED
        else { throw .cannotStart("no memory for the case file: errno \(errno)") }
        mapping = base
        records = UnsafeMutableBufferPointer(
            start: (base + Self.recordsOffset).bindMemory(to: CaseRecord.self, capacity: capacity), count: capacity)
        records.initialize(repeating: CaseRecord())
        let header: [UInt32] = [0x334F_4752, 1, UInt32(MemoryLayout<CaseRecord>.stride), UInt32(capacity)]
        header.withUnsafeBytes { base.copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: $0.count) }
        window.data.withUnsafeBytes {
            (base + Self.dataOffset).copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: $0.count)
        }
        window.stack.withUnsafeBytes {
            (base + Self.stackOffset).copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: $0.count)
        }
        try spawn(program)
    }

    deinit {
        // The end of its input ends it.
        close(toOracle)
        close(fromOracle)
        if process > 0 {
            var status: Int32 = 0
            waitpid(process, &status, 0)
        }
        munmap(mapping, size)
        close(file)
    }

    private func spawn(_ program: String) throws(Failure) {
        var (input, output): ((Int32, Int32), (Int32, Int32)) = ((0, 0), (0, 0))
        guard withUnsafeMutableBytes(of: &input, { pipe($0.baseAddress?.assumingMemoryBound(to: Int32.self)) }) == 0,
            withUnsafeMutableBytes(of: &output, { pipe($0.baseAddress?.assumingMemoryBound(to: Int32.self)) }) == 0
        else { throw .cannotStart("no pipe: errno \(errno)") }
        for descriptor in [input.0, input.1, output.0, output.1] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, input.0, 0)
        posix_spawn_file_actions_adddup2(&actions, output.1, 1)
        posix_spawn_file_actions_adddup2(&actions, file, 3)
        let name = strdup(program)
        var arguments: [UnsafeMutablePointer<CChar>?] = [name, nil]
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        let error = posix_spawn(&process, program, &actions, nil, &arguments, &environment)
        free(name)
        posix_spawn_file_actions_destroy(&actions)
        close(input.0)
        close(output.1)
        toOracle = input.1
        fromOracle = output.0
        guard error == 0 else {
            process = 0
            let reason = error == ENOEXEC ? "the host does not run 32-bit programs" : "errno \(error)"
            throw .cannotStart(reason)
        }
        // A write to an oracle that is gone shall be an error, not a signal.
        signal(SIGPIPE, SIG_IGN)
    }

    /// Has `count` records from `first` run; `finish` waits for them.
    package func submit(first: Int, count: Int) throws(Failure) {
        var token = (UInt32(first), UInt32(count))
        let written = withUnsafeBytes(of: &token) { write(toOracle, $0.baseAddress, $0.count) }
        guard written == 8 else { throw death() }
    }

    /// Waits until the records submitted first have been run.
    package func finish() throws(Failure) {
        var token: (UInt32, UInt32) = (0, 0)
        let got = withUnsafeMutableBytes(of: &token) { bytes in
            while true {
                let count = read(fromOracle, bytes.baseAddress, bytes.count)
                if count >= 0 || errno != EINTR { return count }
            }
        }
        guard got == 8 else { throw death() }
    }

    private func death() -> Failure {
        var status: Int32 = 0
        guard process > 0, waitpid(process, &status, 0) == process else { return .died("errno \(errno)") }
        process = 0
        return .died(status & 0x7F == 0 ? "exit status \(status >> 8 & 0xFF)" : "signal \(status & 0x7F)")
    }
}
