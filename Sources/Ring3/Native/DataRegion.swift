/// A part of a page with code that has no code itself, and to which the guest stores: emitted code does so without the
/// monitor. There is one at a time, the one that was stored to last.
struct DataRegion {
    /// Where the page begins in the host's mapping of RAM.
    var page: UInt64 = 0
    /// Binary logarithm of the region's bytes: 6, a line of `ProcessorState.codeMap`, to 12, the page. It is aligned.
    var shift: UInt32 = lineShift
    /// Its linear address, shifted right by that, and negated.
    var key: UInt32 = none

    /// The key while there is no region: added to no address it makes zero.
    static let none: UInt32 = 1 << 31
    static let lineShift: UInt32 = 6

    /// The largest region round an address without a line that `map`, of the page's 64 lines, marks as code; nil if the
    /// address's own line is.
    ///
    /// - Parameter page: where the host has the page.
    init?(around linear: UInt32, page: UInt64, codeMap map: UInt64) {
        func isFree(_ shift: UInt32) -> Bool {
            let count = UInt64(1) << UInt64(shift - Self.lineShift)
            let first = UInt64(linear & 0xFFF) >> UInt64(shift) * count
            let lines: UInt64 = count == 64 ? .max : (1 << count - 1) << first
            return map & lines == 0
        }
        guard isFree(Self.lineShift) else { return nil }
        while shift < 12, isFree(shift + 1) { shift += 1 }
        self.page = page
        key = 0 &- linear >> shift
    }

    init() {}
}

#if arch(x86_64) && os(Linux)
    import X86

    extension Instruction {
        /// A store, or a change of what is in memory, that emitted code may do in a `DataRegion`.
        fileprivate var storesToMemory: Bool {
            guard operands.0.kind == .memory, [1, 2, 4].contains(operands.0.size), addressSize == 4,
                !prefixes.contains(.lock), memory.segment == .ds || memory.segment == .es || memory.segment == .ss
            else { return false }
            return switch operation {
            case .mov, .add, .or, .adc, .sbb, .and, .sub, .xor, .inc, .dec, .not, .neg: true
            default: false
            }
        }
    }

    extension NativeTranslator {
        /// Emits a store that is the monitor's, because it faults, and before it a look whether it goes to the `DataRegion`:
        /// then it is done here. False if that is not possible.
        ///
        /// ```
        /// lea r8d, address
        /// is it aligned, and r8d >> shift + key zero?         else: the monitor
        /// pext r11d, r8d, mask                                in units of the operand's size
        /// mov r9, [page]
        /// mov [r9 + r11 * size], value
        /// ```
        func emitStoreToRegion(_ index: Int) -> Bool {
            let record = instruction(index).pointee
            let i = record.instruction
            guard case .faulting = record.monitoring, i.storesToMemory,
                record.debt == .none || record.debt == .adjust
            else { return false }
            let start = host
            let size = UInt32(i.operands.0.size)
            host.pay(record.debt)
            rewriter.emitOffset(.r8, i, bytes(index), &host)
            host.callOutUnlessZero({ emitLeave(calloutSite(index), &$0) }) { host in
                host.load(.r11, state: places.regionShift)
                host.bytes(0xC4, 0x42, 0x23, 0xF7, 0xC8)  // shrx r9d, r8d, r11d
                host.load(.r11, state: places.regionKey)
                host.bytes(0x47, 0x8D, 0x1C, 0x0B)  // lea r11d, [r11 + r9]
                host.move(.rcx, immediate: size - 1)
                host.extractBits(.r9, .r8, mask: .rcx)
                host.addToRCX()
            }
            host.move(.r11, immediate: 0x1000 - size)
            host.extractBits(.r11, .r8, mask: .r11)
            host.load(.r9, state: places.regionPage, isWide: true)
            guard rewriter.emitInPage(i, bytes(index), &host) else {
                host = start
                return false
            }
            instruction(index).pointee.storesToRegion = true
            return true
        }
    }

    extension NativeEngine {
        /// A store that emitted code left to the monitor has been executed: what follows it there may be emitted code's.
        func provideRegion(for record: UnsafeMutablePointer<NativeInstruction>) {
            let linear = withUnsafePointer(to: &record.pointee.instruction) { cpu.effectiveAddress($0) }
            guard let translated = try? cpu.translate(linear, .write, isUser: isUser), cpu.isRAM(translated) else {
                return
            }
            let physical = UInt32(truncatingIfNeeded: translated)
            let (page, line) = (Int(physical >> 12), physical & ~63)
            // It would not have faulted on a page without code.
            guard cpu.pointee.codeMap[page] != 0 else { return }
            // What was code there has just been written to, or was executed by the monitor.
            if cpu.pointee.codeMap[page] & 1 << UInt64(line >> 6 & 63) != 0, !cache.holdsCode(line, count: 64) {
                interpreter.forgetLine(line)
            }
            let place = UInt64(UInt(bitPattern: cpu.pointee.ramBase + page << 12))
            let region = DataRegion(around: linear, page: place, codeMap: cpu.pointee.codeMap[page])
            if let region { cpu.pointee.native.dataRegion = region }
        }

        /// From now on the monitor does all stores to pages with code.
        func forgetRegion() {
            cpu.pointee.native.dataRegion.key = DataRegion.none
        }
    }
#endif
