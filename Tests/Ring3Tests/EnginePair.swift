import Hardware
import Testing
import X86

@testable import Ring3

/// A machine without devices whose code runs on the translating engine, and the same on the interpreter beside it.
final class EnginePair {
    let translated: CodeRunner
    let interpreted: CodeRunner
    let engine: ThreadedEngine

    init(cacheSize: Int = ThreadedEngine.cacheSize) throws {
        translated = try CodeRunner()
        interpreted = try CodeRunner()
        engine = try ThreadedEngine(
            cpu: translated.cpu, interpreter: translated.interpreter, cacheSize: cacheSize)
        translated.cpu.pointee.platform.takeUnretainedValue().codeWritten = { [unowned engine] in
            engine.codeWritten($0, count: $1)
        }
        for runner in runners { runner.installHandlers() }
    }

    var runners: [CodeRunner] { [translated, interpreted] }

    /// Puts code and a HLT at an address of both machines.
    func place(_ code: [UInt8], at address: UInt32 = CodeRunner.codeAddress) {
        for runner in runners { runner.memory.write(address, bytes: code + [0xF4]) }
    }

    /// Runs both to the HLT; what differs afterwards.
    func run(from eip: UInt32 = CodeRunner.codeAddress, limit: UInt64 = 100_000) -> [StateDifference] {
        for runner in runners {
            runner.cpu.pointee.eip = eip
            runner.cpu.pointee.fetch.count = 0
            runner.cpu.setAttention(.halted, false)
        }
        _ = engine.run(until: translated.cpu.pointee.instructions + limit)
        _ = interpreted.interpreter.run(until: interpreted.cpu.pointee.instructions + limit)
        let comparison = ProcessorComparison(tested: translated.cpu, reference: interpreted.cpu)
        return comparison.isEqual ? [] : comparison.differences
    }

    /// The block that begins at an address, as it is now.
    func block(at address: UInt32 = CodeRunner.codeAddress) throws -> BlockPointer {
        try #require(engine.cache.find(TranslationCache.key(address, translated.cpu.blockMode)))
    }

    /// The opcodes of that block, exits included.
    func opcodes(at address: UInt32 = CodeRunner.codeAddress) throws -> [MicroOpcode] {
        try ops(at: address).map(\.opcode)
    }

    /// The micro-ops of that block; the data behind `crossing` is none.
    func ops(at address: UInt32 = CodeRunner.codeAddress) throws -> [MicroOp] {
        let all = Array(try block(at: address).pointee.opBuffer)
        return all.indices.filter { $0 == 0 || all[$0 - 1].opcode != .crossing }.map { all[$0] }
    }
}
