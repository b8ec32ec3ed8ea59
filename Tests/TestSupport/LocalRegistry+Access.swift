/// Registries that let nobody in who does not show something.
extension LocalRegistry {
    /// With TLS, and a file of passwords: Basic authentication.
    public static func withPasswords(
        _ users: [String: String], _ tls: (certificate: String, key: String)
    ) throws -> (registry: LocalRegistry, files: TemporaryDirectory) {
        let files = try TemporaryDirectory()
        var lines = ""
        for (user, password) in users {
            // crypt(3) knows bcrypt, and perl is on every Debian.
            let hash = try Program.output([
                "/usr/bin/perl", "-e", "print crypt($ARGV[0], '$2y$05$abcdefghijklmnopqrstuu')",
                password,
            ])
            lines += "\(user):\(hash)\n"
        }
        let path = try files.write("htpasswd", lines.utf8)
        let registry = try LocalRegistry(
            http: "  tls:\n    certificate: \(tls.certificate)\n    key: \(tls.key)",
            sections: "auth:\n  htpasswd:\n    realm: tests\n    path: \(path)")
        return (registry, files)
    }

    /// In plain HTTP, with the tokens of a service.
    public static func withTokens(of service: TokenAuthority) throws -> LocalRegistry {
        try LocalRegistry(
            sections: """
                auth:
                  token:
                    realm: \(service.realm)
                    service: \(TokenAuthority.service)
                    issuer: \(TokenAuthority.issuer)
                    rootcertbundle: \(service.certificate)
                """)
    }
}
