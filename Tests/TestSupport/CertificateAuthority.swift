/// An authority of our own, made by `openssl`, as long as this value lives.
public final class CertificateAuthority: Sendable {
    private let directory: TemporaryDirectory

    /// Elliptic keys are made in no time; RSA is for those who need it.
    public enum KeyKind: Sendable { case elliptic, rsa }

    private let kind: KeyKind

    public init(name: String = "tests", kind: KeyKind = .elliptic) throws {
        directory = try TemporaryDirectory()
        self.kind = kind
        try openssl(
            [
                "req", "-x509",
            ] + newKey + [
                "-nodes", "-days", "2", "-subj", "/CN=\(name)",
                "-keyout", key, "-out", certificate,
            ])
    }

    /// PEM files.
    public var certificate: String { directory.path("ca.pem") }
    public var key: String { directory.path("ca.key") }

    /// A certificate for this machine, good for some days from now on; -1 for one that has expired.
    public func issue(
        _ name: String, days: Int = 1
    ) throws -> (certificate: String, key: String) {
        let (certificate, key) = (directory.path("\(name).pem"), directory.path("\(name).key"))
        let request = directory.path("\(name).csr")
        try openssl(
            [
                "req"
            ] + newKey + [
                "-nodes", "-subj", "/CN=\(name)", "-keyout", key, "-out",
                request,
            ])
        let names = try directory.write(
            "\(name).names", "subjectAltName=DNS:localhost,IP:127.0.0.1\n".utf8)
        try openssl([
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
            "-set_serial", "\(abs(name.hashValue) % 1_000_000 + 2)", "-days", "\(days)", "-extfile",
            names, "-out", certificate,
        ])
        return (certificate, key)
    }

    private var newKey: [String] {
        kind == .rsa
            ? ["-newkey", "rsa:2048"]
            : ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    }

    private func openssl(_ arguments: [String]) throws {
        _ = try Program.output(["/usr/bin/openssl"] + arguments)
    }
}
