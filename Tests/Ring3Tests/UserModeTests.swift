import Testing
import X86

@testable import Ring3

/// What the real processor, asked about single user-mode instructions (`Scripts/oracle`), knew better than we did.
@Suite struct UserModeTests {
    private let machine: UserModeMachine
    private var context = UserContext()
    private let extended = UnsafeMutableRawPointer.allocate(byteCount: 512, alignment: 16)

    private static let unmapped = UserLayout.data - 0x100

    init() throws {
        machine = try UserModeMachine(.interpret)
        context.eip = UserLayout.code
        context.registers[4] = UserLayout.stack + 0x800
        extended.initializeMemory(as: UInt8.self, repeating: 0, count: 512)
        extended.storeBytes(of: 0x37F, as: UInt16.self)
        extended.storeBytes(of: 0x1F80, toByteOffset: 24, as: UInt32.self)
    }

    private mutating func run(_ code: UInt8...) {
        code.withUnsafeBytes { machine.run($0, at: 0, context: &context, extended: extended) }
    }

    private func word(_ address: UInt32) -> UInt32? { machine.memory.read(address, as: UInt32.self) }

    /// The registers' names here: EAX 0, ECX 1, EDX 2, EBX 3, ESP 4, EBP 5, ESI 6, EDI 7.
    private mutating func set(_ register: Int, _ value: UInt32) { context.registers[register] = value }

    @Test mutating func pushSegmentKeepsUpperHalf() {
        machine.memory.write(UserLayout.stack + 0x7FC, UInt32(0xAAAA_AAAA))
        run(0x1E)  // push ds
        #expect(word(UserLayout.stack + 0x7FC) == 0xAAAA_002B)
        #expect(context.registers[4] == UserLayout.stack + 0x7FC)
    }

    @Test mutating func arplThatChangesNothingOnlyReads() {
        machine.memory.write(UserLayout.constants, UInt16(3))
        set(3, UserLayout.constants)
        run(0x63, 0x03)  // arpl [ebx], ax: read-only memory
        #expect(context.vector == UserContext.ended)
        context.eip = UserLayout.code
        set(0, 3)
        machine.memory.write(UserLayout.constants, UInt16(0))
        run(0x63, 0x03)
        #expect(context.vector == UInt32(Vector.pageFault) && context.errorCode == 7)
    }

    @Test mutating func cmpsReadsDestinationFirst() {
        set(6, 0x1000)
        set(7, Self.unmapped)
        run(0xA6)  // cmpsb
        #expect(context.vector == UInt32(Vector.pageFault) && context.cr2 == Self.unmapped)
    }

    @Test mutating func faultInRepeatedScanRestoresFlags() {
        let end = UserLayout.constants + UserLayout.constantsSize
        set(0, 1)
        set(1, 100)
        set(7, end - 4)
        context.eflags = 0x202 | Flags.of | Flags.zf
        run(0xF2, 0xAE)  // repne scasb
        #expect(context.vector == UInt32(Vector.pageFault) && context.registers[1] == 96)
        #expect(context.eflags & Flags.status == Flags.of | Flags.zf)
    }

    @Test(arguments: [UInt8(0x6C), 0x6D, 0x6E, 0x6F])
    mutating func repeatedPortAccessWithCountZeroIsChecked(opcode: UInt8) {
        run(0xF3, opcode)
        #expect(context.vector == UInt32(Vector.generalProtection) && context.errorCode == 0)
    }

    @Test mutating func boundReadsUpperBoundOnlyIfNeeded() {
        let end = UserLayout.constants + UserLayout.constantsSize
        machine.memory.write(end - 4, UInt32(10))
        set(3, end - 4)
        set(0, 9)
        run(0x62, 0x03)  // bound eax, [ebx]
        #expect(context.vector == UInt32(Vector.boundRange))
    }

    @Test mutating func enterChecksAlignmentOfNewTop() {
        context.eflags = 0x202 | Flags.ac
        run(0xC8, 0x01, 0x00, 0x00)  // enter 1, 0
        #expect(context.vector == UInt32(Vector.alignmentCheck))
        #expect(context.registers[4] == UserLayout.stack + 0x800)
    }

    @Test mutating func imagesOfTheUnitAreAlignedToTheirUnits() {
        context.eflags = 0x202 | Flags.ac
        set(3, UserLayout.data + 4)
        run(0xDD, 0x23)  // frstor [ebx]
        #expect(context.vector == UserContext.ended)
        context.eip = UserLayout.code
        set(3, UserLayout.data + 6)
        run(0xDD, 0x33)  // fnsave [ebx]
        #expect(context.vector == UInt32(Vector.alignmentCheck))
        context.eip = UserLayout.code
        run(0x66, 0xDD, 0x33)  // the same with an image of words
        #expect(context.vector == UserContext.ended)
    }

    @Test mutating func decimalStoreChecksAlignmentBeforePaging() {
        context.eflags = 0x202 | Flags.ac
        set(3, Self.unmapped + 1)
        run(0xD9, 0xE8, 0xDF, 0x33)  // fld1; fbstp [ebx]
        #expect(context.vector == UInt32(Vector.alignmentCheck))
    }

    @Test(arguments: [UInt8(0xE0), 0xE1, 0xE4])
    mutating func obsoleteControlInstructionsDoNothing(modRM: UInt8) {
        // An exception is pending, and not masked.
        extended.storeBytes(of: 0x37E, as: UInt16.self)
        extended.storeBytes(of: 0x8081, toByteOffset: 2, as: UInt16.self)
        run(0xDB, modRM)
        #expect(context.vector == UserContext.ended)
        #expect(extended.load(fromByteOffset: 8, as: UInt32.self) == 0)
    }

    @Test mutating func topIsZeroWhenStoreOfMMXRegisterFaults() {
        extended.storeBytes(of: 3 << 11, toByteOffset: 2, as: UInt16.self)
        set(3, Self.unmapped)
        run(0x0F, 0x7F, 0x03)  // movq [ebx], mm0
        #expect(context.vector == UInt32(Vector.pageFault))
        #expect(extended.load(fromByteOffset: 2, as: UInt16.self) == 0)
        #expect(extended.load(fromByteOffset: 4, as: UInt8.self) == 0)
    }

    @Test mutating func unalignedMovesAreNotChecked() {
        context.eflags = 0x202 | Flags.ac
        set(3, UserLayout.data + 0xFF9)
        machine.memory.write(UserLayout.data + 0xFF9, UInt64(0x1122_3344_5566_7788))
        run(0x0F, 0x10, 0x03, 0x0F, 0x11, 0x43, 0x10)  // movups xmm0, [ebx]; movups [ebx + 16], xmm0
        #expect(context.vector == UserContext.ended)
        #expect(word(UserLayout.data + 0x1009) == 0x5566_7788)
    }

    @Test mutating func conversionToGeneralRegisterIgnoresPendingX87Exceptions() {
        extended.storeBytes(of: 0x37E, as: UInt16.self)
        extended.storeBytes(of: 0x8081, toByteOffset: 2, as: UInt16.self)
        set(3, UserLayout.data)
        run(0xF2, 0x0F, 0x2D, 0x03)  // cvtsd2si eax, [ebx]
        #expect(context.vector == UserContext.ended)
    }
}
