import Testing
import X86

@testable import Ring3

/// The x87 micro-ops: what lowering takes for granted of their layout, and that each does what the interpreter does.
@Suite struct X87StepTests {
    private static let operand: UInt32 = 0x40000

    @Test func stepsAreTheirRawValues() {
        #expect(MemoryLayout<X87Step>.size == 1)
        let steps = (UInt8(0)...255).compactMap { raw in X87Step(rawValue: raw).map { (raw, $0) } }
        #expect(steps.map(\.0) == Array(0..<UInt8(steps.count)))
        #expect(steps.last?.1 == .exchange)
        for (raw, step) in steps { #expect(unsafeBitCast(raw, to: X87Step.self) == step) }
    }

    @Test func operationsSurviveTheImmediate() {
        let operations: [X87Arithmetic] = [.add, .multiply, .subtract, .subtractReversed, .divide, .divideReversed]
        for operation in operations {
            #expect(X87Arithmetic(step: UInt32(bitPattern: operation.rawValue)) == operation)
        }
    }

    /// An instruction that has a step of its own.
    private struct Form: Sendable {
        let step: X87Step
        let code: [UInt8]
        var isMemory: Bool { code.count == 6 }
    }

    private static let forms: [Form] = {
        /// ModR/M byte with a 32-bit address, then the address.
        func memory(_ reg: UInt8) -> [UInt8] { [reg << 3 | 5, 0, 0, 4, 0] }
        var forms: [Form] = []
        for (opcode, steps) in [
            (UInt8(0xD9), [X87Step.loadSingle, .storeSingle, .popSingle]),
            (0xDD, [.loadDouble, .storeDouble, .popDouble]),
        ] {
            for (reg, step) in zip([UInt8(0), 2, 3], steps) {
                forms.append(Form(step: step, code: [opcode] + memory(reg)))
            }
        }
        for reg: UInt8 in [0, 1, 4, 5, 6, 7] {
            forms.append(Form(step: .arithmeticSingle, code: [0xD8] + memory(reg)))
            forms.append(Form(step: .arithmeticDouble, code: [0xDC] + memory(reg)))
            for register: UInt8 in [0, 1, 3] {
                let modRM = 0xC0 | reg << 3 | register
                forms.append(Form(step: .arithmeticRegisters, code: [0xD8, modRM]))
                forms.append(Form(step: .arithmeticRegisters, code: [0xDC, modRM]))
                forms.append(Form(step: .arithmeticPop, code: [0xDE, modRM]))
            }
        }
        for register: UInt8 in [0, 1, 3] {
            forms.append(Form(step: .loadRegister, code: [0xD9, 0xC0 | register]))
            forms.append(Form(step: .storeRegister, code: [0xDD, 0xD0 | register]))
            forms.append(Form(step: .popRegister, code: [0xDD, 0xD8 | register]))
            forms.append(Form(step: .exchange, code: [0xD9, 0xC8 | register]))
        }
        return forms
    }()

    @Test func everyStepHasAForm() {
        let steps = (UInt8(0)...255).compactMap { X87Step(rawValue: $0) }
        #expect(Set(Self.forms.map(\.step.rawValue)) == Set(steps.map(\.rawValue)))
    }

    /// Two machines with the forms on pages of their own, so that each is a block.
    private final class Bench {
        let pair: EnginePair

        init() throws {
            pair = try EnginePair()
            for (index, form) in X87StepTests.forms.enumerated() {
                pair.place(form.code, at: Self.address(index))
            }
            // The operand's page is in the TLB: mov [operand + 64], eax.
            pair.place([0xA3, 0x40, 0, 4, 0])
            #expect(pair.run() == [])
        }

        static func address(_ index: Int) -> UInt32 { 0x10_0000 + UInt32(index) * 0x40 }

        /// Runs a form from the same state on both; what differs, and whether the slow path was needed.
        func run(
            _ index: Int, operand: UInt64 = 0, setUp: (Processor) -> Void
        ) throws -> (differences: [StateDifference], isSlow: Bool) {
            for runner in pair.runners {
                let cpu = runner.cpu
                cpu.pointee.esp = CodeRunner.stackTop
                cpu.pointee.cr0 = cpu.pointee.cr0 & ~(CR0.ts | CR0.em) | CR0.ne
                cpu.fpu.reset()
                setUp(cpu)
                runner.memory.write(X87StepTests.operand, operand)
            }
            let slowPaths = pair.engine.cache.statistics.slowPaths
            let differences = pair.run(from: Self.address(index))
            let stored = pair.runners.map { $0.memory.read(X87StepTests.operand, as: UInt64.self) }
            #expect(stored[0] == stored[1], "\(X87StepTests.forms[index])")
            return (differences, pair.engine.cache.statistics.slowPaths != slowPaths)
        }
    }

    /// Every kind of value, and some whose sums, products and quotients do not fit.
    private static let values: [X87Register] = [
        X87Register(0), X87Register(significand: 0, signExponent: 0x8000), X87Register(1), X87Register(-3),
        // A third; the largest number; the least normal one; a denormal.
        X87Register(significand: 0xAAAA_AAAA_AAAA_AAAB, signExponent: 16381),
        X87Register(significand: .max, signExponent: 0x7FFE), X87Register(significand: 1 << 63, signExponent: 1),
        X87Register(significand: 5),
        // What single and double precision just do not hold.
        X87Register(significand: .max, signExponent: 16383 + 127), X87Register(significand: .max, signExponent: 15361),
        // Infinities, a QNaN, an SNaN, an unnormal.
        X87Register(significand: 1 << 63, signExponent: 0x7FFF),
        X87Register(significand: 1 << 63, signExponent: 0xFFFF),
        X87Register(significand: 3 << 62 | 9, signExponent: 0x7FFF),
        X87Register(significand: 1 << 63 | 9, signExponent: 0xFFFF),
        X87Register(significand: 1 << 62, signExponent: 0x3FFF),
    ]

    /// The same kinds in both memory formats: the low half is a single, the whole a double.
    private static let operands: [UInt64] = [
        0, 0x8000_0000_8000_0000, 0x3FF0_0000_3F80_0000, 0xC008_0000_C040_0000, 0x3FD5_5555_3EAA_AAAB,
        0x7FEF_FFFF_7F7F_FFFF, 0x0010_0000_0080_0000, 0x0000_0000_0000_0005, 0x7FF0_0000_7F80_0000,
        0x7FF8_0000_7FC0_0001, 0x7FF0_0001_7F80_0001,
    ]

    private static func fill(_ cpu: Processor, _ bottom: X87Register, _ top: X87Register, control: UInt16) {
        for value in [X87Register(7), X87Register(2), bottom, top] { cpu.fpu.push(value) }
        cpu.fpu.setControl(control)
    }

    /// Round to nearest in extended precision, downwards in double, towards zero in single.
    @Test(arguments: [0x37F, 0x67F, 0xC7F] as [UInt16])
    func everyStepComputesWhatTheInterpreterDoes(control: UInt16) throws {
        let bench = try Bench()
        for (index, form) in Self.forms.enumerated() {
            for (number, top) in Self.values.enumerated() {
                for (other, bottom) in Self.values.enumerated() where !form.isMemory || other == 0 {
                    for operand in form.isMemory ? Self.operands : [0] {
                        let (differences, isSlow) = try bench.run(index, operand: operand) {
                            Self.fill($0, bottom, top, control: control)
                        }
                        #expect(differences == [], "\(form), values \(number) and \(other), operand \(operand)")
                        #expect(!isSlow, "\(form)")
                    }
                }
            }
            let step = try #require(try bench.pair.ops(at: Bench.address(index)).first)
            #expect(step.opcode == form.step.opcode && step.a == form.step.rawValue, "\(form)")
        }
    }

    @Test func anEmptyOrFullStackIsAFault() throws {
        let bench = try Bench()
        for (index, form) in Self.forms.enumerated() {
            for depth in [0, 1, 8] {
                for control: UInt16 in [0x37F, 0x37E] {
                    let (differences, _) = try bench.run(index, operand: Self.operands[2]) { cpu in
                        for value in 0..<depth { cpu.fpu.push(X87Register(value)) }
                        cpu.fpu.setControl(control)
                    }
                    #expect(differences == [], "\(form), \(depth) registers, control \(control)")
                }
            }
        }
        let status = bench.pair.translated.cpu.fpu.pointee.status
        #expect(status & X87Status.stackFault == 0, "FXCH ST(3) with eight registers is no fault")
    }

    @Test func unmaskedExceptionsBecomePending() throws {
        let bench = try Bench()
        var pending = 0
        for (index, form) in Self.forms.enumerated() {
            for top in Self.values {
                for operand in form.isMemory ? Self.operands : [0] {
                    // All unmasked, in double precision.
                    let (differences, _) = try bench.run(index, operand: operand) {
                        Self.fill($0, Self.values[4], top, control: 0x240)
                    }
                    #expect(differences == [], "\(form), \(top), operand \(operand)")
                    if bench.pair.translated.cpu.fpu.pointee.status & X87Status.summary != 0 { pending += 1 }
                }
            }
        }
        #expect(pending > 500)
    }

    /// What each of these steps must leave to the shared semantics, and the exception that comes of it.
    @Test(
        arguments: [
            (CR0.ts, 0, Vector.deviceNotAvailable), (CR0.em, 0, Vector.deviceNotAvailable),
            (CR0.ts, X87Status.zeroDivide, Vector.deviceNotAvailable), (0, X87Status.zeroDivide, Vector.floatingPoint),
        ] as [(UInt32, UInt16, UInt8)])
    func noStepRunsWhereTheUnitIsNotReady(bits: UInt32, exception: UInt16, vector: UInt8) throws {
        let bench = try Bench()
        for (index, form) in Self.forms.enumerated() {
            let (differences, isSlow) = try bench.run(index, operand: Self.operands[2]) { cpu in
                Self.fill(cpu, Self.values[2], Self.values[3], control: 0x340)
                cpu.fpu.pointee.status |= exception
                cpu.fpu.updateSummary()
                cpu.pointee.cr0 |= bits
            }
            #expect(differences == [], "\(form)")
            #expect(isSlow, "\(form)")
            #expect(bench.pair.translated.faultVector == UInt32(vector), "\(form)")
        }
    }

    /// Without CR0.NE the pending exception is the interrupt controller's business: nothing faults.
    @Test func aPendingExceptionWithoutNEIsNoFault() throws {
        let bench = try Bench()
        for (index, form) in Self.forms.enumerated() {
            let (differences, _) = try bench.run(index, operand: Self.operands[2]) { cpu in
                Self.fill(cpu, Self.values[2], Self.values[3], control: 0x340)
                cpu.fpu.pointee.status |= X87Status.zeroDivide
                cpu.fpu.updateSummary()
                cpu.pointee.cr0 &= ~CR0.ne
            }
            #expect(differences == [], "\(form)")
            #expect(bench.pair.translated.faultVector == nil)
            #expect(bench.pair.translated.cpu.pointee.ferr == bench.pair.interpreted.cpu.pointee.ferr)
        }
    }
}
