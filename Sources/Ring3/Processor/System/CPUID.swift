// The processor that guests see: a Pentium M-class model with what Ring3 implements (SDM 2A, "CPUID").
extension Processor {
    /// Family 6, model 13, stepping 8: Pentium M "Dothan", the member of the Pentium III's family that has SSE2 and NX.
    static var signature: UInt32 { 0x6D8 }

    /// FPU, DE, PSE, TSC, MSR, PAE, CX8, SEP, PGE, CMOV, CLFSH, MMX, FXSR, SSE, SSE2. No VME, MCE, APIC, MTRR, MCA, PAT:
    /// not there, not claimed.
    static var features: UInt32 {
        let base: UInt32 = 1 << 0 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 11 | 1 << 13 | 1 << 15
        return base | 1 << 19 | 1 << 23 | 1 << 24 | 1 << 25 | 1 << 26
    }

    /// Line size for CLFLUSH in bits 8 to 15, in quadwords: 64 bytes. No brand index, there is a brand string.
    private static var lineSize: UInt32 { 8 << 8 }

    /// Extended features: NX.
    static var extendedFeatures: UInt32 { 1 << 20 }

    private static var brand: StaticString { "Ring3 virtual processor (Pentium M class)" }

    func cpuid() {
        pointee.statistics.identifications &+= 1
        let (eax, ebx, ecx, edx): (UInt32, UInt32, UInt32, UInt32) =
            switch pointee.eax {
            case 0: (2, 0x756E_6547, 0x6C65_746E, 0x4965_6E69)  // "GenuineIntel", in EBX, EDX, ECX
            case 1: (Self.signature, Self.lineSize, 0, Self.features)
            // Cache and TLB descriptors of the Dothan: 32 KiB L1 I and D, 2 MiB L2 (SDM 2A table 3-12).
            case 2: (0x02B3_B001, 0xF0, 0, 0x2C04_307D)
            case 0x8000_0000: (0x8000_0004, 0, 0, 0)
            case 0x8000_0001: (0, 0, 0, Self.extendedFeatures)
            case 0x8000_0002...0x8000_0004: brandWords(Int(pointee.eax - 0x8000_0002))
            // Beyond the highest basic leaf the processor answers with that leaf's data.
            default: (0x02B3_B001, 0xF0, 0, 0x2C04_307D)
            }
        pointee.eax = eax
        pointee.ebx = ebx
        pointee.ecx = ecx
        pointee.edx = edx
    }

    private func brandWords(_ part: Int) -> (UInt32, UInt32, UInt32, UInt32) {
        func word(_ index: Int) -> UInt32 {
            var value: UInt32 = 0
            for byte in 0..<4 {
                let position = part * 16 + index * 4 + byte
                guard position < Self.brand.utf8CodeUnitCount else { continue }
                value |= UInt32(Self.brand.utf8Start[position]) << UInt32(byte * 8)
            }
            return value
        }
        return (word(0), word(1), word(2), word(3))
    }
}
