#if arch(x86_64)
    import Glibc

    @testable import Ring3

    /// Runs single x87 instructions on the host, between an FRSTOR of a whole state and an FNSAVE of what became of it.
    ///
    /// Nothing is shared with the code under test: the instruction meets the state, exception masks included, as it
    /// would in the guest. Unmasked exceptions cannot trap, because FNSAVE does not wait.
    final class NativeFPU {
        /// The operand that an instruction with ModR/M byte `mod 00, r/m 110` (`[rsi]`, in the guest `[esi]`) works on.
        let operand: UnsafeMutableRawPointer
        private let image: UnsafeMutableRawPointer
        private let code: UnsafeMutableRawPointer
        private static let codeSize = 4096

        init() {
            operand = .allocate(byteCount: 512, alignment: 64)
            image = .allocate(byteCount: Image.size, alignment: 64)
            code = mmap(nil, Self.codeSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        }

        deinit {
            operand.deallocate()
            image.deallocate()
            munmap(code, Self.codeSize)
        }

        /// Low halves of host addresses, as FIP and FDP have them.
        var instructionAddress: UInt32 { UInt32(truncatingIfNeeded: Int(bitPattern: code) + prologue.count) }
        var operandAddress: UInt32 { UInt32(truncatingIfNeeded: Int(bitPattern: operand)) }

        func operandBytes(_ count: Int) -> [UInt8] {
            [UInt8](UnsafeRawBufferPointer(start: operand, count: count))
        }

        // push rdx; popfq; frstor [rdi]
        private let prologue: [UInt8] = [0x52, 0x9D, 0xDD, 0x27]
        // fnsave [rdi]; pushfq; pop rax; ret
        private let epilogue: [UInt8] = [0xDD, 0x37, 0x9C, 0x58, 0xC3]

        /// Makes `instruction` the one that `run` executes.
        func prepare(_ instruction: [UInt8]) {
            let bytes = prologue + instruction + epilogue
            mprotect(code, Self.codeSize, PROT_READ | PROT_WRITE)
            code.copyMemory(from: bytes, byteCount: bytes.count)
            mprotect(code, Self.codeSize, PROT_READ | PROT_EXEC)
        }

        /// Runs it. Returns the state and the status flags after it.
        func run(_ before: Image, flags: UInt32) -> (image: Image, flags: UInt32) {
            typealias Entry = @convention(c) (UnsafeMutableRawPointer, UnsafeMutableRawPointer, UInt64) -> UInt64
            image.copyMemory(from: before.bytes, byteCount: Image.size)
            // IF and the reserved bit 1 stay as user code has them.
            let after = unsafeBitCast(code, to: Entry.self)(image, operand, UInt64(flags | 0x202))
            let bytes = [UInt8](UnsafeRawBufferPointer(start: image, count: Image.size))
            return (Image(bytes: bytes), UInt32(truncatingIfNeeded: after) & 0x8D5)
        }
    }

    extension NativeFPU {
        /// What FRSTOR loads and FNSAVE stores in 32-bit protected format.
        struct Image: CustomStringConvertible {
            static let size = 108
            var bytes: [UInt8]

            init(bytes: [UInt8]) { self.bytes = bytes }

            init(control: UInt16, status: UInt16, tags: UInt16) {
                bytes = [UInt8](repeating: 0, count: Self.size)
                self[0] = control
                self[4] = status
                self[8] = tags
            }

            subscript<T: FixedWidthInteger>(offset: Int) -> T {
                get { bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: T.self) } }
                set { bytes.withUnsafeMutableBytes { $0.storeBytes(of: newValue, toByteOffset: offset, as: T.self) } }
            }
            var control: UInt16 { self[0] }
            var status: UInt16 { self[4] }
            var tags: UInt16 { self[8] }
            var instructionOffset: UInt32 { self[12] }
            var opcode: UInt16 { self[18] & 0x7FF }
            var dataOffset: UInt32 { self[20] }

            func st(_ n: Int) -> X87Register {
                X87Register(significand: self[28 + n * 10], signExponent: self[36 + n * 10])
            }

            mutating func setST(_ n: Int, _ value: X87Register) {
                self[28 + n * 10] = value.significand
                self[36 + n * 10] = value.signExponent
            }

            var description: String {
                func hex(_ value: some FixedWidthInteger) -> String { String(value, radix: 16) }
                let registers = (0..<8).map { hex(st($0).signExponent) + ":" + hex(st($0).significand) }
                return "CW \(hex(control)) SW \(hex(status)) TW \(hex(tags)) \(registers)"
            }
        }
    }
#endif
