#if arch(x86_64)
    import Testing
    import X86

    @testable import Ring3

    /// One bench beside one host unit, put into the same states.
    final class FPUComparison {
        private let bench: FPUBench
        private let native = NativeFPU()
        private var states: FPUStates
        private var checksOpcode = true

        init(seed: UInt64) throws {
            bench = try FPUBench()
            states = FPUStates(seed: seed)
        }

        /// Compares one instruction on random states. Stops at the first difference.
        func run(_ bytes: [UInt8], rounds: Int, checksOpcode: Bool = true) throws {
            let instruction = bench.decode(bytes)
            guard instruction.operation != .invalid else { return }
            native.prepare(bytes)
            self.checksOpcode = checksOpcode
            for _ in 0..<rounds {
                let image = states.image()
                guard try compare(instruction, image, operand: states.operand(for: instruction)) else { return }
            }
        }

        /// Compares one instruction on every pair of edge values in ST(0) and ST(1).
        func runEdges(_ bytes: [UInt8]) throws {
            let instruction = bench.decode(bytes)
            native.prepare(bytes)
            for first in FPUStates.edges {
                for second in FPUStates.edges {
                    for control in UInt16(0)..<16 {
                        var image = NativeFPU.Image(control: control << 8 | 0x7F, status: 0, tags: 0)
                        image.setST(0, first)
                        image.setST(1, second)
                        guard try compare(instruction, image, operand: []) else { return }
                    }
                }
            }
        }

        private func compare(
            _ instruction: Instruction, _ before: NativeFPU.Image, operand: [UInt8]
        ) throws -> Bool {
            let flags = states.flags()
            var differences: [String] = []
            // AMD's processors lose FIP, FOP and FDP when the kernel switches from one thread to another, unless an
            // exception is pending (APM 2, 11.4.4): what the host does not repeat was that.
            for _ in 0..<4 {
                differences = try self.differences(instruction, before, operand, flags)
                if differences.isEmpty { return true }
            }
            let state = "\(before) operand \(operand.prefix(10))"
            Issue.record("\(instruction.operation) on \(state): \(differences.joined(separator: "; "))")
            return false
        }

        private func differences(
            _ instruction: Instruction, _ before: NativeFPU.Image, _ operand: [UInt8], _ flags: UInt32
        ) throws -> [String] {
            bench.setOperand(operand)
            native.operand.copyMemory(from: operand, byteCount: operand.count)
            bench.fpu.load(before)
            bench.cpu.pointee.status = StatusFlags(image: flags)
            bench.cpu.pointee.instructionStart = native.instructionAddress
            bench.cpu.pointee.esi = FPUBench.operand
            try bench.run(instruction)
            let (after, flagsAfter) = native.run(before, flags: flags)

            var differences = bench.fpu.differences(from: after)
            let flagsHere = bench.cpu.pointee.status.image
            if flagsHere != flagsAfter { differences.append("EFLAGS \(hex(flagsHere)), host \(hex(flagsAfter))") }
            if after.status & X87Status.summary != 0 {
                // Modern hosts keep FOP and FDP only for unmasked exceptions (CPUID.7.EBX[6]).
                differences += pointerDifferences(instruction, from: after)
            }
            let (memory, host) = (bench.operandBytes(operand.count), native.operandBytes(operand.count))
            for n in memory.indices where memory[n] != host[n] && !isUnspecified(n, instruction, host) {
                differences.append("byte \(n) \(hex(memory[n])), host \(hex(host[n]))")
            }
            return differences
        }

        private func pointerDifferences(_ instruction: Instruction, from after: NativeFPU.Image) -> [String] {
            guard !instruction.operation.isX87Control else { return [] }
            let pointers = bench.fpu.pointers
            var differences: [String] = []
            if checksOpcode && pointers.opcode != after.opcode {
                differences.append("FOP \(hex(pointers.opcode)), host \(hex(after.opcode))")
            }
            if instruction.operands.0.kind == .memory {
                let host = after.dataOffset &- native.operandAddress
                if pointers.dataOffset &- FPUBench.operand != host { differences.append("FDP differs by \(hex(host))") }
            }
            return differences
        }

        /// MXCSR and what FXSAVE leaves alone, which the host has and the guest has not. AMD's FXSAVE stores zeros for
        /// FOP, FIP and FDP unless an exception is pending (APM 2, 11.4.4).
        private func isUnspecified(_ byte: Int, _ instruction: Instruction, _ host: [UInt8]) -> Bool {
            guard instruction.operation == .fxsave else { return false }
            let hasNoPointers = host[2] & 0x80 == 0 && host[6..<24].allSatisfy { $0 == 0 }
            return 24..<32 ~= byte || byte >= 160 || hasNoPointers && 6..<24 ~= byte
        }
    }

    extension X87 {
        fileprivate func load(_ image: NativeFPU.Image) {
            pointee = FPUState()
            pointee.control = image.control
            pointee.status = image.status
            pointee.occupied = 0
            for n in UInt16(0)..<8 {
                if image.tags >> (n * 2) & 3 != 3 { pointee.occupied |= 1 << UInt8(n) }
                st(UInt8(n)).pointee = image.st(Int(n))
            }
            setPointers(
                X87Pointers(
                    instructionOffset: image.instructionOffset, dataOffset: image.dataOffset, opcode: image.opcode))
        }

        fileprivate func differences(from image: NativeFPU.Image) -> [String] {
            var result: [String] = []
            func check(_ name: String, _ here: some FixedWidthInteger, _ host: some FixedWidthInteger) {
                if Int(here) != Int(host) { result.append("\(name) \(hex(here)), host \(hex(host))") }
            }
            check("control", pointee.control, image.control)
            check("status", pointee.status, image.status)
            check("tags", tagWord, image.tags)
            check("FIP", pointers.instructionOffset, image.instructionOffset)
            for n in 0..<8 where st(UInt8(n)).pointee != image.st(n) {
                result.append("ST(\(n)) \(st(UInt8(n)).pointee), host \(image.st(n))")
            }
            return result
        }
    }

    extension Operation {
        fileprivate var isX87Control: Bool {
            switch self {
            case .fninit, .fnclex, .fldcw, .fnstcw, .fnstsw, .fldenv, .fnstenv, .frstor, .fnsave, .fxsave, .fxrstor:
                true
            default: false
            }
        }
    }

    private func hex(_ value: some FixedWidthInteger) -> String { String(value, radix: 16) }
#endif
