public import HTTP

/// What a request needs to be allowed.
public struct RegistryAccess: Hashable, Sendable {
    public enum Action: String, Sendable { case pull, push, delete }

    /// As references name it.
    public var registry: String
    public var origin: RegistryOrigin
    /// Empty for a question to the registry as a whole.
    public var repository: String
    public var actions: Set<Action>
    /// A repository that is read from, too, to mount a blob of it.
    public var mountSource: String?

    public init(
        registry: String, origin: RegistryOrigin, repository: String, actions: Set<Action>,
        mountSource: String? = nil
    ) {
        self.registry = registry
        self.origin = origin
        self.repository = repository
        self.actions = actions
        self.mountSource = mountSource
    }
}

/// Where a registry is spoken to, and how sure we are that it is the one.
public struct RegistryOrigin: Hashable, Sendable {
    public var url: HTTPURL
    public var tls: TLSOptions

    public init(url: HTTPURL, tls: TLSOptions) {
        self.url = url
        self.tls = tls
    }

    /// Whether TLS has shown that the registry is the one that was named.
    public var isAuthenticated: Bool { url.isSecure && tls.verifies }
}

/// Knows how to be let in. Its headers go to the registry's own origin and nowhere else.
public protocol Authorizer: Sendable {
    /// An `Authorization` header to begin with, where one is known to be wanted.
    func authorization(for access: RegistryAccess) async throws -> String?

    /// The header that answers a 401, or nil where there is none to give.
    ///
    /// - Parameter refused: the header that was sent and did not help.
    func authorization(
        answering challenges: [Challenge], refused: String?, for access: RegistryAccess
    ) async throws -> String?

    /// Where the credentials for this come from, for messages; nil where there are none.
    func credentialSource(for access: RegistryAccess) async -> String?
}

/// Has no credentials and asks for no token.
public struct AnonymousAuthorizer: Authorizer {
    public init() {}

    public func authorization(for access: RegistryAccess) async throws -> String? { nil }

    public func authorization(
        answering challenges: [Challenge], refused: String?, for access: RegistryAccess
    ) async throws -> String? { nil }

    public func credentialSource(for access: RegistryAccess) async -> String? { nil }
}
