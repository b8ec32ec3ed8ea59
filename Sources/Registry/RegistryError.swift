public import Credentials
public import HTTP
public import OCI

/// Something that a registry did not do, and why.
public struct RegistryError: Error, Sendable {
    public enum Operation: String, Sendable {
        case connect = "speak to"
        case logIn = "log in to"
        case getManifest = "get the manifest"
        case findManifest = "look for the manifest"
        case putManifest = "push the manifest"
        case getBlob = "get the blob"
        case findBlob = "look for the blob"
        case mountBlob = "mount the blob"
        case putBlob = "push the blob"
    }

    public enum Problem: Sendable {
        case invalidRegistry
        case notFound
        /// The registry wants credentials, or other ones.
        case unauthorized
        /// The authorizer could not do its part.
        case authorization(any Error)
        /// The certificates that are set for the registry cannot be used.
        case certificates(CredentialError)
        /// The registry knows who asks, and refuses.
        case denied
        case rateLimited
        /// Another status that is no success.
        case status(Int)
        /// No answer. `HTTPError.isUnreachable` tells a registry that is down from a broken transfer.
        case transfer(HTTPError)
        case digestMismatch(expected: Digest, actual: Digest)
        case sizeMismatch(expected: Int64, actual: Int64)
        case document(DocumentError)
        /// An answer against the protocol.
        case malformed(String)
        /// The registry forgot an upload in the middle; a new one may succeed.
        case uploadLost
        /// A redirect that is not followed.
        case redirect(String)
        /// The one who takes the blob's bytes gave up.
        case sink(any Error)
        case cancelled
    }

    /// As references name it.
    public var registry: String
    public var repository: String
    public var operation: Operation
    /// The tag or the digest.
    public var target: String
    public var problem: Problem
    /// What the registry said about it, made harmless.
    public var messages: [ServerMessage] = []
    /// Where the credentials come from that the registry refuses.
    public var credentialSource: String?
    /// How long the server asks to wait.
    var retryAfter: Duration?

    func with(_ problem: Problem) -> RegistryError {
        RegistryError(
            registry: registry, repository: repository, operation: operation, target: target,
            problem: problem)
    }
}

extension RegistryError {
    public var isNotFound: Bool { if case .notFound = problem { true } else { false } }
    public var isUnauthorized: Bool { if case .unauthorized = problem { true } else { false } }
    public var isDenied: Bool { if case .denied = problem { true } else { false } }
    public var isCancelled: Bool { if case .cancelled = problem { true } else { false } }
    var isUploadLost: Bool { if case .uploadLost = problem { true } else { false } }
    /// What failed on this machine in the middle of a transfer: a file that could not be written, or read.
    public var localFailure: (any Error)? {
        switch problem {
        case .sink(let error): error
        case .transfer(let error): error.localFailure
        default: nil
        }
    }
    public var isUnreachable: Bool {
        if case .transfer(let error) = problem { error.isUnreachable } else { false }
    }

    /// Whether this is how a registry answers to a chunk that takes none.
    public var refusesChunks: Bool {
        switch problem {
        case .notFound: true
        case .status(let status): (400...499).contains(status) && status != 408
        default: false
        }
    }

    /// Whether the same may well succeed in a moment.
    public var isTransient: Bool {
        switch problem {
        case .rateLimited, .uploadLost: true
        // A chunk at a wrong place: the registry then says where it is.
        case .status(416): operation == .putBlob
        case .status(let status): [408, 500, 502, 503, 504].contains(status)
        case .transfer(let error): error.isTransient
        case .authorization(let error): (error as? AuthorizationError)?.isTransient ?? false
        default: false
        }
    }

    /// What the user could do, where we know.
    public var hint: String? {
        switch problem {
        case .unauthorized where credentialSource != nil:
            "log in again, or ask for access to \(repository): lichen login \(registry)"
        case .authorization(let error as AuthorizationError): error.hint
        case .authorization(let error as CredentialError): error.hint
        case .unauthorized:
            "\(registry) wants a login, or has no such repository: lichen login \(registry)"
        case .denied: "the account in use may not do this in \(repository)"
        case .rateLimited: "\(registry) limits how often it is asked; wait, or log in"
        case .transfer(let error):
            switch error.problem {
            case .tls:
                "a registry that speaks plain HTTP must be named: --insecure-registry \(registry)"
            case .untrustedCertificate:
                "an authority of its own goes into ~/.docker/certs.d/\(registry)/ca.crt"
            case .couldNotResolve, .connectionRefused, .unreachable, .connectTimeout:
                "is \(registry) the right name, and can this machine reach it?"
            default: nil
            }
        default: nil
        }
    }
}

extension RegistryError: CustomStringConvertible {
    public var description: String {
        let separator = target.isEmpty ? "" : (target.hasPrefix("sha256:") ? "@" : ":")
        let said =
            messages.isEmpty ? "" : " (\(messages.map(\.description).joined(separator: "; ")))"
        let place = repository.isEmpty ? registry : "\(registry)/\(repository)"
        let whose = credentialSource.map { " with the credentials of \($0)" } ?? ""
        return "\(operation.rawValue) \(place)\(separator)\(target): \(problem)\(whose)\(said)"
    }
}

extension RegistryError.Problem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalidRegistry: "the registry's name is no host"
        case .notFound: "not found"
        case .unauthorized: "not authorized"
        case .authorization(let error): "no authorization: \(error)"
        case .certificates(let error): "\(error)"
        case .denied: "denied"
        case .rateLimited: "too many requests"
        case .status(let status): "the registry answered with status \(status)"
        case .transfer(let error): "\(error)"
        case .digestMismatch(let expected, let actual):
            "the content has the digest \(actual), not \(expected)"
        case .sizeMismatch(let expected, let actual):
            "the content has \(actual) bytes, not \(expected)"
        case .document(let error): "\(error)"
        case .malformed(let what): "the answer breaks the protocol: \(what)"
        case .uploadLost: "the registry forgot the upload"
        case .redirect(let what): what
        case .sink(let error): "\(error)"
        case .cancelled: "cancelled"
        }
    }
}
