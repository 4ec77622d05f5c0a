#if arch(x86_64) && os(Linux)
    import Testing
    import X86

    @testable import Ring3

    /// Blocks emitted for a guest are accepted, and broken in every way that matters, refused.
    @Suite(.serialized, .enabled(if: NativeEngine.isSupported)) struct EmittedCodeVerifierTests {
        typealias Rule = EmittedCodeFinding.Rule

        /// The tests put back what they break, and run one at a time.
        nonisolated(unsafe) private static let shared = Result { try EmittedBlocks(running: "integer") }
        private let emitted: EmittedBlocks

        init() throws { emitted = try Self.shared.get() }

        /// Breaks some instructions and expects to be told so.
        private func expect(
            _ rules: Set<Rule>, atLeast least: Int = 5, where filter: (HostInstruction, [UInt8]) -> Bool,
            breaking edit: ([UInt8]) -> [UInt8], sourceLocation: SourceLocation = #_sourceLocation
        ) {
            let found = emitted.find(where: filter)
            #expect(found.count >= least, sourceLocation: sourceLocation)
            for (block, instruction) in found {
                let old = emitted.code(instruction)
                let rule = emitted.rule(block, replacing: instruction, by: edit(old))
                #expect(
                    rule.map(rules.contains) == true, "\(old): \(String(describing: rule))",
                    sourceLocation: sourceLocation)
            }
        }

        private func isWindowAccess(_ code: [UInt8]) -> Bool { code.starts(with: [0x65, 0x67]) }

        @Test func soundBlocksAreAccepted() {
            #expect(emitted.blocks.count > 500)
            for block in emitted.blocks { #expect(emitted.rule(block, []) == nil) }
            #expect(emitted.verifier.instructionCount > 10_000)
        }

        @Test func windowIsNotLeft() {
            // Without GS, without the address size, through FS, with RIP, R13, R14, R15 or RSP as the base.
            expect([.memory], where: { isWindowAccess($1) }, breaking: { Array($0.dropFirst()) })
            expect([.memory], where: { isWindowAccess($1) }, breaking: { [0x65] + $0.dropFirst(2) })
            expect([.memory], where: { isWindowAccess($1) }, breaking: { Array($0.dropFirst(2)) })
            expect([.memory], where: { isWindowAccess($1) }, breaking: { [0x64] + $0.dropFirst() })
            expect([.memory], where: { isWindowAccess($1) }, breaking: { [0x3E] + $0.dropFirst() + [] })
            let onStack: (HostInstruction, [UInt8]) -> Bool = { _, code in
                code.count > 6 && code.starts(with: [0x65, 0x67]) && code[2] & 0xF1 == 0x41 && code[3] | 2 == 0x8B
                    && code[4] & 0xC7 == 0x44 && code[5] == 0x24
            }
            func replace(_ place: Int, _ change: @escaping (UInt8) -> UInt8) -> ([UInt8]) -> [UInt8] {
                { code in
                    var code = code
                    code[place] = change(code[place])
                    return code
                }
            }
            expect([.register], where: onStack, breaking: replace(2) { $0 & ~1 })
            for base in [0x25, 0x26, 0x27] as [UInt8] {
                expect([.register], where: onStack, breaking: replace(5) { _ in base })
            }
            expect([.width], where: onStack, breaking: replace(2) { $0 | 8 })
            expect(
                [.memory], where: onStack,
                breaking: { [0x65, 0x67, 0x8B, $0[4] & 0x38 | 5, 0, 0, 0, 0].prefix($0.count) + [] })
        }

        /// As the first instruction of a guest's, whatever else would be there.
        @Test(
            arguments: [
                ([0x0F, 0x05], .instruction), ([0x0F, 0x34], .instruction), ([0xCC], .instruction),
                ([0xCD, 0x80], .instruction), ([0xC2, 8, 0], .instruction), ([0xF3, 0xC3], .instruction),
                ([0xF4], .instruction), ([0xEC], .instruction),
                ([0xEE], .instruction), ([0xE6, 0x80], .instruction), ([0xFA], .instruction), ([0xFD], .instruction),
                ([0x0F, 0x0B], .instruction), ([0x0F, 0xA2], .instruction), ([0x0F, 0x31], .instruction),
                ([0xF3, 0x49, 0x0F, 0xAE, 0xD8], .instruction), ([0xF3, 0x49, 0x0F, 0xAE, 0xD0], .instruction),
                ([0xF3, 0x49, 0x0F, 0xAE, 0xC8], .instruction), ([0x50], .instruction), ([0x58], .instruction),
                ([0xC9], .instruction), ([0xAA], .instruction), ([0xA4], .instruction), ([0xF3, 0xAB], .window),
                ([0xFF, 0xD0], .target), ([0xE8, 0, 0, 0, 0], .target), ([0x9D], .stack), ([0x9C], .stack),
                ([0xFF, 0xE0], .target), ([0x8E, 0xD8], .register), ([0x8C, 0xD8], .register),
                ([0x0F, 0x22, 0xD8], .register), ([0x0F, 0x01, 0xD0], .instruction),
                ([0x0F, 0x01, 0xF8], .instruction),
                ([0xC6, 0xF8, 0], .instruction), ([0xC7, 0xF8, 0, 0, 0, 0], .instruction), ([0x0F, 0x77], .units),
                ([0xD9, 0xE8], .units), ([0x0F, 0x57, 0xC0], .units), ([0x41, 0x55], .instruction),
                ([0x89, 0xE0], .register), ([0x44, 0x89, 0xE8], .register), ([0x44, 0x89, 0xF0], .register),
                ([0x44, 0x89, 0xF8], .register), ([0x49, 0x89, 0xC5], .register), ([0x41, 0x89, 0xC7], .register),
                ([0x94], .register), ([0x40, 0xB4, 0], .register), ([0x41, 0xB5, 0], .register),
                ([0x44, 0x89, 0xC0], .unset), ([0x44, 0x00, 0xC8], .unset), ([0x48, 0x01, 0xC8], .width),
                ([0x67, 0x8B, 0], .memory), ([0x8B, 0], .memory), ([0x66, 0x90, 0x66, 0x66, 0x90], .prefixes),
                ([0xF0, 0x01, 0xC8], .undecodable), ([0xF3, 0x01, 0xC8], .prefixes), ([0x3E, 0x01, 0xC8], .memory),
                ([0x65, 0x67, 0xA4], .prefixes), ([0x65, 0x67, 0x0F, 0xA3, 0x03], .memory),
                ([0x65, 0x67, 0xFF, 0x23], .target), ([0x65, 0x67, 0xFF, 0x30], .instruction),
                ([0x65, 0x67, 0x0F, 0xAE, 0x0B], .instruction), ([0x4D, 0x8D, 0x76, 0x7F], .budget),
                ([0x4D, 0x8D, 0x76, 0xFF], .budget), ([0x45, 0x8B, 0x06], .budget),
                ([0x45, 0x8B, 0x46, 0x08], .memory),
                ([0x4D, 0x8B, 0x5F, 0x04], .jumpCache), ([0x4D, 0x8B, 0x9F, 0, 0, 8, 0], .jumpCache),
                ([0x41, 0xFF, 0xA7, 0xF8, 0xFF, 0xFF, 0xFF], .site), ([0x41, 0xFF, 0xA7, 0, 0, 0, 0], .jumpCache),
                ([0x43, 0xFF, 0x24, 0xC7], .unset), ([0x4F, 0x8B, 0x1C, 0xC7], .jumpCache),
                ([0x67, 0xE3, 0], .instruction), ([0x67, 0xE2, 0], .prefixes), ([0xE2, 0xFE], .backwards),
                ([0xE1, 0], .instruction),
                ([0xF3, 0x0F, 0x57, 0xC0], .prefixes),
                ([0x0F, 0xAE, 0xE8], .instruction), ([0xEB, 0xFE], .backwards), ([0x66, 0xE9, 0, 0, 0, 0], .prefixes),
                ([0x06], .undecodable),
            ] as [([UInt8], Rule)])
        func instructionIsRefused(bytes: [UInt8], rule: Rule) throws {
            // Behind `lea r14` and `mov r8d`, with room for it in one instruction.
            var count = 0
            for block in emitted.blocks where count < 3 {
                let instructions = emitted.instructions(block)
                guard instructions.count > 4, instructions[2].length >= bytes.count,
                    block.resumptions.contains(where: { $0.offset == Int(instructions[2].address) }),
                    instructions[2].length != bytes.count || instructions[3].length > 0
                else { continue }
                count += 1
                let found = emitted.rule(block, replacing: instructions[2], by: bytes)
                #expect(found == rule, "\(bytes)")
            }
            #expect(count > 0)
        }

        @Test func stateIsTheMonitors() throws {
            let operand = MemoryLayout<ProcessorState>.offset(of: \.native.x87Operand) ?? 0
            let found = try #require(
                emitted.find(1) { i, code in code.starts(with: [0x45, 0x89, 0x85]) }.first)
            for offset in -64..<MemoryLayout<ProcessorState>.size {
                let bytes = (0..<4).map { UInt8(truncatingIfNeeded: Int32(offset) >> Int32($0 * 8)) }
                let rule = emitted.rule(
                    found.block, bytes.enumerated().map { (Int(found.instruction.address) + 3 + $0.offset, $0.element) }
                )
                let flags = MemoryLayout<ProcessorState>.offset(of: \.systemFlags) ?? 0
                let control = MemoryLayout<ProcessorState>.offset(of: \.cr0) ?? 0
                #expect(rule == ([operand, flags, control].contains(offset) ? nil : .state), "\(offset)")
            }
            // Read, wider, narrower, changed in place.
            let isStore: (HostInstruction, [UInt8]) -> Bool = { $1.starts(with: [0x45, 0x89, 0x85]) }
            let field = (0..<4).map { UInt8(truncatingIfNeeded: operand >> ($0 * 8)) }
            expect([.state], atLeast: 2, where: isStore, breaking: { [0x45, 0x8B] + [$0[2]] + field })
            expect([.state, .width], atLeast: 2, where: isStore, breaking: { [0x4D] + $0.dropFirst() })
            expect([.state], atLeast: 2, where: isStore, breaking: { [0x45, 0x88] + $0.dropFirst(2) })
            expect([.memory], atLeast: 2, where: isStore, breaking: { [0x45, 0x01] + $0.dropFirst(2) })
        }

        /// Behind a call the callee has used what was tested for.
        @Test func nothingIsCountedBehindACall() throws {
            var count = 0
            for block in emitted.blocks {
                let instructions = emitted.instructions(block)
                guard instructions.count > 2, emitted.code(instructions[0]).starts(with: [0x4D, 0x8D, 0x76]),
                    emitted.code(instructions[1]).starts(with: [0x45, 0x8B, 0x46]),
                    let call = instructions.firstIndex(where: { emitted.code($0)[0] == 0xE8 }),
                    let next = instructions[call...].first(where: { emitted.code($0).starts(with: [0x41, 0x8D, 0x88]) })
                else { continue }
                // One less at the entry, for which is tested all the same, and one more where the call comes back to.
                let (first, test) = (Int(instructions[0].address) + 3, Int(instructions[1].address) + 3)
                let (taken, others) = (emitted.code(instructions[0])[3], emitted.code(instructions[1])[3])
                guard taken != 0xFF else { continue }
                var changes: [(offset: Int, byte: UInt8)] = [(first, taken &+ 1), (test, others &- 1)]
                // lea r14, [r14 - 1]; mov r8d, r8d
                for (offset, byte) in ([0x4D, 0x8D, 0x76, 0xFF, 0x45, 0x89, 0xC0] as [UInt8]).enumerated() {
                    changes.append((Int(next.address) + offset, byte))
                }
                #expect(emitted.rule(block, changes) == .budget)
                count += 1
            }
            #expect(count > 0)
        }

        /// Each part of a block is counted where it begins: one instruction more in one, and one less in the next, is noticed
        /// where the monitor goes on between the two.
        @Test func partsAreCountedWhereTheyBegin() {
            var count = 0
            for block in emitted.blocks {
                let later = emitted.instructions(block).dropFirst().filter {
                    let code = emitted.code($0)
                    return code.starts(with: [0x4D, 0x8D, 0x76]) && -100 ..< -1 ~= Int8(bitPattern: code[3])
                }
                guard later.count >= 2 else { continue }
                let places = later.prefix(2).map { Int($0.address) + 3 }
                let taken = later.prefix(2).map { emitted.code($0)[3] }
                let changes = [(offset: places[0], byte: taken[0] &- 1), (offset: places[1], byte: taken[1] &+ 1)]
                #expect(emitted.rule(block, changes) == .budget)
                count += 1
            }
            #expect(count > 5)
        }

        /// What the parts of a block count is what it tests for.
        @Test func partsAreCounted() {
            let entries = Set(emitted.blocks.map(\.entry))
            for isFirst in [true, false] {
                for change in [1, -1, 8] as [Int8] {
                    expect(
                        [.budget],
                        where: { i, code in
                            code.starts(with: [0x4D, 0x8D, 0x76]) && Int8(bitPattern: code[3]) < 0
                                && entries.contains(Int(i.address)) == isFirst
                        },
                        breaking: { $0.dropLast() + [UInt8(bitPattern: Int8(bitPattern: $0[3]) &+ change)] })
                }
            }
        }

        @Test func jumpsLeadToWhatWasVerified() {
            func isJump(_ code: [UInt8]) -> Bool {
                code[0] == 0xE9 || code.count == 6 && code[0] == 0x0F && code[1] & 0xF0 == 0x80
            }
            func moved(_ code: [UInt8], by distance: Int32) -> [UInt8] {
                let place = code.count - 4
                var value: UInt32 = 0
                for index in 0..<4 { value |= UInt32(code[place + index]) << UInt32(index * 8) }
                value &+= UInt32(bitPattern: distance)
                return Array(code.prefix(place)) + (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32($0 * 8)) }
            }
            // Into the middle of instructions, into other blocks, out of the arena, into the stubs.
            // No two entries are so far apart, as those are near the start of a cache line.
            let back: Int32 = -0xE8
            for distance in [1, 2, -1, 1 << 20, 1 << 30, -(1 << 30), back] {
                // Far enough back, a conditional jump that leads out of its block leads into it.
                let rules: Set<Rule> = distance == back ? [.backwards] : []
                expect(
                    rules.union([.target, .site, .budget]), where: { isJump($1) },
                    breaking: { moved($0, by: distance) })
            }
            var count = 0
            for block in emitted.blocks.prefix(100) {
                let instructions = emitted.instructions(block)
                for (index, i) in instructions.enumerated() where index > 2 && emitted.code(i)[0] == 0xE9 {
                    // To any instruction before it but the entry.
                    let target = Int(instructions[Int(i.address) % (index - 1) + 1].address)
                    let distance = UInt32(truncatingIfNeeded: target - Int(i.end))
                    let bytes = (0..<4).map { UInt8(truncatingIfNeeded: distance >> UInt32($0 * 8)) }
                    let rule = emitted.rule(block, replacing: i, by: [0xE9] + bytes)
                    // Behind a jump that has been linked nothing is executed.
                    let isReached = emitted.rule(block, replacing: i, by: [0x44, 0x89, 0xC0]) != nil
                    #expect(!isReached || rule == .backwards || rule == .shape)
                    count += rule == .backwards ? 1 : 0
                }
            }
            #expect(count > 50)
        }

        @Test func jumpCacheIsReadWithinItsBounds() {
            let (jump, call): ([UInt8], [UInt8]) = ([0x43, 0xFF, 0x24, 0xC7], [0x43, 0xFF, 0x14, 0xC7])
            for old in [jump, call] {
                // jmp [r15 + r8*8]: by another index, another scale, another base, by ECX.
                for new in [[0x43, 0xFF, old[2], 0xCF], [0x43, 0xFF, old[2], 0x87], [0x41, 0xFF, old[2], 0xCF]] {
                    expect([.jumpCache], where: { $1 == old }, breaking: { _ in new })
                }
                expect([.target], where: { $1 == old }, breaking: { _ in [0x43, 0xFF, old[2], 0xC6] })
                // push [r15 + r8*8], mov r8, [r15 + r8*8], jmp r15
                expect([.instruction], where: { $1 == old }, breaking: { _ in [0x43, 0xFF, 0x34, 0xC7] })
                expect([.jumpCache], where: { $1 == old }, breaking: { _ in [0x4F, 0x8B, 0x04, 0xC7] })
                expect([.target], where: { $1 == old }, breaking: { _ in [0x41, 0xFF, old[2] | 0xC7] })
            }
            // The index is a word that was put there, all of it.
            let isTarget: (HostInstruction, [UInt8]) -> Bool = { [emitted] i, code in
                guard i.operands.first == .register(HostOperandRegister(.general, 8, size: 4)), code.count >= 5,
                    let next = emitted.decode(at: Int(i.end))
                else { return false }
                return [jump, call].contains(emitted.code(next))
            }
            expect([.unset], where: isTarget, breaking: { _ in [] })
            expect([.unset], where: isTarget, breaking: { _ in [0x66, 0x41, 0x89, 0xC0] })
            // pext r8d, ecx, ecx: of no word that is kept track of.
            expect([.jumpCache], where: isTarget, breaking: { _ in [0xC4, 0x62, 0x72, 0xF5, 0xC1] })
            expect([.width], where: isTarget, breaking: { _ in [0x49, 0x89, 0xC0] })
        }

        /// `mov r11d, 31`, `pext r9d, selector, r11d` and `bt gs:[r8d], r9d`, or the like.
        @Test func bitsAreOfTheWordThatIsAddressed() {
            let isBit: (HostInstruction, [UInt8]) -> Bool = { _, code in
                let code = code.first == 0xF0 ? code.dropFirst() : code[...]
                return code.starts(with: [0x65, 0x67, 0x45, 0x0F])
                    && [0xA3, 0xAB, 0xB3, 0xBB].contains(code[code.startIndex + 4])
                    && code.last == 0x08
            }
            // By R8, R10, R11 and a register of the guest's; of 64 bits.
            for modRM in [0x00, 0x10, 0x18] as [UInt8] {
                expect([.memory, .unset], atLeast: 1, where: isBit, breaking: { $0.dropLast() + [modRM] })
            }
            expect([.memory], atLeast: 1, where: isBit, breaking: { $0.map { $0 == 0x45 ? 0x41 : $0 } })
            expect([.width, .memory], atLeast: 1, where: isBit, breaking: { $0.map { $0 == 0x45 ? 0x4D : $0 } })
            let isMask: (HostInstruction, [UInt8]) -> Bool = { [emitted] i, code in
                guard code == [0x41, 0xBB, 31, 0, 0, 0], let extract = emitted.decode(at: Int(i.end)),
                    let bit = emitted.decode(at: Int(extract.end))
                else { return false }
                return isBit(bit, emitted.code(bit))
            }
            expect([.memory], atLeast: 1, where: isMask, breaking: { _ in [0x41, 0xBB, 63, 0, 0, 0] })
            expect([.memory, .unset], atLeast: 1, where: isMask, breaking: { _ in [] })
        }

        /// `mov r8d, site` and `jmp [r15 + place]`, or a call.
        @Test func farTargetsAreWithinTheirTable() {
            let isFar: (HostInstruction, [UInt8]) -> Bool = {
                $1.starts(with: [0x41, 0xFF, 0xA7]) || $1.starts(with: [0x41, 0xFF, 0x97])
            }
            // Among the entries, not at a multiple of eight, and before the start.
            for place in [[0, 0, 0, 0], [8, 0, 0, 0], [0xFC, 0xFF, 0xFF, 0xFF], [0xF8, 0xFF, 0xF7, 0xFF]] as [[UInt8]] {
                expect([.jumpCache], where: isFar, breaking: { $0.prefix(3) + place })
            }
            // By another register, and one with an index.
            expect([.target], where: isFar, breaking: { [0x41, 0xFF, $0[2] ^ 1] + $0.dropFirst(3) })
            expect([.target], where: isFar, breaking: { [0xFF, $0[2]] + $0.dropFirst(3) })
            // No site, and another block's.
            let isSite: (HostInstruction, [UInt8]) -> Bool = { [emitted] i, code in
                guard code.starts(with: [0x41, 0xB8]), let next = emitted.decode(at: Int(i.end)) else { return false }
                return isFar(next, emitted.code(next))
            }
            expect([.site], where: isSite, breaking: { _ in [0x41, 0xB8, 0xFF, 0xFF, 0xFF, 0x7F] })
            expect([.site, .unset], where: isSite, breaking: { _ in [] })
        }

        @Test func stringInstructionsStayInTheWindow() {
            let load: (HostInstruction, [UInt8]) -> Bool = { $1.starts(with: [0x4D, 0x8B, 0x8D]) }
            // Another register, half of it, another field.
            expect([.window], where: load, breaking: { [0x4D, 0x8B, 0x85] + $0.dropFirst(3) })
            expect([.state], where: load, breaking: { [0x45, 0x8B, 0x8D] + $0.dropFirst(3) })
            expect([.state, .width], where: load, breaking: { $0.prefix(3) + [$0[3] ^ 8] + $0.dropFirst(4) })
            for (lea, register) in [([0x49, 0x8D, 0x3C, 0x39], 0x39), ([0x49, 0x8D, 0x34, 0x31], 0x31)]
                as [([UInt8], UInt8)]
            {
                let isLEA: (HostInstruction, [UInt8]) -> Bool = { $1 == lea }
                // Nothing, 32 bits of it, another base, a scale, into another register.
                expect([.window], where: isLEA, breaking: { _ in [0x90, 0x90, 0x90, 0x90] })
                expect([.unset, .window], where: isLEA, breaking: { _ in [0x41, 0x8D, lea[2], register] })
                expect([.window], where: isLEA, breaking: { _ in [0x49, 0x8D, lea[2], register + 1] })
                expect([.width], where: isLEA, breaking: { _ in [0x49, 0x8D, lea[2], register | 0x40] })
                expect([.width, .window], where: isLEA, breaking: { _ in [0x49, 0x8D, lea[2] ^ 8, register] })
            }
            // Not repeated, through a segment, of eight bytes, and the registers left as they are.
            let isMove: (HostInstruction, [UInt8]) -> Bool = { $1 == [0xF3, 0xA5] || $1 == [0xF3, 0xAB] }
            expect([.instruction, .prefixes], where: isMove, breaking: { [0x66, $0[1]] })
            expect([.prefixes], where: isMove, breaking: { [0x65, $0[1]] })
            expect([.prefixes], where: isMove, breaking: { [0x48, $0[1]] })
            expect([.instruction], where: isMove, breaking: { [0xF2, $0[1]] })
            let drops: (HostInstruction, [UInt8]) -> Bool = { $1 == [0x40, 0x89, 0xFF] }
            expect([.window], where: drops, breaking: { _ in [0x90, 0x90, 0x90] })
            expect([.window], where: drops, breaking: { _ in [0x40, 0x89, 0xFE] })
        }

        @Test func instructionsAreCounted() {
            let count: (HostInstruction, [UInt8]) -> Bool = { $1.starts(with: [0x4D, 0x8D, 0x76]) }
            for change in [1, 2, 0xFF] as [UInt8] {
                expect([.budget], where: count, breaking: { $0[..<3] + [$0[3] &+ change] + $0[4...] })
            }
            expect([.budget], where: count, breaking: { _ in [] })
            for test in [[0x45, 0x8B, 0x06], [0x45, 0x8B, 0x46]] as [[UInt8]] {
                expect([.budget], where: { $1.starts(with: test) }, breaking: { _ in [] })
            }
        }

        @Test func sitesAreTheBlocksOwn() {
            let site: (HostInstruction, [UInt8]) -> Bool = { $1.count == 6 && $1.starts(with: [0x41, 0xB8]) }
            for block in emitted.blocks.prefix(200) {
                let instructions = emitted.instructions(block)
                for (i, next) in zip(instructions, instructions.dropFirst())
                where site(i, emitted.code(i)) && emitted.code(next)[0] == 0xE9 {
                    let other = block.sites.upperBound
                    let bytes = (0..<4).map { UInt8(truncatingIfNeeded: other >> UInt32($0 * 8)) }
                    let rule = emitted.rule(block, replacing: i, by: [0x41, 0xB8] + bytes)
                    // Behind a jump that has been linked nothing is executed.
                    let isReached = emitted.rule(block, replacing: i, by: [0x44, 0x89, 0xC0]) != nil
                    #expect(!isReached || rule == .site)
                }
            }
        }

        @Test func entriesAreKnown() throws {
            let block = try #require(emitted.blocks.first)
            #expect(emitted.verifier.mayEnter(block.entry))
            #expect(!emitted.verifier.mayEnter(block.entry + 1))
            #expect(!emitted.verifier.mayEnter(block.end - 1))
        }

        @Test func aBrokenBlockEndsTheRun() throws {
            let emitted = try EmittedBlocks(running: "hello")
            let verification = try #require(emitted.engine.cache.verification)
            let block = try #require(emitted.blocks.first)
            // Syscall where the block tests its budget, as if it had been emitted so.
            let code = emitted.engine.cache.arena.writable + block.entry
            (code[4], code[5], code[6]) = (0x0F, 0x05, 0x90)
            let number = try #require(verification.blocks.firstIndex { $0.entry == block.entry })
            verification.verifyAgain(number)
            guard case .unsafeCode(let finding) = emitted.machine.run() else {
                Issue.record("it went on")
                return
            }
            #expect(finding.rule == .instruction && finding.blockOffset == 4 && finding.bytes == [0x0F, 0x05])
            #expect(finding.description.contains("syscall"))
            #expect(ExitStatus.of(.unsafeCode(finding)) == 70)
        }
    }
#endif
