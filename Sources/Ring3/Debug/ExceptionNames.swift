extension Vector {
    /// "#PF page fault"; nil for vectors that are no exception of this processor.
    static func name(_ vector: UInt8) -> String? { names[vector] }

    /// "#PF", or "#20" for what has no name.
    static func mnemonic(_ vector: UInt8) -> String {
        names[vector].map { String($0.prefix { $0 != " " }) } ?? "#\(vector)"
    }

    private static let names: [UInt8: String] = [
        0: "#DE divide error", 1: "#DB debug", 2: "NMI", 3: "#BP breakpoint", 4: "#OF overflow",
        5: "#BR bound range exceeded", 6: "#UD invalid opcode", 7: "#NM device not available", 8: "#DF double fault",
        10: "#TS invalid TSS", 11: "#NP segment not present", 12: "#SS stack fault", 13: "#GP general protection",
        14: "#PF page fault", 16: "#MF floating-point error", 17: "#AC alignment check",
        19: "#XM SIMD floating-point error",
    ]
}
