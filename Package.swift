// swift-tools-version: 6.2
import PackageDescription

// LLVM does not copy a block with many predecessors and successors into each of its predecessors, unless told to. The
// block executor's `switch` is such a block: with copies, each micro-op ends in an indirect jump of its own, which the
// host's processor predicts from the micro-op before. With a single one it mispredicts most.
let replicatedDispatch = ["-Xllvm", "-tail-dup-pred-size=1000", "-Xllvm", "-tail-dup-succ-size=1000"]

// The compiler proves most exclusive accesses to be such. The others, to the fields of objects, would be watched at run
// time: a tenth to a fifth of what a change of the guest's page tables or decoding takes. Debug builds watch them.
let unwatchedAccess = ["-enforce-exclusivity=unchecked"]

let package = Package(
    name: "Ring3",
    products: [
        .library(name: "Ring3", targets: ["Ring3"]),
        .executable(name: "ring3", targets: ["ring3-cli"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    ],
    targets: [
        .systemLibrary(name: "CCapstone", pkgConfig: "capstone", providers: [.apt(["libcapstone-dev"])]),
        .systemLibrary(name: "CHost"),
        .target(
            name: "X86", dependencies: ["CCapstone"],
            swiftSettings: [.unsafeFlags(unwatchedAccess, .when(configuration: .release))]),
        .target(
            name: "Hardware", dependencies: ["CHost"],
            swiftSettings: [.unsafeFlags(unwatchedAccess, .when(configuration: .release))]),
        .target(
            name: "Ring3",
            dependencies: ["X86", "Hardware", "CHost", .product(name: "Logging", package: "swift-log")],
            swiftSettings: [.unsafeFlags(replicatedDispatch + unwatchedAccess, .when(configuration: .release))]),
        .executableTarget(
            name: "ring3-cli",
            dependencies: [
                "Ring3", "Hardware", "X86", "AuditKit", "BenchKit", "InspectKit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .target(name: "BenchKit", dependencies: ["Ring3"]),
        .target(name: "OracleKit", dependencies: ["Ring3", "X86", "Hardware", "CHost"]),
        .executableTarget(
            name: "ring3-oracle",
            dependencies: ["OracleKit", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
        .target(
            name: "AuditKit",
            dependencies: ["Ring3", "X86", "OracleKit", .product(name: "Logging", package: "swift-log")]),
        .target(name: "InspectKit", dependencies: ["Ring3", .product(name: "Logging", package: "swift-log")]),
        .testTarget(
            name: "InspectTests",
            dependencies: [
                "InspectKit", "Ring3", "X86", "AuditKit", "ring3-cli", .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "AuditTests",
            dependencies: ["AuditKit", "Ring3", "X86", .product(name: "Logging", package: "swift-log")]),
        .testTarget(name: "X86Tests", dependencies: ["X86"]),
        .testTarget(name: "HardwareTests", dependencies: ["Hardware"]),
        .testTarget(name: "OracleTests", dependencies: ["OracleKit"]),
        .testTarget(name: "BenchTests", dependencies: ["BenchKit", "ring3-cli"]),
        .testTarget(name: "CLITests", dependencies: ["ring3-cli", "Ring3"]),
        .testTarget(name: "Ring3Tests", dependencies: ["Ring3", "Hardware", "X86"]),
    ],
    swiftLanguageModes: [.v6]
)
