#if arch(x86_64) && os(Linux)
    import Testing
    import X86

    @testable import Ring3

    /// Blocks that the native engine emitted for a real guest, to be broken.
    final class EmittedBlocks {
        let machine: VirtualMachine
        let engine: NativeEngine
        let verifier: EmittedCodeVerifier
        /// Those that are still in use.
        let blocks: [EmittedBlock]
        private let arena: UnsafeMutablePointer<UInt8>
        private let disassembler: HostDisassembler

        /// - Parameter inspected: the blocks count.
        init(running guest: String, inspected: Bool = false) throws {
            var configuration = MachineConfiguration()
            configuration.memorySize = 64 << 20
            configuration.engine = .native
            configuration.isDeterministic = true
            configuration.verifiesEmittedCode = true
            machine = try VirtualMachine(configuration)
            try machine.boot(
                BootRequest(image: try BuiltGuests.image("guests/\(guest).elf"), imageName: guest))
            if inspected { try machine.startInspection() }
            if case .unsafeCode(let finding) = machine.run() { Issue.record("\(finding)") }
            engine = try #require(machine.engine as? NativeEngine)
            let verification = try #require(engine.cache.verification)
            verifier = verification.verifier
            let cache = engine.cache
            blocks = verification.blocks.indices.filter { !cache.blocks[$0].isStale }.map { verification.blocks[$0] }
            arena = cache.arena.writable
            disassembler = try HostDisassembler()
        }

        func bytes(_ block: EmittedBlock) -> [UInt8] { (block.entry..<block.end).map { arena[$0] } }

        /// The rule that a block breaks once bytes of it are replaced; nil if none.
        func rule(_ block: EmittedBlock, _ changes: [(offset: Int, byte: UInt8)]) -> EmittedCodeFinding.Rule? {
            let old = changes.map { arena[$0.offset] }
            for change in changes { arena[change.offset] = change.byte }
            defer { for (change, byte) in zip(changes, old).reversed() { arena[change.offset] = byte } }
            do {
                try verifier.verify(block)
            } catch {
                return error.rule
            }
            return nil
        }

        /// The same, with `new` in place of an instruction, filled up with NOPs.
        func rule(
            _ block: EmittedBlock, replacing instruction: HostInstruction, by new: [UInt8]
        ) -> EmittedCodeFinding.Rule? {
            let padded = new + [UInt8](repeating: 0x90, count: Swift.max(0, instruction.length - new.count))
            return rule(block, padded.enumerated().map { (Int(instruction.address) + $0.offset, $0.element) })
        }

        func instructions(_ block: EmittedBlock) -> [HostInstruction] {
            var instructions: [HostInstruction] = []
            var offset = block.entry
            while offset < block.end, let next = decode(at: offset) {
                instructions.append(next)
                offset += next.length
            }
            return instructions
        }

        func decode(at offset: Int) -> HostInstruction? {
            disassembler.decode(UnsafeRawBufferPointer(start: arena + offset, count: 15), address: UInt64(offset))
        }

        func code(_ instruction: HostInstruction) -> [UInt8] {
            (0..<instruction.length).map { arena[Int(instruction.address) + $0] }
        }

        /// Whether there is an x87 instruction of registers that processors know under two opcodes and binutils under one.
        func hasX87Alias(_ code: [UInt8]) -> Bool {
            var offset = 0
            while offset < code.count {
                let next = code[offset...].withUnsafeBytes { disassembler.decode($0, address: 0) }
                guard let next else { return false }
                switch (next.opcode, next.modRM ?? 0) {
                case _ where next.isTwoByte: break
                case (0xDC, 0xD0...0xDF), (0xDD, 0xC8...0xCF), (0xDE, 0xD0...0xD7), (0xDF, 0xC8...0xDF),
                    (0xD9, 0xD8...0xDF), (0xDB, 0xE0...0xE4):
                    return true
                default: break
                }
                offset += next.length
            }
            return false
        }

        func name(_ instruction: HostInstruction) -> String { disassembler.name(ofID: instruction.id) }

        /// The first instructions, each with its block, that `filter` likes: one of a block at most.
        func find(
            _ count: Int = 20, where filter: (HostInstruction, [UInt8]) -> Bool
        ) -> [(block: EmittedBlock, instruction: HostInstruction)] {
            var found: [(block: EmittedBlock, instruction: HostInstruction)] = []
            for block in blocks where found.count < count {
                if let instruction = instructions(block).first(where: { filter($0, code($0)) }) {
                    found.append((block, instruction))
                }
            }
            return found
        }
    }
#endif
