/// The defaults of a container made from an image: the `config` of an image's config.
///
/// Empty means unset throughout, as it does to every engine.
///
/// OCI image-spec v1.1, config.md, "Properties"; Healthcheck, OnBuild and Shell are Docker's.
public struct ContainerConfig: Hashable, Sendable {
    public var user = ""
    /// `80/tcp`
    public var exposedPorts: Set<String> = []
    /// `NAME=value`, in order.
    public var env: [String] = []
    public var entrypoint: [String] = []
    public var cmd: [String] = []
    public var volumes: Set<String> = []
    public var workingDir = ""
    public var labels: [String: String] = [:]
    public var stopSignal = ""
    public var healthcheck: Healthcheck?
    public var shell: [String] = []
    public var onBuild: [String] = []
    /// Windows' mark of a command that is one escaped line already.
    public var argsEscaped = false

    public init() {}
}

/// How an engine asks a container whether it is well.
///
/// Docker Image Specification v1.2, "Healthcheck".
public struct Healthcheck: Hashable, Sendable {
    /// Empty: inherit; `["NONE"]`: none; else `CMD` or `CMD-SHELL` and what to run.
    public var test: [String] = []
    public var interval: Duration?
    public var timeout: Duration?
    public var startPeriod: Duration?
    public var startInterval: Duration?
    public var retries: Int?

    public init(test: [String]) { self.test = test }
}

/// The empty object that Go writes for a member of a set.
private struct Member: Codable {}

/// A list that old tools wrote as one string.
private struct Words: Decodable {
    var words: [String]

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let word = try? container.decode(String.self) {  // not a string: then it must be a list
            words = [word]
        } else {
            words = try container.decode([String].self)
        }
    }
}

extension ContainerConfig: Codable {
    private enum CodingKeys: String, CodingKey {
        case user = "User"
        case exposedPorts = "ExposedPorts"
        case env = "Env"
        case entrypoint = "Entrypoint"
        case cmd = "Cmd"
        case volumes = "Volumes"
        case workingDir = "WorkingDir"
        case labels = "Labels"
        case stopSignal = "StopSignal"
        case healthcheck = "Healthcheck"
        case shell = "Shell"
        case onBuild = "OnBuild"
        case argsEscaped = "ArgsEscaped"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func set(_ key: CodingKeys) throws -> Set<String> {
            Set((try container.decodeIfPresent([String: Member?].self, forKey: key) ?? [:]).keys)
        }
        func words(_ key: CodingKeys) throws -> [String] {
            try container.decodeIfPresent(Words.self, forKey: key)?.words ?? []
        }
        user = try container.text(forKey: .user)
        exposedPorts = try set(.exposedPorts)
        env = try container.list(forKey: .env)
        entrypoint = try words(.entrypoint)
        cmd = try words(.cmd)
        volumes = try set(.volumes)
        workingDir = try container.text(forKey: .workingDir)
        labels = try container.dictionary(forKey: .labels)
        stopSignal = try container.text(forKey: .stopSignal)
        healthcheck = try container.decodeIfPresent(Healthcheck.self, forKey: .healthcheck)
        shell = try words(.shell)
        onBuild = try container.list(forKey: .onBuild)
        argsEscaped = try container.decodeIfPresent(Bool.self, forKey: .argsEscaped) ?? false
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        func members(_ set: Set<String>) -> [String: Member] {
            Dictionary(uniqueKeysWithValues: set.map { ($0, Member()) })
        }
        try container.encodeUnlessEmpty(user, forKey: .user)
        try container.encodeUnlessEmpty(members(exposedPorts), forKey: .exposedPorts)
        try container.encodeUnlessEmpty(env, forKey: .env)
        try container.encodeUnlessEmpty(entrypoint, forKey: .entrypoint)
        try container.encodeUnlessEmpty(cmd, forKey: .cmd)
        try container.encodeUnlessEmpty(members(volumes), forKey: .volumes)
        try container.encodeUnlessEmpty(workingDir, forKey: .workingDir)
        try container.encodeUnlessEmpty(labels, forKey: .labels)
        try container.encodeUnlessEmpty(stopSignal, forKey: .stopSignal)
        try container.encodeIfPresent(healthcheck, forKey: .healthcheck)
        try container.encodeUnlessEmpty(shell, forKey: .shell)
        try container.encodeUnlessEmpty(onBuild, forKey: .onBuild)
        if argsEscaped { try container.encode(true, forKey: .argsEscaped) }
    }
}

extension Healthcheck: Codable {
    private enum CodingKeys: String, CodingKey {
        case test = "Test"
        case interval = "Interval"
        case timeout = "Timeout"
        case startPeriod = "StartPeriod"
        case startInterval = "StartInterval"
        case retries = "Retries"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func duration(_ key: CodingKeys) throws -> Duration? {
            try container.decodeIfPresent(Int64.self, forKey: key).map { .nanoseconds($0) }
        }
        test = try container.list(forKey: .test)
        interval = try duration(.interval)
        timeout = try duration(.timeout)
        startPeriod = try duration(.startPeriod)
        startInterval = try duration(.startInterval)
        retries = try container.decodeIfPresent(Int.self, forKey: .retries)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeUnlessEmpty(test, forKey: .test)
        try container.encodeIfPresent(interval?.wholeNanoseconds, forKey: .interval)
        try container.encodeIfPresent(timeout?.wholeNanoseconds, forKey: .timeout)
        try container.encodeIfPresent(startPeriod?.wholeNanoseconds, forKey: .startPeriod)
        try container.encodeIfPresent(startInterval?.wholeNanoseconds, forKey: .startInterval)
        try container.encodeIfPresent(retries, forKey: .retries)
    }
}

extension Duration {
    /// Nanoseconds as Go counts them, held within 64 bits.
    fileprivate var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carried) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflow || carried ? (seconds < 0 ? .min : .max) : sum
    }
}
