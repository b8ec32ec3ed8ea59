public import Credentials
public import HTTP
import OCI

/// Answers Basic and Bearer challenges with the credentials of a provider; asks for tokens without any where there are none.
///
/// What a registry wanted once it gets unasked from then on, so that no body is sent twice. Tokens live in memory alone, one for each
/// registry, repository and kind of access, and are replaced before they expire and when the registry refuses them.
///
/// RFC 9110, section 11; distribution, "Token Authentication Specification".
public actor RegistryAuthorizer: Authorizer {
    private let http: HTTPClient
    private let credentials: any CredentialProvider
    private let options: RegistryOptions

    private struct Place: Hashable { var origin: String, repository: String }
    private enum Demand { case basic, bearer(TokenDemand) }
    private struct TokenKey: Hashable {
        var place: Place
        var demand: TokenDemand
        var scopes: [String]
    }

    private var demands: [Place: Demand] = [:]
    private var tokens: [TokenKey: BearerToken] = [:]
    private var fetches: [TokenKey: SharedTask<BearerToken>] = [:]

    /// - Parameter options: as the registry's client has them; certificates and times count here.
    public init(
        http: HTTPClient, credentials: any CredentialProvider,
        options: RegistryOptions = RegistryOptions()
    ) {
        self.http = http
        self.credentials = credentials
        self.options = options
    }

    public func authorization(for access: RegistryAccess) async throws -> String? {
        switch demands[Self.place(of: access)] {
        case nil: nil
        case .basic: try await basic(access)
        case .bearer(let demand): try await bearer(demand, access, refused: nil)
        }
    }

    public func authorization(
        answering challenges: [Challenge], refused: String?, for access: RegistryAccess
    ) async throws -> String? {
        if let demand = TokenDemand(challenges, of: access) {
            demands[Self.place(of: access)] = .bearer(demand)
            if let refused, TokenDemand.wantsMore(challenges),
                isCurrent(refused, Self.key(demand, access))
            {
                return nil  // another token for the same would be no better
            }
            return try await bearer(demand, access, refused: refused)
        }
        if challenges.contains(where: { $0.scheme == "basic" }) {
            demands[Self.place(of: access)] = .basic
            let header = try await basic(access)
            return header == refused ? nil : header
        }
        if challenges.isEmpty { return nil }
        throw AuthorizationError(
            access.registry, service: nil,
            .unsupported(schemes: challenges.prefix(5).map { Harmless.text($0.scheme, limit: 30) }))
    }

    public func credentialSource(for access: RegistryAccess) async -> String? {
        // Whoever asks has an error of its own to tell.
        try? await credential(for: access)?.source
    }

    private static func place(of access: RegistryAccess) -> Place {
        Place(origin: access.origin.url.origin, repository: access.repository)
    }

    private func credential(for access: RegistryAccess) async throws -> Credential? {
        try await credentials.credential(
            registry: access.registry, repository: access.repository)
    }

    private func basic(_ access: RegistryAccess) async throws -> String? {
        guard let credential = try await credential(for: access),
            case .password = credential.kind
        else { return nil }
        guard let header = BasicHeader.value(credential) else {
            throw AuthorizationError(
                access.registry, service: nil, .unusable(source: credential.source))
        }
        return header
    }

    private func bearer(
        _ demand: TokenDemand, _ access: RegistryAccess, refused: String?
    ) async throws -> String? {
        let credential = try await credential(for: access)
        if case .registryToken(let token)? = credential?.kind {
            guard TokenService.isToken(token.reveal()) else {
                throw AuthorizationError(
                    access.registry, service: nil, .unusable(source: credential?.source ?? ""))
            }
            let header = Self.header(token)
            return header == refused ? nil : header
        }
        let key = Self.key(demand, access)
        if let known = tokens[key], known.isFresh(at: .now), Self.header(known.secret) != refused {
            return Self.header(known.secret)
        }
        tokens[key] = nil
        return Self.header(try await fetch(key, access, credential).secret)
    }

    private static func key(_ demand: TokenDemand, _ access: RegistryAccess) -> TokenKey {
        TokenKey(place: place(of: access), demand: demand, scopes: demand.scopes(for: access))
    }

    private func isCurrent(_ header: String, _ key: TokenKey) -> Bool {
        tokens[key].map { $0.isFresh(at: .now) && Self.header($0.secret) == header } ?? false
    }

    private static func header(_ token: Secret) -> String { "Bearer " + token.reveal() }

    /// However many ask for the same at once, the service is asked once.
    private func fetch(
        _ key: TokenKey, _ access: RegistryAccess, _ credential: Credential?
    ) async throws -> BearerToken {
        if let running = fetches[key] { return try await running.value() }
        let service = try service(key, access, credential)
        let http = http
        let task = SharedTask { try await service.token(http) }
        fetches[key] = task
        defer { if fetches[key] === task { fetches[key] = nil } }
        let token = try await task.value()
        tokens[key] = token
        return token
    }

    private func service(
        _ key: TokenKey, _ access: RegistryAccess, _ credential: Credential?
    ) throws -> TokenService {
        let realm: HTTPURL
        do throws(TokenRealm.Refusal) {
            realm = try TokenRealm.url(key.demand.realm, namedBy: access.origin)
        } catch {
            throw AuthorizationError(
                access.registry, service: nil,
                .realmRefused(realm: key.demand.shownRealm, reason: error.reason))
        }
        return TokenService(
            registry: access.registry, realm: realm, service: key.demand.service,
            scopes: key.scopes, credential: credential, tls: try tls(for: realm, access.origin),
            timeouts: options.tokenTimeouts)
    }

    /// A client certificate is for its own origin; an authority vouches for its whole host.
    private func tls(for realm: HTTPURL, _ origin: RegistryOrigin) throws -> TLSOptions {
        if realm.origin == origin.url.origin { return origin.tls }
        if let own = try options.tls(for: realm.authority) { return own }
        if realm.host != origin.url.host { return TLSOptions() }
        var shared = origin.tls
        (shared.clientCertificate, shared.clientKey) = (nil, nil)
        return shared
    }
}
