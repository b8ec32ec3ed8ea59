/// What a request needs to be allowed.
public struct RegistryAccess: Hashable, Sendable {
    public enum Action: String, Sendable { case pull, push }

    public var registry: String
    public var repository: String
    public var actions: Set<Action>
    /// A repository that is read from, too, to mount a blob of it.
    public var mountSource: String?
}

/// Knows how to be let in. Its headers go to the registry's own origin and nowhere else.
public protocol Authorizer: Sendable {
    /// An `Authorization` header to begin with, where one is known to be wanted.
    func authorization(for access: RegistryAccess) async throws -> String?

    /// The header that answers a 401, or nil where there is none to give. What was given before was refused.
    func authorization(
        answering challenges: [Challenge], for access: RegistryAccess
    ) async throws -> String?
}

/// Has no credentials and asks for no token.
public struct AnonymousAuthorizer: Authorizer {
    public init() {}

    public func authorization(for access: RegistryAccess) async throws -> String? { nil }

    public func authorization(
        answering challenges: [Challenge], for access: RegistryAccess
    ) async throws -> String? { nil }
}
