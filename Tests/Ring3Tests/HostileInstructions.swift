import X86

/// The instructions of hostile code: any with an operand in memory, and those of each kind of harm.
extension HostileCode {
    // MARK: Operands

    /// A register other than ESP.
    private mutating func register() -> UInt8 { pick([0, 1, 2, 3, 5, 6, 7]) }

    /// A memory operand, and what has to be done before the instruction: the bytes behind the opcode, and the prefixes.
    private struct Operand {
        var before: [UInt8] = []
        var prefixes: [UInt8] = []
        var tail: [UInt8]
    }

    private mutating func memory(_ field: UInt8) -> Operand {
        let wanted = address()
        let (any, field) = (byte(), field << 3)
        var operand: Operand
        switch below(8) {
        case 0...2: operand = Operand(tail: op(field | 5, wanted))
        case 3, 4:
            let (base, value) = (register(), word())
            operand = Operand(before: op(0xB8 | base, value), tail: op(0x80 | field | base, wanted &- value))
        case 5:
            let (base, index, scale) = (register(), register(), UInt8(below(4)))
            let (low, high) = (word(), word())
            let scaled = high << UInt32(scale)
            let sum = index == base ? high &+ scaled : low &+ scaled
            let place = scale << 6 | index << 3 | base
            operand = Operand(
                before: op(0xB8 | base, low) + op(0xB8 | index, high), tail: [0x84 | field] + op(place, wanted &- sum))
        case 6:
            let base = register()
            let distance = UInt32(truncatingIfNeeded: Int8(bitPattern: any))
            operand = Operand(before: op(0xB8 | base, wanted &- distance), tail: [0x40 | field | base, any])
        default:
            // Through ESP, of 16 bits, or wherever a register happens to point to.
            switch below(3) {
            case 0: operand = Operand(tail: [0x44 | field, 0x24, any])
            case 1: operand = Operand(prefixes: [0x67], tail: [0x06 | field, any, byte()])
            default: operand = Operand(tail: [field | pick([0, 1, 2, 3, 6, 7])])
            }
        }
        if oneIn(6) { operand.prefixes.append(pick([0x64, 0x65, 0x65, 0x36, 0x2E])) }
        if oneIn(10) { operand.prefixes.append(0x66) }
        if oneIn(24) { operand.prefixes.append(0xF0) }
        return operand
    }

    /// An instruction with an operand in memory: its opcode, the field of the ModR/M byte, and bytes of an immediate operand.
    private struct Form {
        var opcode: [UInt8]
        var fields: ClosedRange<UInt8>
        var immediate: Int

        init(_ opcode: [UInt8], _ fields: ClosedRange<UInt8>, _ immediate: Int) {
            (self.opcode, self.fields, self.immediate) = (opcode, fields, immediate)
        }
    }

    private static let forms: [Form] = {
        let rows: [UInt8] = [0x00, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38]
        let anyField: [[UInt8]] = [
            [0x84], [0x85], [0x86], [0x87], [0x88], [0x89], [0x8A], [0x8B], [0x8D], [0xD0], [0xD1], [0xD3], [0x62],
            [0x0F, 0x4C], [0x0F, 0x94], [0x0F, 0xA3], [0x0F, 0xAB], [0x0F, 0xB3], [0x0F, 0xBB], [0x0F, 0xAD],
            [0x0F, 0xAF], [0x0F, 0xB0], [0x0F, 0xB1], [0x0F, 0xB6], [0x0F, 0xB7], [0x0F, 0xBE], [0x0F, 0xBC],
            [0x0F, 0xC0], [0x0F, 0xC1], [0xD8], [0xD9], [0xDA], [0xDB], [0xDC], [0xDD], [0xDF], [0x0F, 0x10],
            [0x0F, 0x11], [0x0F, 0x13], [0x0F, 0x17], [0x0F, 0x28], [0x0F, 0x29], [0x0F, 0x2B], [0x0F, 0x58],
            [0x0F, 0x54], [0xF3, 0x0F, 0x10], [0xF2, 0x0F, 0x11], [0xF3, 0x0F, 0x6F], [0xF3, 0x0F, 0x7F],
            [0x0F, 0x6F], [0x0F, 0x7F], [0x0F, 0xE7], [0xC4], [0x0F, 0xB2], [0x0F, 0xB5],
        ]
        var forms: [Form] = rows.flatMap { row in [0, 1, 2, 3].map { Form([row | $0], 0...7, 0) } }
        forms += anyField.map { Form($0, 0...7, 0) }
        return forms + otherForms
    }()

    private static let otherForms: [Form] = [
        Form([0x80], 0...7, 1), Form([0x81], 0...7, 4), Form([0x83], 0...7, 1), Form([0x8F], 0...0, 0),
        Form([0xC0], 0...7, 1), Form([0xC1], 0...7, 1), Form([0xC6], 0...0, 1), Form([0xC7], 0...0, 4),
        Form([0xF6], 2...7, 0), Form([0xF7], 2...7, 0), Form([0xFE], 0...1, 0), Form([0xFF], 0...2, 0),
        Form([0xFF], 6...6, 0), Form([0x69], 0...7, 4), Form([0x6B], 0...7, 1), Form([0x0F, 0xBA], 4...7, 1),
        Form([0x0F, 0xA4], 0...7, 1), Form([0x0F, 0xC7], 1...1, 0), Form([0x0F, 0xAE], 0...3, 0),
        Form([0x0F, 0xC6], 0...7, 1), Form([0x0F, 0x18], 0...3, 0), Form([0x0F, 0x01], 0...1, 0),
        Form([0x0F, 0x00], 0...1, 0),
    ]

    private mutating func withOperand() -> [UInt8] {
        let form = pick(Self.forms)
        let operand = memory(UInt8.random(in: form.fields, using: &random))
        var code = operand.before
        code += operand.prefixes
        code += form.opcode
        code += operand.tail
        for _ in 0..<form.immediate { code.append(byte()) }
        return code
    }

    // MARK: Instructions

    private func op(_ opcode: UInt8, _ value: UInt32) -> [UInt8] { [opcode] + little(value) }

    /// Whatever pushes, pops, or says where the stack is.
    private mutating func stackInstruction() -> [UInt8] {
        let few: UInt8 = pick([0, 4, 8, 0xFC])
        switch below(20) {
        case 0: return [0x50 | register()]
        case 1: return [0x58 | register()]
        case 2: return op(0x68, word())
        case 3: return [pick([0x60, 0x61])]  // pusha, popa
        case 4: return [0x9C]
        case 5: return op(0x68, word() & 0x4_0AD7) + [0x9D]  // push flags; popf
        case 6: return [pick([0x06, 0x0E, 0x16, 0x1E])]  // push of a selector
        case 7: return [0x0F, 0xA0, 0x0F, 0xA9]  // push fs; pop gs
        case 8: return [0xC8, few, 0, UInt8(below(4))]  // enter
        case 9: return [0xC9]
        case 10: return [0x66, 0x50 | register(), 0x66, 0x58 | register()]
        case 11: return [0x83, 0xC4, few]  // add esp, few
        case 12: return op(0xE8, 0)  // call to what follows
        case 13: return [pick([0x54, 0x5C, 0x07, 0x1F])]  // push esp; pop esp, es, ds
        case 14: return [0xFF, 0x34, 0x24]  // push [esp]
        case 15: return [0x8F, 0x04, 0x24]  // pop [esp]
        case 16: return op(0xBC, stack())
        case 17: return op(0x68, target()) + [0xC3]  // push; ret
        case 18: return op(0x68, target()) + [0xC2, few, 0]
        default: return [0x66, 0x68, byte(), byte()]
        }
    }

    private mutating func stringInstruction() -> [UInt8] {
        let count: UInt32 = pick([0, 1, 3, 17, 300, 5000])
        let opcode: UInt8 = pick([0xA4, 0xA5, 0xA6, 0xA7, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xAF])
        let prefixes: [UInt8] = pick([[], [0xF3], [0xF3], [0xF2], [0x66, 0xF3], [0x65, 0xF3]])
        let direction: UInt8 = pick([0xFC, 0xFC, 0xFD])
        var code = op(0xBE, address())
        code += op(0xBF, address())
        code += op(0xB9, count)
        code += [direction]
        return code + prefixes + [opcode]
    }

    private mutating func jump() -> [UInt8] {
        let next = start &+ UInt32(bytes.count)
        let register = register()
        switch below(9) {
        case 0, 1: return [0x70 | UInt8(below(16)), UInt8(below(24))]
        case 2: return op(0xE8, target() &- next &- 5)
        case 3: return op(0xE9, target() &- next &- 5)
        case 4:
            let condition = UInt8(below(16))
            return [0x0F] + op(0x80 | condition, target() &- next &- 6)
        case 5: return op(0xB8 | register, target()) + [0xFF, 0xD0 | register]
        case 6: return op(0xB8 | register, target()) + [0xFF, 0xE0 | register]
        case 7:
            // Through memory: the call or jump through what was stored there.
            let store: [UInt8] = [0xC7, 0x05, 0, 0x10, 2, 0]
            let transfer: [UInt8] = [0xFF, pick([0x15, 0x25]), 0, 0x10, 2, 0]
            return store + little(target()) + transfer
        default: return [pick([0xE0, 0xE1, 0xE2, 0xE3]), UInt8(below(16))]
        }
    }

    /// A loop that writes to its own instructions: an operand, an opcode, or what lies behind it.
    private mutating func selfModifyingLoop() -> [UInt8] {
        let rounds = UInt32(pick([2, 5, 20]))
        let head = start &+ UInt32(bytes.count) &+ 5
        // What writes, and how far behind the MOV's immediate operand.
        let (write, distance, value): ([UInt8], UInt32, [UInt8])
        switch below(4) {
        case 0: (write, distance, value) = ([0xFF, 0x05], 0, [])  // inc dword
        case 1: (write, distance, value) = ([0x00, 0x0D], 2, [])  // add byte, cl
        case 2: (write, distance, value) = ([0x83, 0x35], 3, [0x09])  // xor dword, 9: also the ADD
        default: (write, distance, value) = ([0x80, 0x35], 5, [0x08])  // xor byte, 8: the ADD's operands
        }
        let operand = head &+ UInt32(write.count + 4 + value.count) &+ 1
        // L: <write>; mov eax, imm32; add ebx, eax; <another>; dec ecx; jnz L
        var loop = write + little(operand &+ distance) + value
        loop += op(0xB8, word())
        loop += [0x01, 0xC3]
        loop += pick([[], [0x42], [0x0F, 0x58, 0xC1], [0x8B, 0x1D, 0, 0x20, 2, 0]])
        loop += [0x49, 0x75]
        return op(0xB9, rounds) + loop + [UInt8(truncatingIfNeeded: -(loop.count + 1))]
    }

    /// Instructions that only ring 0 may execute, or that show or change what it has.
    private mutating func systemInstruction() -> [UInt8] {
        switch below(12) {
        case 0: return [0x0F, 0x20, 0xD8, 0x0F, 0x22, 0xD8]  // mov eax, cr3; mov cr3, eax
        case 1: return [0x0F, 0x20, 0xC0, 0x35, 0, 0, 1, 0, 0x0F, 0x22, 0xC0]  // the same of CR0, WP turned over
        case 2: return [0x0F, 0x20, 0xE0, 0x34, 0x80, 0x0F, 0x22, 0xE0]  // and of CR4, PGE turned over
        case 3, 4: return [0x0F, 0x01] + op(0x3D, address())  // invlpg
        case 5: return op(0xB8, pick([0x23, 0x3B, 0x43, 0x4B, 0])) + [0x8E, 0xE8]  // mov gs, eax
        case 6: return op(0xA1, address())
        case 7: return op(0xA2, address())
        default: return pick(Self.short)
        }
    }

    /// CLTS, CLI, LAHF, CPUID, RDTSC, INT3, INTO, MOV of selectors, XLAT, UD2, x87, MASKMOVDQU.
    private static let short: [[UInt8]] = [
        [0x0F, 0x06], [0xFA], [0x9E], [0x9F], [0x0F, 0xA2], [0x0F, 0x31], [0xCC], [0xCE], [0x8C, 0xD8, 0x8E, 0xC0],
        [0x8C, 0xC8], [0xD7], [0x0F, 0x0B], [0xDB, 0xE3], [0xDB, 0xE2], [0x0F, 0x77], [0xD9, 0xE8], [0xDE, 0xC1],
        [0x66, 0x0F, 0xF7, 0xC1],
    ]

    private mutating func anyBytes() -> [UInt8] { (0...below(6)).map { _ in byte() } }

    mutating func instruction() -> [UInt8] {
        let favourite = below(2) == 0
        switch hostility {
        case .wildJumps where favourite: return jump()
        case .stackInMMIO where favourite, .stackWrapAround where favourite: return stackInstruction()
        case .selfModifyingLoops where below(5) == 0: return selfModifyingLoop()
        case .randomPageTables where below(6) == 0: return systemInstruction()
        case .accessesAtTheEnd where below(4) == 0: return stringInstruction()
        default: break
        }
        switch below(20) {
        case 0...8: return withOperand()
        case 9: return [0xB8 | register()] + little(oneIn(2) ? address() : word())
        case 10: return [UInt8(below(8)) << 3 | UInt8(below(4)), 0xC0 | UInt8(below(8)) << 3 | register()]
        case 11: return [0x40 | UInt8(below(2)) << 3 | register()]
        case 12: return [0xD3, 0xC0 | UInt8(below(8)) << 3 | register()]
        case 13, 14: return stackInstruction()
        case 15: return stringInstruction()
        case 16, 17: return jump()
        case 18: return systemInstruction()
        default: return anyBytes()
        }
    }
}
