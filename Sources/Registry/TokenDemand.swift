import Limits
import OCI

/// What a Bearer challenge asks for.
///
/// RFC 6750, section 3; distribution, "Token Authentication Specification".
struct TokenDemand: Hashable, Sendable {
    /// As the registry wrote it.
    var realm: String
    var service: String?
    /// Scopes beside those that follow from what is asked: ECR's public registry wants `aws`.
    var furtherScopes: [String]

    /// Whether a challenge says that a token was good, but not good enough; RFC 6750, section 3.1.
    static func wantsMore(_ challenges: [Challenge]) -> Bool {
        challenges.contains { $0.parameters["error"] == "insufficient_scope" }
    }

    static let maximumScopes = Limit.tokenScopes
    static let maximumLength = Limit.tokenScope

    /// Nil where no challenge is a Bearer one with a realm.
    init?(_ challenges: [Challenge], of access: RegistryAccess) {
        let bearer = challenges.first { $0.scheme == "bearer" && $0.parameters["realm"] != nil }
        guard let bearer, let realm = bearer.parameters["realm"] else { return nil }
        self.realm = realm
        service = bearer.parameters["service"].flatMap { Self.isClean($0) ? $0 : nil }
        let own = "repository:\(access.repository):"
        let stated = bearer.parameters["scope"] ?? ""
        furtherScopes = stated.split(separator: " ").map(String.init)
            .filter { Self.isClean($0) && !$0.hasPrefix(own) }
            .prefix(Self.maximumScopes).map { $0 }
        if let source = access.mountSource {
            furtherScopes.removeAll { $0.hasPrefix("repository:\(source):") }
        }
    }

    /// All scopes of an access, the repository's own first.
    func scopes(for access: RegistryAccess) -> [String] {
        var scopes: [String] = []
        if !access.repository.isEmpty {
            let actions = access.actions.map(\.rawValue).sorted().joined(separator: ",")
            scopes.append("repository:\(access.repository):\(actions)")
        }
        if let source = access.mountSource { scopes.append("repository:\(source):pull") }
        return scopes + furtherScopes
    }

    /// For messages: no query, no more than a line.
    var shownRealm: String {
        let shown = realm.prefix { $0 != "?" && $0 != "#" }
        let afterUser = shown.lastIndex(of: "@").map { shown[$0...] } ?? shown
        return Harmless.text(afterUser, limit: 200)
    }

    private static func isClean(_ text: String) -> Bool {
        (1...maximumLength).contains(text.utf8.count)
            && text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f }
    }
}
