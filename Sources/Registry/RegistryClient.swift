import Credentials
import Defences
public import HTTP
import Limits
import OCI

/// Speaks the distribution protocol with one registry.
///
/// What it hands out is verified: a manifest or a blob with a wrong digest or size is an error, never a result. What fails
/// by chance is tried again. A value of this type is cheap; the connections belong to the `HTTPClient`.
///
/// OCI distribution-spec v1.1.
public struct RegistryClient: Sendable {
    /// As references name it.
    public var registry: String { endpoint.registry }

    let endpoint: RegistryEndpoint
    let options: RegistryOptions
    private let http: HTTPClient
    private let authorizer: any Authorizer
    private var observer: (any TransferObserver)?

    /// - Throws: `RegistryError` where `registry` is no host name; nothing is asked of it yet.
    public init(
        _ registry: String, http: HTTPClient, authorizer: any Authorizer = AnonymousAuthorizer(),
        options: RegistryOptions = RegistryOptions(), observer: (any TransferObserver)? = nil
    ) throws(RegistryError) {
        func refuse(_ problem: RegistryError.Problem) -> RegistryError {
            RegistryError(
                registry: Harmless.text(registry, limit: 100), repository: "",
                operation: .connect, target: "", problem: problem)
        }
        let endpoint: RegistryEndpoint?
        do throws(CredentialError) {
            endpoint = try RegistryEndpoint(registry, options)
        } catch { throw refuse(.certificates(error)) }
        guard let endpoint else { throw refuse(.invalidRegistry) }
        self.endpoint = endpoint
        self.http = http
        self.authorizer = authorizer
        self.options = options
        self.observer = observer
    }

    /// The same client, heard by another observer: one for each blob, say.
    public func observed(by observer: any TransferObserver) -> RegistryClient {
        var copy = self
        copy.observer = observer
        return copy
    }
}

/// What one operation asks for, before credentials and redirects.
struct RegistryCall: Sendable {
    var operation: RegistryError.Operation
    var repository: String
    var target: String
    var method: HTTPRequest.Method
    var url: HTTPURL
    var headers: HTTPHeaders = [:]
    var body = HTTPBody.none
    var actions: Set<RegistryAccess.Action> = [.pull]
    var mountSource: String?
}

/// Thrown by what looks at an answer's header, to end the operation.
struct Refused: Error { var problem: RegistryError.Problem }

extension RegistryClient {
    static let maximumRedirects = Limit.registryRedirects
    /// A 401 is answered once with what is known, and once more where that was outdated.
    static let maximumAnswers = 2
    static let maximumErrorBytes = Limit.registryError

    func error(_ call: RegistryCall, _ problem: RegistryError.Problem) -> RegistryError {
        RegistryError(
            registry: registry, repository: call.repository, operation: call.operation,
            target: call.target, problem: problem)
    }

    /// A call to this registry's API.
    func call(
        _ operation: RegistryError.Operation, _ method: HTTPRequest.Method, _ url: HTTPURL?,
        _ repository: String, _ target: some CustomStringConvertible,
        actions: Set<RegistryAccess.Action> = [.pull]
    ) throws(RegistryError) -> RegistryCall {
        guard let url else {
            throw RegistryError(
                registry: registry, repository: Harmless.text(repository, limit: 300),
                operation: operation, target: "\(target)",
                problem: .malformed("no URL for this name"))
        }
        return RegistryCall(
            operation: operation, repository: repository, target: "\(target)", method: method,
            url: url, actions: actions)
    }

    /// Sends a call once, answers one challenge, follows redirects, and gives a success back.
    ///
    /// - Parameter receiving: decides where the body of a success goes; what it throws as `Refused` becomes the error.
    func exchange(
        _ call: RegistryCall,
        receiving: @escaping @Sendable (HTTPResponse) throws -> HTTPBodyUse = { _ in
            .excerpt(limit: 0)
        }
    ) async throws(RegistryError) -> HTTPResponse {
        var url = call.url
        var redirects = 0
        var header = try await authorization(call, answering: nil)
        var answers = 0
        while true {
            url = endpoint.effective(url)
            let origin = endpoint.origin
            let isOwn = url.origin == origin.url.origin
            var request = HTTPRequest(
                call.method, url, headers: call.headers, body: call.body,
                timeouts: options.timeouts, tls: isOwn ? endpoint.tls : TLSOptions())
            if isOwn || Defence.redirects.isLeftOut { request.headers["Authorization"] = header }
            if call.body.isEmpty {
                // Only what is sent takes a registry long to think about.
                request.timeouts.response = min(options.timeouts.response, options.timeouts.stalled)
            }
            let response: HTTPResponse
            do throws(RegistryError) {
                response = try await send(request, call, receiving)
            } catch {
                guard isOwn, case .transfer(let transfer) = error.problem,
                    endpoint.fallback?.choose(after: transfer) == true
                else { throw error }
                // What was meant for one origin is not for the other.
                header = nil
                continue
            }
            switch response.status {
            case 200...299: return response
            case 401 where isOwn && answers < Self.maximumAnswers:
                answers += 1
                let challenges = Challenge.parse(response.headers.all("WWW-Authenticate"))
                let next = try await authorization(call, answering: challenges, refused: header)
                if next == nil || next == header { throw await refusal(call, response) }
                header = next
            case 401 where isOwn: throw await refusal(call, response)
            case 301, 302, 303, 307, 308:
                redirects += 1
                url = try next(after: url, response, call, redirects)
            default: throw failure(call, response, isOwn: isOwn)
            }
        }
    }

    private func send(
        _ request: HTTPRequest, _ call: RegistryCall,
        _ receiving: @escaping @Sendable (HTTPResponse) throws -> HTTPBodyUse
    ) async throws(RegistryError) -> HTTPResponse {
        do throws(HTTPError) {
            return try await http.send(request, observer: observer) { response in
                response.isSuccess
                    ? try receiving(response) : .excerpt(limit: Self.maximumErrorBytes)
            }
        } catch {
            switch error.problem {
            case .cancelled: throw self.error(call, .cancelled)
            case .sink(let inner as Refused): throw self.error(call, inner.problem)
            case .sink(let inner): throw self.error(call, .sink(inner))
            default: throw self.error(call, .transfer(error))
            }
        }
    }

    private func authorization(
        _ call: RegistryCall, answering challenges: [Challenge]?, refused: String? = nil
    ) async throws(RegistryError) -> String? {
        let access = access(of: call)
        do {
            guard let challenges else { return try await authorizer.authorization(for: access) }
            return try await authorizer.authorization(
                answering: challenges, refused: refused, for: access)
        } catch is CancellationError {
            throw error(call, .cancelled)
        } catch {
            if Task.isCancelled { throw self.error(call, .cancelled) }
            var result = self.error(call, .authorization(error))
            result.retryAfter = (error as? AuthorizationError)?.retryAfter
            throw result
        }
    }

    private func access(of call: RegistryCall) -> RegistryAccess {
        RegistryAccess(
            registry: registry, origin: endpoint.origin, repository: call.repository,
            actions: call.actions, mountSource: call.mountSource)
    }

    /// The error of a 401 that nothing helps against.
    private func refusal(_ call: RegistryCall, _ response: HTTPResponse) async -> RegistryError {
        var error = failure(call, response, isOwn: true)
        error.credentialSource = await authorizer.credentialSource(for: access(of: call))
        return error
    }

    /// Where a redirect leads, if anyone should go there.
    private func next(
        after url: HTTPURL, _ response: HTTPResponse, _ call: RegistryCall, _ count: Int
    ) throws(RegistryError) -> HTTPURL {
        guard call.method == .get || call.method == .head else {
            throw error(call, .redirect("the registry redirects a push, which is not followed"))
        }
        guard count <= Self.maximumRedirects else {
            throw error(call, .redirect("more than \(Self.maximumRedirects) redirects"))
        }
        return try location(of: response, from: url, call)
    }

    /// A `Location`, resolved; one that leaves TLS is refused.
    func location(
        of response: HTTPResponse, from url: HTTPURL, _ call: RegistryCall
    ) throws(RegistryError) -> HTTPURL {
        let url = endpoint.effective(url)
        guard let text = response.headers["Location"] else {
            throw error(call, .malformed("status \(response.status) without a Location"))
        }
        guard let location = url.resolving(text) else {
            throw error(call, .malformed("a Location that is no plain http or https URL"))
        }
        if url.isSecure && !location.isSecure {
            throw error(call, .redirect("the registry leads from https to \(location.redacted)"))
        }
        return location
    }

    /// Where an upload goes on: at the registry itself. A blob is not for whomever an answer names.
    func uploadLocation(
        of response: HTTPResponse, from url: HTTPURL, _ call: RegistryCall
    ) throws(RegistryError) -> HTTPURL {
        let location = try location(of: response, from: url, call)
        if endpoint.effective(location).origin != endpoint.origin.url.origin {
            throw error(
                call, .redirect("the registry sends the upload elsewhere, to \(location.redacted)"))
        }
        return location
    }

    /// What a status that is no success means.
    private func failure(
        _ call: RegistryCall, _ response: HTTPResponse, isOwn: Bool
    ) -> RegistryError {
        let problem: RegistryError.Problem =
            switch response.status {
            // A storage behind the registry speaks of its own credentials.
            case 401 where isOwn: .unauthorized
            case 403 where isOwn: .denied
            case 404 where isOwn: .notFound
            case 429: .rateLimited
            default: .status(response.status)
            }
        var error = error(call, problem)
        error.messages = ServerMessage.parse(response.body)
        error.retryAfter = RetryAfter.of(response)
        return error
    }
}
