#if arch(x86_64) && os(Linux)
    import Glibc

    @testable import Ring3

    /// A machine without devices whose code runs natively, verified, and the same on the interpreter beside it.
    final class NativePair {
        let native: CodeRunner
        let interpreted: CodeRunner
        let engine: NativeEngine

        init(keepsTranslations: Bool = false, branch: ZeroBranch = .ofHost) throws {
            native = try CodeRunner()
            interpreted = try CodeRunner()
            engine = try NativeEngine(
                cpu: native.cpu, memory: native.memory, interpreter: native.interpreter, verifies: true,
                keepsTranslations: keepsTranslations, branch: branch)
            native.cpu.pointee.platform.takeUnretainedValue().codeWritten = { [unowned engine] in
                engine.codeWritten($0, count: $1)
            }
            for runner in runners { runner.installHandlers() }
        }

        var runners: [CodeRunner] { [native, interpreted] }

        /// Puts code and a HLT at the code address of both machines, in one page, and goes there.
        func start(_ code: [UInt8], _ prepare: (Processor) -> Void = { _ in }) {
            for runner in runners {
                runner.memory.write(CodeRunner.codeAddress, bytes: code + [0xF4])
                runner.cpu.pointee.platform.takeUnretainedValue().codeWritten(
                    CodeRunner.codeAddress, UInt32(code.count + 1))
                runner.cpu.pointee.eip = CodeRunner.codeAddress
                runner.cpu.pointee.fetch.count = 0
                runner.cpu.setAttention(.halted, false)
                prepare(runner.cpu)
            }
        }

        /// Switches paging on: the first 4 MiB are where they are in RAM, but for pages with entries of their own, by number.
        func map(_ entries: [UInt32: UInt32] = [:]) {
            for runner in runners {
                runner.memory.write(0x2_8000, UInt32(0x2_9067))
                for page in 0..<0x400 as Range<UInt32> {
                    runner.memory.write(0x2_9000 + page * 4, entries[page] ?? page << 12 | 0x67)
                }
                runner.cpu.pointee.cr3 = 0x2_8000
                runner.cpu.pointee.cr0 |= CR0.pg | CR0.wp
                runner.cpu.flushTLB(keepingGlobal: false)
            }
        }

        /// Runs both to a HLT, a few instructions at a time; the first difference.
        func runToHalt(_ slice: () -> UInt64) -> [String] {
            while !native.cpu.pointee.attention.contains(.halted) {
                let differences = run(slice())
                guard differences.isEmpty else { return differences }
            }
            return []
        }

        /// Runs both for some instructions, or to a HLT; what differs afterwards, RAM included.
        func run(_ count: UInt64 = 10_000) -> [String] {
            _ = engine.run(until: native.cpu.pointee.instructions + count)
            _ = interpreted.interpreter.run(until: interpreted.cpu.pointee.instructions + count)
            let comparison = ProcessorComparison(tested: native.cpu, reference: interpreted.cpu)
            var all = comparison.isEqual ? [] : comparison.differences.map { "\($0.name) \($0.tested) \($0.reference)" }
            if memcmp(native.memory.base, interpreted.memory.base, native.memory.size) != 0 { all.append("RAM") }
            return all
        }
    }
#endif
