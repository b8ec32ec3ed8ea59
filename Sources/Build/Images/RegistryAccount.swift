import Credentials
import HTTP
import Registry

/// A user's account at a registry, as this user's credentials have it.
public struct RegistryAccount: Sendable {
    /// As references name it.
    public let registry: String
    private var options = RegistryOptions()
    private let store: CredentialStore

    public init(
        registry: String, plainHTTP: Set<String> = [], insecure: Set<String> = []
    ) {
        self.registry = registry
        let places = CredentialPlaces.ofProcess
        options.plainHTTP = plainHTTP
        options.insecure = insecure
        options.certificates = CertificateDirectories(places)
        store = CredentialStore(places)
    }

    /// What came of a login.
    public struct Login: Sendable {
        /// Where the password is kept now.
        public var place: String
        /// False where the registry lets everybody in, and so has not looked at it.
        public var wasVerified: Bool
        /// A place that comes before that one, and has something for the registry, too.
        public var hiddenBy: String?
    }

    /// Shows the password to the registry, and keeps it where it is accepted.
    public func logIn(user: String, password: String) async throws -> Login {
        let credential = Credential(
            .password(user: user, Secret(password)), source: "what was given")
        do {
            let answer = try await RegistryClient.logIn(
                to: registry, with: credential, http: HTTPClient(), options: options)
            let place = try await store.keep(credential, for: registry)
            let found = try await store.credential(registry: registry, repository: "")
            return Login(
                place: place, wasVerified: answer == .accepted,
                hiddenBy: found?.source == place ? nil : found?.source)
        } catch let error as RegistryError where error.isUnauthorized {
            throw BuildError(.network, "\(registry) refuses this user and password")
        } catch let error as RegistryError {
            throw BuildError(.network, "\(error)", hint: error.hint)
        } catch let error as CredentialError {
            throw BuildError(.storage, "\(error)", hint: error.hint)
        }
    }

    /// Forgets the password.
    ///
    /// - Returns: whether there was one, and a place that has one still.
    public func logOut() async throws -> (wasThere: Bool, stillIn: String?) {
        do {
            let wasThere = try await store.forget(registry)
            return (
                wasThere,
                try await CredentialStore(.ofProcess).credential(
                    registry: registry, repository: "")?
                    .source
            )
        } catch { throw BuildError(.storage, "\(error)", hint: error.hint) }
    }
}
