#if arch(x86_64) && os(Linux)
    import X86

    /// What the translator made of instructions, by their heads and the mode, as long as nothing else took the place: code that
    /// the guest writes anew differs from what was there in values, not in kind.
    struct NativeForms: ~Copyable {
        struct Form {
            fileprivate(set) var role: BlockRole
            fileprivate(set) var usesX87: Bool
            fileprivate(set) var stackUse: StackUse
            /// Its host code depends on nothing else in the block, but for what its flags take.
            fileprivate(set) var isPlain: Bool
            /// There is host code for some instructions of the role only.
            fileprivate(set) var mayLackCode: Bool
            /// May be in the `FaultHistory`.
            fileprivate(set) var mayFault: Bool
            /// `copies` has it.
            fileprivate var isCopy = false
            /// Bytes of `code`, if that and behind it the bytes behind the head are its host code; nil if nothing is known of
            /// that, or it is another.
            fileprivate(set) var codeSize: UInt8?
            fileprivate(set) var code: (UInt64, UInt64) = (0, 0)
            /// Of the guest's instruction.
            fileprivate(set) var headSize: UInt8 = 0
            fileprivate var head: UInt64 = 0
            fileprivate var mode: NativeMode = []
            /// Instructions with that head, but for their values; nil if these are not all in which they differ.
            fileprivate(set) var template: InstructionTemplate?

            fileprivate init(_ i: Instruction) {
                role = BlockRole(native: i)
                usesX87 = i.operation.isX87
                stackUse = StackUse(i, role)
                let keepsFlags = i.operation != .div && i.operation != .idiv
                isPlain =
                    role == .straight && !stackUse.isMove && keepsFlags && !i.isRepeated
                    && !i.usesUnits
                mayLackCode =
                    switch role {
                    case .callout, .calloutEnd, .transfer, .indirectJump, .indirectCall: true
                    case .straight, .conditional, .jump, .call, .return: false
                    }
                mayFault = role == .straight ? i.mayFault : role != .conditional && role != .jump
            }
        }

        static let slotBits: UInt64 = 11
        private let decoder: Decoder
        private static let count = 1 << Int(slotBits)
        private let heads = InstructionHeads()
        /// One more than there are slots: the last is for instructions that nothing is kept of.
        private let forms: UnsafeMutablePointer<Form>
        /// Head and mode of those that have a template; 0 for others.
        private let keys: UnsafeMutablePointer<UInt64>
        /// What records of instructions of each form begin as.
        private let records: UnsafeMutablePointer<NativeInstruction>
        /// Instructions that are their own host code and cannot fault, by their first two bytes, of which the second need not
        /// mean anything: the length in the lowest four bits, the number of their form above it; 0 for all others.
        private let copies: UnsafeMutablePointer<UInt16>
        /// What there is to know of such instructions beyond their records, by the number of their form.
        private let copyForms: UnsafeMutablePointer<CopyForm>
        private struct CopyForm {
            var immediate: NearImmediate
            var mode: NativeMode
        }

        /// - Parameter decoder: that of the instructions.
        init(_ decoder: Decoder) {
            self.decoder = decoder
            let none = Form(Instruction(.nop))
            forms = .allocate(capacity: Self.count + 1)
            forms.initialize(repeating: none, count: Self.count + 1)
            keys = .allocate(capacity: Self.count)
            keys.initialize(repeating: 0, count: Self.count)
            records = .allocate(capacity: Self.count + 1)
            records.initialize(repeating: Self.record(Instruction(.nop), none), count: Self.count + 1)
            copies = .allocate(capacity: 1 << 16)
            copies.initialize(repeating: 0, count: 1 << 16)
            copyForms = .allocate(capacity: Self.count)
        }

        deinit {
            forms.deallocate()
            keys.deallocate()
            records.deallocate()
            copies.deallocate()
            copyForms.deallocate()
        }

        /// What heads have in the uppermost bits is the same in all 32-bit code.
        private static func key(_ head: InstructionHead, _ mode: NativeMode) -> UInt64 {
            head.word ^ UInt64(mode.rawValue) << 61
        }

        private static func record(_ i: Instruction, _ form: Form) -> NativeInstruction {
            var record = NativeInstruction(instruction: i, offset: 0, role: form.role)
            (record.stackUse, record.isPlain) = (form.stackUse, form.isPlain)
            record.flagUse = HostFlagUse(i)
            return record
        }

        /// Makes the record of the instruction that begins with `bytes`, as long as nothing is known of its block; returns
        /// its form, valid until the next is asked for. Nil if it has to be decoded.
        @inline(__always)
        func makeRecord(
            _ record: UnsafeMutablePointer<NativeInstruction>, _ bytes: InstructionBytes, _ mode: NativeMode
        ) -> UnsafeMutablePointer<Form>? {
            guard let head = heads.head(of: bytes.low, size: .bits32) else { return nil }
            let number = head.hash(bits: Self.slotBits)
            guard keys[number] == Self.key(head, mode) else { return nil }
            record.update(from: records + number, count: 1)
            forms[number].template?.setValues(of: &record.pointee.instruction, from: bytes)
            return forms + number
        }

        /// The same of an instruction that has been decoded.
        ///
        /// - Parameter bytes: nil if the page ends before.
        func makeRecord(
            _ record: UnsafeMutablePointer<NativeInstruction>, _ i: Instruction, _ bytes: InstructionBytes?,
            _ mode: NativeMode
        ) -> UnsafeMutablePointer<Form> {
            let form = form(i, bytes?.low, mode)
            record.initialize(to: Self.record(i, form.pointee))
            return form
        }

        private func form(_ i: Instruction, _ bytes: UInt64?, _ mode: NativeMode) -> UnsafeMutablePointer<Form> {
            guard let bytes, let head = heads.head(of: bytes, size: .bits32) else {
                forms[Self.count] = Form(i)
                return forms + Self.count
            }
            let form = forms + head.hash(bits: Self.slotBits)
            if form.pointee.head != head.word || form.pointee.mode != mode {
                if form.pointee.isCopy { setCopy(form, 0) }
                form.pointee = Form(i)
                form.pointee.head = head.word
                form.pointee.headSize = UInt8(truncatingIfNeeded: head.count)
                form.pointee.mode = mode
                form.pointee.template = decoder.template(of: head)
                keys[form - forms] = form.pointee.template == nil ? 0 : Self.key(head, mode)
                records[form - forms] = Self.record(i, form.pointee)
            }
            return form
        }

        /// Keeps the host code of an instruction that ends with the bytes behind its head.
        func keep(
            _ code: UnsafeRawBufferPointer, of bytes: UnsafeRawBufferPointer, in form: UnsafeMutablePointer<Form>
        ) {
            let tail = bytes.dropFirst(Int(form.pointee.headSize))
            guard form.pointee.head != 0, code.suffix(tail.count).elementsEqual(tail), code.count - tail.count <= 16
            else {
                return
            }
            let start = code.dropLast(tail.count)
            withUnsafeMutableBytes(of: &form.pointee.code) { $0.copyBytes(from: start) }
            form.pointee.codeSize = UInt8(truncatingIfNeeded: start.count)
            if code.elementsEqual(bytes) { noteCopy(form) }
        }

        /// Has a form that is its own host code found by its first two bytes from now on, if those say which it is.
        private func noteCopy(_ form: UnsafeMutablePointer<Form>) {
            guard form.pointee.isPlain, !form.pointee.mayFault, form.pointee.headSize <= 2,
                let template = form.pointee.template, let immediate = template.nearImmediate
            else { return }
            (copyForms + (form - forms)).initialize(to: CopyForm(immediate: immediate, mode: form.pointee.mode))
            form.pointee.isCopy = true
            // Whether flags change depends on constants of one byte only: counts.
            records[form - forms].endsWithConstant = template.instruction.length - form.pointee.headSize == 4
            setCopy(form, UInt16(form - forms) << 4 | UInt16(template.instruction.length))
        }

        private func setCopy(_ form: UnsafeMutablePointer<Form>, _ copy: UInt16) {
            let (first, second) = (Int(form.pointee.head & 0xFF) << 8, Int(form.pointee.head >> 8 & 0xFF))
            if form.pointee.headSize == 2 {
                copies[first + second] = copy
            } else {
                for second in 0...0xFF { copies[first + second] = copy }
            }
        }

        /// Makes the record of the instruction that begins with those eight bytes if that is its own host code, which depends
        /// on nothing else in the block, and cannot fault.
        ///
        /// - Returns: its length; 0 if that is not known.
        @inline(__always)
        func makeRecordOfCopy(
            _ record: UnsafeMutablePointer<NativeInstruction>, _ bytes: UInt64, _ mode: NativeMode
        ) -> Int {
            let copy = Int(copies[Int(UInt16(truncatingIfNeeded: bytes).byteSwapped)])
            let number = copy >> 4
            guard copy != 0, copyForms[number].mode == mode else { return 0 }
            record.update(from: records + number, count: 1)
            record.pointee.instruction.immediate = copyForms[number].immediate.value(of: bytes)
            return copy & 15
        }
    }
#endif
