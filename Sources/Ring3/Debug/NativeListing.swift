#if arch(x86_64) && os(Linux)
    import X86

    /// An emitted block taken apart: the host code of each of its instructions, and why it is as it is.
    struct NativeListing {
        let block: NativeRemains
        private let disassembler: HostDisassembler
        /// Names for places in the arena outside of the block.
        private let name: (Int) -> String?

        init(
            _ block: NativeRemains, _ disassembler: HostDisassembler, name: @escaping (Int) -> String? = { _ in nil }
        ) {
            self.block = block
            self.disassembler = disassembler
            self.name = name
        }

        /// - Parameters:
        ///   - bytes: the guest's.
        ///   - executions: of each instruction, if that is known.
        func inspected(_ bytes: [UInt8], _ executions: [UInt64]?) -> [InspectedBlock.Instruction] {
            (0..<block.count).map { index in
                let record = block.instructions[index]
                let disposition = disposition(index)
                let guest = bytes.dropFirst(Int(record.offset)).prefix(Int(record.instruction.length))
                return InspectedBlock.Instruction(
                    address: GuestAddress(address(index)), bytes: guest.map { hex($0, 2) }.joined(separator: " "),
                    text: record.instruction.text(at: address(index)), disposition: disposition.name,
                    reason: reason(index, disposition),
                    source: disposition == .callout ? record.instruction.sensitivity.source : nil,
                    note: note(index), microOps: [], hostCode: code(block.range(index)),
                    executions: executions?[index])
            }
        }

        private func address(_ index: Int) -> UInt32 { block.eip &+ UInt32(block.instructions[index].offset) }

        // MARK: Host code

        /// The instructions in a range of the block, in Intel syntax.
        func code(_ range: Range<Int>) -> [InspectedBlock.HostCode] {
            decoded(range).map { instruction, bytes in
                let text = disassembler.line(bytes, address: instruction.address)
                return InspectedBlock.HostCode(
                    bytes: bytes.map { hex($0, 2) }.joined(separator: " "),
                    text: comment(instruction).map { "\(text) <\($0)>" } ?? text)
            }
        }

        private func decoded(_ range: Range<Int>) -> [(HostInstruction, [UInt8])] {
            var found: [(HostInstruction, [UInt8])] = []
            var offset = range.lowerBound
            while offset < range.upperBound {
                let bytes = Array(block.code[(offset - block.entry)..<(range.upperBound - block.entry)])
                guard let next = disassembler.decode(bytes, address: UInt64(offset)) else { break }
                found.append((next, Array(bytes.prefix(next.length))))
                offset += next.length
            }
            return found
        }

        /// What a place is that an instruction names.
        private func comment(_ instruction: HostInstruction) -> String? {
            for operand in instruction.operands {
                switch operand {
                case .immediate(let target) where instruction.isJump:
                    if block.entry..<block.end ~= Int(target) { return "+\(hex(Int(target) - block.entry))" }
                    return name(Int(target))
                case .memory(let memory) where memory.segment == .standard && instruction.isAccess:
                    switch (memory.base?.file, memory.base?.number) {
                    case (.instructionPointer, _): return "counter"
                    case (.general, 13): return Self.fields[Int(memory.displacement)]
                    case (.general, 14): return "instructions left"
                    case (.general, 15): return "jump cache"
                    default: break
                    }
                default: break
                }
            }
            return nil
        }

        private static let fields: [Int: String] = [
            ProcessorState.place(\.eip): "EIP", ProcessorState.place(\.fs.base): "base of FS",
            ProcessorState.place(\.gs.base): "base of GS", ProcessorState.place(\.native.lacksUnits): "lacks units",
            ProcessorState.place(\.native.savedFlags): "saved flags",
            ProcessorState.place(\.native.lastX87): "last x87",
            ProcessorState.place(\.native.lastX87WithOperand): "last x87 with operand",
            ProcessorState.place(\.native.x87Operand): "x87 operand",
            ProcessorState.place(\.native.dataRegion.page): "page of the data region",
            ProcessorState.place(\.native.dataRegion.shift): "its shift",
            ProcessorState.place(\.native.dataRegion.key): "its key",
        ]

        // MARK: Dispositions

        func disposition(_ index: Int) -> NativeDisposition {
            let record = block.instructions[index]
            guard record.role == .straight, !record.isMonitored else {
                return NativeDisposition(record, isOneToOne: false)
            }
            return NativeDisposition(record, isOneToOne: isOneToOne(index))
        }

        /// Whether the host code is the same instruction, or nothing.
        private func isOneToOne(_ index: Int) -> Bool {
            var range = block.range(index)
            range = range.lowerBound..<(range.upperBound - Int(block.instructions[index].settlingSize))
            guard !range.isEmpty else { return true }
            let bytes = Array(block.code[(range.lowerBound - block.entry)..<(range.upperBound - block.entry)])
            guard let first = disassembler.decode(bytes, address: 0), first.length == range.count else { return false }
            func mnemonic(_ text: String) -> Substring? {
                text.split(separator: " ").first { $0 != "lock" && !$0.hasPrefix("rep") }
            }
            return mnemonic(disassembler.line(bytes, address: 0))
                == mnemonic(block.instructions[index].instruction.text(at: 0))
        }

        private func reason(_ index: Int, _ disposition: NativeDisposition) -> String {
            let record = block.instructions[index]
            switch disposition {
            case .callout: return record.instruction.sensitivity.reason
            case .monitored: return record.calloutCause.reason
            case .controlFlow where record.isFollowed:
                return "Back to the block's start, of which another copy follows: the loop is unrolled."
            case .controlFlow: return transferReason(record.role)
            case .identical:
                return block.range(index).count == Int(record.settlingSize)
                    ? "Innocuous; does nothing, so there is no host code." : "Innocuous."
            case .rewritten: return rewritingReason(index)
            }
        }

        private func transferReason(_ role: BlockRole) -> String {
            switch role {
            case .conditional: "An exit on the way, by the host's flags, or by ECX."
            case .jump: "Its target is known: an exit."
            case .call: "Pushes the return address, and calls: its target is known."
            case .return:
                "The host's own, which goes where the guest's call was; that looks where the guest returns to."
            default: "Its target is read at run time, and looked up in the jump cache."
            }
        }

        private func rewritingReason(_ index: Int) -> String {
            let i = block.instructions[index].instruction
            guard !i.sensitivity.isSensitive else {
                return i.sensitivity.reason
                    + " Done here, as the monitor would, or left to it where there is more to do."
            }
            guard !block.instructions[index].storesToRegion else {
                return "Done here where the page's code is not near, or left to the monitor, as it faulted."
            }
            var reasons: [String] = []
            if i.usesUnits {
                reasons.append("Makes sure that the guest's state is in the units.")
            }
            if i.memory.segment == .fs || i.memory.segment == .gs {
                reasons.append("Adds the segment's base.")
            }
            switch i.operation {
            case .fldcw: reasons.append("Left to the monitor if it would unmask an exception.")
            case .push, .pop, .leave: reasons.append("The stack by MOV and LEA, which change no flag.")
            case .movs, .cmps, .scas, .lods, .stos: reasons.append("The pointers by LEA, which changes no flag.")
            case .div, .idiv: reasons.append("The flags, which the manual leaves undefined, are kept.")
            case .mul, .imul, .shl, .shr, .sar, .shld, .shrd, .bsf, .bsr:
                reasons.append("Flags that the manual leaves undefined are made those of the shared semantics.")
            default: break
            }
            return reasons.isEmpty ? "Same effect by other instructions." : reasons.joined(separator: " ")
        }

        private func note(_ index: Int) -> String? {
            let record = block.instructions[index]
            let notes = [flagNote(record), stackNote(record)].compactMap { $0 }
            return notes.isEmpty ? nil : notes.joined(separator: " ")
        }

        private func stackNote(_ record: NativeInstruction) -> String? {
            guard record.stackDebt != 0, record.mayBeTheMonitors else { return nil }
            let difference = "\(abs(Int(record.stackDebt))) \(record.stackDebt < 0 ? "more" : "less")"
            return "R12 is \(difference) than ESP here: made good if the monitor takes over."
        }

        private func flagNote(_ record: NativeInstruction) -> String? {
            guard record.mayBeTheMonitors else { return nil }
            switch record.debt {
            case .none: return nil
            case .adjust: return "AF is the host's here: cleared if the monitor takes over, or the block is left."
            case .adjustIfCounted:
                return "AF is the host's here: cleared if the monitor takes over, unless CL is 0."
            case .product:
                return "Flags are those of the host's product here: made good if the monitor takes over."
            }
        }
    }

    extension HostDisassembler {
        fileprivate func decode(_ bytes: [UInt8], address: UInt64) -> HostInstruction? {
            bytes.withUnsafeBytes { decode($0, address: address) }
        }

        fileprivate func line(_ bytes: [UInt8], address: UInt64) -> String {
            bytes.withUnsafeBytes { line($0, address: address) }
        }
    }

    extension HostInstruction {
        /// A jump to a known address: EB, E9, 70 to 7F, E2, E3, 0F 80 to 0F 8F.
        fileprivate var isJump: Bool {
            isTwoByte
                ? 0x80...0x8F ~= opcode : 0x70...0x7F ~= opcode || [0xE2, 0xE3, 0xE9, 0xEB].contains(opcode)
        }

        /// Accesses the memory operand that it has: it is no LEA.
        fileprivate var isAccess: Bool { isTwoByte || opcode != 0x8D }
    }
#endif
