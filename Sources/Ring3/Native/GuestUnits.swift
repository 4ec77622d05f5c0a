#if arch(x86_64) && os(Linux)
    import CHost
    import X86

    /// The guest's x87 and SSE state, which is either the monitor's (fields of the processor's state) or in the host's units
    /// whenever emitted code runs. The stubs exchange the SSE state, by way of an FXSAVE image. The x87 state stays in the
    /// unit until it is taken: the monitor has no use for that, and storing and loading it takes as long as a callout.
    ///
    /// It is handed over only while all exceptions are masked and the units are switched on, so that no instruction that
    /// uses them can fault on their account.
    final class GuestUnits {
        private let cpu: Processor
        private let cache: NativeCache
        /// FXSAVE image (SDM 2A, "FXSAVE").
        private let image: UnsafeMutableRawPointer
        /// The same, for what is in the x87 unit.
        private let x87Image: UnsafeMutableRawPointer
        private let takeX87: @convention(c) (UnsafeMutableRawPointer) -> Void

        enum Place {
            static let control = 0
            static let status = 2
            static let tags = 4
            static let mxcsr = 24
            static let stack = 32
            static let xmm = 160
            static let size = 512
        }

        /// - Parameter takeX87: address of the stub of that name.
        init(_ cpu: Processor, _ cache: NativeCache, takeX87: UInt64) {
            self.takeX87 = unsafeBitCast(
                UInt(takeX87), to: (@convention(c) (UnsafeMutableRawPointer) -> Void).self)
            x87Image = .allocate(byteCount: Place.size, alignment: 64)
            x87Image.initializeMemory(as: UInt8.self, repeating: 0, count: Place.size)
            self.cpu = cpu
            self.cache = cache
            image = .allocate(byteCount: Place.size, alignment: 64)
            image.initializeMemory(as: UInt8.self, repeating: 0, count: Place.size)
            cpu.pointee.native.unitsImage = UInt64(UInt(bitPattern: image))
        }

        deinit {
            image.deallocate()
            x87Image.deallocate()
        }

        /// Their instructions raise neither #NM nor #UD.
        @inline(__always)
        var areUsable: Bool {
            cpu.pointee.cr0 & (CR0.em | CR0.ts) == 0 && cpu.pointee.cr4 & CR4.osfxsr != 0
        }

        /// Emitted code has the state.
        @inline(__always) var areGiven: Bool { cpu.pointee.native.lacksUnits == 0 }

        /// Hands the state to emitted code; false if its instructions may fault, and must be the monitor's.
        func give() -> Bool {
            let fpu = cpu.fpu
            guard areUsable,
                fpu.pointee.control & X87Status.exceptions == X87Status.exceptions,
                fpu.pointee.status & X87Status.summary == 0,
                cpu.pointee.sse.mxcsr & MXCSR.masks == MXCSR.masks
            else { return false }
            image.storeBytes(of: fpu.pointee.control, toByteOffset: Place.control, as: UInt16.self)
            image.storeBytes(of: fpu.pointee.status, toByteOffset: Place.status, as: UInt16.self)
            image.storeBytes(of: fpu.pointee.occupied, toByteOffset: Place.tags, as: UInt8.self)
            image.storeBytes(of: cpu.pointee.sse.mxcsr, toByteOffset: Place.mxcsr, as: UInt32.self)
            for n in 0..<8 as Range<UInt8> {
                let register = fpu.st(n).pointee
                let place = image + Place.stack + Int(n) * 16
                place.storeBytes(of: register.significand, as: UInt64.self)
                place.storeBytes(of: register.signExponent, toByteOffset: 8, as: UInt16.self)
                image.storeBytes(of: cpu.xmm(n).pointee, toByteOffset: Place.xmm + Int(n) * 16, as: XMMRegister.self)
            }
            cpu.pointee.native.lacksUnits = 0
            return true
        }

        /// Takes the state back, if emitted code has it.
        func take() {
            guard areGiven else { return }
            noteLast()
            cpu.pointee.native.lacksUnits = 1
            if cpu.pointee.native.isX87Loaded != 0 {
                cpu.pointee.native.isX87Loaded = 0
                takeX87(x87Image)
                image.copyMemory(from: x87Image, byteCount: Place.mxcsr)
                (image + Place.stack).copyMemory(from: x87Image + Place.stack, byteCount: Place.xmm - Place.stack)
            }
            let fpu = cpu.fpu
            fpu.pointee.control = image.load(fromByteOffset: Place.control, as: UInt16.self)
            fpu.pointee.status = image.load(fromByteOffset: Place.status, as: UInt16.self)
            fpu.pointee.occupied = image.load(fromByteOffset: Place.tags, as: UInt8.self)
            cpu.pointee.sse.mxcsr = image.load(fromByteOffset: Place.mxcsr, as: UInt32.self)
            for n in 0..<8 as Range<UInt8> {
                let place = image + Place.stack + Int(n) * 16
                fpu.st(n).pointee = X87Register(
                    significand: place.load(as: UInt64.self),
                    signExponent: place.load(fromByteOffset: 8, as: UInt16.self))
                cpu.xmm(n).pointee = image.load(fromByteOffset: Place.xmm + Int(n) * 16, as: XMMRegister.self)
            }
            cpu.settleUnits()
        }

        /// Notes what emitted code has not, where the monitor takes over before the instruction of that number.
        func note(_ debt: X87Debt, before number: UInt32) {
            if debt.last != 0 { cpu.pointee.native.lastX87 = number &- UInt32(debt.last) }
            guard debt.withOperand != 0 else { return }
            let operand = number &- UInt32(debt.withOperand)
            cpu.pointee.native.lastX87WithOperand = operand
            guard debt.lacksOffset else { return }
            withUnsafePointer(to: &cache.instructions[Int(operand)].instruction) {
                cpu.pointee.native.x87Operand = cpu.effectiveAddress($0)
            }
        }

        /// Writes down what emitted code noted of the last x87 instruction, and of the last one with an operand in memory
        /// (SDM 1 8.1.8): before selectors may change.
        @inline(__always)
        func noteLast() {
            let (last, withOperand) = (cpu.pointee.native.lastX87, cpu.pointee.native.lastX87WithOperand)
            if last != NativeContext.none || withOperand != NativeContext.none { writeDownLast() }
        }

        private func writeDownLast() {
            let fpu = cpu.fpu
            let operand = cpu.pointee.native.lastX87WithOperand
            if operand != NativeContext.none {
                cpu.pointee.native.lastX87WithOperand = NativeContext.none
                let segment = (cache.instructions + Int(operand)).pointee.instruction.memory.segment
                fpu.pointee.dataOffset = cpu.pointee.native.x87Operand
                fpu.pointee.dataSelector = cpu.segment(segment).pointee.selector
            }
            let last = cpu.pointee.native.lastX87
            guard last != NativeContext.none else { return }
            cpu.pointee.native.lastX87 = NativeContext.none
            guard let block = cache.block(ofInstruction: last) else { return }
            let record = cache.instructions + Int(last)
            fpu.pointee.lastInstruction = record.pointee.instruction
            fpu.pointee.instructionOffset = block.eip &+ UInt32(record.pointee.offset)
            fpu.pointee.instructionSelector = cpu.pointee.cs.selector
        }
    }
#endif
