import Linux
import OCI

/// A program that keeps credentials: `docker-credential-NAME`.
///
/// It is asked on its standard input and answers in JSON; docker-credential-helpers, "Development".
struct CredentialHelper {
    /// `docker-credential-pass`
    let program: String
    private let environment: [String: String]

    /// - Parameter place: the file that names the helper.
    init(
        _ name: String, namedBy place: String, environment: [String: String]
    ) throws(CredentialError) {
        guard Self.isName(name) else {
            throw CredentialError(place, .invalidHelperName(Harmless.text(name, limit: 64)))
        }
        program = "docker-credential-" + name
        // It has its own way to secrets; ours are not for it.
        self.environment = environment.filter { $0.key != "DOCKER_AUTH_CONFIG" }
    }

    /// A word that is no path and no option.
    static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.enumerated().allSatisfy { index, byte in
                switch Unicode.Scalar(byte) {
                case "a"..."z", "A"..."Z", "0"..."9": true
                case ".", "_", "-": index > 0
                default: false
                }
            }
    }

    /// What it keeps for a server; nil where it says that there is nothing.
    func get(_ server: String) async throws(CredentialError) -> Credential? {
        let result = try await run("get", server)
        if !result.status.isSuccess {
            if Self.saysNotFound(result.output) { return nil }
            throw failure(result)
        }
        guard let tree = try? JSONReader.read(result.output),
            let secret = tree["Secret"]?.text, let user = tree["Username"]?.text
        else { throw CredentialError(program, .helperAnswer) }
        if user.isEmpty && secret.isEmpty { return nil }
        return Credential(
            user == "<token>"
                ? .identityToken(Secret(secret)) : .password(user: user, Secret(secret)),
            source: program)
    }

    func store(_ credential: Credential, for server: String) async throws(CredentialError) {
        let user = if case .password(let user, _) = credential.kind { user } else { "<token>" }
        let request = JSONTree.object([
            .init(name: "ServerURL", value: .string(server)),
            .init(name: "Username", value: .string(user)),
            .init(name: "Secret", value: .string(credential.secret.reveal())),
        ])
        let result = try await run("store", request.formatted)
        if !result.status.isSuccess { throw failure(result, hiding: credential.secret) }
    }

    /// - Returns: whether there was something to forget.
    func erase(_ server: String) async throws(CredentialError) -> Bool {
        let result = try await run("erase", server)
        if result.status.isSuccess { return true }
        if Self.saysNotFound(result.output) { return false }
        throw failure(result)
    }

    private func run(
        _ action: String, _ input: String
    ) async throws(CredentialError) -> HelperProcess.Result {
        try await HelperProcess(program: program, environment: environment)
            .run([action], input: Array(input.utf8))
    }

    private static func saysNotFound(_ output: [UInt8]) -> Bool {
        String(decoding: output.prefix(1000), as: UTF8.self).lowercased()
            .contains("credentials not found")
    }

    /// By the helpers' convention a failure's reason is the first line of the output.
    private func failure(
        _ result: HelperProcess.Result, hiding secret: Secret = Secret("")
    ) -> CredentialError {
        let line = result.output.split(separator: UInt8(ascii: "\n")).first ?? []
        let text = secret.redacted(in: String(decoding: line, as: UTF8.self))
        return CredentialError(
            program,
            .helperFailed(
                status: result.status.description, message: Harmless.text(text, limit: 200)))
    }
}
