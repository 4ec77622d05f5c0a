#if arch(x86_64)
    import Testing
    import X86

    @testable import Ring3

    /// One bench beside one host unit, put into the same states.
    final class SSEComparison {
        private let bench: FPUBench
        private let native = NativeSSE()
        private var states: SSEStates

        init(seed: UInt64) throws {
            bench = try FPUBench()
            bench.cpu.pointee.cr4 = CR4.osfxsr | CR4.osxmmexcpt
            states = SSEStates(seed: seed)
        }

        /// The instruction, if it is MMX, SSE or SSE2 and safe to run; FXRSTOR and the like are not.
        func instruction(_ bytes: [UInt8]) -> Instruction? {
            let instruction = bench.decode(bytes)
            guard instruction.operation.isSIMD, instruction.operation != .ldmxcsr else { return nil }
            return instruction
        }

        /// Compares one instruction on random states. Stops at the first difference.
        func run(_ bytes: [UInt8], rounds: Int, offset: Int = 0) throws {
            guard let instruction = instruction(bytes) else { return }
            native.prepare(bytes)
            for _ in 0..<rounds {
                let (image, operand) = (states.image(), states.operand())
                guard try compare(instruction, image, operand: operand, offset: offset) else { return }
            }
        }

        /// Compares one instruction, with destination XMM1 and source XMM0, on all pairs of edge values, or on all values
        /// as source, under all controls: four roundings, DAZ and FZ.
        func runEdges(_ bytes: [UInt8], isBinary: Bool, isDouble: Bool) throws {
            guard let instruction = instruction(bytes) else { return }
            native.prepare(bytes)
            let lanes = isDouble ? SSEStates.doubles : SSEStates.singles
            // All exceptions masked, overflow or underflow unmasked, or none masked, in turns.
            let masks: [UInt32] = [0x1F80, 0x1B80, 0x1780, 0]
            var turn = 0
            for first in isBinary ? lanes : [lanes[0]] {
                for n in stride(from: 0, to: lanes.count, by: isDouble ? 2 : 4) {
                    var image = NativeSSE.Image()
                    if isDouble {
                        image.setXMM(0, XMMRegister(lanes[n], lanes[n + 1]))
                        image.setXMM(1, XMMRegister(first, first))
                    } else {
                        image.setXMM(0, XMMRegister(lanes[n] | lanes[n + 1] << 32, lanes[n + 2] | lanes[n + 3] << 32))
                        image.setXMM(1, XMMRegister(first | first << 32, first | first << 32))
                    }
                    for control in UInt32(0)..<16 {
                        image.mxcsr = (control & 3) << 13 | (control & 4) << 4 | (control & 8) << 12
                        image.mxcsr |= masks[(turn + Int(control)) % 4]
                        guard try compare(instruction, image, operand: [], offset: 0) else { return }
                    }
                    turn += 1
                }
            }
        }

        private func compare(
            _ instruction: Instruction, _ before: NativeSSE.Image, operand: [UInt8], offset: Int
        ) throws -> Bool {
            let general = states.general()
            bench.setOperand(operand)
            native.operand.copyMemory(from: operand, byteCount: operand.count)
            bench.load(before, general)
            bench.cpu.pointee.esi = FPUBench.operand + UInt32(offset)
            bench.cpu.pointee.edi = bench.cpu.pointee.esi
            let fault = bench.runSIMD(instruction)
            let (after, generalAfter) = native.run(before, general, offset: offset)

            var differences = bench.differences(from: after, generalAfter)
            let expected = generalAfter.hasTrapped != 0 ? Fault(Vector.simdFloatingPoint) : nil
            if fault != expected {
                differences.append("\(String(describing: fault)), host \(String(describing: expected))")
            }
            let host = [UInt8](UnsafeRawBufferPointer(start: native.operand, count: operand.count))
            if bench.operandBytes(operand.count) != host { differences.append("memory differs") }
            guard !differences.isEmpty else { return true }
            Issue.record("\(instruction.operation) on \(before) \(operand): \(differences.joined(separator: "; "))")
            return false
        }
    }

    extension FPUBench {
        fileprivate func load(_ image: NativeSSE.Image, _ general: NativeSSE.General) {
            fpu.reset()
            fpu.setControl(image.control)
            fpu.setStatus(image.status)
            fpu.pointee.occupied = image.occupied
            for n in 0..<8 {
                fpu.st(UInt8(n)).pointee = image.st(n)
                cpu.pointee.sse.registers[n] = image.xmm(n)
            }
            cpu.pointee.sse.mxcsr = image.mxcsr
            // Whoever sets control and flags other than by an instruction has to.
            cpu.settleUnits()
            cpu.pointee.eax = UInt32(general.eax)
            cpu.pointee.ecx = UInt32(general.ecx)
            cpu.pointee.status = StatusFlags(image: UInt32(general.flags))
        }

        fileprivate func differences(from image: NativeSSE.Image, _ general: NativeSSE.General) -> [String] {
            var result: [String] = []
            func check<T: FixedWidthInteger>(_ name: @autoclosure () -> String, _ here: T, _ host: T) {
                guard here != host else { return }
                result.append("\(name()) \(String(here, radix: 16)), host \(String(host, radix: 16))")
            }
            check("control", fpu.pointee.control, image.control)
            check("status", fpu.pointee.status, image.status)
            check("tags", fpu.pointee.occupied, image.occupied)
            check("MXCSR", cpu.pointee.sse.mxcsr, image.mxcsr)
            check("EAX", cpu.pointee.eax, UInt32(truncatingIfNeeded: general.eax))
            check("ECX", cpu.pointee.ecx, UInt32(truncatingIfNeeded: general.ecx))
            check("EFLAGS", cpu.pointee.status.image, UInt32(general.flags))
            for n in 0..<8 {
                check("ST(\(n))", fpu.st(UInt8(n)).pointee.significand, image.st(n).significand)
                check("ST(\(n)) exponent", fpu.st(UInt8(n)).pointee.signExponent, image.st(n).signExponent)
                check("XMM\(n) low", cpu.pointee.sse.registers[n].x, image.xmm(n).x)
                check("XMM\(n) high", cpu.pointee.sse.registers[n].y, image.xmm(n).y)
            }
            return result
        }
    }
#endif
