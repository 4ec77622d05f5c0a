#if arch(x86_64) && os(Linux)
    /// Questions that emitted code asks before it does what would be the monitor's, and calls out if the answer is no. They
    /// change R9, R10 and R11, and no flag: JRCXZ knows whether a sum is zero.
    extension HostAssembler {
        /// Calls out unless `load`, which may use R9 and R11, leaves zero in RCX. Keeps ECX in R10.
        mutating func callOutUnlessZero(
            _ callOut: (inout HostAssembler) -> Void, _ load: (inout HostAssembler) -> Void
        ) {
            move(.r10, .rcx)
            load(&self)
            let passed = jumpIfZeroRCX()
            move(.rcx, .r10)
            callOut(&self)
            patchShort(at: passed, to: offset)
            move(.rcx, .r10)
        }

        /// Puts the sum of R9D and R11D, of 64 bits, into RCX: zero if both are.
        mutating func addToRCX() { bytes(0x4B, 0x8D, 0x0C, 0x19) }  // lea rcx, [r9 + r11]

        /// Calls out unless CPL is 0, R8D is the selector of the `LoadedDescriptor` at `place`, and the GDT has still what it
        /// had then.
        mutating func callOutUnlessLoaded(from place: Int, _ callOut: (inout HostAssembler) -> Void) {
            callOutUnlessZero(callOut) { host in
                host.load(.r11, state: place)
                host.bytes(0x41, 0xF7, 0xD3)  // not r11d
                host.bytes(0x47, 0x8D, 0x5C, 0x03, 0x01)  // lea r11d, [r11 + r8 + 1]
                host.load(.r9, stateByte: ProcessorState.place(\.cpl))
                host.addToRCX()
            }
            load(.r9, state: place + 4)
            bytes(0x65, 0x67, 0x45, 0x8B, 0x19)  // mov r11d, gs:[r9d]
            bytes(0x65, 0x67, 0x45, 0x8B, 0x49, 0x04)  // mov r9d, gs:[r9d + 4]
            callOutUnlessZero(callOut) { host in
                host.load(.rcx, state: place + 8)
                host.bytes(0x41, 0xF7, 0xD3)  // not r11d
                host.bytes(0x45, 0x8D, 0x5C, 0x0B, 0x01)  // lea r11d, [r11 + rcx + 1]
                host.load(.rcx, state: place + 12)
                host.bytes(0x41, 0xF7, 0xD1)  // not r9d
                host.bytes(0x45, 0x8D, 0x4C, 0x09, 0x01)  // lea r9d, [r9 + rcx + 1]
                host.addToRCX()
            }
        }
    }
#endif
