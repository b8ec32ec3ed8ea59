/// An operating system and a processor, in Go's names: `linux/arm64`, `linux/arm/v7`.
///
/// OCI image-spec v1.1, image-index.md, "platform".
public struct Platform: Hashable, Sendable {
    public var os: String
    public var architecture: String
    /// `v7` of arm, `v3` of amd64; empty where there is none to name.
    public var variant: String
    public var osVersion: String
    public var osFeatures: [String]

    /// Takes the values as a document has them; see `normalized`.
    public init(
        os: String, architecture: String, variant: String = "", osVersion: String = "",
        osFeatures: [String] = []
    ) {
        self.os = os
        self.architecture = architecture
        self.variant = variant
        self.osVersion = osVersion
        self.osFeatures = osFeatures
    }

    /// Reads `os/architecture[/variant]`, or one of the two alone: the other is then this machine's.
    public init(parsing text: some StringProtocol) throws(PlatformError) {
        let parts = String(text).split(
            separator: Character("/"), omittingEmptySubsequences: false
        ).map(String.init)
        let valid = parts.allSatisfy { part in
            !part.isEmpty && part.utf8.count <= 64 && part.utf8.allSatisfy(Self.isNameByte)
        }
        guard valid, (1...3).contains(parts.count) else {
            throw PlatformError(text: Harmless.text(text, limit: 100))
        }
        switch parts.count {
        case 1 where Self.systems.contains(parts[0].lowercased()):
            self.init(os: parts[0], architecture: Self.host.architecture)
        case 1:
            self.init(os: Self.host.os, architecture: parts[0])
            guard Self.architectures.contains(normalized.architecture) else {
                throw PlatformError(text: parts[0])
            }
        default:
            self.init(
                os: parts[0], architecture: parts[1], variant: parts.count == 3 ? parts[2] : "")
        }
        self = normalized
    }

    /// What this program was built for.
    public static var host: Platform {
        #if arch(x86_64)
            Platform(os: "linux", architecture: "amd64")
        #elseif arch(arm64)
            Platform(os: "linux", architecture: "arm64")
        #elseif arch(i386)
            Platform(os: "linux", architecture: "386")
        #elseif arch(arm)
            Platform(os: "linux", architecture: "arm", variant: "v7")
        #elseif arch(powerpc64le)
            Platform(os: "linux", architecture: "ppc64le")
        #elseif arch(s390x)
            Platform(os: "linux", architecture: "s390x")
        #elseif arch(riscv64)
            Platform(os: "linux", architecture: "riscv64")
        #endif
    }

    private static let systems: Set<String> = [
        "linux", "windows", "darwin", "macos", "freebsd", "netbsd", "openbsd", "solaris", "plan9",
    ]

    private static let architectures: Set<String> = [
        "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle",
        "ppc64", "ppc64le", "riscv64", "s390x", "wasm",
    ]

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch Unicode.Scalar(byte) {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".": true
        default: false
        }
    }
}

/// A platform that cannot be read.
public struct PlatformError: Error, Equatable, Sendable, CustomStringConvertible {
    public var text: String
    public var description: String {
        "\"\(text)\" is not a platform; write it as linux/amd64 or linux/arm/v7"
    }
}

extension Platform {
    /// One spelling for each platform: `x86_64` is `amd64`, `armhf` is `arm/v7`, `arm64/v8` is `arm64`.
    ///
    /// containerd, platforms, "Normalization".
    public var normalized: Platform {
        var result = self
        result.os = os.lowercased()
        if result.os == "macos" { result.os = "darwin" }
        result.variant = variant.lowercased()
        switch architecture.lowercased() {
        case "i386", "i486", "i586", "i686", "x86":
            (result.architecture, result.variant) = ("386", "")
        case "x86_64", "x86-64": result.architecture = "amd64"
        case "aarch64": result.architecture = "arm64"
        case "armhf": (result.architecture, result.variant) = ("arm", "v7")
        case "armel": (result.architecture, result.variant) = ("arm", "v6")
        case let other: result.architecture = other
        }
        if let first = result.variant.utf8.first, first != UInt8(ascii: "v"),
            result.architecture == "arm" || result.architecture == "arm64"
        {
            result.variant = "v" + result.variant
        }
        switch (result.architecture, result.variant) {
        case ("arm", ""): result.variant = "v7"
        case ("arm64", "v8"), ("amd64", "v1"): result.variant = ""
        default: break
        }
        return result
    }

    /// What runs on this platform, best first: itself, then lower variants of the same architecture.
    ///
    /// Another architecture is never taken, not even one that the processor could run: a RUN refuses foreign calls.
    var acceptable: [Platform] {
        let wanted = normalized
        let variants: [String]
        switch wanted.architecture {
        case "arm": variants = Self.lower(than: wanted.variant, of: ["v8", "v7", "v6", "v5"])
        case "amd64": variants = Self.lower(than: wanted.variant, of: ["v4", "v3", "v2", ""])
        case "arm64" where !wanted.variant.isEmpty: variants = [wanted.variant, ""]
        default: variants = [wanted.variant]
        }
        return variants.map { variant in
            var platform = wanted
            platform.variant = variant
            return platform
        }
    }

    /// Whether a normalised platform means the same machine as this one, as a document has it.
    public func matches(_ wanted: Platform) -> Bool {
        let own = normalized
        return own.os == wanted.os && own.architecture == wanted.architecture
            && own.variant == wanted.variant
            && (wanted.osVersion.isEmpty || own.osVersion == wanted.osVersion)
    }

    private static func lower(than variant: String, of all: [String]) -> [String] {
        guard let start = all.firstIndex(of: variant) else { return [variant] }
        return Array(all[start...])
    }
}

extension Platform: CustomStringConvertible {
    /// `os/architecture` and, where there is one, `/variant`.
    public var description: String {
        [os, architecture, variant].filter { !$0.isEmpty }.joined(separator: "/")
    }
}

extension Platform: Codable {
    private enum CodingKeys: String, CodingKey {
        case os, architecture, variant
        case osVersion = "os.version"
        case osFeatures = "os.features"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        os = try container.text(forKey: .os)
        architecture = try container.text(forKey: .architecture)
        variant = try container.text(forKey: .variant)
        osVersion = try container.text(forKey: .osVersion)
        osFeatures = try container.list(forKey: .osFeatures)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(os, forKey: .os)
        try container.encode(architecture, forKey: .architecture)
        try container.encodeUnlessEmpty(variant, forKey: .variant)
        try container.encodeUnlessEmpty(osVersion, forKey: .osVersion)
        try container.encodeUnlessEmpty(osFeatures, forKey: .osFeatures)
    }
}
