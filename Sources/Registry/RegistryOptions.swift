public import Credentials
public import HTTP
import Limits

/// How to talk to registries, where the defaults are not enough.
public struct RegistryOptions: Sendable {
    /// Registries (`host` or `host:port`) that are asked in plain HTTP. Loopback ones are anyway, unless `tls` has them.
    public var plainHTTP: Set<String> = []
    /// Own authorities and client certificates, by registry (`host` or `host:port`).
    public var tls: [String: TLSOptions] = [:]
    /// Where the same lies in files, for registries that `tls` does not have.
    public var certificates: CertificateDirectories?
    /// Registries whose certificate is not checked, and which may have no TLS at all.
    public var insecure: Set<String> = []
    public var timeouts = HTTPTimeouts()
    public var retries = RetryPolicy()

    public init() {}

    /// What is set for a registry, or for a token service; nil where nothing is.
    func tls(for authority: String) throws(CredentialError) -> TLSOptions? {
        if let given = tls[authority] { return given }
        return try certificates?.options(for: authority)
    }

    /// A token is a small thing.
    var tokenTimeouts: HTTPTimeouts {
        var times = timeouts
        times.response = min(times.response, times.stalled, .seconds(30))
        return times
    }
}

/// When to try again what failed by chance.
public struct RetryPolicy: Sendable, Equatable {
    /// How often at most, the first time included, without any progress in between.
    public var attempts = Limit.registryAttempts
    /// The first pause is between a half and the whole of this; each further one up to twice as long.
    public var firstPause: Duration = .milliseconds(500)
    public var longestPause: Duration = .seconds(20)
    /// A server that asks for more patience than this is not waited for.
    public var longestRetryAfter: Duration = Limit.registryPatience

    public init() {}
}

/// One operation's tries.
struct Retry {
    private let policy: RetryPolicy
    private var failures = 0
    private var total = 0

    /// Even with progress in between, nobody tries for ever.
    private static let maximum = 200

    init(_ policy: RetryPolicy) { self.policy = policy }

    /// The last try brought something: count anew.
    mutating func progressed() { failures = 0 }

    /// Waits until the next try, or throws `error` again where there shall be none.
    mutating func pause(after error: RegistryError) async throws(RegistryError) {
        failures += 1
        total += 1
        guard error.isTransient, failures < policy.attempts, total < Self.maximum,
            error.retryAfter ?? .zero <= policy.longestRetryAfter
        else { throw error }
        // Sleep throws for a cancelled task alone.
        try? await Task.sleep(for: max(error.retryAfter ?? .zero, backoff))
        if Task.isCancelled { throw error.with(.cancelled) }
    }

    private var backoff: Duration {
        let doubled = policy.firstPause * (1 << min(failures - 1, 16))
        let longest = min(doubled, policy.longestPause)
        return longest / 2 + longest / 2 * Double.random(in: 0...1)
    }
}
