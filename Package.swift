// swift-tools-version: 6.3
import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// C of ours, warnings as errors.
let strictC: [CSetting] = [
    .define("_GNU_SOURCE"), .enableWarning("all"), .enableWarning("extra"),
    .treatAllWarnings(as: .error),
]

/// One module of ours: everything in Sources/NAME, warnings as errors. Each may ask how far to read what comes from outside.
func module(
    _ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []
) -> Target {
    .target(
        name: name, dependencies: dependencies + (name == "Limits" ? [] : ["Limits"]),
        resources: resources, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let arguments: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "lichen",
    products: [.executable(name: "lichen", targets: ["lichen"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: [
        // The kernel, and the libraries of the system.
        .target(name: "CShims", path: "CShims", cSettings: strictC),
        .systemLibrary(name: "CDeflate", pkgConfig: "libdeflate"),
        .systemLibrary(name: "CISAL", pkgConfig: "libisal"),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd"),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto"),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp"),
        // Libraries that are loaded when they are first needed, for the sake of start-up.
        .target(name: "CArchive", cSettings: strictC),
        .target(name: "CCurl", cSettings: strictC),

        // What a test build can leave out; empty in every other.
        module("Defences", []),
        module("Limits", []),

        // Values.
        module("OCI", []),
        module("Dockerfile", []),
        module("Lint", ["Dockerfile"]),

        // What touches the kernel, lowest first.
        module("Linux", ["CShims", system]),
        module(
            "Archive",
            ["OCI", "Linux", "CArchive", "CDeflate", "CISAL", "CZstd", "CCrypto", system]),
        module("Layers", ["OCI", "Linux", "Archive", "Defences", system]),
        module("Store", ["OCI", "Linux", "Archive", "Layers", "Defences", system]),
        module("HTTP", ["Linux", "CCurl", system]),
        module("Credentials", ["OCI", "Linux", "HTTP", system]),
        module("Registry", ["OCI", "HTTP", "Credentials", "Defences", "CCrypto", system]),
        module("Contexts", ["OCI", "Linux", "Archive", "Layers", "Dockerfile", system]),
        module(
            "Policy", ["Linux", "CSeccomp", system],
            resources: [
                .embedInCode("../../policies/default.json"),
                .embedInCode("../../policies/insecure.json"),
                .embedInCode("../../policies/unpacker.json"),
                .embedInCode("../../policies/reader.json"),
                .embedInCode("../../policies/capabilities/default-capabilities.json"),
                .embedInCode("../../policies/paths/default-paths.json"),
                .embedInCode("../../policies/paths/insecure-paths.json"),
            ]),
        module("Sandbox", ["Policy", "Linux", "Defences", system]),
        module("Doctor", ["Linux", system]),
        module(
            "Build",
            [
                "OCI", "Dockerfile", "Lint", "Linux", "Archive", "Layers", "Store", "HTTP",
                "Credentials", "Registry", "Contexts", "Policy", "Sandbox", "Doctor", system, log,
            ]),

        // What `lichen attack` is: attacks from inside a step, in C, and the build that they are steps of.
        .target(
            name: "CAttack",
            cSettings: [
                .enableWarning("all"), .enableWarning("extra"), .treatAllWarnings(as: .error),
            ]),
        module("Attack", ["CAttack", "Build", "Store", "Linux", system]),

        // The command line.
        .executableTarget(
            name: "lichen",
            dependencies: [
                "Attack", "Build", "Dockerfile", "Doctor", "Lint", "Store", "Linux", "OCI",
                "Defences", "Limits", system, arguments,
            ],
            swiftSettings: strict),

        // What tests share: temporary directories, real peers, a server for faults.
        .target(
            name: "TestSupport", dependencies: ["Linux"], path: "Tests/TestSupport",
            swiftSettings: strict),

        tests("ArchitectureTests", []),
        tests("EndToEndTests", ["lichen", "OCI", "TestSupport"]),
        // Mounts by the way of older kernels; a program, because a test process cannot become root of a namespace.
        .executableTarget(
            name: "OldMounts", dependencies: ["Sandbox", "Linux", system], path: "Tests/OldMounts",
            swiftSettings: strict),
        // What the unpacker is shut in, and one step under a supervisor; programs for the same reason.
        .executableTarget(
            name: "ConfinedProcess", dependencies: ["Policy", "Linux", system],
            path: "Tests/ConfinedProcess", swiftSettings: strict),
        .executableTarget(
            name: "SupervisedStep", dependencies: ["Sandbox", "Policy", "Linux", system],
            path: "Tests/SupervisedStep", swiftSettings: strict),
        tests(
            "SandboxTests",
            [
                "lichen", "ConfinedProcess", "OldMounts", "SupervisedStep", "Linux", "TestSupport",
                system,
            ]),
        tests("LayerPropertyTests", ["lichen", "TestSupport"]),
        tests(
            "LanguageCorpusTests",
            [
                "lichen", "Build", "Dockerfile", "HTTP", "Archive", "Linux", "OCI", "TestSupport",
                system,
            ],
            exclude: ["Copy", "Whole"]),
        tests("CrashTests", ["lichen", "TestSupport"]),
        tests("AttackTests", ["lichen", "Attack", "Linux", "TestSupport", system]),
        tests(
            "CommandLineTests",
            ["lichen", "Build", "Store", "OCI", "Linux", "TestSupport", arguments, system]),
        tests("LinuxTests", ["Linux", system]),
        tests("OCITests", ["OCI"]),
        tests("DockerfileTests", ["Dockerfile", "TestSupport"], exclude: ["Golden", "Refused"]),
        tests("LintTests", ["Lint", "Dockerfile", "TestSupport"]),
        tests("ArchiveTests", ["Archive", "OCI", "Linux"]),
        tests("LayersTests", ["Layers", "Contexts", "Archive", "OCI", "Linux", system]),
        tests("ContextsTests", ["Contexts", "Layers", "Archive", "OCI", "Linux", system]),
        tests("StoreTests", ["Build", "Store", "Layers", "Archive", "OCI", "Linux", system]),
        tests("ExportTests", ["Build", "Store", "Layers", "Archive", "OCI", "Linux", system]),
        tests("ImportTests", ["Build", "Store", "Layers", "Archive", "OCI", "Linux", system]),
        tests("HTTPTests", ["HTTP", "TestSupport", system]),
        tests("CredentialsTests", ["Credentials", "HTTP", "Linux", "TestSupport", system]),
        tests(
            "RegistryTests",
            ["Registry", "Credentials", "OCI", "HTTP", "Linux", "TestSupport", system]),
        tests("DoctorTests", ["Doctor", "Linux", "TestSupport", "lichen"]),
        tests("PolicyTests", ["Policy", "CSeccomp", system]),
        // Readers of foreign bytes, and what has to be true of them: for the slices of the tests and for scripts/fuzz.
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Archive", "Credentials", "HTTP", "Layers", "Linux", "OCI", "Policy", "Registry",
                "TestSupport", system,
            ], path: "Tests/FuzzTargets", swiftSettings: strict),
        tests("FuzzTests", ["FuzzTargets", "TestSupport", "Linux", system]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c17
)
