public import Credentials
public import HTTP

extension RegistryClient {
    /// What a registry says to a credential.
    public enum LoginAnswer: Sendable {
        case accepted
        /// It lets everybody in, and so has not looked at it.
        case notAsked
    }

    /// Shows a credential to a registry.
    ///
    /// - Throws: `RegistryError`; `isUnauthorized`, or an `AuthorizationError` in it, where it is refused.
    ///
    /// OCI distribution-spec v1.1, "Determining Support".
    public static func logIn(
        to registry: String, with credential: Credential, http: HTTPClient,
        options: RegistryOptions = RegistryOptions()
    ) async throws(RegistryError) -> LoginAnswer {
        let stranger = try RegistryClient(registry, http: http, options: options)
        do throws(RegistryError) {
            try await stranger.askForSupport()
            return .notAsked
        } catch {
            guard error.isUnauthorized else { throw error }
        }
        let authorizer = RegistryAuthorizer(
            http: http, credentials: FixedCredential(credential, registry: registry),
            options: options)
        let client = try RegistryClient(
            registry, http: http, authorizer: authorizer, options: options)
        do throws(RegistryError) {
            try await client.askForSupport()
            return .accepted
        } catch {
            // Where they come from is known: they were given a moment ago.
            var error = error
            error.credentialSource = nil
            throw error
        }
    }

    private func askForSupport() async throws(RegistryError) {
        _ = try await repeating(try call(.logIn, .get, endpoint.base, "", ""))
    }
}
