import X86

#if arch(x86_64) && os(Linux)
    /// What the host's flags lack in a block, and where that is made good.
    struct BlockFlags {
        /// One more than `count`: the last for what follows the block.
        let instructions: UnsafeMutablePointer<NativeInstruction>
        let count: Int

        /// Finds what the host's flags lack before each instruction, where that is paid at once, and those that are the
        /// monitor's because it cannot be. Before any instruction but those behind one whose use of flags varies, they lack
        /// nothing.
        func findDebts() {
            for index in 0..<count {
                let record = instructions + index
                switch record.pointee.flagUse {
                case .none, .defines, .uses: break
                case .product:
                    let next = record + 1
                    // New flags right behind it: the monitor makes good what is lacking if it takes over there.
                    if !record.pointee.isMonitored, index + 1 < count, next.pointee.role == .straight,
                        next.pointee.flagUse == .defines || next.pointee.flagUse == .product
                    {
                        next.pointee.debt = .product(record.pointee.instruction.productRegister)
                    } else {
                        findDebts(behind: index)
                    }
                case .varies: findDebts(behind: index)
                }
            }
        }

        /// The same of what the instruction at `index` leaves undefined.
        private func findDebts(behind index: Int) {
            let record = instructions + index
            let effect = HostFlagEffect(record.pointee.instruction)
            if !record.pointee.isMonitored, !canBePaid(effect, behind: index) { record.pointee.monitoring = .flags }
            // How it ends decides whether there are new flags.
            if record.pointee.instruction.isRepeatedComparison, record.pointee.debt != .none {
                record.pointee.monitoring = .flags
            }
            record.pointee.isPaidAtOnce = mustBePaidAtOnce(effect, behind: index)
            guard !record.pointee.paysDebts, !record.pointee.isPaidAtOnce else { return }
            let debt = record.pointee.debt.after(effect)
            guard debt != .none else { return }
            var next = record
            repeat {
                next += 1
                next.pointee.debt = debt
            } while next < instructions + count && next.pointee.flagUse.mayPass && !next.pointee.paysDebts
        }

        /// Whether emitted code makes good what an instruction leaves undefined right behind it, because somebody may look
        /// later.
        private func mustBePaidAtOnce(_ effect: HostFlagEffect, behind index: Int) -> Bool {
            switch effect {
            case .multiply(let register?): !areOverwritten(behind: index, keeping: register)
            case .countedShift: instructions[index].debt != .adjust && !areOverwritten(behind: index, keeping: 4)
            case .scan, .doubleShift(_?): !areOverwritten(behind: index)
            default: false
            }
        }

        /// Whether what the instruction at `index` leaves undefined can be made good wherever somebody may look.
        private func canBePaid(_ effect: HostFlagEffect, behind index: Int) -> Bool {
            let record = instructions + index
            switch effect {
            case .countedShift:
                // The count must still be there behind the shift.
                return record.pointee.debt == .adjust || record.pointee.instruction.operands.0.kind == .memory
                    || record.pointee.instruction.operands.0.register & 0x1C != 4
            // A whole product's flags can be made good by emitted code, at once.
            case .multiply(let register): return register != nil || areOverwritten(behind: index)
            case .doubleShift(nil):
                // What words of 16 bits become by higher counts is undefined, too.
                return record.pointee.instruction.operandSize == 4
                    && areOverwritten(behind: index, isCounted: true)
            default: return true
            }
        }

        /// Whether, behind the instruction at `index`, flags are overwritten before the block is left or they are read, and
        /// `register` still holds what they can be recovered from wherever the monitor may look at them till then.
        ///
        /// - Parameter isCounted: a count in CL decides whether there are new flags at all, so that another shift by the same
        ///   count overwrites them just as well.
        func areOverwritten(behind index: Int, keeping register: UInt8? = nil, isCounted: Bool = false) -> Bool {
            var isIntact = register != nil
            var isSameCount = isCounted
            for next in (index + 1)..<max(count, index + 1) {
                let follower = instructions + next
                guard follower.pointee.role == .straight, isIntact || !follower.pointee.mayBeTheMonitors else {
                    return false
                }
                switch follower.pointee.flagUse {
                // What a product leaves undefined is made good by itself.
                case .defines, .product: return true
                case .uses:
                    guard follower.pointee.instruction.isConstantRotation else { return false }
                    // From its CF and OF on, nothing can be recovered.
                    (isIntact, isSameCount) = (false, false)
                    continue
                case .none: break
                case .varies:
                    switch HostFlagEffect(follower.pointee.instruction) {
                    case .defines, .shift: return true
                    case .countedShift where isSameCount: return true
                    case .none: break
                    default: return false
                    }
                }
                isIntact = isIntact && register.map { follower.pointee.isMove(sparing: $0) } ?? false
                isSameCount = isSameCount && follower.pointee.isMove(sparing: 4)
            }
            return false
        }
    }
#endif

extension HostAssembler {
    /// Makes the flags good right behind an instruction that left some undefined.
    mutating func payAtOnce(_ i: Instruction) {
        switch HostFlagEffect(i) {
        case .multiply(let low?): payProduct(HostRegister(guest: low >> 2))
        case .countedShift: payCountedShift()
        case .scan: payScan()
        case .doubleShift(let count?): payDoubleShift(count)
        default: break
        }
    }

    /// Makes the flags good where a block is left: only AF can be lacking there.
    mutating func pay(_ debt: HostFlagDebt) {
        guard debt != .none else { return }
        move(.r11, .rax)
        byte(0x9F)  // lahf
        keepBits(.rax, ~0x1000, by: .r10)
        byte(0x9E)  // sahf
        move(.rax, .r11)
    }

    /// Clears AF if CL is a count other than zero.
    private mutating func payCountedShift() {
        keepOverflow()
        takeFlags()
        bytes(0xF6, 0xC1, 0x1F)  // test cl, 31
        bytes(0x74, 0x02)  // jz
        clearAdjust()
        loadFlagsFromAL()
    }

    /// Gives the flags of BSF and BSR, of which ZF is right: PF as ZF, the others clear.
    private mutating func payScan() {
        move(.r8, immediate: 0)
        bytes(0x41, 0x0F, 0x94, 0xC0)  // sete r8b
        bytes(0x41, 0x83, 0xF0, 0x01)  // xor r8d, 1
    }

    /// Gives the flags of SHLD and SHRD: AF clear, and OF, too, but for a count of one.
    private mutating func payDoubleShift(_ count: UInt32) {
        guard count > 1 else { return pay(.adjust) }
        move(.r8, immediate: 0)
        takeFlags()
        clearAdjust()
        loadFlagsFromAL()
    }

    /// Gives the flags of a product, of which OF is right: CF as OF, SF and PF by the low half, ZF and AF clear.
    private mutating func payProduct(_ low: HostRegister) {
        keepOverflow()
        test(low)
        takeFlags()
        bytes(0x25, 0x86, 0, 0, 0)  // and eax, SF | PF | 2
        bytes(0x44, 0x08, 0xC0)  // or al, r8b
        loadFlagsFromAL()
    }

    /// Stores OF in R8B.
    private mutating func keepOverflow() {
        move(.r8, immediate: 0)
        bytes(0x41, 0x0F, 0x90, 0xC0)  // seto r8b
    }

    /// Stores the other flags in AL, and EAX in R9D.
    private mutating func takeFlags() {
        move(.r9, .rax)
        byte(0x9F)  // lahf
        bytes(0x0F, 0xB6, 0xC4)  // movzx eax, ah
    }

    private mutating func clearAdjust() { bytes(0x24, 0xEF) }  // and al, ~AF

    /// Loads the flags: five of them from AL, OF from R8B; then EAX from R9D.
    mutating func loadFlagsFromAL() {
        bytes(0x88, 0xC4)  // mov ah, al
        bytes(0x41, 0x80, 0xC0, 0x7F)  // add r8b, 127: overflows if it was 1
        byte(0x9E)  // sahf
        move(.rax, .r9)
    }
}
