#if arch(x86_64) && os(Linux)
    import Foundation
    import Testing
    import X86

    @testable import Ring3

    /// Single bits of emitted code changed at random. Most changes make something else of the code that is just as safe:
    /// another constant, another register of the guest's, another condition. Whether it is, binutils' disassembler says,
    /// by rules of its own.
    @Suite(.enabled(if: NativeEngine.isSupported && Objdump64.isInstalled)) struct EmittedCodeFlipTests {
        private static let flips = 12_000
        private static let shown = 1_500

        @Test(arguments: ["integer", "x87"]) func changedBitsAreCaughtOrHarmless(guest: String) throws {
            let emitted = try EmittedBlocks(running: guest)
            let blocks = emitted.blocks.filter { $0.end - $0.entry <= 400 }
            var random = SeededGenerator(seed: 64)
            var caught: [EmittedCodeFinding.Rule: Int] = [:]
            var survivors: [[UInt8]] = []
            for _ in 0..<Self.flips {
                let block = try #require(blocks.randomElement(using: &random))
                var bytes = emitted.bytes(block)
                let place = Int.random(in: 0..<bytes.count, using: &random)
                bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                if let rule = emitted.rule(block, [(block.entry + place, bytes[place])]) {
                    caught[rule, default: 0] += 1
                } else if !emitted.hasX87Alias(bytes) {
                    survivors.append(bytes)
                }
            }
            let share = Double(caught.values.reduce(0, +)) / Double(Self.flips)
            print("\(guest): \(Int(share * 1000)) of 1000 single-bit changes refused:", caught)
            #expect(share > 0.3)
            #expect(caught.count > 8)
            survivors.shuffle(using: &random)
            var problems: [String] = []
            for line in try Objdump64.lines(survivors.prefix(Self.shown).flatMap { $0 }) {
                if let problem = Objdump64.problem(line) { problems.append("\(problem): \(line)") }
            }
            #expect(problems.isEmpty, "\(problems.prefix(20))")
        }

        @Test func soundBlocksAreSafeToBinutilsAsWell() throws {
            let emitted = try EmittedBlocks(running: "audit")
            let lines = try Objdump64.lines(emitted.blocks.flatMap { emitted.bytes($0) })
            #expect(lines.count > 1_000)
            #expect(lines.compactMap { Objdump64.problem($0) } == [])
        }
    }

    /// 64-bit code in binutils' words.
    enum Objdump64 {
        private static let path = "/usr/bin/objdump"
        static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: path) }

        /// One line an instruction: mnemonic and operands.
        static func lines(_ code: [UInt8]) throws -> [String] {
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("emitted-\(UUID().uuidString).bin")
            defer { try? FileManager.default.removeItem(at: file) }
            try Data(code).write(to: file)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: path)
            process.arguments = [
                "-D", "-z", "-w", "--no-show-raw-insn", "-b", "binary", "-m", "i386:x86-64", "-M", "intel", file.path,
            ]
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            let output = pipe.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return String(decoding: output, as: UTF8.self).split(separator: "\n").compactMap { line in
                let parts = line.split(separator: "\t", maxSplits: 1)
                return parts.count == 2 && parts[0].hasSuffix(":") ? String(parts[1]) : nil
            }
        }

        private static let forbidden: Set<String> = [
            "(bad)", "syscall", "sysret", "sysenter", "sysexit", "int", "int1", "int3", "into", "icebp", "hlt", "in",
            "out",
            "ins", "outs", "retf", "iret", "iretq", "enter", "leave", "cli", "sti", "std", "wrgsbase",
            "wrfsbase", "rdgsbase", "rdfsbase", "swapgs", "wrmsr", "rdmsr", "lgdt", "lidt", "lldt", "ltr", "lmsw",
            "clts",
            "invlpg", "cpuid", "rdtsc", "ud2", "ud1", "ud0", "xbegin", "xabort", "movs", "stos", "lods", "scas", "cmps",
            "maskmovq", "maskmovdqu", "fxsave", "fxrstor", "fldenv", "fnstenv", "fnsave", "frstor", "fldcw", "ldmxcsr",
            "xlat", "loope", "loopne", "jecxz", "cmpxchg16b", "xsave", "xrstor", "clflush",
        ]
        /// String instructions and what leads up to them: exactly so.
        private static let windowed: Set<String> = {
            var lines: Set<String> = ["lea rsi,[r9+rsi*1]", "lea rdi,[r9+rdi*1]"]
            for size in ["BYTE", "WORD", "DWORD"] {
                let (source, destination) = ("\(size) PTR ds:[rsi]", "\(size) PTR es:[rdi]")
                lines.insert("rep movs \(destination),\(source)")
                for prefix in ["repz", "repnz"] {
                    lines.insert("\(prefix) cmps \(source),\(destination)")
                    for register in ["al", "ax", "eax"] { lines.insert("\(prefix) scas \(register),\(destination)") }
                }
                for register in ["al", "ax", "eax"] { lines.insert("rep stos \(destination),\(register)") }
            }
            for register in ["r8", "r9", "r10", "r11"] {
                let window = MemoryLayout<ProcessorState>.offset(of: \.native.window) ?? -1
                lines.insert("mov \(register),QWORD PTR [r13+0x\(String(window, radix: 16))]")
            }
            return lines
        }()
        /// Where a page of RAM begins, and what is then stored there, as first operands.
        private static let page: String = {
            let place = MemoryLayout<ProcessorState>.offset(of: \.native.dataRegion.page) ?? -1
            return "mov r9,QWORD PTR [r13+0x\(String(place, radix: 16))]"
        }()
        private static let inPage: Set<String> = [
            "BYTE PTR [r9+r11*1]", "WORD PTR [r9+r11*1]", "DWORD PTR [r9+r11*1]",
        ]

        private static let changers: Set<String> = [
            "mov", "add", "or", "adc", "sbb", "and", "sub", "xor", "inc", "dec", "not", "neg", "xadd", "xchg",
            "cmpxchg",
        ]

        private static let stateFields: Set<Int> = {
            func place(_ path: PartialKeyPath<ProcessorState>) -> Int {
                MemoryLayout<ProcessorState>.offset(of: path) ?? -1
            }
            return Set(
                [
                    place(\.eip), place(\.fs.base), place(\.gs.base), place(\.native.lacksUnits),
                    place(\.native.lastX87),
                    place(\.native.lastX87WithOperand), place(\.native.x87Operand), place(\.native.savedFlags),
                    place(\.systemFlags), place(\.cr0), place(\.cr4), place(\.native.clock.isMissing),
                    place(\.native.dataRegion.key), place(\.native.dataRegion.shift), place(\.cs.readEnd) + 4,
                ] + descriptors)
        }()
        private static let descriptors = stride(from: 0, to: MemoryLayout<LoadedDescriptors>.size, by: 4).map {
            (MemoryLayout<ProcessorState>.offset(of: \.native.descriptors) ?? -1) + $0
        }
        /// Others, of one and two bytes, which are read by MOVZX or MOVSX and by nothing else.
        private static let smallFields: Set<Int> = {
            func place(_ path: PartialKeyPath<ProcessorState>) -> Int {
                MemoryLayout<ProcessorState>.offset(of: path) ?? -1
            }
            return [
                place(\.cpl), place(\.interruptLine), place(\.isProtected), place(\.es.selector), place(\.cs.selector),
                place(\.ss.selector),
                place(\.ds.selector), place(\.fs.selector), place(\.gs.selector),
            ]
        }()

        /// What is wrong with an instruction; nil if it can do no harm.
        static func problem(_ line: String) -> String? {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "," }).map(String.init)
            guard let mnemonic = words.first(where: { !isPrefix($0) }) else { return "no instruction" }
            // A bit of REX that the instruction has no use for shows as a word of its own.
            let plain = line.split(separator: " ").filter { !$0.hasPrefix("rex") }.joined(separator: " ")
            if plain == page || windowed.contains(plain) { return nil }
            let firstOperand = words.drop { $0 != mnemonic }.dropFirst().prefix(3).joined(separator: " ")
            if forbidden.contains(mnemonic) { return "instruction" }
            if mnemonic == "ret" { return words.count == 1 ? nil : "instruction" }
            if line.contains("rsp") || line.contains("esp") || line.contains("spl") || line.contains("rip") {
                return "register"
            }
            if mnemonic == "lea" { return leaProblem(line) }
            if line.contains("ds:") && !line.contains("gs:") { return "segment" }
            for name in ["fs:", "es:", "ss:", "cs:"] where line.contains(name) && !line.contains("gs:") {
                return "segment"
            }
            guard let open = line.firstIndex(of: "["), let close = line.firstIndex(of: "]") else {
                let isOurs = ["r13", "r14", "r15"].contains { line.contains($0) }
                return isOurs ? "register" : nil
            }
            let address = line[line.index(after: open)..<close]
            let outside = line[..<open] + line[close...]
            if ["r13", "r14", "r15"].contains(where: { outside.contains($0) }) { return "register" }
            if line[..<open].hasSuffix("gs:") {
                let registers = address.split(whereSeparator: { "+-*".contains($0) })
                let isNarrow = registers.allSatisfy {
                    $0.hasPrefix("e") || $0.hasSuffix("d") || $0.first?.isNumber == true
                }
                return isNarrow && !["r13", "r14", "r15"].contains { address.contains($0) } ? nil : "window"
            }
            if address.hasPrefix("r13+0x") {
                guard let place = Int(address.dropFirst(6), radix: 16) else { return "state" }
                return stateFields.contains(place)
                    || ["movzx", "movsx"].contains(mnemonic) && smallFields.contains(place) ? nil : "state"
            }
            if inPage.contains(firstOperand) { return changers.contains(mnemonic) ? nil : "instruction" }
            if address == "r14" || address == "r14+0x0" { return mnemonic == "mov" ? nil : "budget" }
            if address.hasPrefix("r14-0x") {
                let isNear = Int(address.dropFirst(6), radix: 16).map { $0 < Translator.longest } ?? false
                return mnemonic == "mov" && isNear ? nil : "budget"
            }
            return ["jmp", "call"].contains(mnemonic) && isInJumpCache(address) ? nil : "memory"
        }

        /// Below the entries the addresses of far targets are.
        private static func isInJumpCache(_ address: Substring) -> Bool {
            if address == "r15+r8*8" { return true }
            guard address.hasPrefix("r15-0x"), let place = Int(address.dropFirst(6), radix: 16) else { return false }
            return place % 8 == 0 && 1...FarTargets.tableSize ~= place
        }

        /// LEA accesses nothing: R14 may be counted, and no other register of ours named.
        private static func leaProblem(_ line: String) -> String? {
            if line.contains("r14") { return line.contains("r14,[r14") ? nil : "count" }
            return ["r13", "r15"].contains { line.contains($0) } ? "register" : nil
        }

        private static func isPrefix(_ word: String) -> Bool {
            ["lock", "rep", "repz", "repnz", "addr32", "data16", "gs", "bnd"].contains(word) || word.hasPrefix("rex")
        }
    }
#endif
