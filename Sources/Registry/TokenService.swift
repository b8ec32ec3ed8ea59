import Credentials
import FoundationEssentials
import HTTP
import Limits
import OCI

/// A bearer token, and until when it is worth sending.
struct BearerToken: Sendable {
    var secret: Secret
    var expires: ContinuousClock.Instant

    /// Whether it will do for a request that begins now.
    func isFresh(at now: ContinuousClock.Instant) -> Bool { now < expires }
}

/// One question to a token service.
///
/// distribution, "Token Authentication Specification" and "Oauth2 Token Authentication"; RFC 6750.
struct TokenService: Sendable {
    let registry: String
    let realm: HTTPURL
    let service: String?
    let scopes: [String]
    let credential: Credential?
    let tls: TLSOptions
    let timeouts: HTTPTimeouts

    static let maximumAnswerBytes = Limit.tokenAnswer
    static let maximumTokenBytes = Limit.token

    /// Asks with the credentials that there are, or without.
    func token(_ http: HTTPClient) async throws(AuthorizationError) -> BearerToken {
        let start = ContinuousClock.now
        let request = try request()
        let response: HTTPResponse
        do throws(HTTPError) {
            response = try await http.collect(request, limit: Self.maximumAnswerBytes)
        } catch {
            throw self.error(.transfer(error))
        }
        guard response.status == 200 else { throw failure(response) }
        return try read(response.body, since: start)
    }

    private func request() throws(AuthorizationError) -> HTTPRequest {
        switch credential?.kind {
        case .identityToken(let token):
            var form = [("grant_type", "refresh_token"), ("refresh_token", token.reveal())]
            form += [("client_id", "lichen"), ("scope", scopes.joined(separator: " "))]
            form += service.map { [("service", $0)] } ?? []
            let body = form.map { "\($0.0)=\(HTTPURL.encoded($0.1))" }.joined(separator: "&")
            return HTTPRequest(
                .post, realm, headers: ["Content-Type": "application/x-www-form-urlencoded"],
                body: .bytes(Array(body.utf8)), timeouts: timeouts, tls: tls)
        case .password(let user, _):
            guard let credential, let header = BasicHeader.value(credential) else {
                throw error(.unusable(source: credential?.source ?? ""))
            }
            return HTTPRequest(
                .get, question.adding(query: "account", user), headers: ["Authorization": header],
                timeouts: timeouts, tls: tls)
        case .registryToken, nil:
            return HTTPRequest(.get, question, timeouts: timeouts, tls: tls)
        }
    }

    private var question: HTTPURL {
        let asked = service.map { realm.adding(query: "service", $0) } ?? realm
        return scopes.reduce(asked) { $0.adding(query: "scope", $1) }
    }

    private struct Answer: Decodable {
        var token: String?
        var access_token: String?
        var expires_in: Double?
    }

    private func read(
        _ body: [UInt8], since start: ContinuousClock.Instant
    ) throws(AuthorizationError) -> BearerToken {
        // What was wrong with it cannot be told without telling what is in it.
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(body)),
            let text = [answer.token, answer.access_token].compactMap({ $0 }).first(where: {
                !$0.isEmpty
            }), Self.isToken(text)
        else { throw error(.malformed) }
        // A service that does not say how long means a minute. Some seconds are the network's.
        let stated = answer.expires_in ?? 0
        let seconds = stated > 0 ? min(stated, 86400) : 60
        let life = Duration.seconds(seconds)
        return BearerToken(
            secret: Secret(text), expires: start + life - min(.seconds(10), life / 4))
    }

    /// RFC 6750, section 2.1, leniently: visible ASCII, in one word.
    static func isToken(_ text: String) -> Bool {
        (1...maximumTokenBytes).contains(text.utf8.count)
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    }

    private func failure(_ response: HTTPResponse) -> AuthorizationError {
        let problem: AuthorizationError.Problem =
            switch response.status {
            case 401, 403: .refused(source: credential?.source)
            // How OAuth 2 refuses a refresh token; RFC 6749, section 5.2.
            case 400 where credential?.isIdentityToken == true: .refused(source: credential?.source)
            case 429: .rateLimited
            default: .status(response.status)
            }
        var error = error(problem)
        error.messages = ServerMessage.parse(response.body).map { hidingSecrets(in: $0) }
        error.retryAfter = RetryAfter.of(response)
        return error
    }

    private func hidingSecrets(in message: ServerMessage) -> ServerMessage {
        guard let credential else { return message }
        return ServerMessage(
            code: credential.secret.redacted(in: message.code),
            message: credential.secret.redacted(in: message.message))
    }

    private func error(_ problem: AuthorizationError.Problem) -> AuthorizationError {
        AuthorizationError(registry, service: realm.authority, problem)
    }
}

extension Credential {
    var isIdentityToken: Bool { if case .identityToken = kind { true } else { false } }
}

/// RFC 7617, section 2.
enum BasicHeader {
    /// Nil for what is no user and password, and for what cannot be said in this form.
    static func value(_ credential: Credential) -> String? {
        guard case .password(let user, let secret) = credential.kind else { return nil }
        let pair = user + ":" + secret.reveal()
        let isClean = pair.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
        guard isClean, !user.utf8.contains(UInt8(ascii: ":")) else { return nil }
        return "Basic " + Data(pair.utf8).base64EncodedString()
    }
}
