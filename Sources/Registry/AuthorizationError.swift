public import HTTP

/// A registry's demand for authorization that could not be met. It names hosts and places, never a secret.
public struct AuthorizationError: Error, Sendable {
    public enum Problem: Sendable {
        /// The registry names a token service that it must not name.
        case realmRefused(realm: String, reason: String)
        /// No answer of the token service.
        case transfer(HTTPError)
        case rateLimited
        /// A status of the token service that is no success.
        case status(Int)
        /// The token service refuses the credentials; where they come from, nil for none.
        case refused(source: String?)
        /// The token service's answer has no token that could be sent.
        case malformed
        /// The credentials from there cannot be sent: a line break in a password, say.
        case unusable(source: String)
        /// What the registry offers is nothing that we speak.
        case unsupported(schemes: [String])
    }

    /// As references name it.
    public var registry: String
    /// The token service's host; nil where it is about the registry itself.
    public var service: String?
    public var problem: Problem
    /// What the token service said about it, made harmless.
    public var messages: [ServerMessage] = []
    /// How long the token service asks to wait.
    var retryAfter: Duration?

    init(_ registry: String, service: String?, _ problem: Problem) {
        self.registry = registry
        self.service = service
        self.problem = problem
    }

    /// Whether the same may well succeed in a moment.
    public var isTransient: Bool {
        switch problem {
        case .rateLimited: true
        case .status(let status): [408, 500, 502, 503, 504].contains(status)
        case .transfer(let error): error.isTransient
        default: false
        }
    }

    /// What the user could do, where we know.
    public var hint: String? {
        switch problem {
        case .refused(nil), .refused(source: .some), .unusable:
            "log in again: lichen login \(registry)"
        case .transfer(let error) where error.isUnreachable:
            "\(registry) is there, but the service that gives its tokens is not"
        case .transfer: nil
        case .rateLimited: "wait, or log in"
        case .realmRefused:
            "credentials go only where the registry itself, known by its certificate, may send them"
        default: nil
        }
    }
}

extension AuthorizationError: CustomStringConvertible {
    public var description: String {
        let who = service.map { "the token service \($0)" } ?? registry
        let said =
            messages.isEmpty ? "" : " (\(messages.map(\.description).joined(separator: "; ")))"
        return "\(who): \(problem)\(said)"
    }
}

extension AuthorizationError.Problem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .realmRefused(let realm, let reason):
            "tokens from \(realm) are not asked for: \(reason)"
        case .transfer(let error): "\(error)"
        case .rateLimited: "too many requests"
        case .status(let status): "status \(status)"
        case .refused(nil): "no token without credentials"
        case .refused(let source?): "the credentials of \(source) were refused"
        case .malformed: "the answer has no usable token"
        case .unusable(let source): "the credentials of \(source) cannot be sent"
        case .unsupported(let schemes):
            "authentication by \(schemes.joined(separator: ", ")) is not supported"
        }
    }
}
