#if arch(x86_64)
    import Glibc

    @testable import Ring3

    /// Runs single MMX and SSE instructions on the host, between an FXRSTOR of a whole state and an FXSAVE of what became
    /// of it.
    ///
    /// Nothing is shared with the code under test: the instruction meets the guest's MXCSR, masks included. An unmasked
    /// exception arrives as SIGFPE, whose handler goes on with the FXSAVE.
    final class NativeSSE {
        /// What instructions with ModR/M byte `mod 00, r/m 110` (`[rsi]`, in the guest `[esi]`) work on, and what RDI
        /// points to. Aligned to 16 bytes.
        let operand: UnsafeMutableRawPointer
        private let image: UnsafeMutableRawPointer
        private let code: UnsafeMutableRawPointer
        private static let codeSize = 4096

        init() {
            _ = Self.handler
            operand = .allocate(byteCount: 64, alignment: 64)
            image = .allocate(byteCount: Image.size, alignment: 64)
            code = mmap(nil, Self.codeSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        }

        deinit {
            operand.deallocate()
            image.deallocate()
            munmap(code, Self.codeSize)
        }

        /// General registers and flags around the instruction. The layout is known to the machine code below.
        struct General {
            var eax: UInt64 = 0
            var ecx: UInt64 = 0
            var flags: UInt64 = 0
            var hasTrapped: UInt64 = 0
            let hostControl: UInt64 = 0x1F80
        }

        /// Who had SIGFPE before.
        nonisolated(unsafe) private static var previous = sigaction()

        /// Continues at the address in R10, having set R11, if that is right behind the instruction: others, of emitted guest
        /// code, may raise SIGFPE as well.
        private static let handler: Void = {
            sigaction(SIGFPE, nil, &previous)
            var action = sigaction()
            action.sa_flags = SA_SIGINFO
            action.__sigaction_handler.sa_sigaction = { signal, information, context in
                guard let machine = context?.assumingMemoryBound(to: ucontext_t.self) else { return }
                // R8 to R15 are registers 0 to 7, RIP is 16 (<sys/ucontext.h>).
                let (place, next) = (machine.pointee.uc_mcontext.gregs.16, machine.pointee.uc_mcontext.gregs.2)
                if next > place, next - place < 64 {
                    machine.pointee.uc_mcontext.gregs.16 = next
                    machine.pointee.uc_mcontext.gregs.3 = 1
                } else if previous.sa_flags & SA_SIGINFO != 0, let other = previous.__sigaction_handler.sa_sigaction {
                    other(signal, information, context)
                } else {
                    Glibc.signal(signal, SIG_DFL)
                }
            }
            sigaction(SIGFPE, &action, nil)
        }()

        /// mov r8, rdi; mov r9, rdx; mov rdi, rsi; push [r9+16]; popfq; mov rax, [r9]; mov rcx, [r9+8]
        private let prologue: [UInt8] = [
            0x49, 0x89, 0xF8, 0x49, 0x89, 0xD1, 0x48, 0x89, 0xF7, 0x41, 0xFF, 0x71, 0x10, 0x9D, 0x49, 0x8B, 0x01,
            0x49, 0x8B, 0x49, 0x08,
        ]
        /// mov r11d, 0; lea r10, [rip + instruction + 4]; fxrstor [r8]
        private func entry(_ instruction: [UInt8]) -> [UInt8] {
            [0x41, 0xBB, 0, 0, 0, 0, 0x4C, 0x8D, 0x15, UInt8(instruction.count + 4), 0, 0, 0, 0x41, 0x0F, 0xAE, 0x08]
        }
        /// fxsave [r8]; mov [r9], rax; mov [r9+8], rcx; pushfq; pop [r9+16]; mov [r9+24], r11; ldmxcsr [r9+32]; fninit;
        /// ret
        private let epilogue: [UInt8] = [
            0x41, 0x0F, 0xAE, 0x00, 0x49, 0x89, 0x01, 0x49, 0x89, 0x49, 0x08, 0x9C, 0x41, 0x8F, 0x41, 0x10, 0x4D, 0x89,
            0x59, 0x18, 0x41, 0x0F, 0xAE, 0x51, 0x20, 0xDB, 0xE3, 0xC3,
        ]

        /// Makes `instruction` the one that `run` executes.
        func prepare(_ instruction: [UInt8]) {
            let bytes = prologue + entry(instruction) + instruction + epilogue
            mprotect(code, Self.codeSize, PROT_READ | PROT_WRITE)
            code.copyMemory(from: bytes, byteCount: bytes.count)
            mprotect(code, Self.codeSize, PROT_READ | PROT_EXEC)
        }

        /// Runs it, with RSI and RDI pointing `offset` bytes into the operand.
        func run(_ before: Image, _ general: General, offset: Int) -> (image: Image, general: General) {
            typealias Pointer = UnsafeMutableRawPointer
            typealias Entry = @convention(c) (Pointer, Pointer, Pointer) -> Void
            var general = general
            general.flags |= 0x202  // IF and the reserved bit 1 stay as user code has them.
            image.copyMemory(from: before.bytes, byteCount: Image.size)
            unsafeBitCast(code, to: Entry.self)(image, operand + offset, &general)
            general.flags &= 0x8D5
            return (Image(bytes: [UInt8](UnsafeRawBufferPointer(start: image, count: Image.size))), general)
        }

        /// The layout of FXSAVE.
        struct Image: CustomStringConvertible {
            static let size = 512
            var bytes: [UInt8]

            init(bytes: [UInt8]) { self.bytes = bytes }

            init() { bytes = [UInt8](repeating: 0, count: Self.size) }

            subscript<T: FixedWidthInteger>(offset: Int) -> T {
                get { bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: T.self) } }
                set { bytes.withUnsafeMutableBytes { $0.storeBytes(of: newValue, toByteOffset: offset, as: T.self) } }
            }
            var control: UInt16 {
                get { self[0] }
                set { self[0] = newValue }
            }
            var status: UInt16 {
                get { self[2] }
                set { self[2] = newValue }
            }
            var occupied: UInt8 {
                get { self[4] }
                set { self[4] = newValue }
            }
            var mxcsr: UInt32 {
                get { self[24] }
                set { self[24] = newValue }
            }

            func st(_ n: Int) -> X87Register {
                X87Register(significand: self[32 + n * 16], signExponent: self[40 + n * 16])
            }

            mutating func setST(_ n: Int, _ value: X87Register) {
                self[32 + n * 16] = value.significand
                self[40 + n * 16] = value.signExponent
            }

            func xmm(_ n: Int) -> XMMRegister { XMMRegister(self[160 + n * 16], self[168 + n * 16]) }

            mutating func setXMM(_ n: Int, _ value: XMMRegister) {
                self[160 + n * 16] = value.x
                self[168 + n * 16] = value.y
            }

            var description: String {
                func hex(_ value: some FixedWidthInteger) -> String { String(value, radix: 16) }
                let registers = (0..<2).map {
                    "XMM\($0) \(hex(xmm($0).y)):\(hex(xmm($0).x)) ST(\($0)) \(hex(st($0).significand))"
                }
                return "MXCSR \(hex(mxcsr)) \(registers)"
            }
        }
    }
#endif
