#if arch(x86_64) && os(Linux)
    import Testing
    import X86

    @testable import Ring3

    /// Blocks that count are accepted; whatever else they might do with counters is refused.
    @Suite(.serialized, .enabled(if: NativeEngine.isSupported)) struct EmittedCounterTests {
        typealias Rule = EmittedCodeFinding.Rule

        /// The tests put back what they break, and run one at a time.
        nonisolated(unsafe) private static let shared = Result {
            try EmittedBlocks(running: "integer", inspected: true)
        }
        private let emitted: EmittedBlocks

        init() throws { emitted = try Self.shared.get() }

        private static let load: [UInt8] = [0x4C, 0x8B, 0x05]
        private static let add: [UInt8] = [0x4D, 0x8D, 0x40, 0x01]
        private static let store: [UInt8] = [0x4C, 0x89, 0x05]

        /// Breaks some instructions and expects to be told so.
        private func expect(
            _ rule: Rule?, for start: [UInt8], breaking edit: ([UInt8]) -> [UInt8],
            sourceLocation: SourceLocation = #_sourceLocation
        ) {
            let found = emitted.find(where: { $1.starts(with: start) })
            #expect(found.count >= 10, sourceLocation: sourceLocation)
            for (block, instruction) in found {
                let old = emitted.code(instruction)
                let result = emitted.rule(block, replacing: instruction, by: edit(old))
                #expect(result == rule, "\(old)", sourceLocation: sourceLocation)
            }
        }

        private func moved(_ code: [UInt8], by distance: Int32) -> [UInt8] {
            let old = code.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let new = old &+ UInt32(bitPattern: distance)
            return code.dropLast(4) + (0..<4).map { UInt8(truncatingIfNeeded: new >> UInt32($0 * 8)) }
        }

        @Test func countingBlocksAreAccepted() throws {
            #expect(emitted.blocks.count > 500)
            for block in emitted.blocks { #expect(emitted.rule(block, []) == nil) }
            let counters = emitted.engine.cache.arena.counters
            // Not every block that is emitted is entered: the end of a slice may be too near.
            let counting = emitted.blocks.count { $0.sites.contains { counters[Int($0)] > 0 } }
            #expect(counting > emitted.blocks.count / 2)
            expect(nil, for: Self.load, breaking: { $0 })
        }

        @Test func countersAreTheBlocksOwn() {
            // Another site's, misaligned, before the first and behind the last, and in the code.
            for distance in [8, -8, 1 << 14, 4, 1, -1, 16 << 20, -(16 << 20), -(66 << 20), .max] as [Int32] {
                expect(.counter, for: Self.load, breaking: { moved($0, by: distance) })
                expect(.counter, for: Self.store, breaking: { moved($0, by: distance) })
            }
        }

        @Test func countersAreOnlyCounted() {
            // One more, and no other number; of 64 bits; in R8.
            expect(.width, for: Self.add, breaking: { $0.dropLast() + [2] })
            expect(.width, for: Self.add, breaking: { $0.dropLast() + [0xFF] })
            expect(.unset, for: Self.add, breaking: { [0x45] + $0.dropFirst() })
            expect(.width, for: Self.add, breaking: { [$0[0], $0[1], 0x41, 1] })
            expect(.counter, for: Self.add, breaking: { _ in [] })
            expect(.counter, for: Self.load, breaking: { _ in [] })
            expect(.counter, for: Self.load, breaking: { [$0[0], $0[1], 0x0D] + $0.dropFirst(3) })
            expect(.counter, for: Self.load, breaking: { [0x48] + $0.dropFirst() })
            expect(.counter, for: Self.store, breaking: { [0x48] + $0.dropFirst() })
            // Other sizes, other operations.
            expect(.memory, for: Self.load, breaking: { [0x44] + $0.dropFirst() })
            expect(.memory, for: Self.store, breaking: { [0x44] + $0.dropFirst() })
            expect(.memory, for: Self.store, breaking: { [0x4C, 0x01] + $0.dropFirst(2) })
            expect(.memory, for: Self.store, breaking: { [0x4C, 0x87] + $0.dropFirst(2) })
            expect(.memory, for: Self.store, breaking: { [0x4C, 0x88] + $0.dropFirst(2) })
            // 16 bits, whatever REX says.
            expect(.memory, for: Self.load, breaking: { [0x66] + $0.dropLast() })
        }

        @Test func countsGoNowhereElse() {
            let place = ProcessorState.place(\.native.x87Operand)
            let field = (0..<4).map { UInt8(truncatingIfNeeded: place >> ($0 * 8)) }
            // To the processor's state, to the guest's registers and memory.
            expect(.unset, for: Self.store, breaking: { _ in [0x45, 0x89, 0x85] + field })
            expect(.unset, for: Self.store, breaking: { _ in [0x44, 0x89, 0xC0] })
            expect(.unset, for: Self.store, breaking: { _ in [0x65, 0x67, 0x44, 0x89, 0x00] })
            expect(.unset, for: Self.add, breaking: { _ in [0x44, 0x89, 0xC0] })
            expect(.unset, for: Self.add, breaking: { _ in [0x44, 0x88, 0xC0] })
            // A budget that is tested twice is none.
            expect(.budget, for: Self.store, breaking: { _ in [0x45, 0x8B, 0x06] })
        }

        @Test func withoutAProfileThereAreNoCounters() {
            let counters = emitted.verifier.layout.counters
            #expect(counters.count == NativeCache.mostSites * 8)
            emitted.verifier.layout.counters = 0..<0
            defer { emitted.verifier.layout.counters = counters }
            expect(.memory, for: Self.load, breaking: { $0 })
        }
    }
#endif
