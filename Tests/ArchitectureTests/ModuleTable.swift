/// Which module may import which: the arrows of the house, one row a module.
///
/// Package.swift says the same to the compiler, but SwiftPM lets a module import a dependency of a dependency; this table
/// doesn't. A new arrow is a decision: it comes with its reason here.
enum ModuleTable {
    /// Libraries of the language and of the system that every module may use: they know nothing of containers. Defences is
    /// nothing at all, but in a test build.
    static let everyone: Set = [
        "Swift", "Glibc", "Synchronization", "Dispatch", "SystemPackage", "Defences",
        "Limits",
    ]

    /// Ours, and the libraries that only some may use.
    static let rows: [String: Set<String>] = [
        // The kernel in Swift words. The only one that may import the C shim.
        "Linux": ["CShims"],

        // Which defence a test build leaves out.
        "Defences": [],
        // Numbers only: how much is read, waited for or repeated of what comes from outside.
        "Limits": [],

        // Values: no files, no network, not even each other.
        "OCI": ["FoundationEssentials"],
        "Dockerfile": ["FoundationEssentials"],

        // Rules about what a Dockerfile says; how images are named is told to it.
        "Lint": ["Dockerfile"],

        "Archive": [
            "OCI", "Linux", "CArchive", "CDeflate", "CISAL", "CZstd", "CCrypto",
        ],
        "Layers": ["OCI", "Linux", "Archive"],
        // Layers: a listing is kept as Layers writes it, and opened from its file.
        "Store": ["OCI", "Linux", "Archive", "Layers", "FoundationEssentials"],
        "HTTP": ["Linux", "CCurl"],
        "Credentials": ["OCI", "Linux", "HTTP", "FoundationEssentials"],
        // CCrypto: what comes is hashed on its way in, and Registry does not know archives.
        "Registry": ["OCI", "HTTP", "Credentials", "CCrypto", "FoundationEssentials"],
        // Dockerfile: .dockerignore has its patterns. Layers: what COPY finds goes straight into a layer.
        "Contexts": ["OCI", "Linux", "Archive", "Layers", "Dockerfile"],
        "Policy": ["Linux", "CSeccomp"],
        "Sandbox": ["Policy", "Linux"],
        // It asks the kernel itself: a place that has no sandbox is what it is there to explain.
        "Doctor": ["Linux"],
        "Build": [
            // Lint: a build says what `lichen lint` says, and ends where the file asks for that.
            // Doctor: what --require asks for is checked before anything else of a build.
            "OCI", "Dockerfile", "Lint", "Doctor", "Linux", "Archive", "Layers", "Store", "HTTP",
            "Credentials", "Registry", "Contexts", "Policy", "Sandbox", "Logging",
            "FoundationEssentials",
        ],
        // CAttack: the attacks themselves, which must be such as a program in C makes them. All else of it is a build.
        "Attack": ["CAttack", "Build", "Store", "Linux", "FoundationEssentials"],

        // OCI: references and digests are the values of a request. Store: it is opened where its options are, and
        // `images`, `tag`, `rm` and `inspect` are nothing but it. Linux: descriptors and
        // signals. Doctor: `doctor` is nothing but it, and --require names its facts. Dockerfile, Lint: `parse` and `lint`
        // print what these say, and nothing is built. Attack: `attack` is nothing but it.
        "lichen": [
            "Attack", "Build", "Dockerfile", "Doctor", "Lint", "OCI", "Store", "Linux",
            "ArgumentParser",
            "FoundationEssentials",
        ],
    ]

    /// Single files that stand in the wrong room, and why.
    static let exceptions: [String: Set<String>] = [:]
}
