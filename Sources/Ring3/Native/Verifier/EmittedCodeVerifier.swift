import X86

/// Proves of emitted code that it stays in its sandbox, from its bytes alone: nothing of the emitter is used.
///
/// By induction: if the stubs are as they should be, and the monitor enters code only where `mayEnter` says so, then
/// whatever the guest's registers and memory hold
/// - only instructions of a list are executed, from the boundaries that were verified;
/// - memory is accessed in the guest's window (GS and a 32-bit address, or, by string instructions that go up and stop at
///   the first page they may not access, registers with the window's base as their upper half), in the fields of the processor's state that are
///   listed, in the jump cache within its bounds, and where the budget is tested; of these no address of the host's is
///   read into a register of the guest's;
/// - while somebody inspects, a block also adds one to its own counters, and does nothing else with them;
/// - on the host's stack there are addresses that calls have left, and only returns read them; behind a call nothing is
///   taken for granted but what every return has made sure of;
/// - GS base and R13 to R15 are as they were, but that R14 counts: every block tests for its length and takes it off, in parts,
///   jumps within a block lead forwards, and what is given back is less than was taken, so that the guest always comes
///   back to the monitor;
/// - a block is left to the entry of a verified block, or to the monitor with the number of one of its own sites; what the
///   jump cache has for a far target is one of these.
///
/// Not thread-safe.
final class EmittedCodeVerifier {
    var layout: EmittedCodeLayout
    let disassembler: HostDisassembler
    private let kinds: [EmittedInstructionKind]
    /// Emitted code as the processor fetches it.
    let code: UnsafeRawBufferPointer
    /// Entries of blocks that were verified, and all places where the monitor may enter.
    private(set) var entries: Set<Int> = []
    private var resumptions: Set<Int> = []
    /// Blocks and instructions looked at.
    private(set) var blockCount = 0
    private(set) var instructionCount = 0

    init(_ code: UnsafeRawBufferPointer, _ layout: EmittedCodeLayout) throws(Decoder.Failure) {
        self.code = code
        self.layout = layout
        disassembler = try HostDisassembler()
        kinds = EmittedInstructionKind.table(disassembler)
    }

    func kind(of instruction: HostInstruction) -> EmittedInstructionKind {
        EmittedInstructionKind.of(instruction, kinds)
    }

    /// Verifies a block, of which the monitor's later entries and jumps of other blocks may then make use.
    func verify(_ block: EmittedBlock) throws(EmittedCodeFinding) {
        let instructions = try read(block.entry..<block.end, of: block)
        var proof = EmittedBlockProof(self, block, instructions)
        try proof.prove()
        entries.insert(block.entry)
        for resumption in block.resumptions { resumptions.insert(resumption.offset) }
    }

    /// Verifies a jump, whose distance at `place` has been overwritten, of a block that was verified.
    func verifyLink(_ block: EmittedBlock, at place: Int) throws(EmittedCodeFinding) {
        let (jump, target) = try link(at: place, of: block)
        guard block.patches[place] != nil, entries.contains(target) else {
            throw finding(.target, jump, block)
        }
    }

    /// Verifies what remains to be executed of a block whose code has changed: a jump to its last exit.
    func verifyStale(_ block: EmittedBlock) throws(EmittedCodeFinding) {
        for resumption in block.resumptions { resumptions.remove(resumption.offset) }
        entries.remove(block.entry)
        let (jump, target) = try jump(at: block.entry, of: block)
        guard target == block.staleExit, Int(jump.end) <= target else { throw finding(.shape, jump, block) }
        var exit = block
        (exit.resumptions, exit.patches) = ([], [:])
        var proof = EmittedBlockProof(self, exit, try read(block.staleExit..<block.end, of: block))
        try proof.prove()
        entries.insert(block.entry)
    }

    /// The jump or call that has its distance, of four bytes, at `place`.
    private func link(
        at place: Int, of block: EmittedBlock
    ) throws(EmittedCodeFinding) -> (jump: HostInstruction, target: Int) {
        let isConditional = code[place - 1] & 0xF0 == 0x80
        let link = try jump(
            at: place - (isConditional ? 2 : 1), of: block, kinds: isConditional ? [.conditional] : [.jump, .call])
        guard Int(link.jump.end) == place + 4 else { throw finding(.shape, link.jump, block) }
        return link
    }

    private func jump(
        at offset: Int, of block: EmittedBlock, kinds: [EmittedInstructionKind] = [.jump]
    ) throws(EmittedCodeFinding) -> (jump: HostInstruction, target: Int) {
        let jump = try read(at: offset, before: block.end, of: block)
        guard kinds.contains(kind(of: jump)), jump.prefixes.isEmpty,
            case .immediate(let target)? = jump.operands.first
        else {
            throw finding(.shape, jump, block)
        }
        return (jump, Int(target))
    }

    /// Whether the monitor may have code executed from there on; `isLinked` if it is that other code will go there.
    func mayEnter(_ offset: Int, isLinked: Bool = false) -> Bool {
        entries.contains(offset) || !isLinked && resumptions.contains(offset)
    }

    /// All blocks go.
    func removeAll() {
        entries.removeAll(keepingCapacity: true)
        resumptions.removeAll(keepingCapacity: true)
    }

    // MARK: Bytes

    /// The instructions that fill a range without a gap.
    private func read(_ range: Range<Int>, of block: EmittedBlock) throws(EmittedCodeFinding) -> [HostInstruction] {
        guard range.lowerBound >= layout.firstBlock, range.upperBound <= code.count else {
            throw EmittedCodeFinding(rule: .shape, offset: range.lowerBound, blockOffset: 0, bytes: [], text: "")
        }
        var instructions: [HostInstruction] = []
        var offset = range.lowerBound
        while offset < range.upperBound {
            let instruction = try read(at: offset, before: range.upperBound, of: block)
            instructions.append(instruction)
            offset += instruction.length
        }
        blockCount += 1
        instructionCount += instructions.count
        return instructions
    }

    private func read(
        at offset: Int, before end: Int, of block: EmittedBlock
    ) throws(EmittedCodeFinding) -> HostInstruction {
        let bytes = UnsafeRawBufferPointer(rebasing: code[offset..<end])
        guard let instruction = disassembler.decode(bytes, address: UInt64(offset)) else {
            throw EmittedCodeFinding(
                rule: .undecodable, offset: offset, blockOffset: offset - block.entry, bytes: Array(bytes.prefix(15)),
                text: "(bad)")
        }
        return instruction
    }

    func finding(
        _ rule: EmittedCodeFinding.Rule, _ instruction: HostInstruction, _ block: EmittedBlock
    ) -> EmittedCodeFinding {
        let offset = Int(instruction.address)
        let bytes = UnsafeRawBufferPointer(rebasing: code[offset..<offset + instruction.length])
        return EmittedCodeFinding(
            rule: rule, offset: offset, blockOffset: offset - block.entry, bytes: Array(bytes),
            text: disassembler.line(bytes, address: instruction.address))
    }
}
