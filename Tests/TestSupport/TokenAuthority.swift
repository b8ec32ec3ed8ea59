import FoundationEssentials
import Synchronization

/// A token service on the loopback interface: it knows some users, and signs what they may do.
///
/// The registry judges its tokens. distribution, "Token Authentication Implementation": JSON web tokens by RS256, with the
/// certificate of the key in `x5c`.
public final class TokenAuthority: Sendable {
    public static let service = "tests.registry"
    public static let issuer = "tests.issuer"

    public struct Settings: Sendable {
        /// Passwords by user; everybody in here may do everything.
        public var passwords: [String: String] = [:]
        /// Refresh tokens that count as much.
        public var refreshTokens: Set<String> = []
        /// What anybody may pull.
        public var isPublic: @Sendable (String) -> Bool = { $0.hasPrefix("public/") }
        /// What the answer says.
        public var expiresIn: Int? = 300
        /// How long the token itself is good, in seconds from now.
        public var life = 300
        /// Given instead of any other answer, while there are some.
        public var faults: [[ScriptedServer.Step]] = []
    }

    public let settings = Mutex(Settings())
    private let key: CertificateAuthority
    private let scratch: TemporaryDirectory
    private let server: ScriptedServer
    private let box: Box

    private final class Box: Sendable {
        let authority = Mutex<(@Sendable (ScriptedServer.Request) -> [ScriptedServer.Step])?>(nil)
    }

    public init() throws {
        key = try CertificateAuthority(name: "tokens", kind: .rsa)
        scratch = try TemporaryDirectory()
        let box = Box()
        self.box = box
        server = try ScriptedServer { request in
            box.authority.withLock { $0 }?(request) ?? [.answer(500)]
        }
        box.authority.withLock { $0 = { [unowned self] in answer($0) } }
    }

    public var realm: String { "http://\(server.host)/token" }
    public var host: String { server.host }
    public var certificate: String { key.certificate }
    /// What was asked so far.
    public var requests: [ScriptedServer.Request] { server.requests }

    private func answer(_ request: ScriptedServer.Request) -> [ScriptedServer.Step] {
        let (settings, fault) = settings.withLock { settings in
            (settings, settings.faults.isEmpty ? nil : settings.faults.removeFirst())
        }
        if let fault { return fault }
        let fields = Self.fields(of: request)
        func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
        let header = request.headers["authorization"]
        let isUser: Bool
        if request.method == "POST" {
            isUser = values("refresh_token").contains { settings.refreshTokens.contains($0) }
            if !isUser { return [.answer(400, body: #"{"error":"invalid_grant"}"#.utf8)] }
        } else {
            isUser = settings.passwords.contains { user, password in
                header == "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
            }
            if header != nil && !isUser { return [.answer(401)] }
        }
        do {
            let granted = Self.scopes(of: request).compactMap { access($0, isUser, settings) }
            let token = try sign(granted, life: settings.life)
            let expiry = settings.expiresIn.map { #","expires_in":\#($0)"# } ?? ""
            return [.answer(200, body: #"{"token":"\#(token)"\#(expiry)}"#.utf8)]
        } catch {
            return [.answer(500, body: "\(error)".utf8)]
        }
    }

    /// The scopes of each request.
    public var scopes: [[String]] { requests.map { Self.scopes(of: $0) } }

    private static func scopes(of request: ScriptedServer.Request) -> [String] {
        fields(of: request).filter { $0.name == "scope" }
            .flatMap { $0.value.split(separator: " ").map(String.init) }
    }

    /// The fields of a form, or of a query.
    private static func fields(
        of request: ScriptedServer.Request
    ) -> [(name: String, value: String)] {
        let query = request.target.split(separator: "?").dropFirst().first.map(String.init) ?? ""
        let form = request.method == "POST" ? String(decoding: request.body, as: UTF8.self) : query
        return form.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1).map { decoded(String($0)) }
            return (name: parts[0], value: parts.count > 1 ? parts[1] : "")
        }
    }

    /// `repository:team/app:pull,push` as an entry of the token, with what is granted of it.
    private func access(_ scope: String, _ isUser: Bool, _ settings: Settings) -> String? {
        let parts = scope.split(separator: ":").map(String.init)
        guard parts.count == 3 else { return nil }
        let granted = parts[2].split(separator: ",").filter { action in
            isUser || (action == "pull" && settings.isPublic(parts[1]))
        }
        let actions = granted.map { "\"\($0)\"" }.joined(separator: ",")
        return #"{"type":"\#(parts[0])","name":"\#(parts[1])","actions":[\#(actions)]}"#
    }

    private func sign(_ access: [String], life: Int) throws -> String {
        let now = Int(Date().timeIntervalSince1970)
        let pem = String(decoding: try Data(contentsOf: URL(filePath: certificate)), as: UTF8.self)
        let der = pem.split(separator: "\n").filter { !$0.hasPrefix("-") }.joined()
        let header = #"{"typ":"JWT","alg":"RS256","x5c":["\#(der)"]}"#
        let claims = """
            {"iss":"\(Self.issuer)","sub":"x","aud":"\(Self.service)","exp":\(now + life),\
            "nbf":\(now - 10),"iat":\(now),"jti":"\(UInt64.random(in: 0...UInt64.max))",\
            "access":[\(access.joined(separator: ","))]}
            """
        let content = Self.encoded(Array(header.utf8)) + "." + Self.encoded(Array(claims.utf8))
        let name = "\(UInt64.random(in: 0...UInt64.max))"
        let input = try scratch.write(name, content.utf8)
        _ = try Program.output([
            "/usr/bin/openssl", "dgst", "-sha256", "-sign", key.key, "-out", input + ".sig", input,
        ])
        return content + "." + Self.encoded(try scratch.read(name + ".sig"))
    }

    /// RFC 4648, section 5, without padding.
    private static func encoded(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }

    private static func decoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
