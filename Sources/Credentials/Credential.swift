/// What a registry wants to see of somebody, and where it was found.
public struct Credential: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// For Basic authentication, at the registry or at its token service.
        case password(user: String, Secret)
        /// A refresh token: the token service gives access tokens for it.
        case identityToken(Secret)
        /// A bearer token for the registry itself.
        case registryToken(Secret)
    }

    public var kind: Kind
    /// For messages: `~/.docker/config.json`, `docker-credential-pass`
    public var source: String

    public init(_ kind: Kind, source: String) {
        self.kind = kind
        self.source = source
    }

    /// What must appear in no message.
    public var secret: Secret {
        switch kind {
        case .password(_, let secret), .identityToken(let secret), .registryToken(let secret):
            secret
        }
    }
}

/// Knows credentials by registry and repository.
public protocol CredentialProvider: Sendable {
    /// The credential for a repository, or nil where none is kept for it. Failing to look is an error, never nil.
    ///
    /// - Parameter registry: as references name it: `docker.io`, `localhost:5000`
    func credential(registry: String, repository: String) async throws(CredentialError)
        -> Credential?
}

/// Has one credential, for one registry.
public struct FixedCredential: CredentialProvider {
    private let registry: String
    private let credential: Credential?

    public init(_ credential: Credential?, registry: String) {
        self.registry = registry
        self.credential = credential
    }

    public func credential(
        registry: String, repository: String
    ) async throws(CredentialError) -> Credential? {
        registry == self.registry ? credential : nil
    }
}
