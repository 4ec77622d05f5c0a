#if arch(x86_64) && os(Linux)
    import Testing

    @testable import Ring3

    extension CodeRunner {
        /// An engine for its processor, whose code is verified.
        func nativeEngine(keepsTranslations: Bool = false) throws -> NativeEngine {
            let engine = try NativeEngine(
                cpu: cpu, memory: memory, interpreter: interpreter, verifies: true,
                keepsTranslations: keepsTranslations)
            cpu.pointee.platform.takeUnretainedValue().codeWritten = { [unowned engine] in
                engine.codeWritten($0, count: $1)
            }
            return engine
        }
    }

    /// What `NativeIsolationTests` rely on can fail.
    @Suite(.enabled(if: NativeEngine.isSupported)) struct CanaryTests {
        /// Every canary tells when it is written, and when what is far from its window is read.
        @Test func canariesSeeWhatIsDoneToThem() throws {
            let runner = try CodeRunner()
            let canaries = Canaries(try runner.nativeEngine(), runner.memory)
            #expect(canaries.mappings.count >= 4 && canaries.touched == [])
            var poked = 0
            for (name, canary) in canaries.mappings {
                for address in [canary.addresses.lowerBound, canary.addresses.upperBound - 1] {
                    let place = try #require(UnsafeMutablePointer<UInt8>(bitPattern: UInt(address)))
                    let isFar = place.pointee == 0
                    if !isFar { place.pointee ^= 0x80 }
                    let page = "beside \(name): 0x" + String(address & ~0xFFF, radix: 16)
                    #expect(canaries.touched.contains(page))
                    if !isFar { place.pointee ^= 0x80 }
                    poked += isFar ? 1 : 0
                    #expect(canaries.touched.count == poked)
                }
            }
            #expect(poked > 0)
        }

        /// A store whose address-size prefix is missing reaches below its window, and does not fault.
        @Test func canariesSeeWhatEmittedCodeDoes() throws {
            let (runner, engine, canaries) = try Canaries.adjacent {
                let runner = try CodeRunner()
                let engine = try runner.nativeEngine()
                return (runner, engine, Canaries(engine, runner.memory))
            }
            runner.memory.write(CodeRunner.codeAddress, bytes: [0x31, 0xDB, 0x89, 0x43, 0xF8, 0xF4])
            func run() {
                runner.cpu.pointee.eip = CodeRunner.codeAddress
                runner.cpu.pointee.fetch.count = 0
                runner.cpu.setAttention(.halted, false)
                #expect(engine.run(until: runner.cpu.pointee.instructions + 100) == .halted)
            }
            // xor ebx, ebx; mov [ebx - 8], eax; hlt
            run()
            #expect(canaries.touched == [])
            let code = UnsafeMutableBufferPointer(start: engine.cache.arena.writable, count: engine.cache.used)
            let store: [UInt8] = [0x65, 0x67, 0x89, 0x43, 0xF8]
            let place = try #require(
                (engine.stubs.end..<engine.cache.used - store.count).first {
                    code[$0..<$0 + store.count].elementsEqual(store)
                })
            code[place + 1] = 0x40  // REX, which does nothing here
            run()
            let window = engine.spaces.windows[0].lowerBound
            #expect(canaries.touched == ["beside window: 0x" + String(window - 4096, radix: 16)])
        }
    }
#endif
