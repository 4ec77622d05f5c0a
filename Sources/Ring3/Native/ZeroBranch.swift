#if arch(x86_64) && os(Linux)
    import CHost

    /// A branch that touches no flag, on whether something is zero: the way that is taken as a rule should fall through, which
    /// LOOP does, but only where it is fast. In a chain of these on an AMD Zen 3, each takes 1 to 1.5 cycles with LOOP and 3
    /// to 4 with JRCXZ.
    struct ZeroBranch {
        let hasLoop: Bool
        static let ofHost = ZeroBranch(hasLoop: ring3_has_fast_loop() != 0)

        /// What RCX has to be for zero.
        var bias: UInt8 { hasLoop ? 1 : 0 }

        /// Emits two ways, neither of which falls through; on both of them ECX is what R10 was.
        func emit(_ host: inout HostAssembler, ifZero: Way, otherwise: Way) {
            let place = hasLoop ? host.loop() : host.jumpIfZeroRCX()
            host.move(.rcx, .r10)
            hasLoop ? ifZero(&host) : otherwise(&host)
            host.patchShort(at: place, to: host.offset)
            host.move(.rcx, .r10)
            hasLoop ? otherwise(&host) : ifZero(&host)
        }

        typealias Way = (inout HostAssembler) -> Void
    }
#endif
